import { type ColumnMetric, compareRuns, RunColumns, summarise } from '@llm-eval/engine'
import { createRandom } from '@llm-eval/statistics'
import type { Bench } from './bench.ts'
import { startJob } from './job.ts'
import type { Row } from './report.ts'
import type { RunOrder, RunReport } from './workers/runner.ts'

/** Runs as the engine works them off, without a store; and what it takes to sum two up and hold them against each other. */
export const runs: Bench = async ({ quick, say }) => {
  const few = quick ? 500 : 10_000
  const many = quick ? 2_000 : 100_000
  say('working off')
  const speed = await speedRow(few, quick ? 1 : 5)
  say('many items')
  const [bare, whole] = [await alone({ kind: 'bare', items: 1 }), await alone({ kind: 'run', items: many })]
  say('comparing')
  return [
    speed,
    {
      name: `${many.toLocaleString('en-US')} items, resident memory at most`,
      value: whole.peak,
      unit: 'MB',
      peer: { name: 'the same process after one item', value: bare.peak },
      target: { atMost: 300 },
    },
    ...comparisonRows(many),
  ]
}

/** Both take turns, so that a noisy moment hits them alike; the first turn of each warms up. */
async function speedRow(items: number, rounds: number): Promise<Row> {
  const [ours, theirs] = [startJob('workers/runner.ts'), startJob('workers/runner.ts')]
  const speeds = { run: [] as number[], bare: [] as number[] }
  try {
    for (let round = 0; round <= rounds; round++) {
      const bare = await theirs.run<RunReport>({ kind: 'bare', items })
      const run = await ours.run<RunReport>({ kind: 'run', items })
      if (round === 0) continue
      speeds.bare.push(bare.perSecond)
      speeds.run.push(run.perSecond)
    }
  } finally {
    await ours.stop()
    await theirs.stop()
  }
  return {
    name: `${items.toLocaleString('en-US')} items, no-op task, contains, regex and levenshtein`,
    value: median(speeds.run),
    unit: 'items/s',
    peer: { name: 'the same evaluations in a bare promise pool', value: median(speeds.bare) },
    target: { atLeast: 10_000, ratioAtLeast: 1 / 3 },
  }
}

async function alone(order: RunOrder): Promise<RunReport> {
  const job = startJob('workers/runner.ts')
  try {
    return await job.run<RunReport>(order)
  } finally {
    await job.stop()
  }
}

function comparisonRows(items: number): Row[] {
  const random = createRandom(1)
  const columns = (runId: string, better: number) => {
    const metrics = ['a', 'b', 'c', 'd', 'e'].map(
      (name): ColumnMetric => ({ name, evaluator: name, evaluator_version: '1', direction: 'higher' }),
    )
    const run = new RunColumns(runId, metrics)
    const score = (value: number) => ({ outcome: 'scored' as const, value, passed: value > 0.5 })
    for (let index = 0; index < items; index++)
      run.add({
        item_index: index,
        case_id: `case-${index}`,
        status: 'success',
        response_time_ms: 100 * random.uniform(),
        cost: random.uniform() / 100,
        scores: Object.fromEntries(
          metrics.map(({ name }, at) => {
            const value = random.uniform() + better
            // Two of five only pass and fail.
            return [name, score(at < 2 ? Number(value > 0.4) : value)]
          }),
        ),
      })
    return run
  }
  const note = `${items.toLocaleString('en-US')} items each, five metrics`
  const [filled, runs] = timed(() => [columns('before', 0), columns('after', 0.01)])
  const [compared] = timed(() => compareRuns(runs))
  const [summed] = timed(() => runs.map(summarise))
  const row = (name: string, value: number): Row => ({ name, value, unit: 'ms', note, target: { atMost: 2_000 } })
  return [
    row('two runs compared, with times and costs', compared),
    row('both summed up', summed),
    { name: 'both read into columns, with making the numbers', value: filled, unit: 'ms', note },
  ]
}

/** The median of three times. */
function timed<T>(work: () => T): [milliseconds: number, result: T] {
  const took: number[] = []
  let result: T
  do {
    const started = performance.now()
    result = work()
    took.push(performance.now() - started)
  } while (took.length < 3)
  return [median(took), result]
}

function median(values: number[]): number {
  return values.sort((x, y) => x - y)[values.length >> 1] ?? Number.NaN
}
