import { isObject } from '@llm-eval/protocol'
import type { Invocation, InvocationEvent, InvocationEvents } from './eval-model.ts'
import type { AdkContent, AdkEvent, AdkPart } from './event.ts'
import { completeEvents } from './partials.ts'
import { isFinalResponse } from './read-event.ts'

export interface InvocationOptions {
  /**
   * Where thoughts of a final response go. `apart`, which is the default: into an event before it, as ADK's measures and judges take
   * thoughts in a final response for what the user was told. `kept`: where they are, as ADK itself writes them.
   */
  thoughts?: 'apart' | 'kept'
  /** Whether tokens and models are written into the events, which ADK knows since version 2. */
  usage?: 'left out' | 'included'
  /** Whether calls by which ADK asks people to sign in, to confirm or to say something count as calls of tools. */
  requests?: 'kept' | 'dropped'
}

/** Calls that ADK makes itself to ask people. */
const requestNames = new Set(['adk_request_credential', 'adk_request_confirmation', 'adk_request_input'])

/**
 * Events of ADK as turns of an eval file, after `EvaluationGenerator.convert_events_to_eval_invocations` of ADK 2.13: by invocation id,
 * users told by author and never by role, the last final response with text the one that counts. What that loses is kept here: code,
 * files, thoughts, earlier words of the user. Partial events count only where nothing whole came of them, which is told.
 *
 * Takes linear time.
 */
export function toInvocations(
  events: readonly AdkEvent[],
  options: InvocationOptions = {},
): { invocations: Invocation[]; warnings: string[] } {
  const warnings: string[] = []
  const invocations = grouped(events).map(([invocationId, group]) => {
    const warn = (message: string): void => void warnings.push(`${invocationId || 'a turn without an id'}: ${message}`)
    return invocationOf(invocationId, completeEvents(group, warn), { options, warn })
  })
  return { invocations, warnings }
}

/** By invocation, in the order in which they began. What has no id belongs to the turn that is under way. */
function grouped(events: readonly AdkEvent[]): [invocationId: string, events: AdkEvent[]][] {
  const groups = new Map<string, [string, AdkEvent[]]>()
  let current: [string, AdkEvent[]] | undefined
  for (const [index, event] of events.entries()) {
    const id = event.invocationId
    if (id !== '') {
      current = groups.get(id) ?? [id, []]
      groups.set(id, current)
    } else if (!current || isUser(event)) {
      current = ['', []]
      groups.set(`\0${index}`, current)
    }
    current[1].push(event)
  }
  return [...groups.values()]
}

/** Whether an event is what a user said. The role of its content does not tell: results of tools have the role of users too. */
export function isUser({ author }: AdkEvent): boolean {
  return author.toLowerCase() === 'user'
}

interface Turning {
  options: InvocationOptions
  warn: (message: string) => void
}

function invocationOf(invocationId: string, events: AdkEvent[], { options, warn }: Turning): Invocation {
  const user = userOf(events.filter(isUser), warn)
  const own = events.filter((event) => !isUser(event))
  const { content: final, event: finalEvent } = finalOf(own)
  const { response, thoughts } = options.thoughts === 'kept' ? { response: final, thoughts: [] } : apart(final)
  const kept: InvocationEvent[] = []
  for (const event of events) {
    if (isUser(event)) {
      // A result that the user's side brings beside words, which ADK would drop.
      if (event !== user.event && isResult(event.content)) kept.push({ author: event.author, content: event.content })
      continue
    }
    const isFinal = event === finalEvent
    const hasCalls = event.content?.parts?.some((part) => part.functionCall !== undefined)
    const content = isFinal && !hasCalls ? withParts(event.content, thoughts) : event.content
    const written = eventOf(event, content, options)
    if (written) kept.push(written)
  }
  if (final === undefined && own.length > 0) warn('there is no final response')
  const first = events[0]?.timestamp ?? 0
  const creationTimestamp = user.timestamp > 0 ? user.timestamp : first
  return {
    invocationId,
    userContent: user.content,
    ...(response && { finalResponse: response }),
    intermediateData: { invocationEvents: kept } satisfies InvocationEvents,
    ...(creationTimestamp > 0 && { creationTimestamp }),
  }
}

