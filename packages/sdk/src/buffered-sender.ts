import { type ItemStatus, routes, type WebhookAnswer } from '@llm-eval/protocol'
import { callSafely } from './callback.ts'
import { readWebhookAnswer } from './answer.ts'
import { batchBody, type BatchSize, processedCount, resultsFor, usualBatch } from './batch.ts'
import type { Connection } from './connection.ts'
import { asyncDispose } from './disposal.ts'
import { LLMEvalError, toError } from './error.ts'
import { Ledger, type Outcome, type Receipt } from './ledger.ts'
import { Outbox, type Queued } from './outbox.ts'
import { backoffMs } from './retry.ts'
import { type AnyTrace, toParcel } from './trace-data.ts'

/** Options of `client.buffered`. */
export interface BufferOptions {
  /** Where the traces come from; `javascript_sdk` if absent. */
  source?: string | undefined
  /** Traces of one request, 1 to 100; 100 if absent. */
  maxBatchTraces?: number | undefined
  /** Bytes of one request; 1,000,000 if absent. A larger trace travels alone. */
  maxBatchBytes?: number | undefined
  /** Milliseconds a trace waits for company; 1,000 if absent. A full batch goes at once. */
  flushIntervalMs?: number | undefined
  /** Requests under way at the same time; 2 if absent. */
  concurrency?: number | undefined
  /** Traces held in memory, waiting or under way; 10,000 if absent. */
  maxQueueTraces?: number | undefined
  /** Bytes of JSON held in memory; 64 MiB if absent. */
  maxQueueBytes?: number | undefined
  /** Is told of traces that will not be sent. */
  onDrop?: ((drop: Drop) => void) | undefined
  /** Is told of failed requests (they are tried again) and of traces that were refused (they are not). */
  onError?: ((error: LLMEvalError) => void) | undefined
}

/** Traces that were given up: memory was full (the oldest go first), or the sender was closed. */
export interface Drop {
  reason: 'full' | 'closed'
  /** How many, this time. */
  count: number
}

/** How long `flush` and `close` may take. */
export interface FlushOptions {
  /** Milliseconds; 10,000 if absent. */
  timeoutMs?: number | undefined
}

const outcomeOf: Record<ItemStatus, Outcome> = {
  created: 'sent',
  duplicate: 'duplicates',
  conflict: 'conflicts',
  invalid: 'invalid',
}

const backoff = { baseMs: 500, capMs: 30_000 }

/** Collects traces and sends them in the background. Made by `client.buffered()`. */
export class BufferedSender implements AsyncDisposable {
  readonly #connection: Connection
  readonly #options: BufferOptions
  readonly #batchSize: BatchSize
  readonly #ledger = new Ledger()
  readonly #outbox = new Outbox()
  readonly #abort = new AbortController()
  readonly #requests = new Set<Promise<void>>()
  /** What those requests carry. */
  readonly #underWay = { traces: 0, bytes: 0 }
  #failures = 0
  #pausedUntil = 0
  #timer: { due: number; cancel(): void } | undefined
  #closing: Promise<Receipt> | undefined

