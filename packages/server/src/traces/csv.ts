import { csvJson, csvRecord, csvText, type TraceDetail } from '@llm-eval/protocol'

type Cell = string | number | null | { json: unknown }

const columns: Record<string, (trace: TraceDetail) => Cell> = {
  trace_id: (trace) => trace.trace_id,
  timestamp: (trace) => trace.timestamp,
  model_name: (trace) => trace.model_name,
  user_query: (trace) => trace.user_query,
  ai_response: (trace) => trace.ai_response,
  evaluation_status: (trace) => trace.evaluation_status,
  review_reason: (trace) => trace.review.reason,
  review_note: (trace) => trace.review.note,
  reviewer: (trace) => trace.review.reviewer,
  reviewed_at: (trace) => trace.review.at,
  tokens_used: (trace) => trace.tokens_used,
  response_time_ms: (trace) => trace.response_time_ms,
  cost: (trace) => trace.cost,
  session_id: (trace) => trace.session_id,
  user_id: (trace) => trace.user_id,
  source: (trace) => trace.source,
  batch_id: (trace) => trace.batch_id,
  received_at: (trace) => trace.received_at,
  state: (trace) => trace.state,
  version: (trace) => trace.version,
  system_prompt: (trace) => trace.system_prompt,
  functions_called: (trace) => ({ json: trace.functions_called }),
  metadata: (trace) => ({ json: trace.metadata }),
  extra: (trace) => ({ json: trace.extra }),
  captured: (trace) => ({ json: trace.captured }),
  spans: (trace) => ({ json: trace.spans }),
}

/** The first line. */
export const csvHeader = csvRecord(Object.keys(columns))

/**
 * A trace as one CSV record. Unknown is empty; nested values are JSON. Text that a spreadsheet would take for a formula gets
 * a `'` before it: exact texts are in the JSON Lines export.
 */
export function csvRow(trace: TraceDetail): string {
  return csvRecord(Object.values(columns).map((read) => cellOf(read(trace))))
}

function cellOf(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  return typeof cell === 'object' ? csvJson(cell.json) : csvText(cell)
}
