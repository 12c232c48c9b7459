/** What clients tell of the runs that they work off: `POST /api/v1/runs/:run_id/events`. */
import { itemIdOf, scoreOf } from '@llm-eval/engine'
import { Failure, type Fault, limits, type RunItem, runRoutes, type RunStatus } from '@llm-eval/protocol'
import {
  type EventFate,
  type RunHappening,
  runEventsBody,
  runEventsInput,
  runEventsReceipt,
  runHappening,
} from '@llm-eval/protocol/run-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { ItemFate, NewRunItem, StoredRun } from '@llm-eval/store'
import * as z from 'zod'
import { faultsOf } from '../faults/faults.ts'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { countItems } from '../meters/run-meters.ts'
import type { Evaluators } from '../running/metrics.ts'
import { heldHere, scoreItems } from '../running/score-items.ts'
import type { TaskTools } from '../running/tasks.ts'
import { hashItem, toNewItem } from '../running/wire.ts'
import { clientLeaseMs, findRun } from './find.ts'
import { mapInTurns } from './in-turns.ts'

type Happened<T extends RunHappening['type']> = Extract<RunHappening, { type: T }>
type Finished = Happened<'item_finished'>

/** What became of an event, and why. */
interface Fate {
  status: EventFate
  message: string | null
}

/** Serves the route that takes what clients tell. */
export function registerRunEvents(app: App, deps: Deps, { turns }: Pick<TaskTools, 'turns'>): void {
  mount(app, runRoutes.sendRunEvents, {
    schema: { params: z.object({ run_id: name }), body: runEventsInput, response: { 200: runEventsReceipt } },
    bodyLimit: limits.runEventsBytes,
    describedBody: runEventsBody,
    handler: async ({ principal: { projectId }, params, body }) => {
      const run = await findRun(deps.store, projectId, params.run_id)
      // Nobody can tell what the server does itself.
      if (run.worker === 'server') throw new Failure('run_held')
      const count: TellingParts['count'] = (items, fates) => countItems(deps.meters.runs, items, fates)
      const telling = new Telling({ ...deps, turns, count }, { projectId, run, worker: body.worker })
      return telling.receipt(body.events, await telling.take(body.events))
    },
  })
}

function fate(status: EventFate, message: string | null = null): Fate {
  return { status, message }
}

interface Told {
  projectId: number
  run: StoredRun
  worker: string
}

/** What takes that which is told. */
export interface TellingParts extends Pick<Deps, 'store' | 'now' | 'closing'>, Pick<TaskTools, 'turns'> {
  judge: Evaluators
  /** Is told of items that were stored, or not. */
  count: (items: readonly NewRunItem[], fates: readonly ItemFate[]) => void
}

/** One request that tells of a run. */
export class Telling {
  /** Of the run, as far as it was told. */
  status: RunStatus
  readonly #deps: TellingParts
  readonly #told: Told

  constructor(deps: TellingParts, told: Told) {
    this.#deps = deps
    this.#told = told
    this.status = told.run.status
  }

  /** What happened, as somebody says it. */
  async take(events: readonly object[]): Promise<Fate[]> {
    const read = await mapInTurns(events, (said) => {
      const parsed = runHappening.safeParse(said)
      const faults = parsed.success ? this.#faultsOf(parsed.data) : faultsOf(parsed.error.issues)
      return parsed.success && faults.length === 0 ? parsed.data : faults
    })
    return this.#settle(read)
  }

  /** What happened, as this very process knows it: it need not be looked at. */
  trust(events: readonly RunHappening[]): Promise<Fate[]> {
    return this.#settle(events)
  }

  /** What became of events, as it is answered. */
  receipt(events: readonly Pick<RunHappening, 'event_id' | 'sequence'>[], fates: readonly Fate[]) {
    const applied = fates.filter(({ status }) => status === 'applied').length
    return {
      applied,
      skipped: fates.length - applied,
      status: this.status,
      results: events.map(({ event_id, sequence }, at) => {
        return { event_id, sequence, ...(fates[at] ?? fate('invalid')) }
      }),
    }
  }

