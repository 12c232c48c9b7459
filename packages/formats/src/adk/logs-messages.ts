import type { ConversationFile } from '@llm-eval/protocol'
import type { BridgeToolResult, BridgeUserMessage } from './logs-bridge-words.ts'
import { recordOf, textIn } from './logs-find.ts'

/** What users said last: a front end sends the whole thread with each request, and what stands before the last answer is old. */
export function usersOf(messages: unknown): BridgeUserMessage[] {
  return newOf(messages).flatMap((message) => {
    if (message['role'] !== 'user') return []
    const { text, files } = contentOf(message['content'])
    return [{ id: textIn(message, 'id'), text, files }]
  })
}

/** Results of tools that stand at the end: those of calls whose agents wait for them. */
export function resultsOf(messages: unknown): BridgeToolResult[] {
  const names = new Map<string, string>()
  for (const message of recordsOf(messages)) {
    for (const call of recordsOf(message['toolCalls'] ?? message['tool_calls'])) {
      const id = textIn(call, 'id')
      const name = textIn(recordOf(call['function']) ?? {}, 'name')
      if (id !== null && name !== null) names.set(id, name)
    }
  }
  return newOf(messages).flatMap((message) => {
    const id = textIn(message, 'toolCallId', 'tool_call_id')
    if (message['role'] !== 'tool' || id === null) return []
    return [{ id, name: names.get(id) ?? null, content: contentOf(message['content']).text }]
  })
}

/** The messages after the last one of the assistant. */
function newOf(messages: unknown): Record<string, unknown>[] {
  const all = recordsOf(messages)
  return all.slice(all.findLastIndex(({ role }) => role === 'assistant') + 1)
}

function recordsOf(value: unknown): Record<string, unknown>[] {
  const items: unknown[] = Array.isArray(value) ? value : []
  return items.map(recordOf).filter((item) => item !== undefined)
}

function contentOf(content: unknown): { text: string; files: ConversationFile[] } {
  if (typeof content === 'string') return { text: content, files: [] }
  const parts = recordsOf(content)
  return {
    text: parts.flatMap((part) => textIn(part, 'text') ?? []).join('\n'),
    files: parts.flatMap((part) => {
      const source = recordOf(part['source']) ?? part
      const type = textIn(source, 'mimeType', 'mime_type')
      if (type === null) return []
      const isAddress = source['type'] === 'url'
      const value = textIn(source, 'value')
      return [
        {
          mime_type: type,
          data: isAddress ? null : (value ?? textIn(source, 'data')),
          uri: isAddress ? value : textIn(source, 'url'),
        },
      ]
    }),
  }
}
