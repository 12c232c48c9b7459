// npm test: installs what is missing, builds what is stale, runs every check and every test, and counts them.
// With arguments (npm test -- packages/store) it runs only the tests they name, and no static check.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.mjs'
import { capture, handOver } from './child.mjs'
import { chromium } from './chromium.mjs'
import { root } from './fingerprint.mjs'
import { Obstacle } from './obstacle.mjs'
import { setup } from './setup.mjs'

/** @typedef {import('./setup.mjs').Toolchain} Toolchain */
/** @typedef {import('./tally.reporter.mjs').Tally} Tally */

/** Longer than any honest run takes: a test run that hangs must still end, and say so. */
const testsTimeoutMs = 60 * 60_000

/** @type {{ name: string, tool: string, args: string[] }[]} */
const checks = [
  { name: 'format', tool: '@biomejs/biome/bin/biome', args: ['format', '.'] },
  { name: 'lint', tool: 'oxlint/bin/oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'types', tool: 'typescript/bin/tsc', args: ['-b'] },
  { name: 'lock file', tool: '../scripts/lock.mjs', args: ['check'] },
  { name: 'floors', tool: '../scripts/floors.mjs', args: [] },
  { name: 'unused code', tool: 'knip/bin/knip.js', args: ['--no-progress'] },
]

const filters = process.argv.slice(2)
/** @type {Tally} */
const tally = { passed: 0, failed: 0 }

/**
 * Counts a piece of work as one test: an obstacle, or any other error, is one failure.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T | undefined>} what it returned; undefined when it failed
 */
async function counted(name, work) {
  const startedAt = performance.now()
  const took = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
  try {
    const result = await work()
    tally.passed += 1
    process.stdout.write(`✓ ${name} (${took()})\n`)
    return result
  } catch (error) {
    tally.failed += 1
    const words = error instanceof Obstacle ? error.message : error instanceof Error ? error.stack : String(error)
    process.stdout.write(`✗ ${name} (${took()})\n\n${words}\n\n`)
    return undefined
  }
}

/** @param {Toolchain} toolchain */
async function runChecks(toolchain) {
  for (const { name, tool, args } of checks) {
    await counted(name, async () => {
      const command = { command: toolchain.node, args: [join(root, 'node_modules', tool), ...args] }
      const { code, output } = await capture(command, { cwd: root, env: toolchain.env })
      if (code !== 0) throw new Obstacle(`${output.trim()}\n\nexit ${code}`)
    })
  }
}

/**
 * Runs Vitest and adds its counts. A run that breaks before it has counted is one failure, and so is one that ends with a
 * failure it has not counted.
 *
 * @param {Toolchain} toolchain
 */
async function runTests(toolchain) {
  const counts = join(root, '.cache/tally.json')
  mkdirSync(join(root, '.cache'), { recursive: true })
  rmSync(counts, { force: true })
  const reporters = ['--reporter=default', `--reporter=${join(root, 'scripts/tally.reporter.mjs')}`]
  const code = await handOver(
    { command: toolchain.node, args: [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...filters] },
    { cwd: root, env: { ...toolchain.env, LLM_EVAL_TALLY: counts }, timeoutMs: testsTimeoutMs },
  )
  /** @type {Tally} */
  const counted = existsSync(counts) ? JSON.parse(readFileSync(counts, 'utf8')) : { passed: 0, failed: 0 }
  tally.passed += counted.passed
  tally.failed += counted.failed
  if (code !== 0 && counted.failed === 0) {
    tally.failed += 1
    process.stdout.write(`✗ the test runner ended with exit code ${code}\n`)
  }
}

const toolchain = await counted('setup', setup)
if (toolchain !== undefined) {
  const browser = await counted('chromium', chromium)
  if (browser !== undefined) toolchain.env['CHROMIUM_PATH'] = browser
  await counted('build', () => build(toolchain))
  if (filters.length === 0) await runChecks(toolchain)
  else process.stdout.write('Only the tests named are run; the static checks are left out.\n')
  await runTests(toolchain)
}
process.stdout.write(`\n${tally.passed} passed, ${tally.failed} failed\n`)
process.exitCode = tally.failed === 0 ? 0 : 1
