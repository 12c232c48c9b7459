import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { median } from '../packages/server/test/faults/percentile.ts'
import type { Bench } from './bench.ts'
import { type Ran, runCommand } from './command.ts'
import { startJob } from './job.ts'
import type { Row } from './report.ts'
import { writeEvaluation } from './sevens.ts'
import type { KeepOrder, KeepReport } from './workers/keeper.ts'
import type { RunReport } from './workers/runner.ts'

/** `llm-eval run` from its start to its end, results stored in the data directory; and what storing them costs. */
export const runCommands: Bench = async ({ quick, directory, say }) => {
  mkdirSync(directory, { recursive: true })
  const [few, many] = quick ? [200, 2_000] : [10_000, 100_000]
  say(`evaluating ${few} items in a process of their own`)
  const small = await wholeRuns(directory, { count: few, rounds: quick ? 1 : 3 })
  say(`evaluating ${many} items`)
  const large = await wholeRuns(directory, { count: many, rounds: 1 })
  say('evaluating and storing, beside a bare promise pool')
  const items = (count: number) => count.toLocaleString('en-US')
  return [
    { name: `llm-eval run, ${items(few)} items, whole process`, value: small.seconds, unit: 's', note: small.note },
    { name: 'its resident memory at most', value: small.peak, unit: 'MB' },
    { name: `llm-eval run, ${items(many)} items, whole process`, value: large.seconds, unit: 's', note: large.note },
    { name: 'its resident memory at most', value: large.peak, unit: 'MB', target: { atMost: 300 } },
    await storedRow(join(directory, 'kept'), few, quick ? 1 : 5),
  ]
}

/** The median of some rounds, each with a data directory of its own. */
export async function wholeRuns(directory: string, { count, rounds }: { count: number; rounds: number }) {
  const file = writeEvaluation(directory, count)
  const ran: Ran[] = []
  for (let round = 0; round < rounds; round++)
    ran.push(
      await runCommand(['run', file, '--local', '--data', join(directory, `data-${count}-${round}`)], {
        cwd: directory,
      }),
    )
  const of = (value: (one: Ran) => number) => median(ran.map(value))
  const cpu = of((one) => one.cpu)
  return {
    seconds: of((one) => one.seconds),
    peak: of((one) => one.peak),
    cpu,
    note: `processor time ${cpu.toFixed(1)} s`,
  }
}

/** Both take turns, so that a noisy moment hits them alike; the first turn of each warms up. */
async function storedRow(data: string, items: number, rounds: number): Promise<Row> {
  const [ours, theirs] = [startJob('workers/keeper.ts', [data]), startJob('workers/runner.ts')]
  const speeds = { kept: [] as number[], bare: [] as number[] }
  try {
    for (let round = 0; round <= rounds; round++) {
      const bare = await theirs.run<RunReport>({ kind: 'bare', items })
      const kept = await ours.run<KeepReport>({ items } satisfies KeepOrder)
      if (round === 0) continue
      speeds.bare.push(bare.perSecond)
      speeds.kept.push(kept.perSecond)
    }
  } finally {
    await ours.stop()
    await theirs.stop()
  }
  return {
    name: `${items.toLocaleString('en-US')} items evaluated and stored by one process that is warm`,
    value: median(speeds.kept),
    unit: 'items/s',
    peer: { name: 'the same evaluations in a bare promise pool, nothing stored', value: median(speeds.bare) },
    target: { atLeast: 10_000, ratioAtLeast: 1 / 3 },
  }
}
