import * as z from 'zod'
import type { AguiEvent, AguiEventOf } from './events.ts'

const message = z.looseObject({
  id: z.string(),
  role: z.string(),
  name: z.string().nullish(),
  content: z.unknown().optional(),
  encryptedValue: z.string().nullish(),
  toolCallId: z.string().nullish(),
  toolCalls: z
    .array(z.looseObject({ id: z.string(), function: z.looseObject({ name: z.string(), arguments: z.string() }) }))
    .nullish(),
})

/**
 * What a snapshot of messages tells that was not told before, as the events that would have told it: all since the user spoke last.
 */
export function newestOf(
  { messages }: AguiEventOf<'MESSAGES_SNAPSHOT'>,
  heard: { messages: ReadonlySet<string>; answered: ReadonlySet<string> },
): AguiEvent[] {
  const read = messages.flatMap((one) => {
    const parsed = message.safeParse(one)
    return parsed.success ? [parsed.data] : []
  })
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
