import type { RunItem, RunStop } from '@llm-eval/protocol'
import { afterOnTimer, type Clock } from '../models/clock.ts'
import { type Asked, ask } from './asking.ts'
import { createDecider, type Decider } from './decider.ts'
import type { RunEnded, RunEvent } from './events.ts'
import { Flight } from './flight.ts'
import { inputOf, judge } from './judging.ts'
import { messageOf } from './plain.ts'
import type { RunParts, RunPlan } from './plan.ts'
import { type Slot, Source } from './source.ts'
import { emptyTotals, progressOf, type RunTotals, spentOf, withItem } from './totals.ts'

/** The clock of the machine, to the microsecond. */
const preciseClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after: afterOnTimer,
}

type Ending = { by: RunStop | null; error: RunEnded['error'] }

/** A plan that is being worked off. */
export class Running {
  readonly #plan: RunPlan
  readonly #parts: RunParts & { clock: Clock; random: () => number }
  readonly #names: readonly string[]
  readonly #source: Source
  readonly #decider: Decider | null
  readonly #flights = new Set<Flight>()
  /** What was not told yet. */
  readonly #events: RunEvent[] = []
  /** Finished items among them. */
  #untold = 0
  #totals: RunTotals
  #reading = false
  #exhausted = false
  #ending: Ending | null = null
  #began = 0
  #callOff: () => void = () => undefined
  #changed: () => void = () => undefined

  constructor(plan: RunPlan, parts: RunParts) {
    const { metrics, settings, earlier } = plan
    this.#plan = plan
    this.#parts = { ...parts, clock: parts.clock ?? preciseClock, random: parts.random ?? Math.random }
    this.#names = metrics.map(({ name }) => name)
    this.#totals = earlier?.totals ?? emptyTotals(metrics.length)
    this.#decider = settings.decision && createDecider(settings.decision)
    this.#source = new Source(plan)
  }

  begin(): RunEvent {
    const { signal, clock } = this.#parts
    const { duration_ms: most } = this.#plan.settings.limits
    this.#began = clock.now()
    if (most !== undefined) {
      const left = most - (this.#plan.earlier?.durationMs ?? 0)
      if (left <= 0) this.#stop('time_limit')
      else this.#callOff = clock.after(left, () => this.#stop('time_limit'))
    }
    signal?.addEventListener('abort', this.#cancel)
    if (signal?.aborted === true) this.#cancel()
    this.#mindCost()
    return { type: 'started', at: this.#at(), progress: this.#progress() }
  }

  /** Begins what can begin, and gives what happened next, if anything did. */
  next(): RunEvent | undefined {
    this.#fill()
    const event = this.#events.shift()
    if (event?.type === 'item') this.#untold--
    return event
  }

  get over(): boolean {
    return (this.#ending !== null || this.#exhausted) && this.#flights.size === 0 && this.#events.length === 0
  }

  /** Until there may be something to tell. */
  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve
    })
  }

  end(): RunEnded {
    const { by = null, error = null } = this.#ending ?? {}
    const progress = this.#progress()
    // A limit that is reached with the last item stops nothing.
    const whole = progress.completed_items === progress.total_items
    const earlier = this.#plan.earlier?.durationMs ?? 0
    return {
      type: 'ended',
      at: this.#at(),
      status: error ? 'failed' : by === 'cancelled' ? 'cancelled' : 'completed',
      stopped_by: whole && by !== 'cancelled' ? null : by,
      error,
      totals: this.#totals,
      progress,
      duration_ms: Math.max(0, Math.round(this.#parts.clock.now() - this.#began)) + earlier,
    }
  }

  close(): void {
    // What is still being read is not begun any more.
    this.#ending ??= { by: null, error: null }
    this.#callOff()
    this.#parts.signal?.removeEventListener('abort', this.#cancel)
    this.#giveUp(new DOMException('The run has ended.', 'AbortError'))
    this.#source.close()
  }

  #fill(): void {
    const { concurrency } = this.#plan.settings
    while (!this.#ending && !this.#exhausted && !this.#reading) {
      if (this.#flights.size >= concurrency || this.#flights.size + this.#untold >= 2 * concurrency) return
      try {
        const slot = this.#source.next()
        if (slot instanceof Promise) void this.#read(slot)
        else this.#take(slot)
      } catch (error) {
        this.#unreadable(error)
      }
    }
  }

  async #read(reading: Promise<Slot | undefined>): Promise<void> {
    this.#reading = true
    try {
      const slot = await reading
      if (!this.#ending) this.#take(slot)
    } catch (error) {
      this.#unreadable(error)
    }
    this.#reading = false
    this.#changed()
  }

  #take(slot: Slot | undefined): void {
    if (!slot) {
      this.#exhausted = true
      return
    }
    const { itemId, itemIndex, caseId, repetition } = slot
    const at = this.#at()
    this.#events.push({
      type: 'item_started',
      at,
      item_id: itemId,
      item_index: itemIndex,
      case_id: caseId,
      repetition,
    })
    this.#decider?.begun(slot)
    const flight = new Flight()
    this.#flights.add(flight)
    void this.#work(slot, flight, at).then((item) => this.#land(slot, flight, item))
  }

