// node scripts/lock.mjs check     fails unless the lock file works on every machine
// node scripts/lock.mjs complete  writes what is missing into it
//
// A tool of native code has one optional package per platform. `npm ci` refuses a lock file that leaves one out, and
// `npm install` leaves out those the registry in use does not offer, as a mirror for one platform may. So that a lock
// file made there still works everywhere, these entries are written from what the tool's own entry says.
// Runs on Node 20 without any dependency.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from './fingerprint.mjs'

/**
 * @typedef {object} Entry
 * @property {string} [version]
 * @property {string} [resolved]
 * @property {boolean} [dev]
 * @property {string} [license]
 * @property {boolean} [optional]
 * @property {string[]} [cpu]
 * @property {string[]} [os]
 * @property {string[]} [libc]
 * @property {Record<string, string>} [optionalDependencies]
 */
/** @typedef {{ packages: Record<string, Entry> }} Lock */

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']

/**
 * @param {Lock} lock
 * @returns {Record<string, Entry>} the entries it lacks, by path
 */
export function missingFrom({ packages }) {
  /** @type {Record<string, Entry>} */
  const missing = {}
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const found = pathsOf(path, name).find((one) => packages[one] ?? missing[one])
      // Only exact versions can be written down without asking a registry; the tools pin theirs.
      if (!/^\d/.test(version) || (found !== undefined && (packages[found] ?? missing[found])?.version === version))
        continue
      missing[`${found === undefined || path === '' ? '' : `${path}/`}node_modules/${name}`] = entryFor(
        name,
        version,
        entry,
      )
    }
  }
  return missing
}

/** @param {string} path of a package @param {string} name of what it imports @returns {string[]} where Node looks for that, in order */
function pathsOf(path, name) {
  const above = path.replace(/\/?(node_modules\/(@[^/]+\/)?[^/]+|packages\/[^/]+)$/, '')
  const here = `${path === '' ? '' : `${path}/`}node_modules/${name}`
  return path === '' ? [here] : [here, ...pathsOf(above, name)]
}

/** @param {string} name @param {string} version @param {Entry} tool it belongs to @returns {Entry} with the fields in npm's order */
function entryFor(name, version, tool) {
  const words = name.replace('windows', 'win32').split(/[-/]/)
  const cpu = processors.filter((one) => words.includes(one))
  const os = systems.filter((one) => words.includes(one))
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : words.some((word) => word.startsWith('gnu'))
      ? ['glibc']
      : []
  return {
    version,
    ...(cpu.length > 0 && { cpu }),
    ...(tool.dev && { dev: true }),
    ...(os.includes('linux') && libc.length > 0 && { libc }),
    ...(tool.license && { license: tool.license }),
    optional: true,
    ...(os.length > 0 && { os }),
  }
}

/** @param {Lock} lock @returns {string[]} what is wrong with it */
export function faultsIn(lock) {
  const hosts = Object.entries(lock.packages).filter(([, { resolved }]) => /^https?:/.test(resolved ?? ''))
  return [
    ...hosts.map(
      ([path]) =>
        `${path}: names a registry. Keep .npmrc’s omit-lockfile-registry-resolved, and make the lock file again.`,
    ),
    ...Object.keys(missingFrom(lock)).map((path) => `${path}: missing. Run \`npm run lock\`.`),
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(root, 'package-lock.json')
  /** @type {Lock} */
  const lock = JSON.parse(readFileSync(path, 'utf8'))
  if (process.argv[2] === 'complete') {
    const packages = Object.entries({ ...lock.packages, ...missingFrom(lock) }).sort(([a], [b]) =>
      a.localeCompare(b, 'en'),
    )
    lock.packages = Object.fromEntries(packages)
    writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
  }
  const faults = faultsIn(lock)
  process.stdout.write(
    `${faults.length === 0 ? `${Object.keys(lock.packages).length} packages are locked for every platform` : faults.join('\n')}\n`,
  )
  process.exitCode = faults.length === 0 ? 0 : 1
}
