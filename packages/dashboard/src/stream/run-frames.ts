/** What the socket of runs says, checked. */
import {
  type RunProgressData,
  type RunStatus,
  runStatuses,
  type RunStatusUpdate,
  runStatusUpdates,
  type RunStop,
  runStops,
} from '@llm-eval/protocol'
import { type Check, isRecord, nullable, number, oneOf, optional, record, shape, text } from '../api/checks.ts'
import { progressFields } from '../api/run-answers.ts'

/** An item that was finished just now. */
export interface RunNews {
  item_index: number
  case_id: string
  repetition: number
  status: 'completed' | 'failed'
  /** By metric; null where nothing was scored. */
  scores: Record<string, number | null>
  /** Seconds. */
  execution_time: number | null
  /** The beginning of what was answered. */
  output: unknown
  /** Why it failed. */
  error: string | null
  message: string | null
}

/** What became of a run, with its numbers at that moment. */
export interface RunUpdate {
  type: RunStatusUpdate
  /** Null of a deleted run that nobody remembers the id of. */
  runId: string | null
  /** Stays with a run for good, also when its id is forgotten. */
  ref: number
  status: RunStatus
  stoppedBy: RunStop | null
  name: string | null
  total: number | null
  completed: number
  successful: number
  successRate: number | null
}

/** A frame as far as this page is concerned. `seq` is a cursor to go on after, null where there is none. */
export type RunSaid =
  | { kind: 'greeting'; runId: string | null; status: RunStatus | 'unknown' | null; seq: string | null }
  | { kind: 'gap'; runId: string | null; seq: string | null }
  | { kind: 'progress'; runId: string; progress: RunProgressData }
  | { kind: 'news'; runId: string; seq: string | null; news: RunNews }
  | { kind: 'completed'; runId: string; seq: string | null }
  | { kind: 'update'; seq: string | null; update: RunUpdate }
  | { kind: 'refused'; runId: string | null; code: string }
  /** Anything else: it only shows that somebody is there. */
  | { kind: 'other' }

const progress = shape<RunProgressData>({
  ...progressFields,
  status: oneOf(['started', 'processing', 'processing_complete']),
})

const scores: Check<Record<string, number | null>> = (value, path) =>
  Object.fromEntries(
    Object.entries(record(value, path)).map(([name, one]) => [name, nullable(number)(one, `${path}.${name}`)]),
  )

const news = shape<RunNews>({
  item_index: number,
  case_id: text,
  repetition: number,
  status: oneOf(['completed', 'failed']),
  scores,
  execution_time: nullable(number),
  output: (value) => value,
  error: nullable(text),
  message: nullable(text),
})

const runData = shape<{
  ref: number
  status: RunStatus
  stopped_by: RunStop | null
  name: string | null
  total_items: number | null
  completed_items: number
  successful_items: number
  success_rate: number | null
}>({
  ref: number,
  status: oneOf(runStatuses),
  stopped_by: nullable(oneOf(runStops)),
  name: nullable(text),
  total_items: nullable(number),
  completed_items: number,
  successful_items: number,
  success_rate: nullable(number),
})

function updateOf(data: unknown): RunUpdate {
  const given = record(data, 'data')
  const numbers = runData(given.run_data, 'data.run_data')
  return {
    type: oneOf(runStatusUpdates)(given.type, 'data.type'),
    runId: nullable(text)(given.run_id, 'data.run_id'),
    ref: numbers.ref,
    status: numbers.status,
    stoppedBy: numbers.stopped_by,
    name: numbers.name,
    total: numbers.total_items,
    completed: numbers.completed_items,
    successful: numbers.successful_items,
    successRate: numbers.success_rate,
  }
}

/**
 * Reads a message of the socket.
 *
 * @throws {Unreadable} when it is not what it has to be
 */
export function readRunFrame(said: string): RunSaid {
  const frame: unknown = JSON.parse(said)
  if (!isRecord(frame)) return { kind: 'other' }
  const { data } = frame
  const seq = nullable(text)(frame.seq, 'seq')
  const runId = nullable(text)(frame.run_id, 'run_id')
  const ofRun = (): string => text(frame.run_id, 'run_id')
  switch (frame.type) {
    case 'connected':
    case 'subscribed':
      return {
        kind: 'greeting',
        runId,
        seq,
        status: nullable(oneOf([...runStatuses, 'unknown']))(frame.run_status, ''),
      }
    case 'resync_required':
      return { kind: 'gap', runId, seq }
    case 'progress':
      return { kind: 'progress', runId: ofRun(), progress: progress(data, 'data') }
    case 'result':
    case 'error':
      return { kind: 'news', runId: ofRun(), seq, news: news(data, 'data') }
    case 'completed':
      return { kind: 'completed', runId: ofRun(), seq }
    case 'status_update':
      return { kind: 'update', seq, update: updateOf(data) }
    case 'refused':
      return { kind: 'refused', runId, code: optional(text)(frame.code, 'code') ?? '' }
    default:
      return { kind: 'other' }
  }
}
