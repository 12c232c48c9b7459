import type { TraceSummary } from '@llm-eval/protocol'
import type { Selectable } from 'kysely'
import { statusName } from '../events.ts'
import type { Reading } from '../reading.ts'
import type { Tables } from '../tables.ts'
import { scoresOf } from './scores.ts'

/** The columns that a list shows. */
export const summaryColumns = [
  'traces.ref',
  'traces.trace_id',
  'traces.ts',
  'traces.model_id',
  'traces.status',
  'traces.source',
  'traces.session_id',
  'traces.user_id',
  'traces.latency_ms',
  'traces.cost_nano',
  'traces.tokens',
  'traces.query_preview',
  'traces.response_preview',
  'traces.version',
] as const

export type SummaryRow = Pick<
  Selectable<Tables['traces']>,
  | 'ref'
  | 'trace_id'
  | 'ts'
  | 'model_id'
  | 'status'
  | 'source'
  | 'session_id'
  | 'user_id'
  | 'latency_ms'
  | 'cost_nano'
  | 'tokens'
  | 'query_preview'
  | 'response_preview'
  | 'version'
>

/** US dollars of whole nano-dollars; unknown stays unknown. */
function dollars(nano: number | null): number | null {
  return nano === null ? null : nano / 1e9
}

export function timeText(ms: number): string {
  return new Date(ms).toISOString()
}

/** A row as lists show it, with the scores that stand on it. */
export async function toSummary<S>(
  reading: Reading,
  row: SummaryRow,
  scores: S[],
): Promise<Omit<TraceSummary, 'scores'> & { scores: S[] }> {
  return {
    trace_id: row.trace_id,
    ref: row.ref,
    timestamp: timeText(row.ts),
    model_name: await reading.modelName(row.model_id),
    user_query: row.query_preview,
    ai_response: row.response_preview,
    evaluation_status: statusName(row.status),
    tokens_used: row.tokens,
    response_time_ms: row.latency_ms,
    cost: dollars(row.cost_nano),
    session_id: row.session_id,
    user_id: row.user_id,
    source: row.source,
    version: row.version,
    scores,
  }
}

export async function toSummaries(reading: Reading, rows: readonly SummaryRow[]): Promise<TraceSummary[]> {
  const summaries: TraceSummary[] = []
  const scores = await scoresOf(
    reading,
    rows.map((row) => row.ref),
  )
  for (const row of rows) summaries.push(await toSummary(reading, row, scores.get(row.ref) ?? []))
  return summaries
}
