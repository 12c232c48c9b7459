// Makes a fresh clone ready to run: installs what is missing and finds a Node that is new enough.
// Runs on Node 20 and imports nothing but Node's own modules, because nothing else is there yet.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { capture } from './child.mjs'
import { fingerprint, root } from './fingerprint.mjs'
import { Obstacle } from './obstacle.mjs'

const modules = join(root, 'node_modules')
const stamp = join(modules, '.llm-eval-stamp')
const binaries = join(modules, '.bin')

/** The oldest Node the product runs on: the SQLite driver needs Node-API 10. */
const oldest = { major: 22, minor: 14 }

/**
 * @typedef {{ node: string, env: NodeJS.ProcessEnv }} Toolchain
 * `node`: the path of a Node that is new enough. `env`: the environment with the repository's tools first on PATH.
 */

/**
 * @returns {Promise<Toolchain>}
 * @throws {Obstacle} when something is missing that only the user can provide
 */
export async function setup() {
  await install()
  return { node: await findNode(), env: { ...process.env, PATH: withTools(process.env['PATH'] ?? '') } }
}

async function install() {
  const wanted = fingerprint(['package-lock.json', ...manifests()])
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  if (!isInstalled()) {
    process.stdout.write('Installing dependencies (the first time, or because they changed) …\n')
    const startedAt = performance.now()
    const { code, output } = await capture(npm('ci', '--no-audit', '--no-fund', '--loglevel=error'), { cwd: root })
    if (code !== 0) throw new Obstacle(installFailure(output))
    process.stdout.write(`Installed in ${Math.round((performance.now() - startedAt) / 1000)} s.\n`)
  }
  writeFileSync(stamp, wanted)
}

/**
 * Whether node_modules already holds what the lock file asks for, as after an `npm ci` by hand.
 * npm writes what it has installed to a hidden lock file, as its last step.
 */
function isInstalled() {
  const hidden = join(modules, '.package-lock.json')
  if (!existsSync(hidden)) return false
  const wanted = packagesOf(join(root, 'package-lock.json'))
  const found = packagesOf(hidden)
  const listed = manifests().every((path) => {
    const { dependencies, devDependencies, optionalDependencies } = readJson(join(root, path))
    const locked = wanted[path.replace(/\/?package\.json$/, '')] ?? {}
    return sameJson(
      [dependencies, devDependencies, optionalDependencies],
      [locked.dependencies, locked.devDependencies, locked.optionalDependencies],
    )
  })
  return listed && Object.entries(wanted).every(([path, entry]) => path === '' || isThere(entry, found[path]))
}

/** @param {Locked} wanted @param {Locked | undefined} found */
function isThere(wanted, found) {
  if (found === undefined) return wanted.optional === true || wanted.devOptional === true || wanted.peer === true
  return found.version === wanted.version && found.integrity === wanted.integrity
}

/** The package.json files of the repository, relative to its root. */
function manifests() {
  /** @type {string[]} */
  const workspaces = readJson(join(root, 'package.json')).workspaces
  return ['package.json', ...workspaces.map((path) => `${path}/package.json`)]
}

/**
 * npm as a command: the very one that started this script, where one did.
 *
 * @param {...string} args
 */
function npm(...args) {
  const cli = process.env['npm_execpath']
  if (cli?.endsWith('npm-cli.js')) return { command: process.execPath, args: [cli, ...args] }
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', args }
}

/** @param {string} output what npm printed */
function installFailure(output) {
  const advice = [
    [
      /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET|ECONNREFUSED|ENETUNREACH|E50\d/,
      'The package registry could not be reached. Connect to the network (or set npm’s `proxy` or `registry`), then run the same command again.',
    ],
    [/EACCES|EPERM/, `npm may not write to ${root}. Give the folder to your user, or clone into one that is yours.`],
    [/ENOSPC/, 'The disk is full. The dependencies take about 800 MB.'],
    [/EUSAGE/, 'package.json and package-lock.json disagree. Run `npm install`, and commit the lock file.'],
  ].find(([pattern]) => /** @type {RegExp} */ (pattern).test(output))
  const tail = output.trim().split('\n').slice(-20).join('\n')
  return `${tail}\n\nThe dependencies could not be installed. ${advice?.[1] ?? 'npm’s own words are above.'}`
}

/** The running Node if it is new enough, else the one that npm installed for Linux on x64. */
async function findNode() {
  if (isNewEnough(process.versions.node)) return process.execPath
  const installed = join(binaries, 'node')
  if (existsSync(installed)) {
    const { code, output } = await capture({ command: installed, args: ['--version'] }, { cwd: root })
    if (code === 0 && isNewEnough(output.trim().slice(1))) return installed
  }
  throw new Obstacle(
    `llm-eval needs Node ${oldest.major}.${oldest.minor} or newer; this is ${process.versions.node} on ${process.platform} ${process.arch}.\n` +
      'Install a newer Node (https://nodejs.org), then run the same command again.',
  )
}

/** @param {string} version as in `22.14.0` */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > oldest.major || (major === oldest.major && minor >= oldest.minor)
}

/** @param {string} path */
function withTools(path) {
  return path.split(delimiter)[0] === binaries ? path : `${binaries}${delimiter}${path}`
}

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean, peer?: boolean, dependencies?: object, devDependencies?: object, optionalDependencies?: object }} Locked */

/** @param {string} path @returns {Record<string, Locked>} */
function packagesOf(path) {
  return readJson(path).packages ?? {}
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** @param {unknown} a @param {unknown} b whether they are equal but for the order of keys */
function sameJson(a, b) {
  /** @param {unknown} value */
  const sorted = (value) =>
    JSON.stringify(value, (_, inner) =>
      inner !== null && typeof inner === 'object' && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
        : inner,
    )
  return sorted(a) === sorted(b)
}
