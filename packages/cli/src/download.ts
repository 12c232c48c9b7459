import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Complaint, exitCodes, fileComplaint } from './complaint.ts'
import { bytes, duration } from './display/amounts.ts'
import { perSecond, ProgressBar } from './display/progress.ts'
import type { Terminal } from './terminal.ts'

/** Where an export goes to. */
export interface OutputOptions {
  output?: string
  force?: boolean
}

/** The file to write; undefined is standard output. Complains when it exists and is not to be overwritten. */
export function outputPath({ cwd }: Terminal, { output, force }: OutputOptions): string | undefined {
  const path = output === undefined || output === '-' ? undefined : resolve(cwd, output)
  if (path !== undefined && !force && existsSync(path))
    throw new Complaint(`${path} exists already. Name another file, or overwrite it with --force.`)
  return path
}

/** Writes an answer to a file or to standard output while it comes in, and shows how far it is. Gives the exit code. */
export async function saveAnswer(
  { signal, err, out }: Terminal,
  response: Response,
  { path, counter }: { path: string | undefined; counter: RowCounter },
): Promise<number> {
  const bar = new ProgressBar(err)
  const show = () => {
    if (!out.isTTY || path !== undefined)
      bar.show({ done: 0, total: null, words: `${counter.words}, ${perSecond(counter.rows, bar.elapsed)}` })
  }
  const receive = async (write: (chunk: Uint8Array) => Promise<void>) => {
    for await (const chunk of wholeAnswer(response, counter)) {
      await write(chunk)
      show()
    }
  }
  try {
    if (path === undefined) await receive((chunk) => out.write(chunk, signal))
    else await replaceFile(path, (file) => receive((chunk) => file.writeFile(chunk)))
  } catch (error) {
    if (signal.aborted) {
      bar.end()
      err.line(`Interrupted after ${counter.words}.${path === undefined ? '' : ' No file was written.'}`)
      return exitCodes.interrupted
    }
    throw error
  } finally {
    bar.end()
  }
  if (path !== undefined) err.line(`${counter.words} in ${duration(bar.elapsed)}: ${path}`)
  return exitCodes.ok
}

/** Gives an answer's bytes, and throws when it broke off before its end. */
async function* wholeAnswer(response: Response, counter: RowCounter): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body ?? []) {
      counter.count(chunk)
      yield chunk
    }
  } catch (error) {
    // Only the reading is looked at: what the consumer throws never comes here.
    throw new Complaint(
      `The export broke off after ${counter.words}: the server went away, or met an error on its side. Try again.`,
      { exitCode: exitCodes.failed, cause: error },
    )
  }
  if (!counter.endsWhole)
    throw new Complaint(
      `The export is cut off in the middle of a ${counter.noun}, after ${counter.words}. Try again.`,
      {
        exitCode: exitCodes.failed,
      },
    )
}

const newline = 10
const quote = 34

/** Counts the rows of a file that go by: traces, or those of a dataset. */
export class RowCounter {
  rows = 0
  #bytes = 0
  #last = newline
  #inQuotes = false
  readonly #csv: boolean
  /** What one of them is called. */
  readonly noun: string

  constructor(format: 'csv' | 'jsonl' | 'json', noun: string) {
    this.noun = noun
    this.#csv = format === 'csv'
    // The first line of a CSV file names the columns; an array has a line for each of its brackets.
    this.rows = format === 'jsonl' ? 0 : format === 'csv' ? -1 : -2
  }

  get words(): string {
    const rows = Math.max(0, this.rows)
    return `${rows.toLocaleString('en-US')} ${rows === 1 ? this.noun : `${this.noun}s`}, ${bytes(this.#bytes)}`
  }

  /** Every file ends with a line break. */
  get endsWhole(): boolean {
    return this.#last === newline && !this.#inQuotes
  }

  count(chunk: Uint8Array): void {
    this.#bytes += chunk.length
    this.#last = chunk.at(-1) ?? this.#last
    if (!this.#csv) {
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) this.rows++
      return
    }
    for (const byte of chunk) {
      if (byte === quote) this.#inQuotes = !this.#inQuotes
      else if (byte === newline && !this.#inQuotes) this.rows++
    }
  }
}

/** Writes beside the file and puts it in place when it is whole and on disk. */
async function replaceFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const partial = `${path}.${randomBytes(4).toString('hex')}.partial`
  let file: FileHandle
  try {
    file = await open(partial, 'wx')
  } catch (error) {
    throw fileComplaint(`${path} cannot be written`, error)
  }
  try {
    await write(file)
    await file.sync()
    await file.close()
    await rename(partial, path)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(partial, { force: true })
    throw error
  }
}
