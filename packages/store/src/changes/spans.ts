import { encodeTrace, encodeUpdate, minuteOf } from '../events.ts'
import type { Changes, NewSpan, TraceNumbers } from '../store.ts'
import { type CountedTrace, statusNumbers, type Transaction, tombstone } from '../transaction.ts'

type SpanStatus = Changes['putSpans']['out']['statuses'][number]

/**
 * Stores spans, each once. A span may come before any other of its trace: then it opens the trace, whose time and latency
 * follow from its spans until a webhook or a later step closes it.
 */
export async function putSpans(
  tx: Transaction,
  change: Changes['putSpans']['in'],
): Promise<Changes['putSpans']['out']> {
  const statuses: SpanStatus[] = []
  const groups = Map.groupBy(change.spans.entries(), ([, span]) => span.traceId)
  for (const [traceId, entries] of groups) {
    const spans = entries.map(([, span]) => span)
    const fates = await putSpansOfTrace(tx, { traceId, spans, change })
    entries.forEach(([at], i) => {
      statuses[at] = fates[i] ?? 'conflict'
    })
  }
  return { statuses }
}

async function putSpansOfTrace(
  tx: Transaction,
  given: { traceId: string; spans: NewSpan[]; change: Changes['putSpans']['in'] },
): Promise<SpanStatus[]> {
  const buried = await tx.db
    .selectFrom('tombstones')
    .select('at')
    .where('project_id', '=', tx.projectId)
    .where('id_hash', '=', tombstone(tx.salt, given.traceId))
    .executeTakeFirst()
  if (buried) return given.spans.map(() => 'deleted')
  const trace = await findOrOpen(tx, given)
  const known = await tx.db
    .selectFrom('spans')
    .select(['span_id', 'hash'])
    .where('ref', '=', trace.ref)
    .where(
      'span_id',
      'in',
      given.spans.map((span) => span.span_id),
    )
    .execute()
  const hashes = new Map(known.map((span) => [span.span_id, span.hash]))
  const fates: SpanStatus[] = []
  for (const { traceId: _, hash, ...span } of given.spans) {
    const before = hashes.get(span.span_id)
    fates.push(before === undefined ? 'created' : before === hash ? 'duplicate' : 'conflict')
    if (before !== undefined) continue
    hashes.set(span.span_id, hash)
    const row = {
      ref: trace.ref,
      span_id: span.span_id,
      start: Date.parse(span.start),
      hash,
      body: JSON.stringify(span),
    }
    await tx.db.insertInto('spans').values(row).execute()
  }
  if (fates.includes('created')) await derive(tx, trace, given.change.at)
  return fates
}

interface OpenTrace extends TraceNumbers {
  ref: number
  timestamp: number
  open: boolean
  status: number
  isNew: boolean
}

async function findOrOpen(
  tx: Transaction,
  given: { traceId: string; spans: NewSpan[]; change: Changes['putSpans']['in'] },
): Promise<OpenTrace> {
  let find = tx.db
    .selectFrom('traces')
    .select(['ref', 'ts', 'model_id', 'latency_ms', 'cost_nano', 'tokens', 'open', 'status'])
    .where('project_id', '=', tx.projectId)
    .where('trace_id', '=', given.traceId)
  if (tx.dialect === 'postgres') find = find.forUpdate()
  const row = await find.executeTakeFirst()
  if (row) {
    const numbers = {
      modelId: row.model_id,
      minute: minuteOf(row.ts),
      latencyMs: row.latency_ms,
      costNano: row.cost_nano,
      tokens: row.tokens,
    }
    return { ...numbers, ref: row.ref, timestamp: row.ts, open: row.open === 1, status: row.status, isNew: false }
  }
  const timestamp = Math.min(...given.spans.map((span) => Date.parse(span.start)))
  const modelId = await tx.modelId(given.change.model)
  const ref = tx.takeRefs(1)
  const inserted = await tx.db
    .insertInto('traces')
    .values({
      ...(ref === null ? {} : { ref }),
      project_id: tx.projectId,
      trace_id: given.traceId,
      ts: timestamp,
      received_at: given.change.at,
      model_id: modelId,
      status: statusNumbers.pending,
      source: given.change.source,
      query_preview: '',
      response_preview: '',
      captured: 0,
      hash: '',
      open: 1,
      version: 0,
    })
    .returning('ref')
    .executeTakeFirstOrThrow()
  const body = { user_query: '', ai_response: '', system_prompt: '', functions_called: [], metadata: {}, extra: {} }
  await tx.db
    .insertInto('bodies')
    .values({ ref: inserted.ref, body: JSON.stringify(body) })
    .execute()
  const numbers = { modelId, minute: minuteOf(timestamp), latencyMs: null, costNano: null, tokens: null }
  return { ...numbers, ref: inserted.ref, timestamp, open: true, status: statusNumbers.pending, isNew: true }
}

/** Recomputes what an open trace knows from its spans: it starts with the first one, and lasts as long as its root. */
async function derive(tx: Transaction, trace: OpenTrace, at: number): Promise<void> {
  const bodies = await tx.db.selectFrom('spans').select(['start', 'body']).where('ref', '=', trace.ref).execute()
  let timestamp = trace.timestamp
  let latencyMs = trace.latencyMs
  if (trace.open) {
    for (const row of bodies) {
      timestamp = Math.min(timestamp, row.start)
      const span = JSON.parse(row.body) as { parent_span_id: string | null; end: string | null }
      if (span.parent_span_id === null && span.end !== null) latencyMs = Math.max(0, Date.parse(span.end) - row.start)
    }
    await tx.db
      .updateTable('traces')
      .set({ ts: timestamp, latency_ms: latencyMs })
      .where('ref', '=', trace.ref)
      .execute()
    // Scores are listed by the time of their trace.
    if (timestamp !== trace.timestamp)
      await tx.db
        .updateTable('scores')
        .set({ ts: timestamp })
        .where('project_id', '=', tx.projectId)
        .where('ref', '=', trace.ref)
        .execute()
  }
  const { modelId, costNano, tokens } = trace
  const now: TraceNumbers = { modelId, minute: minuteOf(timestamp), latencyMs, costNano, tokens }
  const counted = (time: number, latency: number | null): CountedTrace => ({
    timestamp: time,
    latencyMs: latency,
    costNano,
    tokens,
    status: trace.status,
  })
  if (!trace.isNew) tx.ledger.countTrace(counted(trace.timestamp, trace.latencyMs), -1)
  tx.ledger.countTrace(counted(timestamp, latencyMs), 1)
  if (trace.isNew) tx.ledger.emit('trace_created', { at, ref: trace.ref, data: encodeTrace(now) })
  else tx.ledger.emit('trace_updated', { at, ref: trace.ref, data: encodeUpdate(now, trace, trace.status) })
}
