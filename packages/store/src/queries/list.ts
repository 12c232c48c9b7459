import type { TraceSummary } from '@llm-eval/protocol'
import type { SelectQueryBuilder } from 'kysely'
import { sql } from '#kysely'
import type { Reading } from '../reading.ts'
import { parseSearch, type SearchTerm } from '../search.ts'
import type { Filter, Queries } from '../store.ts'
import type { Tables } from '../tables.ts'
import { detailsOf } from './detail.ts'
import { type Condition, type Plan, planOf } from './plan.ts'
import { type SummaryRow, summaryColumns, timeText, toSummaries } from './summary.ts'

/** Rows that one step of a slice looks at, at first. */
const firstStep = 500
const largestStep = 16_000
/** Traces of any project among which the time of a search's place is looked for. */
const nearRefs = 1_000

/** Where a list goes on: lists are ordered by time, searches by arrival. */
type Place = { ts: number; ref: number }

function encodeCursor(order: 't' | 'r', place: Place): string {
  return Buffer.from(`${order}${place.ts}.${place.ref}`).toString('base64url')
}

function decodeCursor(text: string): { order: 't' | 'r'; place: Place } | undefined {
  const match = /^([tr])(-?[0-9]{1,15})\.([0-9]{1,15})$/.exec(Buffer.from(text, 'base64url').toString())
  return match
    ? { order: match[1] === 't' ? 't' : 'r', place: { ts: Number(match[2]), ref: Number(match[3]) } }
    : undefined
}

interface Found {
  rows: SummaryRow[]
  next: Place | null
  /** Set when the slice's time was up before the page was full. */
  searchedTo: number | null
}

/** One page of traces, newest first. */
export async function listTraces(
  reading: Reading,
  query: Queries['listTraces']['in'],
): Promise<Queries['listTraces']['out']> {
  const found = await findPage(reading, query)
  if ('invalidCursor' in found) return found
  const items: TraceSummary[] = await toSummaries(reading, found.rows)
  return {
    items,
    nextCursor: found.next && encodeCursor(orderOf(query.filter), found.next),
    searchedTo: found.searchedTo,
  }
}

/** One page of whole traces, for exports. */
export async function pageTraces(
  reading: Reading,
  query: Queries['pageTraces']['in'],
): Promise<Queries['pageTraces']['out']> {
  const found = await findPage(reading, query)
  if ('invalidCursor' in found) return found
  const items = await detailsOf(
    reading,
    found.rows.map((row) => row.ref),
  )
  return { items, nextCursor: found.next && encodeCursor(orderOf(query.filter), found.next) }
}

/** The newest traces by arrival, and the place in the journal they stand for; read in one statement, so they fit together. */
export async function snapshot(
  reading: Reading,
  { limit }: Queries['snapshot']['in'],
): Promise<Queries['snapshot']['out']> {
  const rows = await reading.db
    .selectFrom('heads')
    .leftJoin('traces', (join) =>
      join
        .onRef('traces.project_id', '=', 'heads.project_id')
        .on('traces.ref', 'in', (eb) =>
          eb
            .selectFrom('traces')
            .select('ref')
            .where('project_id', '=', reading.projectId)
            .orderBy('ref', 'desc')
            .limit(limit),
        ),
    )
    .select(['heads.seq', ...summaryColumns])
    .where('heads.project_id', '=', reading.projectId)
    .orderBy('traces.ref', 'desc')
    .execute()
  const present = rows.filter((row): row is SummaryRow & { seq: number } => row.ref !== null)
  return { items: await toSummaries(reading, present), seq: rows[0]?.seq ?? 0 }
}

function orderOf(filter: Filter): 't' | 'r' {
  return filter.q === undefined ? 't' : 'r'
}

async function findPage(
  reading: Reading,
  query: Queries['listTraces']['in'],
): Promise<Found | { invalidCursor: true }> {
  const cursor = query.cursor === null ? undefined : decodeCursor(query.cursor)
  if (query.cursor !== null && cursor?.order !== orderOf(query.filter)) return { invalidCursor: true }
  const plan = await planOf(reading, query.filter)
  if (!plan) return { rows: [], next: null, searchedTo: null }
  const page = { limit: query.limit, after: cursor?.place, deadline: reading.clock() + query.sliceMs }
  if (query.filter.q !== undefined) return searchPage(reading, plan, { ...page, terms: parseSearch(query.filter.q) })
  const direct = plan.along === undefined && plan.residual.length === 0 && plan.scored === undefined
  return direct ? directPage(reading, plan, page) : slicedPage(reading, plan, page)
}

interface Page {
  limit: number
  after: Place | undefined
  deadline: number
}

type TraceQuery<O> = SelectQueryBuilder<Tables, 'traces', O>

function restrict<O>(query: TraceQuery<O>, conditions: Condition[]): TraceQuery<O> {
  return conditions.reduce((q, c) => q.where(`traces.${c.column}`, c.op, c.value as never), query)
}

/** All that is checked row by row. */
function check<O>(query: TraceQuery<O>, { residual, scored }: Pick<Plan, 'residual' | 'scored'>): TraceQuery<O> {
  const restricted = restrict(query, residual)
  return scored ? restricted.where(scored) : restricted
}

/** The walk along the driving index from a place on, newest first. */
function walk(reading: Reading, plan: Plan, after: Place | undefined): TraceQuery<object> {
  let query = restrict(source(reading, plan.along).where('traces.project_id', '=', reading.projectId), plan.drive)
  if (after) query = query.where(sql<boolean>`(traces.ts, traces.ref) < (${after.ts}, ${after.ref})`)
  return query.orderBy('traces.ts', 'desc').orderBy('traces.ref', 'desc')
}

