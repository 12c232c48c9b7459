import * as z from 'zod'

/** From which value on a similarity passes. */
export function threshold(standard: number) {
  return z.number().min(0).max(1).default(standard).describe('Values from here on pass.')
}

/** One text or several, such as references of which the best one counts. */
export function textsOf(value: unknown): string[] {
  const items: unknown[] = Array.isArray(value) ? value : [value]
  return items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)))
}

/** How near two numbers are: 1 minus their difference over the sum of their sizes, never below 0. */
export function closeness(a: number, b: number): number {
  const sizes = Math.abs(a) + Math.abs(b)
  // Halved, so that two of the largest numbers do not become infinite.
  return Number.isFinite(sizes) ? (sizes === 0 ? 1 : Math.max(0, 1 - Math.abs(a - b) / sizes)) : closeness(a / 2, b / 2)
}
