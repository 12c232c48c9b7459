/** Takes out of events what must not be kept, by the rules of the configuration, before anything is stored. */
import { createContext, Script } from 'node:vm'
import { type ConversationEventInput, Failure } from '@llm-eval/protocol'
import type { RedactionRules } from '../config/redaction.ts'
import { pathMatcher, withoutPaths } from './paths.ts'
import { looks } from './patterns.ts'

/** Takes out what must not be kept. Throws `redaction_failed` where that takes too long: nothing is stored then. */
export type Redact = (events: readonly ConversationEventInput[]) => readonly ConversationEventInput[]

/** Milliseconds that the patterns of a configuration may take for one request. */
const patienceMs = 2_000

/** What the rules of a configuration take out. */
export function createRedact(rules: RedactionRules): Redact {
  const { kinds, patterns, paths } = rules
  if (kinds.length + patterns.length + paths.length === 0) return (events) => events
  const text = createTextRedactor(rules)
  const matchers = paths.map(pathMatcher)
  const redact: Redact = (events) =>
    events.map((event) => {
      const payload = withoutPaths(withoutDeltas(event), matchers)
      return withPayload(event, walk(payload, { text, opaque: false }))
    })
  // A pattern of somebody's own may not end.
  return patterns.length === 0 ? redact : bounded(redact)
}

function bounded(redact: Redact): Redact {
  const script = new Script('run()')
  return (events) => {
    const context = createContext({ run: () => redact(events) })
    try {
      return script.runInContext(context, { timeout: patienceMs }) as ReturnType<Redact>
    } catch (error) {
      throw isLate(error) ? new Failure('redaction_failed', { cause: error }) : error
    }
  }
}

/** Such an error is of the realm of the context. */
function isLate(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}

/** Payloads are not changed but by this: the shape stays that of their kind. */
function withPayload(event: ConversationEventInput, payload: unknown): ConversationEventInput {
  return { ...event, payload } as ConversationEventInput
}

type TextRedactor = (text: string) => string

function createTextRedactor({ kinds, patterns }: RedactionRules): TextRedactor {
  const known = Object.entries(looks).flatMap(([kind, some]) =>
    kinds.some((one) => one === kind) ? some.map((look) => ({ ...look, name: kind })) : [],
  )
  const own = patterns.map(({ name, pattern, flags }) => ({ name, pattern: new RegExp(pattern, `${flags}g`) }))
  const all: { name: string; pattern: RegExp; is?: (text: string) => boolean }[] = [...known, ...own]
  return (given) =>
    all.reduce((text, { name, pattern, is }) => {
      const instead = `[redacted:${name}]`
      return text.replace(pattern, (found) => (is === undefined || is(found) ? instead : found))
    }, given)
}

/** What tells events, calls and speakers apart, and bytes: to change them would tear apart what belongs together. */
const structural = new Set([
  'id',
  'event_id',
  'eventId',
  'run_id',
  'runId',
  'threadId',
  'session_id',
  'invocation_id',
  'invocationId',
  'messageId',
  'parentMessageId',
  'toolCallId',
  'toolCallName',
  'entityId',
  'subagentRunId',
  'interruptId',
  'author',
  'branch',
  'role',
  'name',
  'type',
  'kind',
  'subtype',
  'model',
  'modelVersion',
  'mime_type',
  'mimeType',
  'data',
  'thoughtSignature',
  'thought_signature',
  'encryptedValue',
  'longRunningToolIds',
  'pendingToolCallIds',
  'transferToAgent',
  'finishReason',
  'language',
  'outcome',
  'status',
  'timestamp',
])

/** Below these stands what users, tools and agents made up: every member of it is looked at, whatever it is called. */
const opaque = new Set([
  'args',
  'result',
  'response',
  'stateDelta',
  'artifactDelta',
  'customMetadata',
  'agentState',
  'partialArgs',
  'requestedAuthConfigs',
  'requestedToolConfirmations',
  'output',
  'state',
  'snapshot',
  'value',
  'forwardedProps',
  'content',
])

interface Walking {
  text: TextRedactor
  opaque: boolean
}

function walk(value: unknown, walking: Walking): unknown {
  if (typeof value === 'string') return walking.text(value)
  // A card or a telephone is a whole number; the digits of a measure or a price say nothing of anybody.
  if (typeof value === 'number' && walking.opaque && Number.isSafeInteger(value) && value >= 0) {
    const text = String(value)
    const rest = walking.text(text)
    return rest === text ? value : rest
  }
  if (Array.isArray(value)) return value.map((one) => walk(one, walking))
  if (typeof value !== 'object' || value === null) return value
  // `fromEntries` makes `__proto__` an ordinary key.
  return Object.fromEntries(Object.entries(value).map((member) => walkMember(member, walking)))
}

function walkMember([key, value]: [string, unknown], walking: Walking): [string, unknown] {
  if (walking.opaque) return [walking.text(key), walk(value, walking)]
  if (structural.has(key)) return [key, value]
  return [key, walk(value, isOpaque(key, value) ? { ...walking, opaque: true } : walking)]
}

/** The content of a message of ADK has parts, which have a shape. */
function isOpaque(key: string, value: unknown): boolean {
  if (!opaque.has(key)) return false
  return key !== 'content' || !(typeof value === 'object' && value !== null && 'parts' in value)
}

/**
 * What of a text, or of the arguments of a call, came in pieces is told again as a whole by ADK, and only the whole can be looked
 * at: the pieces are kept without their words.
 */
function withoutDeltas({ kind, payload }: ConversationEventInput): unknown {
  if (kind !== 'adk_event' || payload.partial !== true) return payload
  const { content } = payload
  if (typeof content !== 'object' || content === null || !('parts' in content) || !Array.isArray(content.parts))
    return payload
  return { ...payload, content: { ...content, parts: content.parts.map(withoutWords) } }
}

function withoutWords(part: unknown): unknown {
  if (typeof part !== 'object' || part === null) return part
  const call = 'functionCall' in part ? part.functionCall : undefined
  const isPiece = typeof call === 'object' && call !== null && 'partialArgs' in call
  return {
    ...part,
    ...('text' in part ? { text: '' } : {}),
    ...(isPiece ? { functionCall: { ...call, partialArgs: [] } } : {}),
  }
}
