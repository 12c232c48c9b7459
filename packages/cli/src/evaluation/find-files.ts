import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join, relative, resolve } from 'node:path'
import { Complaint, fileComplaint } from '../complaint.ts'
import { oneLine } from '../display/width.ts'
import type { Terminal } from '../terminal.ts'

const endings = ['.ts', '.mts', '.js', '.mjs']
/** In a directory, these are evaluations: `eval.ts`, `answers.eval.ts`. */
const named = /^(?:.+\.)?eval\.(?:ts|mts|js|mjs)$/
/** Files of one directory, and folders below it, that are looked at. */
const mostFiles = 200
const mostFolders = 2_000

/**
 * The evaluation files that are meant: files as they are named, and of a directory those called `eval.ts` or `NAME.eval.ts`
 * (`.mts`, `.js`, `.mjs` too) in it and below it.
 *
 * @throws {Complaint} for what is not there, is none, or holds none
 */
export async function findEvaluationFiles({ cwd }: Terminal, given: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const name of given) {
    const path = resolve(cwd, name)
    if (await isDirectory(path)) found.push(...(await filesIn(path, name)))
    else if (endings.includes(extname(path))) found.push(path)
    else throw new Complaint(`${oneLine(name)} is no evaluation file: it must end in ${endings.join(', ')}.`)
  }
  return [...new Set(found)]
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    throw fileComplaint(`${path} cannot be read`, error)
  }
}

async function filesIn(directory: string, name: string): Promise<string[]> {
  const found: string[] = []
  const folders = [directory]
  for (let seen = 0; folders.length > 0; seen++) {
    const folder = folders.shift() ?? directory
    if (seen === mostFolders) throw new Complaint(`${oneLine(name)} holds too many folders: name the evaluation files.`)
    for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const hidden = entry.name.startsWith('.') || entry.name === 'node_modules'
      if (entry.isDirectory() && !hidden) folders.push(join(folder, entry.name))
      else if (entry.isFile() && named.test(entry.name)) found.push(join(folder, entry.name))
    }
    if (found.length > mostFiles)
      throw new Complaint(`${oneLine(name)} holds more than ${mostFiles} evaluation files: name those that you mean.`)
  }
  if (found.length > 0) return found
  throw new Complaint(`${oneLine(name)} holds no evaluation: no file is called eval.ts or NAME.eval.ts.`)
}

/** What an evaluation is called that has no name: as its file. */
export function nameOfFile(path: string): string {
  const stem = basename(path, extname(path)).replace(/\.eval$/, '')
  return stem === 'eval' ? basename(resolve(path, '..')) : stem
}

/** A path as people know it: from where they stand, unless it is far from there. */
export function shownPath(path: string, cwd: string): string {
  const near = relative(cwd, path)
  return near === '' || near.startsWith('..') ? path : near
}
