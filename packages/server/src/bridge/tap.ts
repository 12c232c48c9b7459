import type { RunAgentInput } from '@llm-eval/formats/agui'
import type { Recording } from '../recording/append.ts'
import type { BridgeTap, RunPlace } from './running.ts'

/** A tap that gets nothing which must not be kept. */
export function guarded(tap: BridgeTap, { now, redact }: Pick<Recording, 'now' | 'redact'>): BridgeTap {
  const kept = (kind: 'adk_event' | 'agui_event', payload: object, { runId }: RunPlace): object | undefined => {
    const at = new Date(now()).toISOString()
    const event = { at, kind, run_id: runId, invocation_id: null, event_id: null, payload: { ...payload } }
    try {
      return redact([event])[0]?.payload
    } catch {
      return undefined
    }
  }
  const through =
    (kind: 'adk_event' | 'agui_event', tell: (event: object, place: RunPlace) => void) =>
    (event: object, place: RunPlace) => {
      const left = kept(kind, event, place)
      if (left) tell(left, place)
    }
  return {
    raw: through('adk_event', tap.raw),
    agui: through('agui_event', tap.agui),
    request: (messages, place) => {
      const left = messages.flatMap((message) => kept('agui_event', message, place) ?? [])
      if (left.length > 0) tap.request(left, place)
    },
  }
}

/** What is new in a request: what was said since an assistant last spoke, and, for the names of its calls, that. */
export function newest({ messages }: RunAgentInput): RunAgentInput['messages'] {
  return messages.slice(
    Math.max(
      0,
      messages.findLastIndex(({ role }) => role === 'assistant'),
    ),
  )
}
