import type { RunItem, RunProgress, RunStop } from '@llm-eval/protocol'
import type { RunTotals } from './totals.ts'

/** What happens in a run. Times are RFC 3339. */
export type RunEvent = RunStarted | ItemStarted | ItemFinished | RunEnded

export interface RunStarted {
  type: 'started'
  at: string
  progress: RunProgress
}

export interface ItemStarted {
  type: 'item_started'
  at: string
  item_id: string
  item_index: number
  case_id: string
  repetition: number
}

export interface ItemFinished {
  type: 'item'
  item: RunItem
  /** Of all items up to this one: what to store, and to hand in when the run is resumed. */
  totals: RunTotals
  /** The same to be shown. It is worked out when it is asked for. */
  readonly progress: RunProgress
}

export interface RunEnded {
  type: 'ended'
  at: string
  /** `failed` when the cases could not be read to their end: what was finished stays. */
  status: 'completed' | 'cancelled' | 'failed'
  stopped_by: RunStop | null
  error: { code: string; message: string } | null
  totals: RunTotals
  progress: RunProgress
  /** Milliseconds that were worked, earlier times included. */
  duration_ms: number
}
