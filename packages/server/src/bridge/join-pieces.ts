import type { ConversationEventInput } from '@llm-eval/protocol'

type Together = { input: ConversationEventInput; bytes: number } | undefined

/** Two neighbouring pieces of one text as one; undefined where they are none. `bytes`: what the second adds. */
export function joined(before: ConversationEventInput, after: ConversationEventInput): Together {
  if (before.kind === 'adk_event' && after.kind === 'adk_event') return joinedAdk(before, after)
  if (before.kind === 'agui_event' && after.kind === 'agui_event') return joinedAgui(before, after)
  return undefined
}

function joinedAdk(before: ConversationEventInput<'adk_event'>, after: ConversationEventInput<'adk_event'>): Together {
  const one = pieceOf(before.payload)
  const two = pieceOf(after.payload)
  if (!one || !two || one.thought !== two.thought || one.rest !== two.rest) return undefined
  // What it used is told newest by the newer one.
  const { usageMetadata, finishReason } = after.payload
  const payload = {
    ...before.payload,
    ...(usageMetadata === undefined ? {} : { usageMetadata }),
    ...(finishReason === undefined ? {} : { finishReason }),
    content: { ...one.content, parts: [{ ...one.part, text: one.text + two.text }] },
  }
  return { input: { ...before, payload }, bytes: two.text.length }
}

/** A piece of text and nothing else. `rest`: whose it is. */
function pieceOf(payload: Record<string, unknown>) {
  const { partial, content, author, invocationId, branch, ...more } = payload
  if (partial !== true || typeof content !== 'object' || content === null) return undefined
  if (hasMore(more, ['id', 'timestamp', 'usageMetadata', 'finishReason', 'modelVersion', 'nodeInfo'])) return undefined
  const parts: unknown = 'parts' in content ? content.parts : undefined
  const part: unknown = Array.isArray(parts) && parts.length === 1 ? parts[0] : undefined
  if (typeof part !== 'object' || part === null || !('text' in part) || typeof part.text !== 'string') return undefined
  const { text, ...others } = part
  if (hasMore(others, ['thought'])) return undefined
  const thought = 'thought' in part && part.thought === true
  return { content, part, text, thought, rest: JSON.stringify([author, invocationId, branch, more['modelVersion']]) }
}

function hasMore(value: Record<string, unknown>, known: readonly string[]): boolean {
  return Object.keys(value).some((key) => !known.includes(key) && value[key] !== undefined)
}

const deltas = ['TEXT_MESSAGE_CONTENT', 'TOOL_CALL_ARGS', 'REASONING_MESSAGE_CONTENT', 'THINKING_TEXT_MESSAGE_CONTENT']

function joinedAgui(
  before: ConversationEventInput<'agui_event'>,
  after: ConversationEventInput<'agui_event'>,
): Together {
  const { delta: first, timestamp: _at, ...one } = before.payload
  const { delta: second, timestamp: _later, ...two } = after.payload
  if (typeof first !== 'string' || typeof second !== 'string' || !deltas.includes(String(one['type']))) return undefined
  if (JSON.stringify(one) !== JSON.stringify(two)) return undefined
  return { input: { ...before, payload: { ...before.payload, delta: first + second } }, bytes: second.length }
}
