import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileComplaint, orImpossible } from '../complaint.ts'
import type { Evaluated } from '../evaluation/evaluate.ts'
import type { Target } from '../target.ts'
import type { Terminal } from '../terminal.ts'
import { ownVersion } from '../version.ts'
import type { Reported } from './gather.ts'

/** Files that are to be written. */
export interface ReportFiles {
  junit?: string
  /** Is added to, as CI jobs share one. */
  markdown?: string
  html?: string
}

/**
 * Writes the reports that were asked for.
 *
 * @throws {Complaint} for a file that cannot be written
 */
export async function saveReports(
  terminal: Terminal,
  { junit, markdown, html }: ReportFiles,
  { target, all }: { target: Target; all: readonly Evaluated[] },
): Promise<void> {
  if (all.length === 0 || (junit ?? markdown ?? html) === undefined) return
  const { gather } = await import('./gather.ts')
  const told: Reported[] = []
  for (const one of all) told.push(await orImpossible(() => gather(target, one)))
  if (junit !== undefined)
    await saveFile(terminal, junit, { text: (await import('./junit.ts')).junitOf(told), write: writeFile })
  if (html !== undefined)
    await saveFile(terminal, html, { text: (await import('./html.ts')).htmlOf(told, ownVersion()), write: writeFile })
  if (markdown !== undefined)
    await saveFile(terminal, markdown, { text: (await import('./markdown.ts')).markdownOf(told), write: appendFile })
}

interface Content {
  text: string
  /** `writeFile`, or `appendFile` where the file is added to. */
  write: (path: string, text: string) => Promise<void>
}

/**
 * Writes a report, and says so.
 *
 * @throws {Complaint} for a file that cannot be written
 */
export async function saveFile({ cwd, err }: Terminal, name: string, { text, write }: Content): Promise<void> {
  const path = resolve(cwd, name)
  try {
    await mkdir(dirname(path), { recursive: true })
    await write(path, text)
  } catch (error) {
    throw fileComplaint(`${path} cannot be written`, error)
  }
  err.line(`Wrote ${path}`)
}
