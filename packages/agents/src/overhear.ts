import type { AgentDialect, AgentFault, AgentPart, AgentToolCall } from '@llm-eval/protocol'
import type { Mapping } from './dialects/mapping.ts'
import { AgentFailed } from './fault.ts'
import { AnswerReader } from './read.ts'
import { TurnRecorder } from './recorder.ts'
import { record, textIn } from './told.ts'

/** An answer that was meant for somebody else, as it came. */
export interface Overheard {
  /** Of its header; empty where there is none. */
  contentType: string
  /** All of it, after decompression. */
  text: string
  /** Reads an answer of a shape of its own. */
  mapping?: Mapping | undefined
}

/** What was understood of an answer. */
export interface Understood {
  dialect: AgentDialect | null
  output: string
  toolCalls: AgentToolCall[]
  captured: AgentPart[]
  sessionId: string | null
  /** Why it is no whole answer; what had come until then is there. */
  fault: AgentFault | null
}

/** Understands an answer that is there as a whole, in any dialect that `ask` understands. Never throws for what it holds. */
export function understand({ contentType, text, mapping }: Overheard): Understood {
  const recorder = new TurnRecorder(1, () => 0)
  const reader = new AnswerReader({ contentType: contentType.toLowerCase(), mapping, recorder })
  let fault: AgentFault | null = null
  try {
    reader.feed(text)
    reader.end()
  } catch (error) {
    if (!(error instanceof AgentFailed)) throw error
    fault = error.fault
  }
  const { output, sessionId } = recorder
  return {
    dialect: reader.dialect,
    output,
    toolCalls: recorder.calls(),
    captured: [...recorder.captured],
    sessionId,
    fault,
  }
}

/** What somebody asked an agent. */
export interface Request {
  query: string
  /** What was said before, as far as the request tells it. */
  history: { role: 'user' | 'assistant'; content: string }[]
  sessionId: string | null
  context: Readonly<Record<string, unknown>> | null
}

const queryFields = ['message', 'query', 'prompt', 'input', 'question', 'text']
const historyFields = ['conversation_history', 'history']
const sessionFields = [
  'session_id',
  'sessionId',
  'conversation_id',
  'conversationId',
  'thread_id',
  'threadId',
  'chat_id',
  'chatId',
  'previous_response_id',
]

/** The question in the body of a request, under any of the names in use; null where it holds none. */
export function questionIn(body: unknown): Request | null {
  const told = record(body)
  if (!told) return null
  const sessionId = textIn(told, sessionFields) ?? null
  const { conversation_history: before, ...rest } = record(told['context']) ?? {}
  const context = Object.keys(rest).length === 0 ? null : rest
  const messages = messagesIn(told['messages']) ?? messagesIn(told['input'])
  if (messages) {
    const last = messages.at(-1)
    if (last?.role !== 'user') return null
    return { query: last.content, history: messages.slice(0, -1), sessionId, context }
  }
  for (const field of queryFields) {
    const query = contentOf(told[field])
    if (query === undefined || query.trim() === '') continue
    const history = [...historyFields.map((name) => told[name]), before]
      .map(messagesIn)
      .find((one) => one !== undefined)
    return { query, history: history ?? [], sessionId, context }
  }
  return null
}

/** Messages of a conversation; instructions and results of tools are none. */
function messagesIn(value: unknown): Request['history'] | undefined {
  if (!Array.isArray(value)) return undefined
  return value.flatMap((entry: unknown) => {
    const told = record(entry)
    const role = told?.['role']
    const content = told && contentOf(told)
    const isMessage = (role === 'user' || role === 'assistant') && content !== undefined && content.trim() !== ''
    return isMessage ? [{ role, content }] : []
  })
}

/** The text of a message: as it stands, under `content` or `text`, or in parts. */
function contentOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) {
    const parts = value.flatMap((part: unknown) => {
      const text = typeof part === 'string' ? part : textIn(record(part) ?? {}, ['text'])
      return text === undefined ? [] : [text]
    })
    return parts.length === 0 ? undefined : parts.join('\n')
  }
  const told = record(value)
  if (!told) return undefined
  for (const field of ['content', 'parts', 'text']) {
    const found = Array.isArray(told[field]) || typeof told[field] === 'string' ? contentOf(told[field]) : undefined
    if (found !== undefined) return found
  }
  return undefined
}
