import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectClose } from '../test/close.ts'
import { meanEstimate } from './mean.ts'
import { createRandom } from './random.ts'
import { plannedError, varianceSplit } from './variance-split.ts'

/** Scores with known components: variances 4, 1 and 0.25. */
function simulate(
  seed: number,
  sizes: (random: number) => { cases: number; runs: number; judgements: number },
): number[][][] {
  const random = createRandom(seed)
  const noise = (sd: number) => {
    let sum = -6
    for (let part = 0; part < 12; part++) sum += random.uniform()
    return sum * sd
  }
  return Array.from({ length: sizes(random.uniform()).cases }, () => {
    const ofCase = noise(2)
    return Array.from({ length: sizes(random.uniform()).runs }, () => {
      const ofRun = ofCase + noise(1)
      return Array.from({ length: sizes(random.uniform()).judgements }, () => ofRun + noise(0.5))
    })
  })
}

describe('a split of variance', () => {
  it('finds the components on average, also with unequal numbers of runs and judgements', () => {
    const designs = [
      () => ({ cases: 8, runs: 3, judgements: 2 }),
      (random: number) => ({ cases: 8, runs: 1 + Math.floor(random * 4), judgements: 1 + Math.floor(random * 3) }),
    ]
    for (const design of designs) {
      const sums = [0, 0, 0]
      for (let seed = 0; seed < 600; seed++) {
        const split = varianceSplit(simulate(seed, design))
        for (const [at, part] of [split?.case, split?.agent, split?.judge].entries())
          sums[at] = (sums[at] ?? 0) + (part ?? 0) / 600
      }
      expect(Math.abs((sums[0] ?? 0) - 4)).toBeLessThan(0.4)
      expect(Math.abs((sums[1] ?? 0) - 1)).toBeLessThan(0.08)
      expect(Math.abs((sums[2] ?? 0) - 0.25)).toBeLessThan(0.02)
    }
  })

  it('explains the error of the mean of the very design', () => {
    const scores = simulate(5, () => ({ cases: 12, runs: 3, judgements: 2 }))
    const split = varianceSplit(scores)
    const perCase = scores.map((runs) => runs.flat().reduce((sum, score) => sum + score / 6, 0))
    expect(split?.clamped).toEqual([])
    const planned = split && plannedError(split, { cases: 12, runs: 3, judgements: 2 })
    expectClose(planned, meanEstimate(perCase)?.se ?? Number.NaN, 1e-10)
  })

  it('does not change when all scores are moved', () => {
    const scores = simulate(9, () => ({ cases: 5, runs: 3, judgements: 2 }))
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), (by) => {
        const moved = varianceSplit(scores.map((runs) => runs.map((run) => run.map((score) => score + by))))
        const split = varianceSplit(scores)
        expectClose([moved?.case, moved?.agent, moved?.judge], [split?.case, split?.agent, split?.judge], 1e-9)
      }),
    )
  })

  it('says null to what the design cannot tell apart', () => {
    // Judged once: agent and judge are one noise.
    expect(
      varianceSplit([
        [[1], [3]],
        [[5], [5]],
      ]),
    ).toMatchObject({ agent: null, judge: null, noise: 1, case: 4 })
    // Run once: the judge alone is known.
    expect(varianceSplit([[[1, 3]], [[5, 5]]])).toMatchObject({ case: null, agent: null, judge: 1, noise: null })
    // One case.
    expect(
      varianceSplit([
        [
          [1, 2],
          [3, 4],
        ],
      ]),
    ).toMatchObject({ case: null, judge: 0.5 })
    expect(varianceSplit([[[1]]])).toMatchObject({ n: 1, mean: 1, case: null, agent: null, judge: null, noise: null })
    expect(varianceSplit([])).toBeNull()
    expect(varianceSplit([[], [[]]])).toBeNull()
    expect(() => varianceSplit([[[Number.NaN]]])).toThrow(RangeError)
  })

  it('counts a component below 0 as 0, and says so', () => {
    // Runs of a case agree on average although the judge is far from agreeing with itself.
    const split = varianceSplit([
      [
        [0, 10],
        [10, 0],
      ],
      [
        [5, 5],
        [0, 10],
      ],
    ])
    expect(split).toMatchObject({ case: 0, agent: 0, clamped: ['case', 'agent'] })
    expect(split?.noise).toBe(split?.judge)
  })

  it('explains the error of the mean also where a component was cut to 0', () => {
    const scores = [
      [
        [1, 4],
        [3, 2],
      ],
      [
        [8, 5],
        [6, 6],
      ],
      [
        [2, 6],
        [5, 3],
      ],
    ]
    // Mean squares by statsmodels 0.15 (anova_lm): 14.25 of cases, 0.08333 of runs, 3.25 of judgements. The agent's component
    // would be -1.58; had the case's been taken from it, (14.25 - 0.08333) / 4, the error would be 1.20 and not 1.09.
    const split = varianceSplit(scores)
    expect(split).toMatchObject({ agent: 0, clamped: ['agent'] })
    expectClose([split?.judge, split?.case], [3.25, (14.25 - 3.25) / 4], 1e-12)
    const planned = split && plannedError(split, { cases: 3, runs: 2, judgements: 2 })
    expectClose(planned, meanEstimate([2.5, 6.25, 4])?.se ?? Number.NaN, 1e-12)
  })
})

describe('a planned error', () => {
  it('shrinks with cases, and not below what the cases leave', () => {
    const split = { case: 4, agent: 1, judge: 0.25 }
    expectClose(plannedError(split, { cases: 25, runs: 1, judgements: 1 }), Math.sqrt(5.25 / 25), 1e-14)
    expect(plannedError(split, { cases: 25, runs: 1_000, judgements: 1_000 })).toBeGreaterThan(Math.sqrt(4 / 25))
    expect(plannedError({ ...split, judge: null }, { cases: 1, runs: 1, judgements: 1 })).toBeNull()
    expect(() => plannedError(split, { cases: 0, runs: 1, judgements: 1 })).toThrow('cases is 0')
  })
})
