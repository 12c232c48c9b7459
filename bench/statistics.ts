import { bootstrapMean, compare, createConfidenceSequence, createRandom } from '@llm-eval/statistics'
import type { Bench } from './bench.ts'
import type { Row } from './report.ts'

/** What it costs to compare two runs, beside the least that has to be done with so many numbers. */
export const statistics: Bench = ({ quick, say }) => {
  const random = createRandom(1)
  const cases = quick ? 5_000 : 100_000
  const baseline = Float64Array.from({ length: cases }, random.uniform)
  const pairs = {
    a: Array.from(baseline, (value) => value + 0.01 * random.uniform()),
    b: Array.from(baseline),
    clusters: Array.from(baseline, (_, at) => `case-${Math.floor(at / 3)}`),
  }
  const passes = { a: pairs.a.map((value) => value > 0.4), b: pairs.b.map((value) => value > 0.41) }
  const sample = pairs.a.slice(0, 1_000)
  const resamples = quick ? 500 : 10_000
  say('comparing')
  const sorting = milliseconds(() => Float64Array.from(pairs.a).sort())
  const sorted = { name: 'sorting one side', value: sorting }
  const note = `${cases.toLocaleString('en-US')} cases`
  const compared = (name: string, work: () => void): Row => ({
    name,
    value: milliseconds(work),
    unit: 'ms',
    peer: sorted,
    target: { atMost: 300 },
    note,
  })
  const rows = [
    compared('paired comparison of scores', () => compare(pairs.a, pairs.b)),
    compared('paired comparison of passes', () => compare(passes.a, passes.b)),
    compared('paired comparison in clusters of 3', () => compare(pairs.a, pairs.b, { clusters: pairs.clusters })),
  ]
  say('resampling')
  const drawing = milliseconds(() => drawOnly(sample, resamples))
  const drawn = { name: 'the same draws with Math.random, added up', value: drawing }
  const size = `${resamples.toLocaleString('en-US')} resamples × 1,000 cases`
  const bootstrap = { unit: 'ms', peer: drawn, target: { atMost: 1_000 } }
  const clusters = sample.map((_, at) => at >> 1)
  return Promise.resolve([
    ...rows,
    {
      ...bootstrap,
      name: 'BCa bootstrap of a mean',
      value: milliseconds(() => bootstrapMean(sample, { resamples })),
      note: size,
    },
    {
      ...bootstrap,
      name: 'the same, of clusters of 2',
      value: milliseconds(() => bootstrapMean(sample, { resamples, clusters })),
      note: size,
    },
    { name: 'confidence sequence, a value', value: perValue(baseline), unit: 'µs', note },
  ])
}

/** The median of seven runs, after one that warms up. */
function milliseconds(work: () => void): number {
  work()
  const took = Array.from({ length: 7 }, () => {
    const started = performance.now()
    work()
    return performance.now() - started
  })
  return took.sort((x, y) => x - y)[3] ?? Number.NaN
}

function drawOnly(values: readonly number[], resamples: number): number {
  const from = Float64Array.from(values)
  let sum = 0
  for (let draw = 0; draw < resamples * from.length; draw++) sum += from[Math.floor(Math.random() * from.length)] ?? 0
  return sum
}

function perValue(values: Float64Array): number {
  const sequence = createConfidenceSequence()
  const started = performance.now()
  for (const value of values) sequence.add(value)
  return ((performance.now() - started) * 1_000) / values.length
}
