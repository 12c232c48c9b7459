import { randomUUID } from 'node:crypto'
import type { ItemScore, NewRun, NewRunItem, StoredRun, StoredRunItem } from '../runs.ts'
import type { RunEvent } from '../run-queries.ts'
import type { Change, Queries } from '../store.ts'
import { now, type Room } from './room.contract.ts'

/** Whoever works runs off in tests, and for how long it holds them. */
export const worker = 'worker'
export const leaseMs = 30_000

/** A run like any other, with an id of its own. */
export function newRun(fields: Partial<NewRun> = {}): NewRun {
  const id = `run-${randomUUID()}`
  return {
    id,
    hash: `hash of ${fields.id ?? id}`,
    name: 'nightly',
    description: null,
    tags: [],
    metadata: '{}',
    modelName: 'gpt-4o',
    modelVersion: null,
    taskType: null,
    environment: null,
    worker: 'client',
    datasetId: null,
    datasetName: 'capitals',
    datasetVersion: 'v1',
    task: '{"kind":"client"}',
    settings: '{"concurrency":4}',
    config: '{"temperature":0.1}',
    metrics: '[{"name":"exact","evaluator":"exact-match"},{"name":"length","evaluator":"length"}]',
    metricNames: ['exact', 'length'],
    createdBy: null,
    total: null,
    ...fields,
  }
}

export function newItem(itemIndex: number, fields: Partial<NewRunItem> = {}): NewRunItem {
  return {
    itemIndex,
    caseId: `case-${itemIndex}`,
    repetition: 1,
    status: 'success',
    responseMs: 12.5,
    costNano: 2_000,
    tokens: 30,
    attempts: 1,
    startedAt: now - 20,
    completedAt: now,
    scores: [scored(1, true), scored(itemIndex / 10, null)],
    hash: `hash-${itemIndex}`,
    spent: { costNano: 2_500, unknown: false },
    preview: 'Paris',
    error: null,
    traceId: null,
    sourceTraceId: null,
    body: { input: '{"q":"Capital?"}', expected: '"Paris"', output: '"Paris"', scores: '{"exact":{"value":1}}' },
    ...fields,
  }
}

export function scored(value: number | null, passed: boolean | null): ItemScore {
  return { outcome: 'scored', value, passed }
}

/** Items in their order. */
export function newItems(count: number, fields: (i: number) => Partial<NewRunItem> = () => ({})): NewRunItem[] {
  return Array.from({ length: count }, (_, i) => newItem(i, fields(i)))
}

/** What a stored item looks like where nobody asked for its body. */
export function shown(item: NewRunItem): StoredRunItem {
  const { hash: _hash, spent: _spent, sourceTraceId: _source, ...rest } = item
  return { ...rest, body: null }
}

/** Makes a run that its worker holds. */
export async function running(r: Room, fields: Partial<NewRun> = {}): Promise<StoredRun> {
  const out = await r.apply({ kind: 'createRun', run: newRun(fields), owner: worker, at: now, leaseMs })
  if (!('run' in out)) throw new Error(`the run was not made: ${out.result}`)
  return out.run
}

/** Makes a run that waits for its worker. */
export async function queued(r: Room, fields: Partial<NewRun> = {}): Promise<StoredRun> {
  const run = newRun({ worker: 'server', ...fields })
  const out = await r.apply({ kind: 'createRun', run, owner: null, at: now, leaseMs })
  if (!('run' in out)) throw new Error(`the run was not made: ${out.result}`)
  return out.run
}

/** Stores items, for its worker and now unless said otherwise; what became of each. */
export async function add(r: Room, run: string | Omit<Change<'addItems'>, 'kind' | 'items'>, items: NewRunItem[]) {
  const given = typeof run === 'string' ? { id: run, lease: { owner: worker, leaseMs }, at: now } : run
  const out = await r.apply({ kind: 'addItems', ...given, items })
  if (out.result !== 'ok') throw new Error(`the items were not taken: ${out.result}`)
  return out.fates
}

export function end(r: Room, id: string, more: Partial<Change<'endRun'>> = {}) {
  const as = { owner: worker, status: 'completed', stoppedBy: null, error: null, at: now } as const
  return r.apply({ kind: 'endRun', id, ...as, ...more })
}

/** A run that has to be there. */
export async function runOf(r: Room, id: string): Promise<StoredRun> {
  const run = await r.read('run', { id })
  if (run === null || run === 'deleted') throw new Error(`there is no run ${id}`)
  return run
}

/** All events of a run, or those of all runs that are not about items. */
export async function eventsOf(r: Room, ref: number | null, after = 0): Promise<RunEvent[]> {
  const { events } = await r.read('runEvents', { ref, after, limit: 100_000, bytes: Number.MAX_SAFE_INTEGER })
  return events
}

type ItemsQuery = Queries['runItems']['in']

/** All pages of items, and how many pages they were. */
export async function itemsOf(r: Room, ref: number, more: Partial<ItemsQuery> = {}) {
  const query: ItemsQuery = {
    ref,
    filter: {},
    limit: 50,
    cursor: null,
    sliceMs: 10_000,
    bodies: 'without',
    bytes: Number.MAX_SAFE_INTEGER,
    ...more,
  }
  const items: StoredRunItem[] = []
  let pages = 0
  do {
    const page = await r.read('runItems', query)
    if ('invalidCursor' in page) throw new Error('the store refused its own cursor')
    items.push(...page.items)
    query.cursor = page.nextCursor
    pages++
  } while (query.cursor !== null)
  return { items, pages }
}
