import type { ConversationEvent, ConversationEventKind, ConversationPayloads } from '@llm-eval/protocol'
import type { AdkEvent, AdkPart } from '../src/adk/index.ts'

// Conversations as they are recorded, in few words.

export const began = Date.UTC(2026, 0, 1)
export const head = { thread_id: 'thread-1', app_name: 'shop', user_id: 'ann' }

/** Something that happened, and to whom it belongs. */
export type Told = {
  [K in ConversationEventKind]: {
    kind: K
    payload: ConversationPayloads[K]
    run?: string | null
    invocation?: string | null
    id?: string | null
  }
}[ConversationEventKind]

/** What was recorded: an event each 100 ms. */
export function record(...told: Told[]): ConversationEvent[] {
  return told.map(({ run = 'r1', invocation = null, id = null, ...event }, index) => ({
    ...event,
    seq: index + 1,
    at: new Date(began + index * 100).toISOString(),
    run_id: run,
    invocation_id: invocation,
    event_id: id,
  }))
}

export const start = (run: string | null = 'r1'): Told => ({
  kind: 'run_start',
  run,
  payload: { parent_run_id: null, target: null },
})
export const end = (
  status: ConversationPayloads['run_end']['status'],
  run = 'r1',
  message: string | null = null,
): Told => ({
  kind: 'run_end',
  run,
  payload: { status, code: null, message },
})
export const ask = (text: string, run: string | null = 'r1', id: string | null = null): Told => ({
  kind: 'user_message',
  run,
  id,
  payload: { id, text, files: [], author: null },
})
export const say = (text: string, run: string | null = 'r1'): Told => ({
  kind: 'assistant_message',
  run,
  payload: { id: null, text, author: null, usage: null, model: null },
})
export const callTool = (id: string, name: string, run: string | null = 'r1'): Told => ({
  kind: 'tool_call',
  run,
  payload: { id, name, args: { city: 'Oslo' }, author: null, thought_signature: null },
})
export const toolResult = (id: string, result: Record<string, unknown>, run: string | null = 'r1'): Told => ({
  kind: 'tool_result',
  run,
  payload: { id, name: null, result, author: null },
})
export const adk = (parts: AdkPart[], more: Partial<AdkEvent> = {}, run: string | null = 'r1'): Told => ({
  kind: 'adk_event',
  run,
  payload: {
    id: 'x',
    invocationId: 'e-1',
    author: 'root_agent',
    timestamp: began / 1_000,
    content: { parts, role: 'model' },
    ...more,
  },
})
