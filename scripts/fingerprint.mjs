import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root folder of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

/** Files that no build reads. */
const notBuilt = /\.(test|contract)\.tsx?$/

/**
 * The hash of everything in some files and folders: the same content gives the same hash, whatever the times of the files.
 *
 * @param {string[]} paths relative to `base`; folders count with all their files but tests; what is missing counts as missing
 * @param {string} base
 */
export function fingerprint(paths, base = root) {
  const hash = createHash('sha256')
  for (const path of paths.flatMap((path) => filesOf(path, base))) {
    hash.update(`\0${path}\0`)
    hash.update(readFileSync(join(base, path)))
  }
  return hash.digest('hex')
}

/** @param {string} path @param {string} base @returns {string[]} */
function filesOf(path, base) {
  const found = statSync(join(base, path), { throwIfNoEntry: false })
  if (found === undefined) return []
  if (!found.isDirectory()) return notBuilt.test(path) ? [] : [path]
  return readdirSync(join(base, path))
    .sort()
    .flatMap((name) => filesOf(`${path}/${name}`, base))
}
