import * as z from 'zod'

/**
 * Events of AG-UI (https://docs.ag-ui.com, `@ag-ui/core` 1.0.0, and the THINKING_* of 0.0.59 and before), as far as they are
 * read or written here. What else an event holds is kept.
 */
const base = {
  /** Milliseconds; an integer where we write it, since `@ag-ui/client` 1.0.0 refuses others. */
  timestamp: z.number().nullish(),
  /** Open by key; a later value of a key replaces the earlier whole. */
  metadata: z.record(z.string(), z.unknown()).nullish(),
}

const event = <const Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.looseObject({ type: z.literal(type), ...base, ...shape })

const text = z.string()
const maybe = z.string().nullish()

const tokens = z.number().nullish()

const usage = z.looseObject({
  provider: maybe,
  model: maybe,
  inputTokens: tokens,
  /** With those of reasoning. */
  outputTokens: tokens,
  totalTokens: tokens,
  reasoningTokens: tokens,
  cachedInputTokens: tokens,
  cacheWriteInputTokens: tokens,
})

const outcome = z.looseObject({ type: text, pendingToolCallIds: z.array(text).nullish() })

const runEvents = [
  event('RUN_STARTED', { threadId: text, runId: text, parentRunId: maybe, input: z.unknown().optional() }),
  event('RUN_FINISHED', {
    threadId: text,
    runId: text,
    result: z.unknown().optional(),
    outcome: outcome.nullish(),
    usage: z.array(usage).nullish(),
  }),
  event('RUN_ERROR', { message: text, code: maybe, usage: z.array(usage).nullish() }),
  event('STEP_STARTED', { stepName: text }),
  event('STEP_FINISHED', { stepName: text }),
] as const

const messageEvents = [
  event('TEXT_MESSAGE_START', { messageId: text, role: maybe, name: maybe }),
  event('TEXT_MESSAGE_CONTENT', { messageId: text, delta: text }),
  event('TEXT_MESSAGE_END', { messageId: text }),
  event('TEXT_MESSAGE_CHUNK', { messageId: maybe, role: maybe, name: maybe, delta: maybe }),
  event('MESSAGES_SNAPSHOT', { messages: z.array(z.record(z.string(), z.unknown())) }),
] as const

const toolEvents = [
  event('TOOL_CALL_START', { toolCallId: text, toolCallName: text, parentMessageId: maybe }),
  event('TOOL_CALL_ARGS', { toolCallId: text, delta: text }),
  event('TOOL_CALL_END', { toolCallId: text }),
  event('TOOL_CALL_CHUNK', { toolCallId: maybe, toolCallName: maybe, parentMessageId: maybe, delta: maybe }),
  event('TOOL_CALL_RESULT', {
    messageId: text,
    toolCallId: text,
    content: z.union([text, z.array(z.record(z.string(), z.unknown()))]),
    role: maybe,
  }),
] as const

const stateEvents = [
  event('STATE_SNAPSHOT', { snapshot: z.unknown().optional() }),
  event('STATE_DELTA', { delta: z.array(z.looseObject({ op: text, path: text, value: z.unknown().optional() })) }),
] as const

const reasoningEvents = [
  event('REASONING_START', { messageId: text }),
  event('REASONING_MESSAGE_START', { messageId: text, role: maybe }),
  event('REASONING_MESSAGE_CONTENT', { messageId: text, delta: text }),
  event('REASONING_MESSAGE_END', { messageId: text }),
  event('REASONING_MESSAGE_CHUNK', { messageId: maybe, delta: maybe }),
  event('REASONING_END', { messageId: text }),
  event('REASONING_ENCRYPTED_VALUE', { subtype: text, entityId: text, encryptedValue: text }),
] as const

/** Of 0.0.59 and before: they have no ids, and there is one at a time. */
const thinkingEvents = [
  event('THINKING_START', { title: maybe }),
  event('THINKING_TEXT_MESSAGE_START', {}),
  event('THINKING_TEXT_MESSAGE_CONTENT', { delta: text }),
  event('THINKING_TEXT_MESSAGE_END', {}),
  event('THINKING_END', {}),
] as const

const otherEvents = [
  event('RAW', { event: z.unknown().optional(), source: maybe }),
  event('CUSTOM', { name: text, value: z.unknown().optional() }),
] as const

/** An event of AG-UI that means something here. */
export const aguiEventSchema = z.discriminatedUnion('type', [
  ...runEvents,
  ...messageEvents,
  ...toolEvents,
  ...stateEvents,
  ...reasoningEvents,
  ...thinkingEvents,
  ...otherEvents,
])

export type AguiEvent = z.output<typeof aguiEventSchema>
/** An event of one type. */
export type AguiEventOf<T extends AguiEvent['type']> = Extract<AguiEvent, { type: T }>
/** Tokens as RUN_FINISHED tells them. */
export type AguiUsage = z.output<typeof usage>

const known = new Set<string>(aguiEventSchema.options.map(({ shape }) => shape.type.value))

/** Reads an event. `unknown` is a type that says nothing here, such as those of activities. */
export function readAguiEvent(json: unknown): { event: AguiEvent } | { unknown: string } | { fault: string } {
  const parsed = aguiEventSchema.safeParse(json)
  if (parsed.success) return { event: parsed.data }
  const type = z.looseObject({ type: z.string() }).safeParse(json)
  if (!type.success) return { fault: 'It is no event of AG-UI: it has no type.' }
  if (!known.has(type.data.type)) return { unknown: type.data.type.slice(0, 100) }
  const issue = parsed.error.issues[0]
  return { fault: `${type.data.type}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not usable'}` }
}
