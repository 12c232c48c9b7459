/** What an event adds to the numbers of its conversation, read from the words of whoever told it. */
import {
  type ConversationEventInput,
  type ConversationTokens,
  errorOf,
  isObject,
  limits,
  statusOfOutcome,
  sumKnown,
  titleOf,
  tokensOf,
} from '@llm-eval/protocol'
import type { ConversationTurning, NewConversationEvent } from '@llm-eval/store'

/** What an event adds. */
export type Facts = NewConversationEvent['adds']

const nothing: Facts = {
  turn: null,
  toolCalls: 0,
  tokens: null,
  thinking: null,
  agent: null,
  model: null,
  turning: null,
  error: null,
  title: null,
}

/** What an event adds; nothing where it tells of nothing that is counted. */
export function factsOf(event: ConversationEventInput): Facts {
  switch (event.kind) {
    case 'run_start':
      return { ...nothing, turning: { kind: 'begins' } }
    case 'run_end': {
      const { status, code, message } = event.payload
      const failed = status === 'failed' || status === 'truncated'
      return { ...nothing, turning: { kind: 'ends', state: status }, error: failed ? errorOf(code, message) : null }
    }
    case 'user_message':
      return { ...nothing, ...asked(event, event.payload.text), turning: tells('running') }
    case 'assistant_message': {
      const { author: agent, usage, model } = event.payload
      return { ...nothing, agent, model, tokens: usage, turning: tells('finished') }
    }
    case 'tool_call':
      return { ...nothing, agent: event.payload.author, toolCalls: 1, turning: tells('running') }
    case 'tool_result':
      // A front end brings results of tools that people take long for.
      return { ...nothing, agent: agentIn(event.payload.author), turning: tells('running') }
    case 'thinking': {
      const { author: agent, usage, model } = event.payload
      const thinking = { thoughts: usage?.thoughts ?? null, total: usage?.total ?? null, model }
      return { ...nothing, agent, model, tokens: usage, thinking, turning: tells('running') }
    }
    case 'adk_event':
      return adkFacts(event)
    case 'agui_event':
      return aguiFacts(event)
  }
}

function agentIn(author: string | null): string | null {
  return author === 'user' ? null : author
}

function tells(state: Extract<ConversationTurning, { state: unknown }>['state']): ConversationTurning {
  return { kind: 'tells', state }
}

function asked(
  { run_id, invocation_id }: Pick<ConversationEventInput, 'run_id' | 'invocation_id'>,
  text: string,
): Pick<Facts, 'turn' | 'title'> {
  const title = titleOf(text)
  return { turn: { key: run_id ?? invocation_id }, title: title === '' ? null : title }
}

// The payloads of the last two kinds are whatever was sent: each member is looked at before it is believed.

const record = (value: unknown): Record<string, unknown> | null => (isObject(value) ? value : null)
const records = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.map(record).filter((one) => one !== null) : []
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const label = (value: unknown): string | null => text(value)?.slice(0, 200) ?? null
const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= limits.countMax ? value : null

/** An event of ADK in its normal form. Deltas are told again by the event that holds them all: they count nothing. */
function adkFacts(event: ConversationEventInput<'adk_event'>): Facts {
  const { payload } = event
  const parts = records(record(payload.content)?.parts)
  if (payload.author === 'user') return userFacts(event, parts)
  const agent = label(payload.author)
  if (payload.partial === true) return { ...nothing, agent, turning: tells('running') }
  const usage = record(payload.usageMetadata)
  const model = label(payload.modelVersion)
  const tokens = usage && adkTokens(usage)
  const thinks = parts.some((part) => part.thought === true || text(part.thoughtSignature) !== null)
  const thinking = thinks || (tokens?.thoughts ?? 0) > 0
  return {
    ...nothing,
    agent,
    model,
    tokens,
    toolCalls: parts.filter((part) => record(part.functionCall) !== null).length,
    thinking: thinking ? { thoughts: tokens?.thoughts ?? null, total: tokens?.total ?? null, model } : null,
    turning: tells(adkState(payload, parts)),
    error: errorOf(payload.errorCode, payload.errorMessage),
  }
}

function userFacts(
  event: Pick<ConversationEventInput, 'run_id' | 'invocation_id'>,
  parts: readonly Record<string, unknown>[],
): Facts {
  // Results of tools that took long are no words of a user.
  if (parts.every((part) => record(part.functionResponse) !== null)) return nothing
  const words = parts.flatMap((part) => text(part.text) ?? []).join(' ')
  return { ...nothing, ...asked(event, words), turning: tells('running') }
}

function adkState(payload: Record<string, unknown>, parts: readonly Record<string, unknown>[]) {
  if (text(payload.errorCode) !== null || text(payload.errorMessage) !== null) return 'failed'
  if (Array.isArray(payload.longRunningToolIds) && payload.longRunningToolIds.length > 0) return 'waiting'
  const works = parts.some((part) => record(part.functionCall) !== null || record(part.functionResponse) !== null)
  const skips = record(payload.actions)?.skipSummarization === true
  return (works && !skips) || parts.length === 0 ? 'running' : 'finished'
}

function adkTokens(usage: Record<string, unknown>): ConversationTokens {
  return tokensOf({
    promptTokenCount: number(usage.promptTokenCount),
    toolUsePromptTokenCount: number(usage.toolUsePromptTokenCount),
    candidatesTokenCount: number(usage.candidatesTokenCount),
    thoughtsTokenCount: number(usage.thoughtsTokenCount),
    cachedContentTokenCount: number(usage.cachedContentTokenCount),
    totalTokenCount: number(usage.totalTokenCount),
  })
}

function aguiFacts({ payload }: ConversationEventInput<'agui_event'>): Facts {
  switch (payload.type) {
    case 'RUN_STARTED':
      return { ...nothing, turning: { kind: 'begins' } }
    case 'RUN_FINISHED': {
      const state = statusOfOutcome(payload.outcome)
      return { ...nothing, ...aguiUsage(payload.usage), turning: { kind: 'ends', state } }
    }
    case 'RUN_ERROR': {
      const error = errorOf(payload.code, payload.message)
      return { ...nothing, ...aguiUsage(payload.usage), turning: { kind: 'ends', state: 'failed' }, error }
    }
    case 'TOOL_CALL_START':
      return { ...nothing, toolCalls: 1, turning: tells('running') }
    case 'TEXT_MESSAGE_START':
      return { ...nothing, agent: payload.role === 'user' ? null : label(payload.name), turning: tells('running') }
    default:
      return { ...nothing, turning: tells('running') }
  }
}

function aguiUsage(value: unknown): Pick<Facts, 'tokens' | 'model' | 'thinking'> {
  const uses = records(value)
  if (uses.length === 0) return { tokens: null, model: null, thinking: null }
  const of = (name: string) => sumKnown(uses.map((use) => number(use[name])))
  const tokens = {
    input: of('inputTokens'),
    output: of('outputTokens'),
    thoughts: of('reasoningTokens'),
    cached: of('cachedInputTokens'),
    total: of('totalTokens'),
  }
  const model = label(uses[0]?.model)
  const thinks = tokens.thoughts !== null && tokens.thoughts > 0
  return { tokens, model, thinking: thinks ? { thoughts: tokens.thoughts, total: tokens.total, model } : null }
}
