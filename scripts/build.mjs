// Builds what is stale, and only that: each step knows what it reads, and runs again when the content of that changed.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { capture } from './child.mjs'
import { fingerprint, root } from './fingerprint.mjs'
import { Obstacle, orderly } from './obstacle.mjs'
import { setup } from './setup.mjs'

/** @typedef {import('./setup.mjs').Toolchain} Toolchain */
/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string[]} reads files and folders that go into it
 * @property {string[]} writes files that are there once it ran
 * @property {string} cwd
 * @property {string[]} args what Node runs
 */

const base = ['tsconfig.base.json', 'package-lock.json']
/** @param {string} name */
const sources = (name) => [`packages/${name}/src`, `packages/${name}/package.json`, `packages/${name}/tsconfig.json`]

/** The packages that run as `tsc` leaves them, lowest first; the SDK and the dashboard are bundled from their sources. */
const compiled = ['protocol', 'statistics', 'pricing', 'formats', 'agents', 'store', 'engine', 'server', 'cli'].filter(
  (name) => existsSync(join(root, `packages/${name}/src`)),
)

/** @type {Step} */
const packages = {
  name: 'packages',
  reads: [...base, ...[...compiled, 'sdk'].flatMap(sources)],
  writes: compiled.map((name) => `packages/${name}/dist/.tsbuildinfo`),
  cwd: root,
  args: [join(root, 'node_modules/typescript/bin/tsc'), '-b', ...compiled.map((name) => `packages/${name}`)],
}

/**
 * Goes with the compiler, whose output it replaces.
 *
 * @type {Step[]}
 */
const store = [
  {
    name: 'store',
    reads: [...packages.reads, 'packages/store/build.mjs'],
    writes: ['packages/store/dist/kysely.js'],
    cwd: join(root, 'packages/store'),
    args: ['build.mjs'],
  },
].filter(({ cwd }) => existsSync(join(cwd, 'build.mjs')))

/** @type {Step} */
const sdk = {
  name: 'sdk',
  reads: [
    ...base,
    ...['protocol', 'statistics', 'pricing', 'engine', 'sdk'].flatMap(sources),
    'packages/sdk/tsconfig.evaluation.json',
    'packages/sdk/build.mjs',
  ],
  writes: ['packages/sdk/dist/index.js', 'packages/sdk/dist/evaluation.js'],
  cwd: join(root, 'packages/sdk'),
  args: ['build.mjs'],
}

/** @type {Step} */
const dashboard = {
  name: 'dashboard',
  reads: [
    ...base,
    ...['protocol', 'sdk', 'dashboard'].flatMap(sources),
    ...['index.html', 'public', 'vite.config.ts'].map((path) => `packages/dashboard/${path}`),
  ],
  writes: ['packages/dashboard/dist/index.html'],
  cwd: join(root, 'packages/dashboard'),
  args: [join(root, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel=warn'],
}

/**
 * @param {Toolchain} toolchain
 * @throws {Obstacle} naming the step, with its output
 */
export async function build(toolchain) {
  // The dashboard is bundled from source, so it need not wait for the compiler.
  const failures = await Promise.all([run([packages, ...store, sdk], toolchain), run([dashboard], toolchain)])
  const failed = failures.filter((failure) => failure !== undefined)
  if (failed.length > 0) throw new Obstacle(failed.join('\n\n'))
}

/**
 * Runs steps one after the other until one fails.
 *
 * @param {Step[]} inTurn
 * @param {Toolchain} toolchain
 * @returns {Promise<string | undefined>} why it failed
 */
async function run(inTurn, toolchain) {
  for (const step of inTurn) {
    const stamp = join(root, '.cache/build', step.name)
    const wanted = fingerprint([...step.reads, 'scripts/build.mjs'])
    const built = step.writes.every((path) => existsSync(join(root, path)))
    if (built && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) continue

    process.stdout.write(`Building ${step.name} …\n`)
    // A build that is interrupted must not look finished.
    rmSync(stamp, { force: true })
    const { code, output } = await capture(
      { command: toolchain.node, args: step.args },
      { cwd: step.cwd, env: toolchain.env },
    )
    if (code !== 0) return `${output.trim()}\n\nBuilding ${step.name} failed (exit ${code}).`
    mkdirSync(dirname(stamp), { recursive: true })
    writeFileSync(stamp, wanted)
  }
  return undefined
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await orderly(async () => build(await setup()))
}