/** What users said in a turn, and the event that says it. */
function userOf(
  events: readonly AdkEvent[],
  warn: Turning['warn'],
): { content: AdkContent; timestamp: number; event: AdkEvent | undefined } {
  const said = events.filter(({ content }) => content !== undefined)
  const words = said.filter(({ content }) => !isResult(content))
  const event = words.at(-1) ?? said.at(-1)
  if (words.length > 1) warn(`has ${words.length} messages of the user: the last one counts`)
  if (event && isResult(event.content))
    warn('begins with the result of a tool: adk eval cannot say that again, as calls get new ids')
  const heard = event ? undefined : transcriptOf(events, 'inputTranscription')
  if (!event && heard === undefined) warn('no message of the user is known')
  const content = event?.content ?? { role: 'user', parts: heard === undefined ? [] : [{ text: heard }] }
  return { content, timestamp: (event ?? events[0])?.timestamp ?? 0, event }
}

function isResult(content: AdkContent | undefined): boolean {
  const parts = content?.parts ?? []
  return parts.length > 0 && parts.every((part) => part.functionResponse !== undefined)
}

/** What the turn is answered with. */
function finalOf(events: readonly AdkEvent[]): { content?: AdkContent | undefined; event?: AdkEvent | undefined } {
  const event = finalEventOf(events)
  if (event) return { content: event.content, event }
  const spoken = transcriptOf(events, 'outputTranscription')
  return spoken === undefined ? {} : { content: { role: 'model', parts: [{ text: spoken }] } }
}

/** Of the events of agents in one invocation the last final response, unless it has no text and an earlier one has. */
export function finalEventOf(events: readonly AdkEvent[]): AdkEvent | undefined {
  let chosen: AdkEvent | undefined
  for (const event of events) {
    if (isUser(event) || (event.content?.parts?.length ?? 0) === 0 || !isFinalResponse(event)) continue
    if (!chosen || !hasText(chosen) || hasText(event)) chosen = event
  }
  return chosen
}

function hasText({ content }: AdkEvent): boolean {
  return (content?.parts ?? []).some((part) => part.text !== undefined && part.text !== '')
}

/** What was said aloud. */
function transcriptOf(
  events: readonly AdkEvent[],
  key: 'inputTranscription' | 'outputTranscription',
): string | undefined {
  const texts = events.flatMap((event) => {
    const told = event[key]
    const text = isObject(told) && event.partial !== true ? told['text'] : undefined
    return typeof text === 'string' && text !== '' ? [text] : []
  })
  return texts.length === 0 ? undefined : texts.join(' ')
}

/** A response without its thoughts, and these. A response of calls keeps them, as signatures belong to their order. */
function apart(content: AdkContent | undefined): { response: AdkContent | undefined; thoughts: AdkPart[] } {
  const parts = content?.parts ?? []
  const thoughts = parts.filter((part) => part.thought === true)
  if (thoughts.length === 0) return { response: content, thoughts }
  const said = parts.filter((part) => part.thought !== true)
  return { response: said.length === 0 ? undefined : { ...content, parts: said }, thoughts }
}

function withParts(content: AdkContent | undefined, parts: AdkPart[]): AdkContent | undefined {
  return parts.length === 0 ? undefined : { ...content, parts }
}

/** What is written of an event; nothing where it says nothing. */
function eventOf(
  { author, groundingMetadata, modelVersion, usageMetadata }: AdkEvent,
  content: AdkContent | undefined,
  options: InvocationOptions,
): InvocationEvent | undefined {
  const parts = (content?.parts ?? []).filter(
    (part) => Object.keys(part).length > 0 && !(options.requests === 'dropped' && isRequest(part)),
  )
  const written: InvocationEvent = { author }
  if (parts.length > 0) written.content = { ...content, parts }
  if (options.usage === 'included') {
    if (groundingMetadata !== undefined) written.groundingMetadata = groundingMetadata
    if (usageMetadata !== undefined) written.usageMetadata = usageMetadata
    if (modelVersion !== undefined) written.modelVersion = modelVersion
  }
  return Object.keys(written).length > 1 ? written : undefined
}

function isRequest({ functionCall, functionResponse }: AdkPart): boolean {
  return requestNames.has(functionCall?.name ?? functionResponse?.name ?? '')
}
