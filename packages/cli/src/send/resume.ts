import { createHash } from 'node:crypto'
import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import * as z from 'zod'
import { fileComplaint } from '../complaint.ts'
import { type Totals, totalsShape } from './totals.ts'
import type { Place } from './values.ts'

/** Where sending a file stands. It fits the file as long as what was sent of it is unchanged, also when more was appended. */
export interface Checkpoint {
  place: Place
  totals: Totals
  /** Bytes of the `--errors` file that belong to it. */
  errorsBytes: number
}

const shape = z.object({
  version: z.literal(1),
  url: z.string(),
  source: z.string(),
  check: z.string(),
  offset: z.int().nonnegative(),
  line: z.int().positive(),
  layout: z.enum(['lines', 'sequence', 'array']),
  totals: totalsShape,
  errors_bytes: z.int().nonnegative(),
})

/** What a checkpoint belongs to. */
export interface Errand {
  /** The file that is sent. */
  path: string
  url: string
  source: string
}

/** Keeps the place in a file beside it, so that an interrupted run can go on. */
export class ResumeFile {
  readonly path: string
  readonly #errand: Errand

  constructor(errand: Errand) {
    this.path = `${errand.path}.llm-eval-resume`
    this.#errand = errand
  }

  /** The checkpoint of an earlier run; `changed` when there is one and the file, the server or the source is another now. */
  async read(): Promise<Checkpoint | 'none' | 'changed'> {
    const text = await readFile(this.path, 'utf8').catch(() => undefined)
    if (text === undefined) return 'none'
    const state = shape.safeParse(parseJson(text)).data
    const { url, source } = this.#errand
    if (!state || state.url !== url || state.source !== source) return 'changed'
    if ((await this.#identity(state.offset)) !== state.check) return 'changed'
    const { offset, line, layout, totals, errors_bytes: errorsBytes } = state
    return { place: { offset, line, layout }, totals, errorsBytes }
  }

  /** Replaces the checkpoint, in one piece. */
  async write({ place, totals, errorsBytes }: Checkpoint): Promise<void> {
    const { url, source } = this.#errand
    const check = await this.#identity(place.offset)
    const state = { version: 1, url, source, check, ...place, totals, errors_bytes: errorsBytes }
    try {
      await writeFile(`${this.path}.new`, `${JSON.stringify(state)}\n`)
      await rename(`${this.path}.new`, this.path)
    } catch (error) {
      throw fileComplaint(`The place to resume from cannot be kept in ${this.path}`, error)
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true })
  }

  /** Tells the first `offset` bytes of the file from others, by both their ends. */
  async #identity(offset: number): Promise<string | undefined> {
    const file = await open(this.#errand.path, 'r')
    try {
      if ((await file.stat()).size < offset) return undefined
      const length = Math.min(offset, 65_536)
      const head = await readBytes(file, { from: 0, length })
      const tail = await readBytes(file, { from: offset - length, length })
      return createHash('sha256').update(String(offset)).update(head).update(tail).digest('hex')
    } finally {
      await file.close()
    }
  }
}

async function readBytes(file: FileHandle, { from, length }: { from: number; length: number }): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from)
  return buffer.subarray(0, bytesRead)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
