import { isObject } from '@llm-eval/protocol'
import type { AdkContent, AdkPart } from '../adk/index.ts'
import type { AguiContentPart, AguiMessage, RunAgentInput } from './input.ts'

/** What is known of a thread before a request. */
export interface KnownThread {
  /** Whether a user's message was sent to the agent before. */
  isSeen: (messageId: string) => boolean
  /** State that the agent has, as far as it is known. */
  state: Readonly<Record<string, unknown>>
}

/** A message of a user, as it is recorded. */
export interface UserMessage {
  id: string
  text: string
  files: { mime_type: string; data: string | null; uri: string | null }[]
}

/** What an ADK agent is asked. */
export interface AdkRequest {
  /** Null where there is nothing new to say. */
  newMessage: AdkContent | null
  /** What changed of the state; null where nothing did. */
  stateDelta: Record<string, unknown> | null
  /** Messages of users that are sent with it, oldest first. */
  users: UserMessage[]
  /** Results of tools that are sent with it. */
  results: { id: string; name: string | null; result: Record<string, unknown> }[]
  warnings: string[]
}

/**
 * What is new in a request of AG-UI, which sends the whole thread each time: the user's messages and the results of tools at its
 * end that the agent has not heard yet. A message that was heard already is said again if nothing else is new: its answer is
 * wanted once more.
 */
export function toAdkRequest(input: RunAgentInput, known: KnownThread): AdkRequest {
  const warnings: string[] = []
  const tail = tailOf(input.messages)
  const fresh = tail.filter((message) => !known.isSeen(message.id))
  const names = namesOf(input.messages)
  const results = [...resumed(input, names), ...fresh.flatMap((message) => resultOf(message, names))]
  let spoken = fresh.filter(({ role }) => role === 'user')
  if (spoken.length === 0 && results.length === 0) {
    const again = tail.findLast(({ role }) => role === 'user')
    if (again) {
      spoken = [again]
      warnings.push('The last message was sent before: it is said again.')
    }
  }
  for (const { id, name } of results)
    if (name === null) warnings.push(`No call ${id} is known, so its result has no name of a tool.`)
  const parts = [
    ...results.map(({ id, name, result }): AdkPart => {
      return { functionResponse: { id, name: name ?? 'unknown', response: result } }
    }),
    ...spoken.flatMap(partsOf),
  ]
  return {
    newMessage: parts.length === 0 ? null : { role: 'user', parts },
    stateDelta: changed(input.state, known.state),
    users: spoken.map(userMessage),
    results,
    warnings,
  }
}

/** A user's message as it is recorded. */
function userMessage(message: AguiMessage): UserMessage {
  const parts = partsOf(message)
  return {
    id: message.id,
    text: parts.flatMap(({ text }) => text ?? []).join('\n'),
    files: parts.flatMap(({ inlineData, fileData }): UserMessage['files'] => {
      if (inlineData)
        return [{ mime_type: inlineData.mimeType ?? unknownType, data: inlineData.data ?? null, uri: null }]
      if (fileData) return [{ mime_type: fileData.mimeType ?? unknownType, data: null, uri: fileData.fileUri ?? null }]
      return []
    }),
  }
}

const unknownType = 'application/octet-stream'

/** What users and tools said since an assistant last spoke. */
function tailOf(messages: readonly AguiMessage[]): AguiMessage[] {
  const last = messages.findLastIndex(({ role }) => role === 'assistant')
  return messages.slice(last + 1).filter(({ role }) => role === 'user' || role === 'tool')
}

function namesOf(messages: readonly AguiMessage[]): Map<string, string> {
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? (message.toolCalls ?? []) : []))
  return new Map(calls.map(({ id, function: { name } }) => [id, name]))
}

function resultOf(message: AguiMessage, names: ReadonlyMap<string, string>): AdkRequest['results'] {
  if (message.role !== 'tool') return []
  const { id, toolCallId, content, error } = message
  // One that the agent gave itself, and that came back with the history.
  if (id === `result:${toolCallId}` || id.startsWith(`result:${toolCallId}:`)) return []
  const text = typeof content === 'string' ? content : (content ?? []).flatMap(textsOf).join('\n')
  const result = typeof error === 'string' && error !== '' ? { error } : objectOf(text)
  return [{ id: toolCallId, name: names.get(toolCallId) ?? null, result }]
}

/** Answers to what interrupted a run, which for ADK are results of calls. */
function resumed({ resume }: RunAgentInput, names: ReadonlyMap<string, string>): AdkRequest['results'] {
  return (resume ?? []).map(({ interruptId: id, status, payload }) => ({
    id,
    name: names.get(id) ?? null,
    result: status === 'cancelled' ? { status } : wrapped(payload ?? {}),
  }))
}

/** A result as ADK wants it: an object; anything else stands in one, as `result`. */
export function objectOf(text: string): Record<string, unknown> {
  try {
    return wrapped(JSON.parse(text))
  } catch {
    return { result: text }
  }
}

function wrapped(value: unknown): Record<string, unknown> {
  return isObject(value) ? Object.fromEntries(Object.entries(value)) : { result: value }
}

function textsOf(part: AguiContentPart): string[] {
  return part.type === 'text' ? [part.text] : []
}

function partsOf(message: AguiMessage): AdkPart[] {
  if (message.role !== 'user') return []
  const { content } = message
  if (typeof content === 'string') return content === '' ? [] : [{ text: content }]
  return (content ?? []).flatMap(partOf)
}

function partOf(part: AguiContentPart): AdkPart[] {
  if (part.type === 'text') return part.text === '' ? [] : [{ text: part.text }]
  if (part.type !== 'binary') {
    const { type, value, mimeType } = part.source
    const kind = typeof mimeType === 'string' ? { mimeType } : {}
    return [type === 'url' ? { fileData: { fileUri: value, ...kind } } : { inlineData: { data: value, ...kind } }]
  }
  const { mimeType, data, url, filename } = part
  const named = typeof filename === 'string' ? { displayName: filename } : {}
  if (typeof data === 'string') return [{ inlineData: { data, mimeType, ...named } }]
  return typeof url === 'string' ? [{ fileData: { fileUri: url, mimeType, ...named } }] : []
}

/** Top keys that the front end has otherwise. What is only for one turn of the agent (`temp:`) never goes back. */
function changed(state: unknown, known: Readonly<Record<string, unknown>>): AdkRequest['stateDelta'] {
  if (typeof state !== 'object' || state === null || Array.isArray(state)) return null
  const entries = Object.entries(state).filter(([key, value]: [string, unknown]) => {
    return !key.startsWith('temp:') && JSON.stringify(value) !== JSON.stringify(known[key])
  })
  return entries.length === 0 ? null : Object.fromEntries(entries)
}