  /** Items are stored together, and an end is the last that happens. */
  async #settle(read: readonly (RunHappening | Fault[])[]): Promise<Fate[]> {
    const fates: Fate[] = []
    const items: { at: number; item: Finished }[] = []
    const ends: { at: number; end: Happened<'run_ended'> }[] = []
    const signs: number[] = []
    for (const [at, said] of read.entries()) {
      if (Array.isArray(said)) fates[at] = fate('invalid', wordsOf(said))
      else if (said.type === 'item_finished') items.push({ at, item: said })
      else if (said.type === 'run_ended') ends.push({ at, end: said })
      else signs.push(at)
    }
    if (signs.length > 0) {
      const heard = await this.#hear()
      for (const at of signs) fates[at] = heard
    }
    const finished = items.map(({ item }) => item)
    const stored = await this.#store(finished)
    for (const [place, { at }] of items.entries()) fates[at] = fateOf(stored[place] ?? 'run_over')
    for (const { at, end } of ends) fates[at] = await this.#end(end)
    return fates
  }

  #faultsOf(said: RunHappening): Fault[] {
    if (said.type !== 'item_finished') return []
    const faults: Fault[] = []
    for (const scored of Object.keys(said.scores))
      if (!this.#told.run.metricNames.includes(scored))
        faults.push({ path: `scores.${scored.slice(0, 100)}`, message: 'is no metric of the run' })
    for (const part of ['input', 'expected', 'output'] as const) {
      const bytes = Buffer.byteLength(JSON.stringify(said[part] ?? null))
      if (bytes > limits.runOutputBytes)
        faults.push({ path: part, message: `may hold at most ${limits.runOutputBytes} bytes` })
    }
    return faults
  }

  /** The worker lives. */
  async #hear(): Promise<Fate> {
    const { store, now } = this.#deps
    const { projectId, run, worker: owner } = this.#told
    const lease = { owner, leaseMs: clientLeaseMs }
    if (this.status === 'queued') {
      const started = await store.apply(projectId, { kind: 'startRun', id: run.id, ...lease, at: now() })
      if (started.result === 'ok') this.status = started.run.status
      return started.result === 'ok' ? fate('applied') : fate('conflict', 'Somebody else works on the run.')
    }
    const heard = await store.apply(projectId, { kind: 'addItems', id: run.id, items: [], lease, at: now() })
    if (heard.result === 'ok') this.status = heard.status
    return this.status === 'running' ? fate('applied') : fate('run_over')
  }

  async #store(finished: readonly Finished[]): Promise<ItemFate[]> {
    if (finished.length === 0) return []
    const { store, now } = this.#deps
    const { projectId, run, worker: owner } = this.#told
    const items = await this.#scored(finished)
    const lease = { owner, leaseMs: clientLeaseMs }
    const stored = await store.apply(projectId, { kind: 'addItems', id: run.id, items, lease, at: now() })
    if (stored.result !== 'ok') throw new Failure(stored.result === 'deleted' ? 'run_deleted' : 'run_not_found')
    this.#deps.count(items, stored.fates)
    this.status = stored.status
    return stored.fates
  }

  /** Items with the scores that the client left to the server. What is stored already is not scored again. */
  async #scored(finished: readonly Finished[]): Promise<NewRunItem[]> {
    const { store, judge, turns, now, closing } = this.#deps
    const { projectId, run } = this.#told
    const items = finished.map((one) => toRunItem(one))
    const lacking: number[] = []
    const here = heldHere(run)
    for (const [at, item] of items.entries()) {
      if (item.status !== 'success' || here.every((metric) => scoreOf(item.scores, metric))) continue
      const there = await store.read(projectId, 'runItem', { ref: run.ref, itemIndex: item.item_index })
      if (there === null) lacking.push(at)
    }
    if (lacking.length > 0) {
      const unscored = lacking.flatMap((at) => {
        const [item, one] = [items[at], finished[at]]
        return item && one ? { item, evidence: one.evidence } : []
      })
      const scores = await scoreItems({ ...judge, turns }, { projectId, run, signal: closing }, unscored)
      for (const [place, at] of lacking.entries()) Object.assign(items[at]?.scores ?? {}, scores[place])
    }
    const at = now()
    // Apart from evidence, which is not kept, an item is what was sent: the same whatever it is scored.
    return mapInTurns(finished, (one, place) => {
      return toNewItem(items[place] ?? toRunItem(one), { names: run.metricNames, hash: hashOfSent(one), at })
    })
  }

  async #end({ status, stopped_by: stoppedBy, error, total_items: total }: Happened<'run_ended'>): Promise<Fate> {
    const { store, now } = this.#deps
    const { projectId, run, worker: owner } = this.#told
    const known = total === null ? undefined : total
    // Cancelling is the only reason that a cancelled run has.
    const why = status === 'cancelled' ? 'cancelled' : stoppedBy
    const end = { kind: 'endRun', id: run.id, owner, status, stoppedBy: why, error, total: known, at: now() } as const
    const outcome = await store.apply(projectId, end)
    switch (outcome.result) {
      case 'ok':
        this.status = outcome.run.status
        return fate('applied')
      case 'over':
        this.status = outcome.status
        return outcome.status === status ? fate('duplicate') : fate('run_over', `The run is ${outcome.status}.`)
      case 'held':
        return fate('conflict', 'Somebody else works on the run.')
      case 'not_found':
      case 'deleted':
        throw new Failure(outcome.result === 'deleted' ? 'run_deleted' : 'run_not_found')
    }
  }
}

/** The number of an event is none of its item: it may be another when it comes again. */
function hashOfSent({ event_id: _id, sequence: _sequence, ...item }: Finished): string {
  return hashItem(item)
}

function toRunItem({ event_id: _event, sequence: _sequence, ...one }: Finished): RunItem {
  const { type: _type, evidence: _evidence, item_id: _id, scores, expected = null, output = null, ...rest } = one
  const item_id = itemIdOf(one.case_id, one.repetition)
  return { ...rest, item_id, input: one.input ?? null, expected, output, scores: { ...scores } }
}

function fateOf(stored: ItemFate): Fate {
  switch (stored) {
    case 'created':
      return fate('applied')
    case 'conflict':
      return fate('conflict', 'Another item has this item_index. The first one stays.')
    case 'erased':
      return fate('erased', 'The trace that it was made of was deleted.')
    case 'duplicate':
    case 'run_over':
      return fate(stored)
  }
}

function wordsOf(faults: readonly Fault[]): string {
  return faults
    .slice(0, 10)
    .map(({ path, message }) => (path === '' ? message : `${path} ${message}`))
    .join('; ')
}
