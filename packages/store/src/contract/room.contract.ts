import { randomUUID } from 'node:crypto'
import { expect, vi } from 'vitest'
import type {
  Change,
  ChangeKind,
  ChangeOutcome,
  Filter,
  Ingest,
  IngestResult,
  NewTrace,
  Queries,
  QueryName,
  Store,
  StoredTrace,
  TraceBody,
} from '../store.ts'

/** What a driver offers its tests: a store of its own, and a look at everything it wrote. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: Store
  /** Everything that is stored, search index included, as one text. */
  dump(): Promise<string>
  /** Closes the store and opens it again. */
  reopen(): Promise<Store>
}

export type OpenStoreUnderTest = (options?: { onError?: (error: unknown) => void }) => Promise<StoreUnderTest>

/** A project of its own: tests share a store, as projects do. */
export class Room {
  readonly store: Store
  readonly project: number
  readonly dump: () => Promise<string>

  constructor(under: StoreUnderTest, project: number) {
    this.store = under.store
    this.project = project
    this.dump = () => under.dump()
  }

  ingest(traces: NewTrace[], rest: Omit<Ingest, 'traces'> = {}): Promise<IngestResult> {
    return this.store.ingest(this.project, { traces, ...rest })
  }

  apply<K extends ChangeKind>(change: Change<K>): Promise<ChangeOutcome<K>> {
    return this.store.apply(this.project, change)
  }

  read<Q extends QueryName>(query: Q, args: Queries[Q]['in']): Promise<Queries[Q]['out']> {
    return this.store.read(this.project, query, args)
  }

  trace(traceId: string): Promise<StoredTrace | null> {
    return this.read('trace', { traceId })
  }

  review(traceId: string, status: Change<'review'>['status'], more: Partial<Change<'review'>> = {}) {
    const given = { reason: null, note: null, reviewer: null, at: now, expectedVersion: null, ...more }
    return this.apply({ kind: 'review', traceId, status, ...given })
  }

  delete(traceId: string): Promise<{ found: boolean }> {
    return this.apply({ kind: 'deleteTrace', traceId, at: now })
  }

  metrics(day = Math.floor(now / 86_400_000)): Promise<Queries['metrics']['out']> {
    return this.read('metrics', { day })
  }

  /** All pages of a list, and the traces on them. */
  async list(filter: Filter = {}, paging: { limit?: number; sliceMs?: number } = {}) {
    const { limit = 50, sliceMs = 10_000 } = paging
    const items: Exclude<Queries['listTraces']['out'], { invalidCursor: true }>['items'] = []
    let pages = 0
    let cursor: string | null = null
    do {
      const page: Queries['listTraces']['out'] = await this.read('listTraces', { filter, limit, cursor, sliceMs })
      if ('invalidCursor' in page) throw new Error('the store refused its own cursor')
      expect(page.items.length).toBeLessThanOrEqual(limit)
      items.push(...page.items)
      cursor = page.nextCursor
      pages++
    } while (cursor !== null)
    return { items, pages, ids: items.map((item) => item.trace_id) }
  }

  /** All events of the project. */
  async journal() {
    const { events } = await this.read('events', { after: 0, limit: 100_000, bytes: Number.MAX_SAFE_INTEGER })
    return events
  }

  /** Waits until roll-ups and search index have read everything. */
  async caughtUp(): Promise<void> {
    await vi.waitFor(async () => expect(await this.read('lags', {})).toEqual({ search: 0, rollups: 0 }), {
      timeout: 75_000,
      interval: 25,
    })
  }
}

/** Makes rooms in a store. */
export async function makeRoom(under: StoreUnderTest): Promise<Room> {
  const project = `project-${randomUUID()}`
  const key = { id: randomUUID(), name: 'key', hash: randomUUID(), prefix: 'p', scopes: ['read' as const] }
  await under.store.apply(1, { kind: 'createKey', project, ...key, at: now, expiresAt: null })
  const found = await under.store.read(1, 'project', { name: project })
  if (!found) throw new Error('the project was not made')
  return new Room(under, found.id)
}

/** The moment at which tests happen: 2025-06-15T12:00:00Z. */
export const now = 1_749_988_800_000

let made = 0

/** A trace like any other, with an id of its own. */
export function newTrace(fields: Partial<NewTrace> = {}, texts: Partial<TraceBody> = {}): NewTrace {
  made++
  const body: TraceBody = {
    user_query: 'What is the capital of France?',
    ai_response: 'Paris.',
    system_prompt: '',
    functions_called: [],
    metadata: {},
    extra: {},
    ...texts,
  }
  return {
    traceId: `trace-${made}`,
    timestamp: now,
    receivedAt: now,
    model: 'gpt-4o',
    source: 'tests',
    sessionId: null,
    userId: null,
    batchId: null,
    latencyMs: 850,
    costNano: 15_000_000,
    tokens: 120,
    queryPreview: body.user_query.slice(0, 100),
    responsePreview: body.ai_response.slice(0, 100),
    captured: 0,
    hash: `hash-${made}`,
    body: JSON.stringify(body),
    ...fields,
  }
}

export function newTraces(count: number, fields: (i: number) => Partial<NewTrace> = () => ({})): NewTrace[] {
  return Array.from({ length: count }, (_, i) => newTrace(fields(i)))
}

/** The statuses of an ingest. */
export function statuses(result: IngestResult): string[] {
  return result.outcomes.map((outcome) => outcome.status)
}
