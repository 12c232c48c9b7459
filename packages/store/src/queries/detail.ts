import {
  type CapturedPart,
  capturedParts,
  type RejectReason,
  type ReviewEntry,
  rejectReasons,
  type Span,
  type TraceDetail,
  type TraceScore,
} from '@llm-eval/protocol'
import type { Selectable } from 'kysely'
import { statusName } from '../events.ts'
import type { Reading } from '../reading.ts'
import type { Queries, StoredTrace, TraceBody } from '../store.ts'
import type { Tables } from '../tables.ts'
import { wholeScoresOf } from './scores.ts'
import { type SummaryRow, timeText, toSummary } from './summary.ts'

type TraceRow = Selectable<Tables['traces']>

/** One whole trace. */
export async function trace(reading: Reading, { traceId }: Queries['trace']['in']): Promise<Queries['trace']['out']> {
  const row = await reading.db
    .selectFrom('traces')
    .selectAll()
    .where('project_id', '=', reading.projectId)
    .where('trace_id', '=', traceId)
    .executeTakeFirst()
  if (!row) return null
  const [detail] = await toDetails(reading, [row])
  return detail ?? null
}

/** Whole traces of these refs, in their order; refs that are gone are left out. */
export async function detailsOf(reading: Reading, refs: readonly number[]): Promise<StoredTrace[]> {
  if (refs.length === 0) return []
  const rows = await reading.db.selectFrom('traces').selectAll().where('ref', 'in', refs).execute()
  const byRef = new Map(rows.map((row) => [row.ref, row]))
  return toDetails(
    reading,
    refs.flatMap((ref) => byRef.get(ref) ?? []),
  )
}

async function toDetails(reading: Reading, rows: TraceRow[]): Promise<StoredTrace[]> {
  const refs = rows.map((row) => row.ref)
  const { db } = reading
  const bodies = new Map(
    (await db.selectFrom('bodies').selectAll().where('ref', 'in', refs).execute()).map((row) => [row.ref, row.body]),
  )
  const reviews = Map.groupBy(
    await db.selectFrom('reviews').selectAll().where('ref', 'in', refs).orderBy('ref').orderBy('version').execute(),
    (row) => row.ref,
  )
  const spans = Map.groupBy(
    await db
      .selectFrom('spans')
      .select(['ref', 'body'])
      .where('ref', 'in', refs)
      .orderBy('ref')
      .orderBy('start')
      .execute(),
    (row) => row.ref,
  )
  const scores = await wholeScoresOf(reading, refs)
  const details: StoredTrace[] = []
  for (const row of rows) {
    const history = (reviews.get(row.ref) ?? []).map(toEntry)
    const body = bodies.get(row.ref)
    if (body === undefined) throw new Error(`the database lost the body of trace ${row.ref}`)
    details.push(
      await toDetail(reading, row, {
        body,
        history,
        scores: scores.get(row.ref) ?? [],
        spans: (spans.get(row.ref) ?? []).map((span) => JSON.parse(span.body) as Span),
      }),
    )
  }
  return details
}

async function toDetail(
  reading: Reading,
  row: TraceRow,
  rest: { body: string; history: ReviewEntry[]; scores: TraceScore[]; spans: Span[] },
): Promise<StoredTrace> {
  const body = JSON.parse(rest.body) as TraceBody
  const last = rest.history.at(-1)
  return {
    ...(await toSummary(reading, row satisfies SummaryRow, rest.scores)),
    user_query: body.user_query,
    ai_response: body.ai_response,
    system_prompt: body.system_prompt,
    functions_called: body.functions_called as TraceDetail['functions_called'],
    metadata: body.metadata,
    extra: body.extra,
    captured: capturedOf(row.captured),
    state: row.open === 1 ? 'open' : 'closed',
    received_at: timeText(row.received_at),
    batch_id: row.batch_id,
    review: {
      reason: last?.reason ?? null,
      note: last?.note ?? null,
      reviewer: last?.reviewer ?? null,
      at: last?.at ?? null,
    },
    reviews: rest.history,
    spans: rest.spans,
    exactBody: bigNumber.test(rest.body) ? rest.body : null,
  }
}

/** More than fifteen digits, or an exponent. That a text may hold something alike does no harm. */
const bigNumber = /[:,[\s]-?(?:[0-9][0-9.]{15}|[0-9][0-9.]*[eE])/

function toEntry(row: Selectable<Tables['reviews']>): ReviewEntry {
  const reason = row.reason !== null && Object.hasOwn(rejectReasons, row.reason) ? (row.reason as RejectReason) : null
  return {
    version: row.version,
    status: statusName(row.status),
    reason,
    note: row.note,
    reviewer: row.reviewer,
    at: timeText(row.at),
  }
}

function capturedOf(bits: number): CapturedPart[] {
  return capturedParts.filter((_, i) => (bits & (1 << i)) !== 0)
}
