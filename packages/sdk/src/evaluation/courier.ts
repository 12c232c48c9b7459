import type { RunStatus } from '@llm-eval/protocol'
import { backoffMs, type Clock, isOverload, LLMEvalError, toError } from '../inside.ts'
import type { Receipt } from './run-server.ts'
import { Spool } from './spool.ts'

/** What a courier needs. */
export interface CourierOptions {
  /** Makes sure that the server has the run, before the first events and whenever the server was not there then. */
  open: (signal: AbortSignal) => Promise<void>
  send: (events: readonly string[], signal: AbortSignal) => Promise<Receipt>
  /** Whether the server has the run already. */
  state: 'open' | 'unopened'
  /** Tells the events of this process from those of another. */
  worker: string
  clock: Clock
  random: () => number
  bufferBytes: number
  heartbeatMs: number
  /** Events of one request. */
  mostEvents: number
  /** Is told the status of the run that the server answered. */
  onStatus: (status: RunStatus) => void
  onWarning: (message: string) => void
}

/** What became of the events. */
export interface Delivery {
  delivered: number
  undelivered: number
  refused: number
}

/** Of the body of one request; fewer where something on the way takes less. */
const mostBytes = 4_000_000
/** Events that come within so many milliseconds share a request. */
const lingerMs = 50
/** Events that wait at most before whoever makes them does, of those that a server stores as they come. */
const crowd = 1_000
/** Milliseconds that somebody waits for a server that says nothing at all. */
const crowdMs = 1_000
/** Milliseconds that a server has which was never there. */
const firstMs = 1_000
const backoff = { baseMs: 500, capMs: 15_000 }

/**
 * Brings events to the server, in their order, one request at a time. What is not answered is sent again as it was, with the same
 * names, until the server says what became of it: it stores each once. While the server is away events wait, in memory and then in
 * a file, and nobody waits for them. A refusal that would come again ends the deliveries, not the evaluation.
 */
export class Courier {
  readonly #options: CourierOptions
  readonly #spool: Spool
  readonly #ending = new AbortController()
  readonly #working: Promise<void>
  #delivery: Delivery = { delivered: 0, undelivered: 0, refused: 0 }
  #sequence = 0
  #unwritten = 0
  #mostBytes = mostBytes
  #isOpen: boolean
  #isClosing = false
  #isAway = false
  #failedTries = 0
  #isResting = false
  /** Whether it waits for more that could share a request. */
  #isLingering = false
  /** Whether the server said how long to wait. */
  #isAsked = false
  /** Whether it said nothing while somebody waited for room. */
  #isSilent = false
  #hurry: () => void = () => undefined
  #wake: () => void = () => undefined
  #clear: () => void = () => undefined

  constructor(options: CourierOptions) {
    this.#options = options
    this.#isOpen = options.state === 'open'
    this.#spool = new Spool(options.bufferBytes)
    this.#working = this.#work().catch((error: unknown) => this.#stop(toError(error)))
  }

  /** Whether the server ever had the run. */
  get reached(): boolean {
    return this.#isOpen
  }

