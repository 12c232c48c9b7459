import type { AttemptOutcome } from '@llm-eval/protocol'
import { describe, expect, test } from 'vitest'
import { flakinessOf } from './flakiness.ts'

const words: Record<string, AttemptOutcome> = { p: 'passed', f: 'failed', x: 'faulted', u: 'unevaluated' }
const of = (text: string) => flakinessOf(text.split('').map((letter) => words[letter] ?? 'unevaluated'))

describe('a case from report to report', () => {
  test('is flaky when it passes and fails by turns', () => {
    expect(of('pfpfpfpf')).toMatchObject({ flaky: true, changes: 7, of: 7 })
    expect(of('pppfpppfppp')).toMatchObject({ flaky: true, changes: 4, of: 10 })
  })

  test('is not when it broke, or broke and was mended', () => {
    expect(of('pppppfff')).toMatchObject({ flaky: false, changes: 1, of: 7 })
    expect(of('pffp')).toMatchObject({ flaky: false, changes: 2, of: 3 })
    expect(of('pf')).toMatchObject({ flaky: false, changes: 1, of: 1, p: expect.closeTo(0.05, 9) })
  })

  test('is told only of reports in which it passed or failed', () => {
    expect(of('pxpupxp')).toEqual({ flaky: false, changes: 0, of: 3, p: 1 })
    expect(of('xu')).toEqual({ flaky: false, changes: 0, of: 0, p: null })
    expect(of('')).toEqual({ flaky: false, changes: 0, of: 0, p: null })
    expect(of('p')).toEqual({ flaky: false, changes: 0, of: 0, p: null })
  })

  test('has the p of so many changes with a chance of one in twenty each', () => {
    // 1 - 0.95 ** 7 - 7 * 0.05 * 0.95 ** 6
    expect(of('pfpppppp').p).toBeCloseTo(0.0444, 3)
  })
})
