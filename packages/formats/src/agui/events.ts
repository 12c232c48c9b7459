import { anything, byKey, either, faultsOf, isOf, list, maybe, number, object, type Of, record, text } from './form.ts'

/**
 * Events of AG-UI (https://docs.ag-ui.com, `@ag-ui/core` 1.0.0, and the THINKING_* of 0.0.59 and before), as far as they are
 * read or written here. What else an event holds is kept.
 */
const base = {
  /** Milliseconds; an integer where we write it, since `@ag-ui/client` 1.0.0 refuses others. */
  timestamp: maybe(number),
  /** Open by key; a later value of a key replaces the earlier whole. */
  metadata: maybe(record),
}

const maybeText = maybe(text)
const tokens = maybe(number)

const usage = object({
  provider: maybeText,
  model: maybeText,
  inputTokens: tokens,
  /** With those of reasoning. */
  outputTokens: tokens,
  totalTokens: tokens,
  reasoningTokens: tokens,
  cachedInputTokens: tokens,
  cacheWriteInputTokens: tokens,
})

const usages = maybe(list(usage))
const outcome = object({ type: text, pendingToolCallIds: maybe(list(text)) })

const runEvents = {
  RUN_STARTED: { ...base, threadId: text, runId: text, parentRunId: maybeText, input: anything },
  RUN_FINISHED: { ...base, threadId: text, runId: text, result: anything, outcome: maybe(outcome), usage: usages },
  RUN_ERROR: { ...base, message: text, code: maybeText, usage: usages },
  STEP_STARTED: { ...base, stepName: text },
  STEP_FINISHED: { ...base, stepName: text },
}

const messageEvents = {
  TEXT_MESSAGE_START: { ...base, messageId: text, role: maybeText, name: maybeText },
  TEXT_MESSAGE_CONTENT: { ...base, messageId: text, delta: text },
  TEXT_MESSAGE_END: { ...base, messageId: text },
  TEXT_MESSAGE_CHUNK: { ...base, messageId: maybeText, role: maybeText, name: maybeText, delta: maybeText },
  MESSAGES_SNAPSHOT: { ...base, messages: list(record) },
}

const toolEvents = {
  TOOL_CALL_START: { ...base, toolCallId: text, toolCallName: text, parentMessageId: maybeText },
  TOOL_CALL_ARGS: { ...base, toolCallId: text, delta: text },
  TOOL_CALL_END: { ...base, toolCallId: text },
  TOOL_CALL_CHUNK: {
    ...base,
    toolCallId: maybeText,
    toolCallName: maybeText,
    parentMessageId: maybeText,
    delta: maybeText,
  },
  TOOL_CALL_RESULT: {
    ...base,
    messageId: text,
    toolCallId: text,
    content: either(list(record), text),
    role: maybeText,
  },
}

const stateEvents = {
  STATE_SNAPSHOT: { ...base, snapshot: anything },
  STATE_DELTA: { ...base, delta: list(object({ op: text, path: text, value: anything })) },
}

const reasoningEvents = {
  REASONING_START: { ...base, messageId: text },
  REASONING_MESSAGE_START: { ...base, messageId: text, role: maybeText },
  REASONING_MESSAGE_CONTENT: { ...base, messageId: text, delta: text },
  REASONING_MESSAGE_END: { ...base, messageId: text },
  REASONING_MESSAGE_CHUNK: { ...base, messageId: maybeText, delta: maybeText },
  REASONING_END: { ...base, messageId: text },
  REASONING_ENCRYPTED_VALUE: { ...base, subtype: text, entityId: text, encryptedValue: text },
}

/** Of 0.0.59 and before: they have no ids, and there is one at a time. */
const thinkingEvents = {
  THINKING_START: { ...base, title: maybeText },
  THINKING_TEXT_MESSAGE_START: base,
  THINKING_TEXT_MESSAGE_CONTENT: { ...base, delta: text },
  THINKING_TEXT_MESSAGE_END: base,
  THINKING_END: base,
}

const otherEvents = {
  RAW: { ...base, event: anything, source: maybeText },
  CUSTOM: { ...base, name: text, value: anything },
}

const kinds = {
  ...runEvents,
  ...messageEvents,
  ...toolEvents,
  ...stateEvents,
  ...reasoningEvents,
  ...thinkingEvents,
  ...otherEvents,
}

const form = byKey('type', kinds)

/** An event of AG-UI that means something here. */
export type AguiEvent = Of<typeof form>
/** An event of one type. */
export type AguiEventOf<T extends AguiEvent['type']> = Extract<AguiEvent, { type: T }>
/** Tokens as RUN_FINISHED tells them. */
export type AguiUsage = Of<typeof usage>

const typed = object({ type: text })

/** Reads an event. `unknown` is a type that says nothing here, such as those of activities. */
export function readAguiEvent(json: unknown): { event: AguiEvent } | { unknown: string } | { fault: string } {
  if (isOf(form, json)) return { event: json }
  if (!isOf(typed, json)) return { fault: 'It is no event of AG-UI: it has no type.' }
  if (!Object.hasOwn(kinds, json.type)) return { unknown: json.type.slice(0, 100) }
  const [fault] = faultsOf(form, json)
  return { fault: `${json.type}: ${fault?.path ?? ''} ${fault?.message ?? 'is not usable'}` }
}
