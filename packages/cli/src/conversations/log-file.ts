import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { systemCode } from '../complaint.ts'

/** What is told of a log that does not hold all it was given. */
export interface LogTold {
  /** Once: why it cannot be written any more. A disk that is full shall not end the conversations. */
  onBroken: (error: Error) => void
  /** Once: it is written slower than lines come, and what does not fit is left out from here on. */
  onSlow: () => void
  /** In the end: how many lines were left out, where any were. */
  onLost: (lines: number) => void
}

export interface LogBounds {
  /** Bytes that wait to be written, at most. */
  waitingBytes?: number
  /** Milliseconds that closing waits for what is not written yet. */
  patienceMs?: number
}

/** Some minutes of a lively conversation. */
const waitingBytesMax = 16 * 1_024 * 1_024
const patienceMsMax = 5_000

/** Of a pipe that is full. */
const againMs = 20
const linesAtOnce = 256

/**
 * A file of lines of JSON, for its owner alone. Who writes is never held up: what comes faster than it can be written waits, up to a
 * bound; lines over that are left out, counted in the file where they would stand (`{"lines_left_out": n}`), and told. Once the file
 * cannot be written any more, what comes is passed over.
 */
export class LogFile {
  readonly #handle: FileHandle
  readonly #told: LogTold
  readonly #waitingBytes: number
  readonly #patienceMs: number
  readonly #ending = new AbortController()
  #queue: Buffer[] = []
  /** Of all that waits. */
  #bytes = 0
  /** Bytes of the first line that are in the file. */
  #begun = 0
  /** Lines left out: those that the file does not tell of yet, and all. */
  #unsaid = 0
  #lost = 0
  #working: Promise<void> | undefined
  #isOver = false

  private constructor(handle: FileHandle, told: LogTold, { waitingBytes, patienceMs }: LogBounds) {
    this.#handle = handle
    this.#told = told
    this.#waitingBytes = waitingBytes ?? waitingBytesMax
    this.#patienceMs = patienceMs ?? patienceMsMax
  }

  /**
   * Opens a file to write after what is there.
   *
   * @throws what the system says where it cannot be opened
   */
  static async open(path: string, told: LogTold, bounds: LogBounds = {}): Promise<LogFile> {
    // A pipe that is full says so then, in place of holding up a thread for as long as nobody reads.
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0)
    return new LogFile(await open(path, flags, 0o600), told, bounds)
  }

  write(line: object): void {
    if (this.#isOver) return
    const bytes = Buffer.concat([...this.#mark(), textOf(line)])
    if (this.#bytes + bytes.length > this.#waitingBytes) {
      if (this.#lost === 0) this.#told.onSlow()
      this.#unsaid++
      this.#lost++
      return
    }
    this.#unsaid = 0
    this.#add(bytes)
  }

  /** Resolves when what was written is in the file, or cannot be, or takes too long. */
  async close(): Promise<void> {
    if (this.#isOver) return
    const [mark] = this.#mark()
    if (mark) this.#add(mark)
    this.#isOver = true
    const patience = pause(this.#patienceMs, undefined, { signal: this.#ending.signal }).catch(() => undefined)
    await Promise.race([this.#working, patience])
    this.#ending.abort()
    const left = this.#queue.filter((bytes) => bytes !== mark).length
    if (this.#lost + left > 0) this.#told.onLost(this.#lost + left)
    const closed = this.#handle.close().catch(() => undefined)
    // One that hangs in the system is not waited for.
    if (left === 0) await closed
  }

  #mark(): Buffer[] {
    return this.#unsaid === 0 ? [] : [textOf({ lines_left_out: this.#unsaid })]
  }

  #add(bytes: Buffer): void {
    this.#queue.push(bytes)
    this.#bytes += bytes.length
    this.#working ??= this.#work()
  }

  async #work(): Promise<void> {
    // Lines that come in one turn are written together.
    await Promise.resolve()
    try {
      while (this.#queue.length > 0 && !this.#ending.signal.aborted) await this.#writeSome()
    } catch (error) {
      if (this.#ending.signal.aborted) return
      this.#isOver = true
      this.#queue = []
      this.#told.onBroken(error instanceof Error ? error : new Error(String(error)))
      await this.#handle.close().catch(() => undefined)
    } finally {
      this.#working = undefined
    }
  }

  async #writeSome(): Promise<void> {
    const some = Buffer.concat(this.#queue.slice(0, linesAtOnce)).subarray(this.#begun)
    try {
      this.#advance((await this.#handle.write(some)).bytesWritten)
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error
      await pause(againMs, undefined, { signal: this.#ending.signal })
    }
  }

  #advance(bytes: number): void {
    let left = bytes + this.#begun
    let whole = 0
    for (let line = this.#queue[0]; line !== undefined && left >= line.length; line = this.#queue[++whole]) {
      left -= line.length
      this.#bytes -= line.length
    }
    this.#queue.splice(0, whole)
    this.#begun = left
  }
}

function textOf(line: object): Buffer {
  return Buffer.from(`${JSON.stringify(line)}\n`)
}
