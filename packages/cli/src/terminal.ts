import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Where text goes to: a terminal, a file or a pipe. */
export type OutStream = Writable & { isTTY?: boolean; columns?: number; rows?: number }

/** Widths to keep to when nobody says how wide the screen is. */
const usualColumns = 100
const usualRows = 24

/** One of the two outputs of a command. Colours and redrawn lines only where a person looks. */
export class Screen {
  readonly isTTY: boolean
  readonly #stream: OutStream
  readonly #coloured: boolean
  #status = ''

  constructor(stream: OutStream, env: NodeJS.ProcessEnv) {
    this.#stream = stream
    this.isTTY = stream.isTTY === true
    this.#coloured = this.isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  }

  /** Cells of a line. */
  get columns(): number {
    return this.#stream.columns ?? usualColumns
  }

  /** Lines of a screen. */
  get rows(): number {
    return this.#stream.rows ?? usualRows
  }

  paint(style: Style, text: string): string {
    return this.#coloured ? styleText(style, text, { validateStream: false }) : text
  }

  /** Writes a line; a status line moves below it. */
  line(text = ''): void {
    const status = this.#status
    this.status('')
    this.#stream.write(`${text}\n`)
    this.status(status)
  }

  /** Writes and waits until there is room for more, so that a slow reader slows the writer down. */
  async write(text: string | Uint8Array, signal?: AbortSignal): Promise<void> {
    if (this.#stream.write(text)) return
    await once(this.#stream, 'drain', signal ? { signal } : {})
  }

  /** Shows lines that are overwritten by the next ones; '' takes them away. None may be wider than the screen. Only on a terminal. */
  status(text: string): void {
    if (!this.isTTY || text === this.#status) return
    const above = this.#status.split('\n').length - 1
    const up = above === 0 ? '\r\u001b[2K' : `\u001b[${above}A\r\u001b[J`
    this.#stream.write(`${this.#status === '' ? '' : up}${text}`)
    this.#status = text
  }
}

/** What a command sees of the world around it. */
export interface Terminal {
  stdin: AsyncIterable<Uint8Array> & { isTTY?: boolean }
  out: Screen
  err: Screen
  env: NodeJS.ProcessEnv
  cwd: string
  /** Aborted by the first Ctrl-C, and by SIGTERM; the second one ends the process at once. */
  signal: AbortSignal
  /** How this program is started, up to its arguments; absent where it is part of another. */
  self?: readonly string[]
  /** Is told of each file that an evaluation is made of. */
  onFile?: (path: string) => void
}

/** A terminal while a command runs. */
export interface Stage extends Terminal {
  /** The command line. */
  args: readonly string[]
  /** Is done when the command is over, however it ended; the last one first. */
  atEnd(work: () => Promise<unknown>): void
}
