import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Texts that wait, first in first out. As many as fit wait in memory, the others in a file that goes with the process: a server
 * that is away for long costs disk, and neither memory nor items.
 */
export class Spool {
  readonly #memoryBytes: number
  readonly #folder: string
  #head: string[] = []
  #headBytes = 0
  #file: { folder: string | null; handle: number } | null = null
  /** Bytes of each text in the file, from `#next` on. */
  #sizes: number[] = []
  #next = 0
  #readAt = 0
  #writeAt = 0

  /** @param folder where the file is made when it is needed */
  constructor(memoryBytes: number, folder = tmpdir()) {
    this.#memoryBytes = memoryBytes
    this.#folder = folder
  }

  get length(): number {
    return this.#head.length + this.#sizes.length - this.#next
  }

  /** Whether some wait in the file. */
  get spilled(): boolean {
    return this.#sizes.length > this.#next
  }

  /** @throws what the file system says when the file cannot be written; the text does not wait then */
  push(text: string): void {
    const bytes = Buffer.byteLength(text)
    if (!this.spilled && (this.#headBytes + bytes <= this.#memoryBytes || this.#head.length === 0)) {
      this.#head.push(text)
      this.#headBytes += bytes
      return
    }
    const { handle } = (this.#file ??= openFile(this.#folder))
    const data = Buffer.from(text)
    for (let done = 0; done < bytes; ) done += writeSync(handle, data, done, bytes - done, this.#writeAt + done)
    this.#writeAt += bytes
    this.#sizes.push(bytes)
  }

  /** The first ones, up to so many and so many bytes, but at least one where there is one. */
  peek(most: number, mostBytes: number): string[] {
    if (this.#head.length < most) this.#load()
    const taken: string[] = []
    let bytes = 0
    for (const text of this.#head) {
      bytes += Buffer.byteLength(text)
      if (taken.length === most || (taken.length > 0 && bytes > mostBytes)) break
      taken.push(text)
    }
    return taken
  }

  /** Forgets the first ones, which `peek` gave. */
  drop(count: number): void {
    for (const text of this.#head.splice(0, count)) this.#headBytes -= Buffer.byteLength(text)
  }

  close(): void {
    if (!this.#file) return
    closeSync(this.#file.handle)
    if (this.#file.folder !== null) rmSync(this.#file.folder, { recursive: true, force: true })
    this.#file = null
  }

  #load(): void {
    if (!this.#file) return
    while (this.spilled) {
      const bytes = this.#sizes[this.#next] ?? 0
      if (this.#head.length > 0 && this.#headBytes + bytes > this.#memoryBytes) break
      const data = Buffer.alloc(bytes)
      for (let done = 0; done < bytes; ) {
        const read = readSync(this.#file.handle, data, done, bytes - done, this.#readAt + done)
        if (read === 0) throw new Error('the file of items that wait for the server was cut')
        done += read
      }
      this.#head.push(data.toString())
      this.#headBytes += bytes
      this.#readAt += bytes
      this.#next++
    }
    if (this.spilled || this.#writeAt === 0) return
    ftruncateSync(this.#file.handle)
    this.#sizes = []
    this.#next = this.#readAt = this.#writeAt = 0
  }
}

/** A file that goes with the process, however that ends: it loses its name at once, where files in use can. */
function openFile(parent: string): { folder: string | null; handle: number } {
  const folder = mkdtempSync(join(parent, 'llm-eval-run-'))
  const handle = openSync(join(folder, 'events'), 'w+', 0o600)
  try {
    rmSync(folder, { recursive: true })
    return { folder: null, handle }
  } catch {
    return { folder, handle }
  }
}
