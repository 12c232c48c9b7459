import type { AguiEvent, AguiEventOf } from './events.ts'
import { anything, isOf, list, maybe, object, text } from './form.ts'

const message = object({
  id: text,
  role: text,
  name: maybe(text),
  content: anything,
  encryptedValue: maybe(text),
  toolCallId: maybe(text),
  toolCalls: maybe(list(object({ id: text, function: object({ name: text, arguments: text }) }))),
})

/**
 * What a snapshot of messages tells that was not told before, as the events that would have told it: all since the user spoke last.
 */
export function newestOf(
  { messages }: AguiEventOf<'MESSAGES_SNAPSHOT'>,
  heard: { messages: ReadonlySet<string>; answered: ReadonlySet<string> },
): AguiEvent[] {
  const read = messages.filter((one) => isOf(message, one))
  const last = read.findLastIndex(({ role }) => role === 'user')
  return read
    .slice(last + 1)
    .flatMap(({ id, role, name, content, toolCallId, toolCalls, encryptedValue }): AguiEvent[] => {
      const text = typeof content === 'string' ? content : ''
      if (role === 'tool' && typeof toolCallId === 'string') {
        return heard.answered.has(toolCallId)
          ? []
          : [{ type: 'TOOL_CALL_RESULT', messageId: id, toolCallId, content: text }]
      }
      if (role !== 'assistant' && role !== 'reasoning') return []
      const calls = (toolCalls ?? []).flatMap((call): AguiEvent[] => {
        if (heard.messages.has(call.id)) return []
        const { name: toolCallName, arguments: delta } = call.function
        return [
          { type: 'TOOL_CALL_START', toolCallId: call.id, toolCallName },
          { type: 'TOOL_CALL_ARGS', toolCallId: call.id, delta },
        ]
      })
      if (text === '' || heard.messages.has(id)) return calls
      const kind = role === 'assistant' ? 'TEXT_MESSAGE' : 'REASONING_MESSAGE'
      const signed: AguiEvent[] =
        typeof encryptedValue === 'string'
          ? [{ type: 'REASONING_ENCRYPTED_VALUE', subtype: 'message', entityId: id, encryptedValue }]
          : []
      return [
        { type: `${kind}_START`, messageId: id, name },
        { type: `${kind}_CONTENT`, messageId: id, delta: text },
        ...signed,
        ...calls,
      ]
    })
}