  async #work(slot: Slot, flight: Flight, startedAt: string): Promise<RunItem> {
    const { settings, metrics } = this.#plan
    const { answer, evaluate, clock, random } = this.#parts
    const timeoutMs = settings.timeout_ms
    const asked: Asked | null = slot.fault
      ? null
      : await ask(slot, flight, { answer, timeoutMs, retries: settings.retries, clock, random })
    // Given up in the very moment of its answer.
    if (flight.over) return new Promise<never>(() => undefined)
    const given = asked?.answer ?? null
    const judged = given ? judge(() => inputOf(slot, given), flight, { metrics, evaluate, timeoutMs, clock }) : {}
    const scores = judged instanceof Promise ? await judged : judged
    return {
      item_id: slot.itemId,
      item_index: slot.itemIndex,
      case_id: slot.caseId,
      repetition: slot.repetition,
      status: given ? 'success' : 'failed',
      input: slot.input,
      expected: slot.expected,
      output: given?.output ?? null,
      scores,
      error: asked ? asked.error : slot.fault,
      attempts: asked?.attempts ?? 0,
      response_time_ms: asked?.responseTimeMs ?? null,
      tokens: given?.tokens ?? null,
      // What was not asked costs nothing.
      cost: asked ? asked.cost : 0,
      trace_id: given?.traceId ?? null,
      started_at: startedAt,
      completed_at: this.#at(),
    }
  }

  #land(slot: Slot, flight: Flight, item: RunItem): void {
    if (!this.#flights.delete(flight)) return
    this.#totals = withItem(this.#totals, item, this.#names)
    const [totals, shape] = [this.#totals, this.#shape()]
    this.#events.push({
      type: 'item',
      item,
      totals,
      get progress() {
        return progressOf(totals, shape)
      },
    })
    this.#untold++
    this.#mindCost()
    this.#mindDecision(slot, item)
    this.#fill()
    this.#changed()
  }

  #mindCost(): void {
    const { cost: most } = this.#plan.settings.limits
    if (most === undefined) return
    const { cost, unknownCosts } = spentOf(this.#totals)
    if (cost >= most || unknownCosts > 0) this.#ending ??= { by: 'cost_limit', error: null }
  }

  #mindDecision(slot: Slot, item: RunItem): void {
    try {
      if (this.#decider?.finished(slot, item) === true) this.#ending ??= { by: 'decided', error: null }
    } catch (error) {
      const message = `The run cannot be decided by ${this.#plan.settings.decision?.metric}: ${messageOf(error)}`
      this.#ending ??= { by: null, error: { code: 'undecidable', message } }
    }
  }

  #unreadable(error: unknown): void {
    const message = `The dataset could not be read to its end: ${messageOf(error)}`
    this.#ending ??= { by: null, error: { code: 'dataset_unreadable', message } }
  }

  readonly #cancel = (): void => this.#stop('cancelled')

  /** Ends at once, without waiting for what is being worked on; nothing that ended it more gently before stands against that. */
  #stop(by: 'cancelled' | 'time_limit'): void {
    if (this.#exhausted && this.#flights.size === 0) return
    if (!this.#ending || this.#ending.error === null) this.#ending = { by, error: null }
    const why = by === 'cancelled' ? 'The run was cancelled.' : 'The run has no more time.'
    this.#giveUp(new DOMException(why, 'AbortError'))
    this.#changed()
  }

  #giveUp(why: unknown): void {
    for (const flight of this.#flights) flight.giveUp(why)
    this.#flights.clear()
  }

  #shape() {
    const { total, settings } = this.#plan
    const cases = this.#exhausted ? this.#source.read : total
    const totalItems = cases === null ? null : cases * settings.repetitions
    return { names: this.#names, repetitions: settings.repetitions, totalItems }
  }

  #progress() {
    return progressOf(this.#totals, this.#shape())
  }

  #at(): string {
    return new Date(this.#parts.clock.now()).toISOString()
  }
}
