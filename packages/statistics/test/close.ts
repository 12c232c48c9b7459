import { expect } from 'vitest'

/** Expects two numbers, or lists of them, to differ by no more than a share of 1e-10 (absolute below 1). */
export function expectClose(
  seen: number | null | undefined | readonly (number | null | undefined)[],
  expected: number | readonly (number | null | undefined)[],
  within = 1e-10,
): void {
  const [left, right] = [[seen].flat(), [expected].flat()]
  expect(left).toHaveLength(right.length)
  for (const [at, want] of right.entries()) {
    const got = left[at]
    if (typeof want !== 'number' || typeof got !== 'number') expect(got).toBe(want)
    else if (!(Math.abs(got - want) <= within * Math.max(1, Math.abs(want)))) expect(got).toBe(want)
  }
}

/** The same where the numbers may be tiny: by their share alone. */
export function expectSameDigits(seen: number, expected: number, within = 1e-10): void {
  if (!(Math.abs(seen - expected) <= within * Math.abs(expected))) expect(seen).toBe(expected)
}
