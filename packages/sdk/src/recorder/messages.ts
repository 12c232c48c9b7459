import type { ConversationEventKind, ConversationFile, ConversationPayloads } from '@llm-eval/protocol'
import { isObject } from '../inside.ts'

/** A message of a history, as far as it could be read. */
export interface Said {
  id: string | null
  role: string
  events: Happening[]
}

/** What happened, without where and when. */
export type Happening = {
  [K in ConversationEventKind]: { kind: K; payload: ConversationPayloads[K]; event_id: string | null }
}[ConversationEventKind]

/** Reads messages of AG-UI and of CopilotKit; what is none is left out. */
export function readMessages(messages: unknown): Said[] {
  return Array.isArray(messages) ? messages.flatMap((message: unknown) => readMessage(message) ?? []) : []
}

function readMessage(message: unknown): Said | null {
  if (!isObject(message) || typeof message['role'] !== 'string') return null
  const said = { id: text(message['id']), role: message['role'] }
  if (said.role === 'user') return { ...said, events: [userMessage(said.id, message)] }
  if (said.role === 'tool') return { ...said, events: toolResult(said.id, message) }
  if (said.role === 'assistant') return { ...said, events: assistantMessage(said.id, message) }
  return { ...said, events: [] }
}

function userMessage(id: string | null, message: Record<string, unknown>): Happening {
  const { text: words, files } = readContent(message['content'])
  const payload = { id, text: words, files, author: null }
  return { kind: 'user_message', event_id: id, payload }
}

function assistantMessage(id: string | null, message: Record<string, unknown>): Happening[] {
  const author = text(message['name'])
  const { text: words } = readContent(message['content'])
  const spoken: Happening[] =
    words === ''
      ? []
      : [
          {
            kind: 'assistant_message',
            event_id: id,
            payload: { id, text: words, author, usage: null, model: null },
          },
        ]
  const calls = Array.isArray(message['toolCalls']) ? message['toolCalls'] : []
  return [...spoken, ...calls.flatMap((call: unknown) => toolCall(call, author))]
}

function toolCall(call: unknown, author: string | null): Happening[] {
  if (!isObject(call) || !isObject(call['function'])) return []
  const id = text(call['id'])
  const name = text(call['function']['name'])
  if (id === null || name === null) return []
  const args = objectOf(call['function']['arguments'])
  const payload = { id, name, args, author, thought_signature: text(call['encryptedValue']) }
  return [{ kind: 'tool_call', event_id: `call-${id}`, payload }]
}

function toolResult(id: string | null, message: Record<string, unknown>): Happening[] {
  const call = text(message['toolCallId'])
  if (call === null) return []
  const { content } = message
  const payload = { id: call, name: null, result: asResult(content), author: null }
  return [{ kind: 'tool_result', event_id: id, payload }]
}

/** Text and files of what a user said: plain text, or parts in the forms that AG-UI has had. */
function readContent(content: unknown): { text: string; files: ConversationFile[] } {
  if (typeof content === 'string') return { text: content, files: [] }
  const parts = Array.isArray(content) ? content.filter(isObject) : []
  const texts = parts.flatMap((part) => (part['type'] === 'text' ? (text(part['text']) ?? []) : []))
  return { text: texts.join('\n'), files: parts.flatMap((part) => readFile(part) ?? []) }
}

function readFile(part: Record<string, unknown>): ConversationFile | null {
  const source = isObject(part['source']) ? part['source'] : part
  const data = text(source['data']) ?? (source['type'] === 'data' ? text(source['value']) : null)
  const uri = text(source['url']) ?? (source['type'] === 'url' ? text(source['value']) : null)
  if (data === null && uri === null) return null
  return { mime_type: text(source['mimeType']) ?? 'application/octet-stream', data, uri }
}

/** The result of a tool as an object, as ADK has it: anything else stands in it as `result`. */
export function asResult(result: unknown): Record<string, unknown> {
  if (typeof result !== 'string') return isObject(result) ? result : { result: result ?? null }
  const read = parsed(result)
  if (read === undefined) return { result }
  return isObject(read) ? read : { result: read }
}

function objectOf(json: unknown): Record<string, unknown> {
  const read = typeof json === 'string' ? parsed(json) : json
  return isObject(read) ? read : {}
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
