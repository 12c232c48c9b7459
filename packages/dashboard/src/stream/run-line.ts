import type { RunSocketMessage } from '@llm-eval/protocol'
import { ApiError } from '../api/client.ts'
import type { LinkStatus } from './hub.ts'

/** An open WebSocket. */
export interface LineSocket {
  send: (text: string) => void
  close: () => void
}

export interface SocketHandlers {
  onText: (text: string) => void
  /** It is over, or was never open. */
  onClose: (code: number) => void
}

/** What a line needs of the world. */
export interface LineParts {
  /** A ticket that opens one socket. */
  ticket: () => Promise<string>
  /** Opens the socket of the statuses of all runs, which also takes subscriptions to single ones. */
  open: (query: URLSearchParams, handlers: SocketHandlers) => LineSocket
  /** Calls back after some milliseconds, unless what it returns is called before. */
  later: (callback: () => void, ms: number) => () => void
  now: () => number
  /** In 0..1. */
  random: () => number
}

export interface LineHandlers {
  onText: (text: string) => void
  onStatus: (status: LinkStatus) => void
  /** Cursor after which the statuses of all runs are told; null for what comes from now on. */
  after: () => string | null
}

const pingMs = 20_000
/** Without a word, not even the answer to a ping, nobody is there any more. */
const silentMs = 45_000
const firstWaitMs = 400
const longestWaitMs = 15_000
/** The server said that it is too much for it just now. */
const busyWaitMs = 2_000

/** One connection to the server that comes back by itself until it is closed, or the server will never let it in. */
export class RunLine {
  readonly #parts: LineParts
  readonly #handlers: LineHandlers
  #socket: LineSocket | undefined
  /** Counts connections: what an earlier one still says is not heard. */
  #turn = 0
  #failures = 0
  #heardAt = 0
  #lostAt: number | undefined
  #stopTimer: () => void = () => {}

  constructor(parts: LineParts, handlers: LineHandlers) {
    this.#parts = parts
    this.#handlers = handlers
  }

  /** Connects now, whatever it was waiting for. */
  connect(): void {
    const turn = this.#drop()
    if (this.#lostAt === undefined || this.#failures === 0) this.#handlers.onStatus({ state: 'connecting' })
    void this.#open(turn)
  }

  say(message: RunSocketMessage): void {
    this.#socket?.send(JSON.stringify(message))
  }

  /** The server has said something that shows that it lets us in. */
  greeted(): void {
    this.#failures = 0
    this.#lostAt = undefined
    this.#handlers.onStatus({ state: 'live', since: this.#parts.now() })
  }

  /** Ends it for good. */
  close(): void {
    this.#drop()
  }

  /** Leaves the connection that is there; the number of the next one. */
  #drop(): number {
    this.#stopTimer()
    const socket = this.#socket
    this.#socket = undefined
    this.#turn++
    socket?.close()
    return this.#turn
  }

  async #open(turn: number): Promise<void> {
    const { ticket, open, now } = this.#parts
    let query: URLSearchParams
    try {
      query = new URLSearchParams({ ticket: await ticket() })
    } catch (error) {
      if (turn === this.#turn) this.#lost(error instanceof ApiError ? 4_000 + error.status : 1006)
      return
    }
    if (turn !== this.#turn) return
    const after = this.#handlers.after()
    if (after !== null) query.set('after_seq', after)
    this.#heardAt = now()
    this.#socket = open(query, {
      onText: (text) => {
        if (turn !== this.#turn) return
        this.#heardAt = now()
        this.#handlers.onText(text)
      },
      onClose: (code) => {
        if (turn === this.#turn) this.#lost(code)
      },
    })
    this.#ping(turn)
  }

  #ping(turn: number): void {
    this.#stopTimer = this.#parts.later(() => {
      if (turn !== this.#turn) return
      if (this.#parts.now() - this.#heardAt > silentMs) return this.#lost(1006)
      this.say({ type: 'ping' })
      this.#ping(turn)
    }, pingMs)
  }

  #lost(code: number): void {
    this.#drop()
    const { later, now, random } = this.#parts
    if (code === 4401) return this.#handlers.onStatus({ state: 'signed_out' })
    if (code === 4403 || code === 4404) return this.#handlers.onStatus({ state: 'refused' })
    const grown = Math.min(longestWaitMs, firstWaitMs * 2 ** this.#failures++)
    const least = code === 1013 || code === 4429 ? busyWaitMs : 0
    const wait = Math.max(least, grown) * (0.5 + random() / 2)
    this.#lostAt ??= now()
    this.#handlers.onStatus({ state: 'waiting', since: this.#lostAt, retryAt: now() + wait })
    this.#stopTimer = later(() => this.connect(), wait)
  }
}
