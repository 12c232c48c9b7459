import { createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'

/** A file of lines of JSON, for its owner alone. Once it cannot be written any more, what comes is passed over. */
export class LogFile {
  readonly #stream: WriteStream

  private constructor(stream: WriteStream) {
    this.#stream = stream
  }

  /**
   * Opens a file to write after what is there.
   *
   * @param onBroken is told, once, why it cannot be written any more: a disk that is full shall not end the conversations
   * @throws what the system says where it cannot be opened
   */
  static async open(path: string, onBroken: (error: Error) => void): Promise<LogFile> {
    const stream = createWriteStream(path, { flags: 'a', mode: 0o600 })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    stream.once('open', () => resolve()).once('error', reject)
    await promise
    stream.off('error', reject).once('error', onBroken)
    return new LogFile(stream)
  }

  write(line: object): void {
    if (!this.#stream.destroyed) this.#stream.write(`${JSON.stringify(line)}\n`)
  }

  /** Resolves when what was written is in the file, or cannot be. */
  async close(): Promise<void> {
    if (this.#stream.destroyed) return
    // Why it cannot be was told.
    await finished(this.#stream.end()).catch(() => undefined)
  }
}
