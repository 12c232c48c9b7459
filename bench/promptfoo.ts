import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import type { Bench } from './bench.ts'
import { runNode } from './command.ts'
import type { Row } from './report.ts'
import { wholeRuns } from './run-command.ts'
import { sevens } from './sevens.ts'

/** Quiet, and to itself: nothing that it does beside evaluating should count. */
const quietly = {
  PROMPTFOO_DISABLE_TELEMETRY: '1',
  PROMPTFOO_DISABLE_UPDATE: '1',
  PROMPTFOO_DISABLE_SHARING: '1',
  PROMPTFOO_DISABLE_REMOTE_GENERATION: '1',
  NO_COLOR: '1',
}

/**
 * The same cases by `promptfoo`, whole process beside whole process, both with their results stored. It is installed for this into
 * a folder of its own, which takes a minute and two gigabytes: only when it is asked for by name.
 */
export const promptfoo: Bench = async ({ quick, directory, say }) => {
  mkdirSync(directory, { recursive: true })
  const count = quick ? 100 : 10_000
  say('installing promptfoo')
  const installed = install(directory)
  say('evaluating by llm-eval')
  const ours = await wholeRuns(directory, { count, rounds: quick ? 1 : 3 })
  const title = `${count.toLocaleString('en-US')} items, contains, regex and levenshtein, whole process`
  if ('fault' in installed)
    return [
      { name: title, value: ours.seconds, unit: 's', note: `promptfoo could not be installed: ${installed.fault}` },
    ]
  say(`evaluating by promptfoo ${installed.version}`)
  const theirs = await evaluate(directory, installed.main, count)
  const peer = (value: number) => ({ name: `promptfoo ${installed.version}, echo`, value })
  const rows: Row[] = [
    { name: title, value: ours.seconds, unit: 's', peer: peer(theirs.seconds), target: { ratioAtMost: 1 / 20 } },
    { name: 'the same, processor time', value: ours.cpu, unit: 's', peer: peer(theirs.cpu) },
    {
      name: 'the same, resident memory at most',
      value: ours.peak,
      unit: 'MB',
      peer: peer(theirs.peak),
      target: { ratioAtMost: 1 / 5 },
    },
  ]
  return rows
}

/** @param directory where it is put, unless `BENCH_PROMPTFOO` names a folder that has it in its `node_modules` */
function install(directory: string): { main: string; version: string } | { fault: string } {
  const given = process.env['BENCH_PROMPTFOO']
  if (given !== undefined) return installedIn(given)
  const folder = join(directory, 'promptfoo')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  const npm = spawnSync(
    'npm',
    ['install', 'promptfoo', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: folder,
      encoding: 'utf8',
      timeout: 300_000,
    },
  )
  if (npm.status !== 0)
    return { fault: (npm.error?.message ?? npm.stderr).trim().split('\n').at(-1)?.slice(0, 200) ?? 'npm said nothing' }
  return installedIn(folder)
}

function installedIn(folder: string): { main: string; version: string } | { fault: string } {
  const found = join(folder, 'node_modules/promptfoo')
  const manifest = join(found, 'package.json')
  if (!existsSync(manifest)) return { fault: `${folder} does not have it` }
  const { version, bin } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    version: string
    bin: Record<string, string>
  }
  return { main: join(found, bin['promptfoo'] ?? ''), version }
}

async function evaluate(directory: string, main: string, count: number) {
  const config = join(directory, 'promptfooconfig.json')
  const tests = sevens(count).map(({ input, expected }) => ({
    vars: { input },
    assert: [
      { type: 'contains', value: expected },
      { type: 'regex', value: '\\d+$' },
      // Its value is a distance, and no case should fail for it.
      { type: 'levenshtein', value: expected, threshold: 1_000 },
    ],
  }))
  writeFileSync(config, JSON.stringify({ prompts: ['{{input}}'], providers: ['echo'], tests }))
  const home = join(directory, 'promptfoo-home')
  const args = [main, 'eval', '-c', config, '--no-cache', '--no-table', '--no-progress-bar']
  const ran = await runNode(args, { cwd: directory, env: { ...quietly, PROMPTFOO_CONFIG_DIR: home } })
  if (ran.code !== 0 || !existsSync(join(home, 'promptfoo.db')))
    throw new Error(`promptfoo ended with code ${ran.code}:\n${ran.text}`)
  return ran
}
