import type { RunAgentInput } from '@llm-eval/formats/agui'
import type { Recording } from '../recording/append.ts'
import { WholeTexts } from '../recording/whole-texts.ts'
import type { BridgeTap, RunPlace } from './running.ts'

/** A tap that gets nothing which must not be kept. */
export function guarded(
  tap: BridgeTap,
  { now, redact, redacts }: Pick<Recording, 'now' | 'redact' | 'redacts'>,
): BridgeTap {
  const kept = (kind: 'adk_event' | 'agui_event', payload: object, { runId }: RunPlace): object | undefined => {
    const at = new Date(now()).toISOString()
    const event = { at, kind, run_id: runId, invocation_id: null, event_id: null, payload: { ...payload } }
    try {
      return redact([event])[0]?.payload
    } catch {
      return undefined
    }
  }
  const through = (kind: 'adk_event' | 'agui_event', tell: (event: object, place: RunPlace) => void) => {
    const open = new Map<string, WholeTexts>()
    return (event: object, place: RunPlace) => {
      for (const one of redacts ? whole(open, event, place) : [event]) {
        const left = kept(kind, one, place)
        if (left) tell(left, place)
      }
    }
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

/** Runs whose texts are put together at once, at most: one that never ends must not stay. */
const mostOpen = 1_000

/** Only in whole texts can be found what must not be kept. Other events than those of AG-UI hold whole texts. */
function whole(open: Map<string, WholeTexts>, event: object, { threadId, runId }: RunPlace): object[] {
  const key = JSON.stringify([threadId, runId])
  const texts = open.get(key) ?? new WholeTexts()
  open.set(key, texts)
  const [oldest] = open.keys()
  if (open.size > mostOpen && oldest !== undefined) open.delete(oldest)
  const type = 'type' in event ? event.type : undefined
  if (type === 'RUN_FINISHED' || type === 'RUN_ERROR') open.delete(key)
  return texts.push({ ...event })
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
