/**
 * npm run torture [-- --rounds N --seed N]: the fault tests at full counts. Ends with 1 when any promise was broken.
 *
 * kill -9 in the middle of 10,000 mixed requests, 20 times on the same data; a locked and a full database; a reader that
 * stalls beside 1,000 others.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { killAgainAndAgain } from '../packages/server/test/faults/kill.ts'
import { fillDatabase, fillFileSystem, lockDatabase } from '../packages/server/test/faults/refusal.ts'
import { stallOne } from '../packages/server/test/faults/stall.ts'
import { describeMachine } from './machine.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
})
const rounds = Number(values.rounds)
const seed = Number(values.seed)
const directory = await mkdtemp(join(process.env['BENCH_DIRECTORY'] ?? tmpdir(), 'llm-eval-torture-'))
const say = (text: string) => process.stdout.write(`${text}\n`)
let broken = 0

try {
  say(`${describeMachine(directory).join('\n')}\nseed ${seed}\n`)
  await scenario(`kill -9, ${rounds} rounds of 10,000 mixed requests`, async (data) => {
    const report = await killAgainAndAgain({
      data,
      rounds,
      requests: 10_000,
      connections: 64,
      seed,
      onRound: ({ round, answered, unanswered, committed }) =>
        say(
          `  round ${round}: killed after ${answered} answers; of the ${unanswered} requests before, ` +
            `${committed} had been committed unheard`,
        ),
    })
    return { ...report, rounds: undefined }
  })
  await scenario('a locked database', (data) => lockDatabase({ data, connections: 64, requests: 10_000, seed }))
  await scenario('a database that may not grow', (data) =>
    fillDatabase({ data, connections: 64, requests: 100_000, maxPages: 4_000, seed }),
  )
  await scenario('a file system that is full', async (data) => {
    const report = await fillFileSystem({ data, connections: 64, requests: 100_000, seed })
    return report ?? { faults: [], skipped: 'only root may make a file system to fill' }
  })
  await scenario('a stalled reader beside 1,000', (data) =>
    stallOne({ data, watchers: 1_000, batches: 12, stallMs: 30_000 }),
  )
} finally {
  await rm(directory, { recursive: true, force: true })
}
say(broken === 0 ? '\nEvery promise was kept.' : `\n${broken} faults.`)
process.exitCode = broken === 0 ? 0 : 1

async function scenario(name: string, run: (data: string) => Promise<{ faults: string[] }>): Promise<void> {
  say(name)
  const started = performance.now()
  const { faults, ...figures } = await run(join(directory, name.replace(/\W+/g, '-')))
  for (const [figure, value] of Object.entries(figures))
    if (value !== undefined) say(`  ${figure}: ${JSON.stringify(value)}`)
  for (const fault of faults.slice(0, 50)) say(`  FAULT: ${fault}`)
  broken += faults.length
  say(`  ${faults.length} faults, ${((performance.now() - started) / 1_000).toFixed(0)} s\n`)
}