  add(happening: object): void {
    if (this.#ending.signal.aborted) return void this.#unwritten++
    const sequence = this.#sequence++
    try {
      this.#spool.push(JSON.stringify({ event_id: `${this.#options.worker}-${sequence}`, sequence, ...happening }))
    } catch (error) {
      if (this.#unwritten++ === 0)
        this.#options.onWarning(`An item cannot wait for the server: ${toError(error).message}`)
    }
    // As many as a request takes need not wait for others.
    if (this.#isLingering && this.#spool.length >= this.#options.mostEvents) this.#hurry()
    this.#wake()
  }

  /**
   * Where the server takes events, but more slowly than they come, resolves as soon as there is room for more: memory stays as
   * small as it is. Null where there is room, and where waiting might be in vain, for then events wait elsewhere.
   */
  room(): Promise<void> | null {
    const inVain = this.#isAway || this.#isSilent || !this.#isOpen || this.#ending.signal.aborted
    if (inVain || this.#spool.length < crowd) return null
    return new Promise((resolve) => {
      const callOff = this.#options.clock.after(crowdMs, () => {
        this.#isSilent = true
        this.#clear()
      })
      this.#clear = () => {
        callOff()
        this.#clear = () => undefined
        resolve()
      }
    })
  }

  /**
   * Waits until all is delivered, or the server was away for so many milliseconds; one that was never there is not waited for.
   * A server that takes its time is. No event can be added after it.
   */
  async close(patienceMs: number): Promise<Delivery> {
    this.#isClosing = true
    this.#wake()
    if (!this.#isAsked) this.#hurry()
    const { clock } = this.#options
    const tries = this.#failedTries
    let callOff: () => void = () => undefined
    const watch = (seen: number): void => {
      callOff = clock.after(this.#isOpen ? patienceMs : Math.min(patienceMs, firstMs), () => {
        const { delivered } = this.#delivery
        const failing = this.#isResting || this.#failedTries > tries
        if (delivered === seen && this.#isAway && failing) this.#ending.abort(new Error('the server is away'))
        else watch(delivered)
      })
    }
    watch(this.#delivery.delivered)
    await this.#working
    callOff()
    this.#ending.abort(new Error('all is delivered'))
    const undelivered = this.#spool.length + this.#unwritten
    this.#spool.close()
    return { ...this.#delivery, undelivered }
  }

  async #work(): Promise<void> {
    const { signal } = this.#ending
    while (!signal.aborted) {
      if (this.#spool.length === 0) {
        if (this.#isClosing) return
        if (!(await this.#somethingOrLong())) this.add({ type: 'heartbeat' })
        continue
      }
      if (!this.#isClosing && this.#spool.length < this.#options.mostEvents) {
        this.#isLingering = true
        await this.#rest(lingerMs)
        this.#isLingering = false
      }
      await this.#deliver()
    }
  }

  /** False when nothing came for so long that the server might think that nobody is here. */
  #somethingOrLong(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (something: boolean) => {
        callOff()
        this.#wake = () => undefined
        resolve(something)
      }
      const callOff = this.#options.clock.after(this.#options.heartbeatMs, () => settle(false))
      this.#wake = () => settle(true)
    })
  }

  async #deliver(): Promise<void> {
    const { open, send, mostEvents } = this.#options
    const { signal } = this.#ending
    let events: string[] = []
    try {
      if (!this.#isOpen) {
        await open(signal)
        this.#isOpen = true
        this.#back()
      }
      events = this.#spool.peek(mostEvents, this.#mostBytes)
      const receipt = await send(events, signal)
      this.#spool.drop(events.length)
      this.#back()
      if (this.#spool.length < crowd) this.#clear()
      this.#count(receipt, events.length)
      this.#options.onStatus(receipt.status)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof LLMEvalError && error.status === 413 && events.length > 0) return this.#lighten(events)
      if (!(error instanceof LLMEvalError) || !isPassing(error)) return this.#stop(toError(error))
      this.#away(error)
      await this.#restAfter(error)
    }
  }

  /** The request was too large for somebody: half of it is sent next. What is too large alone is never taken. */
  #lighten(events: readonly string[]): void {
    if (events.length > 1) {
      this.#mostBytes = Math.ceil(Buffer.byteLength(events.join('')) / 2)
      return
    }
    this.#spool.drop(1)
    if (this.#delivery.refused++ === 0)
      this.#options.onWarning('The server does not take an event: it is too large for it, or for something on the way.')
  }

  #count(receipt: Receipt, sent: number): void {
    const refused = receipt.results.filter(({ status }) => !['applied', 'duplicate'].includes(status))
    this.#delivery.delivered += sent - refused.length
    this.#delivery.refused += refused.length
    const [first] = refused
    if (first && this.#delivery.refused === refused.length)
      this.#options.onWarning(
        `The server does not take an event (${first.status}): ${first.message ?? 'it says no more'}`,
      )
  }

  #away(error: LLMEvalError): void {
    this.#clear()
    if (this.#isAway) return
    this.#isAway = true
    this.#options.onWarning(`Items wait until the server takes them: ${error.message}`)
  }

  #back(): void {
    this.#failedTries = 0
    this.#isAway = this.#isSilent = false
  }

  #stop(error: Error): void {
    if (this.#ending.signal.aborted) return
    this.#options.onWarning(`The server is not told of more items: ${error.message}`)
    this.#ending.abort(error)
    this.#clear()
  }

  async #restAfter({ retryAfter }: LLMEvalError): Promise<void> {
    this.#isResting = true
    this.#isAsked = retryAfter !== undefined
    await this.#rest(backoffMs(backoff, ++this.#failedTries, { random: this.#options.random(), retryAfter }))
    this.#isResting = this.#isAsked = false
  }

  /** The end of the evaluation cuts it short. */
  #rest(ms: number): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#ending
    return new Promise((resolve) => {
      const settle = () => {
        callOff()
        signal.removeEventListener('abort', settle)
        resolve()
      }
      const callOff = clock.after(signal.aborted ? 0 : ms, settle)
      signal.addEventListener('abort', settle, { once: true })
      this.#hurry = settle
    })
  }
}

/** Whether the same events may be taken at another time. */
export function isPassing(error: LLMEvalError): boolean {
  const { code, status } = error
  return code === 'unreachable' || code === 'timeout' || isOverload(error) || status === 408 || (status ?? 0) >= 500
}
