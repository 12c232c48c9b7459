/**
 * npm run bench [-- [--quick] [NAME …]]: measures, each figure beside its limit or peer in the same run, and prints the table.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from '../scripts/build.mjs'
import { setup } from '../scripts/setup.mjs'
import { agents } from './agents.ts'
import type { Bench } from './bench.ts'
import { bridge } from './bridge.ts'
import { conversations } from './conversations.ts'
import { executions } from './executions.ts'
import { idle } from './idle.ts'
import { ingestBatch } from './ingest-batch.ts'
import { ingestSingle } from './ingest-single.ts'
import { describeMachine } from './machine.ts'
import { million } from './million.ts'
import { postgres } from './postgres.ts'
import { promptfoo } from './promptfoo.ts'
import { isMet, type Row, table } from './report.ts'
import { runs } from './run.ts'
import { runCommands } from './run-command.ts'
import { runPage } from './run-page.ts'
import { runServer } from './run-server.ts'
import { runSockets } from './run-sockets.ts'
import { runStore } from './run-store.ts'
import { sdk } from './sdk.ts'
import { statistics } from './statistics.ts'
import { stream } from './stream.ts'
import { textMetrics } from './text-metrics.ts'

const benches: Record<string, Bench> = {
  'ingest-single': ingestSingle,
  'ingest-batch': ingestBatch,
  postgres,
  stream,
  executions,
  runs,
  'run-store': runStore,
  'run-page': runPage,
  'run-command': runCommands,
  'run-server': runServer,
  'run-sockets': runSockets,
  agents,
  bridge,
  conversations,
  million,
  idle,
  sdk,
  statistics,
  'text-metrics': textMetrics,
}
/** Only by name: what they compare with is installed for them. */
const others: Record<string, Bench> = { promptfoo }

const args = process.argv.slice(2)
const quick = args.includes('--quick')
const names = args.filter((arg) => !arg.startsWith('--'))
const unknown = [
  ...names.filter((name) => !(name in benches || name in others)),
  ...args.filter((arg) => /^--(?!quick$)/.test(arg)),
]
if (unknown.length > 0) {
  process.stderr.write(
    `Unknown: ${unknown.join(', ')}. There are --quick and ${Object.keys({ ...benches, ...others }).join(', ')}.\n`,
  )
  process.exit(2)
}

// What users run is measured, so it must be what the sources say.
await build(await setup())
const directory = await mkdtemp(join(process.env['BENCH_DIRECTORY'] ?? tmpdir(), 'llm-eval-bench-'))
const rows: Row[] = []
try {
  process.stdout.write(
    `${describeMachine(directory).join('\n')}\n${quick ? 'quick: the figures mean nothing\n' : ''}\n`,
  )
  const asked = names.length === 0 ? benches : { ...benches, ...others }
  for (const [name, bench] of Object.entries(asked)) {
    if (names.length > 0 && !names.includes(name)) continue
    rows.push(...(await measure(name, bench)))
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}
process.stdout.write(`\n${table(rows)}\n`)
const missed = rows.filter((row) => isMet(row) === false)
process.stdout.write(`\n${rows.length} figures, ${missed.length} missed their target\n`)

async function measure(name: string, bench: Bench): Promise<Row[]> {
  const started = performance.now()
  const seconds = () => ((performance.now() - started) / 1_000).toFixed(0)
  const say = (text: string) => process.stderr.write(`${name}: ${text} (${seconds()} s)\n`)
  const own = join(directory, name)
  try {
    const measured = await bench({ quick, directory: own, say })
    process.stdout.write(`${name} (${seconds()} s)\n${table(measured)}\n\n`)
    return measured
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}