  constructor(connection: Connection, options: BufferOptions) {
    this.#connection = connection
    this.#options = options
    this.#batchSize = {
      traces: Math.min(Math.max(1, options.maxBatchTraces ?? usualBatch.traces), usualBatch.traces),
      bytes: options.maxBatchBytes ?? usualBatch.bytes,
    }
  }

  /** Takes a trace. Never throws and never waits; what cannot be written as JSON is counted as invalid. */
  send(trace: AnyTrace): void {
    const seq = this.#ledger.enter()
    if (this.#closing) return this.#drop([seq], 'closed')
    let item: Queued
    try {
      item = { ...toParcel(trace), seq }
    } catch (error) {
      this.#ledger.settle(seq, 'invalid')
      return this.#report(error)
    }
    if (!this.#makeRoom(item)) return
    this.#outbox.push(item)
    this.#schedule()
  }

  /** How things stand. */
  receipt(): Receipt {
    return this.#ledger.receipt()
  }

  /**
   * Sends what was handed in so far, without waiting for company. Resolves when all of it is settled, when the server
   * cannot be spoken to (wrong key or URL, see `onError`), or when the time is up; `pending` says what is left. Never rejects.
   */
  async flush(options: FlushOptions = {}): Promise<Receipt> {
    const settled = this.#ledger.whenSettled((release) =>
      this.#connection.clock.after(options.timeoutMs ?? 10_000, release),
    )
    this.#schedule()
    await settled
    return this.receipt()
  }

  /** Flushes, then drops what is left; later traces are dropped too. Never rejects. */
  close(options: FlushOptions = {}): Promise<Receipt> {
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  /** Closes, so that `await using sender = client.buffered()` loses nothing. */
  async [asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(options: FlushOptions): Promise<Receipt> {
    await this.flush(options)
    this.#timer?.cancel()
    this.#abort.abort()
    await Promise.all(this.#requests)
    const left: number[] = []
    for (let item = this.#outbox.shift(); item; item = this.#outbox.shift()) left.push(item.seq)
    if (left.length > 0) this.#drop(left, 'closed')
    return this.receipt()
  }

  /** Drops the oldest until there is room; false when the item itself had to be dropped. */
  #makeRoom(item: Queued): boolean {
    const maxTraces = this.#options.maxQueueTraces ?? 10_000
    const maxBytes = this.#options.maxQueueBytes ?? 64 * 1024 * 1024
    const fitsBeside = (held: { traces: number; bytes: number }) =>
      held.traces < maxTraces && held.bytes + item.bytes <= maxBytes
    if (!fitsBeside(this.#underWay)) {
      this.#drop([item.seq], 'full')
      return false
    }
    const dropped: number[] = []
    while (!fitsBeside(this.#held())) dropped.push(this.#outbox.shift()?.seq ?? item.seq)
    if (dropped.length > 0) this.#drop(dropped, 'full')
    return true
  }

  #held(): { traces: number; bytes: number } {
    return { traces: this.#outbox.traces + this.#underWay.traces, bytes: this.#outbox.bytes + this.#underWay.bytes }
  }

  /** Sees to it that the next batch goes as soon as it should. */
  #schedule(): void {
    if (this.#outbox.traces === 0 || this.#requests.size >= (this.#options.concurrency ?? 2)) return
    if (this.#abort.signal.aborted) return
    const { clock } = this.#connection
    const full = this.#outbox.traces >= this.#batchSize.traces || this.#outbox.bytes >= this.#batchSize.bytes
    // What failed before has waited enough; only the pause counts.
    const atOnce = full || this.#ledger.awaited || this.#failures > 0
    const patience = atOnce ? 0 : (this.#options.flushIntervalMs ?? 1_000)
    const now = clock.elapsed()
    const due = Math.max(now + patience, this.#pausedUntil)
    if (this.#timer && this.#timer.due <= due) return
    this.#timer?.cancel()
    const cancel = clock.background(due - now, () => {
      this.#timer = undefined
      this.#dispatch()
    })
    this.#timer = { due, cancel }
  }

  #dispatch(): void {
    const batch = this.#outbox.take(this.#batchSize)
    if (batch.length === 0) return
    this.#underWay.traces += batch.length
    this.#underWay.bytes += bytesOf(batch)
    const request = this.#deliver(batch).finally(() => {
      this.#requests.delete(request)
      this.#schedule()
    })
    this.#requests.add(request)
    this.#schedule()
  }

  /** Sees a batch through, until it is settled or back in the outbox. Never rejects. */
  async #deliver(batch: Queued[]): Promise<void> {
    const call = {
      route: routes.sendBatch,
      body: batchBody(batch, this.#options.source ?? 'javascript_sdk'),
      signal: this.#abort.signal,
    }
    try {
      const answer = readWebhookAnswer(await this.#connection.attempt(call), this.#connection.url(call))
      this.#failures = 0
      this.#settle(batch, answer)
    } catch (thrown) {
      await this.#afterFailure(batch, asLLMEvalError(thrown))
    }
  }

  async #afterFailure(batch: Queued[], error: LLMEvalError): Promise<void> {
    const { answer, status } = error
    if (this.#abort.signal.aborted) {
      this.#land(batch)
      this.#outbox.putBack(batch)
    } else if (answer && resultsFor(answer, batch.length)) {
      this.#settle(batch, answer)
    } else if ((status === 413 || status === 422) && batch.length > 1) {
      // The request was refused as a whole: find out which trace it is, and let the others pass.
      const middle = Math.ceil(batch.length / 2)
      await this.#deliver(batch.slice(0, middle))
      await this.#deliver(batch.slice(middle))
    } else if (status === 400 || status === 413 || status === 415 || status === 422) {
      this.#land(batch)
      for (const item of batch) this.#ledger.settle(item.seq, 'invalid')
      this.#report(error)
    } else this.#retreat(batch, error)
  }

  /** Puts a batch back and pauses all sending, since the trouble is not the batch's. */
  #retreat(batch: Queued[], error: LLMEvalError): void {
    this.#land(batch)
    this.#outbox.putBack(batch)
    this.#failures++
    const waitMs = backoffMs(backoff, this.#failures, {
      random: this.#connection.random(),
      retryAfter: error.retryAfter,
    })
    this.#pausedUntil = this.#connection.clock.elapsed() + waitMs
    this.#timer?.cancel()
    this.#timer = undefined
    this.#report(error)
    // Waiting does not mend a wrong key or URL.
    if (error.code === 'auth' || error.code === 'not_found' || error.code === 'protocol') this.#ledger.release()
  }

  #settle(batch: Queued[], answer: WebhookAnswer): void {
    this.#land(batch)
    const results = resultsFor(answer, batch.length)
    const stored = processedCount(answer)
    for (const [index, item] of batch.entries()) {
      const outcome = results ? outcomeOf[results[index]?.status ?? 'invalid'] : index < stored ? 'sent' : 'invalid'
      this.#ledger.settle(item.seq, outcome ?? 'invalid')
    }
    const errors = (answer.errors ?? []).map((message) => ({ path: '', message }))
    if (errors.length > 0) this.#report(new LLMEvalError('failed', answer.message, { errors, answer }))
  }

  /** The request that carried this batch is over. */
  #land(batch: Queued[]): void {
    this.#underWay.traces -= batch.length
    this.#underWay.bytes -= bytesOf(batch)
  }

  #drop(calls: number[], reason: Drop['reason']): void {
    for (const call of calls) this.#ledger.settle(call, 'dropped')
    callSafely(() => this.#options.onDrop?.({ reason, count: calls.length }))
  }

  #report(thrown: unknown): void {
    callSafely(() => this.#options.onError?.(asLLMEvalError(thrown)))
  }
}

function bytesOf(batch: Queued[]): number {
  return batch.reduce((sum, item) => sum + item.bytes, 0)
}

function asLLMEvalError(thrown: unknown): LLMEvalError {
  return thrown instanceof LLMEvalError
    ? thrown
    : new LLMEvalError('failed', toError(thrown).message, { cause: thrown })
}
