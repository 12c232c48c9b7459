import { clusteredMean, meanEstimate, percentiles, proportion } from '@llm-eval/statistics'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { numbersOf, quality, runOf } from '../../test/columns.ts'
import { createEngine } from '../create-engine.ts'
import { columnMetric } from './columns.ts'
import { summarise } from './summary.ts'

const one = (run: ReturnType<typeof runOf>) => summarise(run)[0]

describe('the summary of a metric', () => {
  it('names the evaluator and its version, and none where its code is under no version', async () => {
    const engine = createEngine()
    const info = engine.info('exact-match')
    if (!info) throw new Error('there is no exact match')
    expect(columnMetric('right', info)).toEqual({
      name: 'right',
      evaluator: 'exact-match',
      evaluator_version: info.version,
      direction: 'higher',
    })
    expect(columnMetric('right', { ...info, pinned: false }).evaluator_version).toBeNull()
    await engine.close()
  })

  it('is of the scored items alone, with the others beside it', () => {
    const run = runOf('a', [0.25, null, 0.75, 1, 0.5])
    run.add({
      item_index: 5,
      case_id: 'skipped',
      status: 'success',
      response_time_ms: null,
      cost: null,
      scores: { quality: { outcome: 'skipped', value: null, passed: null } },
    })
    run.add({ item_index: 6, case_id: 'failed', status: 'failed', response_time_ms: null, cost: null, scores: {} })
    run.add({ ...numbersOf([0])[0]!, case_id: 'pending', status: 'pending' })
    expect(one(run)).toEqual({
      ...quality,
      mean: meanEstimate([0.25, 0.75, 1, 0.5])?.interval,
      pass_rate: { ...proportion(3, 4), low: expect.any(Number), high: expect.any(Number) },
      standard_deviation: expect.closeTo(0.3227486121839514, 12),
      min: 0.25,
      max: 1,
      percentiles: { p5: 0.2875, p25: 0.4375, p50: 0.625, p75: 0.8125, p95: expect.closeTo(0.9625, 12) },
      distribution: expect.any(Array),
      scored: 4,
      skipped: 1,
      errored: 1,
    })
  })

  it('of nothing knows nothing', () => {
    expect(one(runOf('a', [null, null]))).toMatchObject({
      mean: null,
      pass_rate: null,
      standard_deviation: null,
      min: null,
      percentiles: null,
      distribution: [],
      scored: 0,
      errored: 2,
    })
  })

  it("has Wilson's interval where values are passes and failures", () => {
    expect(one(runOf('a', [1, 1, 0, 1]))?.mean).toEqual(proportion(3, 4))
    expect(one(runOf('a', [1]))?.mean).toEqual(proportion(1, 1))
    expect(one(runOf('a', [0.7]))).toMatchObject({ mean: null, min: 0.7, max: 0.7, scored: 1 })
  })

  it('takes the repetitions of a case for one another’s company, not for more cases', () => {
    const run = runOf('a', [])
    const values = [0.1, 0.2, 0.9, 0.8, 0.4, 0.5, 0.3]
    const caseOf = (index: number) => `case-${Math.floor(index / 2)}`
    for (const item of numbersOf(values, caseOf)) run.add(item)
    const clustered = clusteredMean(
      values,
      values.map((_, index) => caseOf(index)),
      { correction: 'small_sample' },
    )
    expect(one(run)?.mean).toEqual(clustered?.interval)
    const alike = runOf('a', [])
    for (const item of numbersOf(
      values.map(() => 1),
      caseOf,
    ))
      alike.add(item)
    expect(one(alike)?.mean).toMatchObject({ estimate: 1, high: 1, n: 7 })
    expect(one(alike)?.mean?.low).toBeLessThan(proportion(7, 7)?.low ?? 0)
    expect(one(alike)?.pass_rate?.low).toBeLessThan(proportion(7, 7)?.low ?? 0)
  })

  it('has a distribution of twenty cells that hold every value, and percentiles as statistics has them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: -1e3, max: 1e3 }), { minLength: 1, maxLength: 200 }),
        (values) => {
          const summary = one(runOf('a', values))
          const cells = summary?.distribution ?? []
          expect(cells.reduce((sum, { count }) => sum + count, 0)).toBe(values.length)
          expect(cells).toHaveLength(((summary?.max ?? 0) - (summary?.min ?? 0)) / 20 === 0 ? 1 : 20)
          expect([cells[0]?.from, cells.at(-1)?.to]).toEqual([summary?.min, summary?.max])
          expect(Object.values(summary?.percentiles ?? {})).toEqual(percentiles(values, [0.05, 0.25, 0.5, 0.75, 0.95]))
        },
      ),
    )
  })
})
