import {
  type AgentTestUpdate,
  type ConversationUpdate,
  encodeSse,
  formatCursor,
  type ReviewStatus,
  type StreamFrame,
} from '@llm-eval/protocol'
import type { StoredEvent } from '@llm-eval/store'

/** Which events a stream carries, and in how much detail. Streams of the same view share their bytes. */
export interface View {
  model: string | undefined
  status: ReviewStatus | undefined
  /** New traces come with their summary. */
  summaries: boolean
  /** What happens to agent tests and conversations is told, too. */
  beyondTraces: boolean
}

/** Two streams of the same key get the same bytes. */
export function viewKey(view: View): string {
  return JSON.stringify([view.model ?? null, view.status ?? null, view.summaries, view.beyondTraces])
}

type ShownEvent = Exclude<
  StoredEvent,
  { kind: `execution_${string}` | `run_${string}` | `agent_${string}` | `conversation_${string}` }
>

/** Executions and runs have streams of their own. */
function isShown(event: StoredEvent): event is ShownEvent {
  return !['execution_', 'run_', 'agent_', 'conversation_'].some((start) => event.kind.startsWith(start))
}

/** Whether a view shows an event. Events without a model or status (system updates) are shown by unfiltered views only. */
function shows(view: View, event: ShownEvent): boolean {
  if (view.model === undefined && view.status === undefined) return true
  if (event.kind === 'traces_expired' || event.kind === 'user_erased') return false
  if (view.model !== undefined && view.model !== event.model) return false
  return view.status === undefined || view.status === statusOf(event)
}

/** The status that an event tells of: the one it leads to. */
function statusOf(event: ShownEvent): ReviewStatus | undefined {
  if (event.kind === 'trace_created') return 'pending'
  if (event.kind === 'reviewed') return event.data.to
  if (event.kind === 'trace_deleted') return event.data.status
  return event.kind === 'trace_updated' || event.kind === 'scored' ? event.trace?.evaluation_status : undefined
}

/** An event as the frame that clients see; undefined for a score that is gone with its trace. */
function frameOf(event: ShownEvent, summaries: boolean): StreamFrame | undefined {
  const timestamp = new Date(event.at).toISOString()
  if (event.kind === 'traces_expired' || event.kind === 'user_erased') {
    return { event: 'system_updates', data: { event_type: event.kind, count: event.data.count }, timestamp }
  }
  const trace_id = event.trace?.trace_id ?? null
  const { ref, model: model_name } = event
  if (event.kind === 'reviewed') {
    const { to: status, from: previous_status, reason, version } = event.data
    const { reviewer } = event
    return {
      event: 'evaluation_updates',
      data: { trace_id, ref, status, previous_status, model_name, reason, reviewer, version },
      timestamp,
    }
  }
  if (event.kind === 'scored') {
    if (event.score === null) return undefined
    return { event: 'score_updates', data: { ...event.score, trace_id, ref, model_name }, timestamp }
  }
  const action = actions[event.kind]
  const evaluation_status = statusOf(event) ?? 'pending'
  const base = { action, trace_id, ref, model_name, evaluation_status }
  const data = summaries && event.trace ? { ...base, trace: event.trace } : base
  return { event: 'trace_updates', data, timestamp }
}

type AgentEvent = Extract<StoredEvent, { kind: `agent_${string}` }>

function isAgentEvent(event: StoredEvent): event is AgentEvent {
  return event.kind === 'agent_tested' || event.kind === 'agent_tests_changed'
}

function agentFrame(event: AgentEvent): StreamFrame {
  return { event: 'agent_test_updates', data: agentUpdate(event), timestamp: new Date(event.at).toISOString() }
}

function agentUpdate(event: AgentEvent): AgentTestUpdate {
  if (event.kind === 'agent_tested') {
    const { report } = event
    const { verdict, exitCode: exit_code, passed, cases } = event.data
    const named = { suite: report?.suite ?? null, report_id: report?.id ?? null }
    return { action: 'report_added', ...named, verdict, exit_code, passed, cases }
  }
  const { subject, removed } = event.data
  if (subject === 'report' || subject === 'suite') return { action: `${subject}_deleted` }
  if (subject === 'baseline') return { action: removed ? 'baseline_deleted' : 'baseline_accepted' }
  return { action: removed ? 'quarantine_ended' : 'quarantine_set' }
}

type ConversationEvent = Extract<StoredEvent, { kind: `conversation_${string}` }>

function isConversationEvent(event: StoredEvent): event is ConversationEvent {
  return event.kind === 'conversation_changed' || event.kind === 'conversation_deleted'
}

function conversationFrame(event: ConversationEvent): StreamFrame {
  const { conversation: ref, lastSeq: last_seq, count, state } = event.data
  const numbers = { ref, last_seq, count, state }
  const data: ConversationUpdate =
    event.kind === 'conversation_changed'
      ? { action: 'events_added', thread_id: event.thread, ...numbers }
      : { action: 'conversation_deleted', thread_id: null, ...numbers }
  return { event: 'conversation_updates', data, timestamp: new Date(event.at).toISOString() }
}

const actions = { trace_created: 'new_trace', trace_updated: 'trace_updated', trace_deleted: 'trace_deleted' } as const

function frameFor(event: StoredEvent, view: View): StreamFrame | undefined {
  if (isAgentEvent(event)) return view.beyondTraces ? agentFrame(event) : undefined
  if (isConversationEvent(event)) return view.beyondTraces ? conversationFrame(event) : undefined
  return isShown(event) && shows(view, event) ? frameOf(event, view.summaries) : undefined
}

/** The text of the events that a view shows, each with its cursor as `id:`. */
export function encodeEvents(events: readonly StoredEvent[], view: View, epoch: string): string {
  let text = ''
  for (const event of events) {
    const frame = frameFor(event, view)
    if (frame) text += encodeSse(JSON.stringify(frame), formatCursor({ epoch, seq: event.seq }))
  }
  return text
}

/** The text of a frame that is not from the journal. */
export function encodeFrame(frame: StreamFrame, id?: string): string {
  return encodeSse(JSON.stringify(frame), id)
}
