import {
  type ConversationEvent,
  type ConversationState,
  type ConversationTurn,
  errorOf,
  sumTokens,
  tokensOf,
} from '@llm-eval/protocol'
import { type AdkEvent, type AdkPart, type AdkUsage, finalEventOf, isFinalResponse, isUser } from '../adk/index.ts'
import { hear, type Heard, type HearingOptions } from './heard.ts'
import { type Request, requestsOf, type Watch } from './requests.ts'
import { filesOf, type OpenCalls, Steps } from './steps.ts'

/**
 * A conversation as people read it: each of the user's turns with what agents did in it. What came in pieces is one step, at the
 * time of its first piece; a result stands with its call, even if it came turns later.
 *
 * Takes linear time.
 */
export function toTurns(
  events: readonly ConversationEvent[],
  options: HearingOptions & Watch = {},
): ConversationTurn[] {
  return turnsOf(hear(events, options).heard, requestsOf(events, options))
}

/** The turns of what was heard. */
export function turnsOf(heard: readonly Heard[], requests: ReadonlyMap<string, Request>): ConversationTurn[] {
  const calls: OpenCalls = new Map()
  const groups = new Map<string, Heard[]>()
  for (const one of heard) {
    const group = groups.get(one.event.invocationId)
    if (group) group.push(one)
    else groups.set(one.event.invocationId, [one])
  }
  const last = groups.size - 1
  return [...groups].map(([invocationId, group], index) => {
    const turn = turnOf(group, requests, calls)
    // Without a request nobody says that something ends; that the user went on does.
    const state = turn.run_ids.length === 0 && turn.state === 'running' && index < last ? 'truncated' : turn.state
    return { index, invocation_id: invocationId, ...turn, state }
  })
}

function turnOf(
  heard: readonly Heard[],
  requests: ReadonlyMap<string, Request>,
  calls: OpenCalls,
): Omit<ConversationTurn, 'index' | 'invocation_id'> {
  const beganAt = heard[0]?.at ?? Number.NaN
  const runIds = [...new Set(heard.flatMap(({ runId }) => runId ?? []))]
  const run = requests.get(runIds.findLast((id) => requests.has(id)) ?? '')
  // What was told all at one time does not say how long anything took.
  const isTimed = (run?.endedAt ?? beganAt) > beganAt || heard.some(({ at }) => at !== beganAt)
  const steps = new Steps({ beganAt, isTimed }, calls)
  const models = new Set<string>()
  const used: AdkUsage[] = []
  let firstAt: number | null = null
  for (const { event, at } of heard) {
    if (isUser(event)) {
      // A tool's result that a user brings belongs to the call that waits for it.
      const results = (event.content?.parts ?? []).filter((part) => part.functionResponse !== undefined)
      if (results.length > 0) steps.add({ ...event, content: { parts: results } }, at)
      continue
    }
    steps.add(event, at)
    if (firstAt === null && (event.content?.parts?.length ?? 0) > 0) firstAt = at
    if (event.partial === true) continue
    if (event.modelVersion !== undefined) models.add(event.modelVersion)
    if (event.usageMetadata) used.push(event.usageMetadata)
  }
  const own = run ?? stateOf(heard)
  const lastAt = heard.at(-1)?.at ?? beganAt
  return {
    run_ids: runIds,
    at: Number.isFinite(beganAt) ? new Date(beganAt).toISOString() : '',
    user: userOf(heard),
    steps: steps.list(finalEventOf(heard.map(({ event }) => event))),
    state: own.state,
    error: own.error ?? failureOf(heard),
    duration_ms: own.state === 'running' || !isTimed ? null : between(beganAt, run?.endedAt ?? lastAt),
    first_token_ms: firstAt === null || !isTimed ? null : between(beganAt, firstAt),
    tokens: sumTokens(used.map(tokensOf)),
    models: [...models],
  }
}

function between(from: number, to: number): number | null {
  return Number.isFinite(to - from) ? Math.max(0, Math.round(to - from)) : null
}

function userOf(heard: readonly Heard[]): ConversationTurn['user'] {
  const parts = heard
    .filter(({ event }) => isUser(event))
    .flatMap(({ event }) => event.content?.parts ?? [])
    .filter((part) => part.functionResponse === undefined)
  return parts.length === 0 ? null : { text: textOf(parts), files: filesOf(parts) }
}

function textOf(parts: readonly AdkPart[]): string {
  return parts.flatMap((part) => (part.thought === true ? [] : (part.text ?? []))).join('\n')
}

/** How a turn stands of which no request is known, by its last event. */
function stateOf(heard: readonly Heard[]): Pick<Request, 'state' | 'error'> {
  const last = heard.findLast(({ event }) => event.partial === true || isUser(event) || hasSaid(event))?.event
  return { state: last ? standing(last) : 'running', error: null }
}

function hasSaid({ content, errorCode, errorMessage }: AdkEvent): boolean {
  return (content?.parts?.length ?? 0) > 0 || errorCode !== undefined || errorMessage !== undefined
}

function standing(event: AdkEvent): ConversationState {
  if (isUser(event) || event.partial === true) return 'running'
  if (event.errorCode !== undefined || event.errorMessage !== undefined) return 'failed'
  if ((event.longRunningToolIds?.length ?? 0) > 0) return 'waiting'
  const isThought = event.content?.parts?.every((part) => part.thought === true) === true
  return isFinalResponse(event) && !isThought ? 'finished' : 'running'
}

function failureOf(heard: readonly Heard[]): string | null {
  const failed = heard.findLast(({ event }) => event.errorCode !== undefined || event.errorMessage !== undefined)
  return failed ? errorOf(failed.event.errorCode, failed.event.errorMessage) : null
}
