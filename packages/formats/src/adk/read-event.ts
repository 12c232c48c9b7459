import { isObject } from '@llm-eval/protocol'
import { event as shape } from './event-shape.ts'
import type { AdkEvent } from './event.ts'
import { Telling } from './telling.ts'

/** By one of these an event is known as such. */
const marks = ['author', 'content', 'actions', 'invocationId', 'invocation_id', 'errorCode', 'error_code']

/**
 * An event of ADK in its normal form, whoever wrote it: Python's `api_server` (camel case), Agent Engine (snake case), ADK for
 * JavaScript (milliseconds, the standard base64 alphabet, empty lists), key by key. Opaque data is never re-cased.
 *
 * Without an author it is of `agent`, as ADK has it; without a time its `timestamp` is 0, which is told.
 *
 * @param json any JSON; nothing throws
 * @returns the event and, by path, what of it could not be kept; or why it is none
 */
export function readAdkEvent(json: unknown): { event: AdkEvent; lost: string[] } | { fault: string } {
  if (!isObject(json)) return { fault: 'is no object' }
  if (!marks.some((mark) => Object.hasOwn(json, mark)))
    return { fault: 'is no event of ADK: it has neither author nor content' }
  const telling = new Telling('kept')
  const event = shape.read(json, telling)
  if (event === undefined) return { fault: 'is no event of ADK' }
  if (event.timestamp === 0) telling.lose('timestamp is missing')
  return { event, lost: telling.lost }
}

/**
 * Whether an event is what an agent has to say in the end, as ADK's `Event.is_final_response` decides it. Several agents of one
 * invocation can each have one.
 */
export function isFinalResponse({ actions, content, errorCode, longRunningToolIds, partial }: AdkEvent): boolean {
  if (actions?.skipSummarization || (longRunningToolIds?.length ?? 0) > 0) return true
  const parts = content?.parts ?? []
  if (partial || parts.some((part) => part.functionCall !== undefined)) return false
  if (errorCode !== undefined && errorCode !== '') return true
  return parts.every((part) => part.functionResponse === undefined) && parts.at(-1)?.codeExecutionResult === undefined
}