/** What the walk goes through: the scores of an evaluator have the place of their trace, and need no look at it. */
function source({ db }: Reading, along: string | undefined): TraceQuery<object> {
  if (along === undefined) return db.selectFrom('traces')
  return db.selectFrom('scores as traces').where('traces.evaluator', '=', along) as never as TraceQuery<object>
}

async function directPage(reading: Reading, plan: Plan, page: Page): Promise<Found> {
  const rows = await walk(reading, plan, page.after)
    .select(summaryColumns)
    .limit(page.limit + 1)
    .execute()
  return cut(rows, page.limit)
}

/** More rows than the page holds mean that there is a next one. */
function cut(rows: SummaryRow[], limit: number): Found {
  if (rows.length <= limit) return { rows, next: null, searchedTo: null }
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  return { rows: kept, next: last ? { ts: last.ts, ref: last.ref } : null, searchedTo: null }
}

/** Looks at ever larger pieces of the index until the page is full, the index ends, or the time is up. */
async function slicedPage(reading: Reading, plan: Plan, page: Page): Promise<Found> {
  const rows: SummaryRow[] = []
  let after = page.after
  for (let step = firstStep; ; step = Math.min(step * 2, largestStep)) {
    const piece = walk(reading, plan, after)
    const boundary = await piece
      .select(['traces.ts', 'traces.ref'])
      .offset(step - 1)
      .limit(1)
      .executeTakeFirst()
    const inner = piece.select(['traces.ref as at']).limit(step)
    const matches = await check(
      reading.db
        .selectFrom(inner.as('piece'))
        .innerJoin('traces', 'traces.ref', 'piece.at')
        .select(summaryColumns)
        .orderBy('traces.ts', 'desc')
        .orderBy('traces.ref', 'desc')
        .limit(page.limit + 1 - rows.length) as never as TraceQuery<SummaryRow>,
      plan,
    ).execute()
    rows.push(...matches)
    if (rows.length > page.limit || !boundary) return cut(rows, page.limit)
    after = boundary
    if (reading.clock() >= page.deadline) return { rows, next: boundary, searchedTo: boundary.ts }
  }
}

async function searchPage(reading: Reading, plan: Plan, page: Page & { terms: SearchTerm[] }): Promise<Found> {
  if (page.terms.length === 0) return { rows: [], next: null, searchedTo: null }
  const rows: SummaryRow[] = []
  let below = page.after?.ref ?? Number.MAX_SAFE_INTEGER
  for (;;) {
    const { refs, reached } = await reading.search(page.terms, below)
    if (refs.length > 0) {
      rows.push(
        ...(await check(among(reading, refs), { ...plan, residual: [...plan.drive, ...plan.residual] })
          .orderBy('traces.ref', 'desc')
          .limit(page.limit + 1 - rows.length)
          .execute()),
      )
    }
    if (rows.length > page.limit || reached <= 0) return cut(rows, page.limit)
    below = reached
    if (reading.clock() >= page.deadline)
      return { rows, next: { ts: 0, ref: reached }, searchedTo: await timeOf(reading, reached) }
  }
}

/** The project's traces of these refs. The limit keeps databases from walking the whole project by an index of their own choice instead. */
function among(reading: Reading, refs: number[]): TraceQuery<SummaryRow> {
  const found = reading.db.selectFrom('traces').selectAll().where('traces.ref', 'in', refs).limit(refs.length)
  return reading.db
    .selectFrom(found.as('traces'))
    .select(summaryColumns)
    .where('traces.project_id', '=', reading.projectId) as never as TraceQuery<SummaryRow>
}

/** When the newest trace at or below a ref happened; null when there is none near. */
async function timeOf(reading: Reading, ref: number): Promise<number | null> {
  const near = reading.db
    .selectFrom('traces')
    .select(['project_id', 'ref', 'ts'])
    .where('ref', '<=', ref)
    .orderBy('ref', 'desc')
    .limit(nearRefs)
  const row = await reading.db
    .selectFrom(near.as('near'))
    .select('ts')
    .where('project_id', '=', reading.projectId)
    .orderBy('ref', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.ts ?? null
}

/** The receipt of a batch; traces that were deleted since have no id any more. */
export async function receipt(
  reading: Reading,
  { batchId }: Queries['receipt']['in'],
): Promise<Queries['receipt']['out']> {
  const row = await reading.db
    .selectFrom('receipts')
    .selectAll()
    .where('project_id', '=', reading.projectId)
    .where('batch_id', '=', batchId)
    .executeTakeFirst()
  if (!row) return null
  const entries = JSON.parse(row.results) as [
    ref: number | null,
    status: 'created' | 'duplicate' | 'conflict' | 'invalid',
    error?: string,
  ][]
  const refs = entries.flatMap(([ref]) => ref ?? [])
  const found = refs.length
    ? await reading.db.selectFrom('traces').select(['ref', 'trace_id']).where('ref', 'in', refs).execute()
    : []
  const ids = new Map(found.map((trace) => [trace.ref, trace.trace_id]))
  const results = entries.map(([ref, status, error]) => {
    const traceId = ref === null ? null : (ids.get(ref) ?? null)
    return error === undefined ? { trace_id: traceId, status } : { trace_id: traceId, status, error }
  })
  const processed = results.filter((result) => result.status === 'created' || result.status === 'duplicate').length
  return {
    batch_id: row.batch_id,
    source: row.source,
    received_at: timeText(row.received_at),
    processed_count: processed,
    results,
  }
}
