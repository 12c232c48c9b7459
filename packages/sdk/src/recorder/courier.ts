import { conversationRoutes, limits } from '@llm-eval/protocol'
import { callSafely } from '../callback.ts'
import { Connection, type RequestOptions } from '../connection.ts'
import { LLMEvalError, toError } from '../error.ts'
import { backoffMs, isOverload } from '../retry.ts'
import type { Recording, RecordingBounds } from './recording.ts'

/** A server that is told what a recorder records, for agents whose bridge does not record by itself. */
export interface RecorderServer extends RequestOptions {
  /** Such as `http://localhost:8000`. */
  url: string
  /** Milliseconds an event waits for company; 500 if absent. */
  flushIntervalMs?: number | undefined
  /** Is told of failed requests (they are tried again) and of events that were refused (they are not). */
  onError?: ((error: LLMEvalError) => void) | undefined
}

/** What became of the events so far. */
export interface RecorderReceipt {
  /** Stored, now or before. */
  sent: number
  /** The server will never take them. */
  refused: number
  /** Not settled yet. */
  pending: number
}

/** Whose events they are. */
export interface Letterhead {
  threadId: string
  appName: string | undefined
  userId: string | undefined
}

const backoff = { baseMs: 500, capMs: 30_000 }
/** Of one request: small enough for the usual limit of a proxy. */
const usualSize: RecordingBounds = { events: limits.requestConversationEvents, bytes: 1_000_000 }

/**
 * Tells a server what was recorded, in order, one request at a time. It reads from the recording, so that nothing is held twice.
 * What was not answered is sent again with the same ids until the server says what became of it; it stores each once.
 */
export class Courier {
  readonly #recording: Recording
  readonly #connection: Connection
  readonly #server: RecorderServer
  readonly #letterhead: Letterhead
  readonly #ending = new AbortController()
  readonly #waiting = new Set<() => void>()
  #at = 0
  #sent = 0
  #refused = 0
  #failures = 0
  #size = usualSize
  #isBusy = false
  #cancel: (() => void) | null = null

  constructor(recording: Recording, server: RecorderServer, letterhead: Letterhead) {
    this.#recording = recording
    this.#connection = new Connection(server.url, server)
    this.#server = server
    this.#letterhead = letterhead
  }

  get receipt(): RecorderReceipt {
    return { sent: this.#sent, refused: this.#refused, pending: this.#recording.countFrom(this.#at) }
  }

  /** There may be something to tell. */
  wake(): void {
    if (this.#isBusy || this.#cancel || this.#ending.signal.aborted) return
    this.#at = this.#recording.past(this.#at)
    if (!this.#recording.isTold(this.#at)) return this.#release()
    this.#after(this.#waiting.size > 0 ? 0 : (this.#server.flushIntervalMs ?? 500))
  }

  /** Resolves when all is settled, when the server cannot be spoken to, or when the time is up. Never rejects. */
  async flush(timeoutMs: number): Promise<RecorderReceipt> {
    await new Promise<void>((resolve) => {
      const release = () => {
        callOff()
        this.#waiting.delete(release)
        resolve()
      }
      const callOff = this.#connection.clock.after(timeoutMs, release)
      this.#waiting.add(release)
      if (this.#failures === 0) {
        this.#cancel?.()
        this.#cancel = null
      }
      this.wake()
    })
    return this.receipt
  }

  /** Flushes, then sends nothing more. */
  async close(timeoutMs: number): Promise<RecorderReceipt> {
    const receipt = await this.flush(timeoutMs)
    this.#end()
    return receipt
  }

  #end(): void {
    this.#cancel?.()
    this.#ending.abort()
    this.#release()
  }

  #after(ms: number): void {
    this.#cancel = this.#connection.clock.background(ms, () => {
      this.#cancel = null
      this.#isBusy = true
      void this.#deliver().then((restMs) => this.#goOn(restMs))
    })
  }

  #goOn(restMs: number | null): void {
    this.#isBusy = false
    if (restMs === null) this.wake()
    else if (!this.#ending.signal.aborted) this.#after(restMs)
  }

  /** Gives the milliseconds to rest after a failure. Never rejects. */
  async #deliver(): Promise<number | null> {
    const { events, next } = this.#recording.take(this.#at, this.#size)
    const { threadId, appName, userId } = this.#letterhead
    const call = {
      route: conversationRoutes.sendConversationEvents,
      values: { thread: threadId },
      body: JSON.stringify({ app_name: appName, user_id: userId, events }),
      signal: this.#ending.signal,
    }
    try {
      await this.#connection.attempt(call)
      this.#at = next
      this.#sent += events.length
      this.#failures = 0
      this.#size = usualSize
      return null
    } catch (thrown) {
      return this.#ending.signal.aborted ? null : this.#afterFailure(thrown, events.length, next)
    }
  }

  #afterFailure(thrown: unknown, count: number, next: number): number | null {
    const error =
      thrown instanceof LLMEvalError ? thrown : new LLMEvalError('failed', toError(thrown).message, { cause: thrown })
    callSafely(() => this.#server.onError?.(error))
    const { code, status } = error
    // The thread was deleted, and stays so.
    if (status === 410) {
      this.#end()
      return null
    }
    if (status === 400 || status === 413 || status === 415 || status === 422) {
      // Refused as a whole: find out which event it is, and let the others pass.
      if (count > 1) this.#size = { ...this.#size, events: Math.ceil(count / 2) }
      else {
        this.#at = next
        this.#refused++
        this.#size = usualSize
      }
      return null
    }
    // Waiting does not mend a wrong key or URL, or a thread that was deleted.
    if (!isPassing(code) && !isOverload(error) && (status ?? 0) < 500) this.#release()
    return backoffMs(backoff, ++this.#failures, { random: this.#connection.random(), retryAfter: error.retryAfter })
  }

  #release(): void {
    for (const release of this.#waiting) release()
  }
}

function isPassing(code: LLMEvalError['code']): boolean {
  return code === 'unreachable' || code === 'timeout'
}
