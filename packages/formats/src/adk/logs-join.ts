import type { ConversationEventInput, ConversationPayloads } from '@llm-eval/protocol'
import { assignInvocations, type EngineInvocation } from './logs-assign.ts'
import type { BridgeLog } from './logs-bridge.ts'
import type { BridgeRun } from './logs-bridge-words.ts'
import type { EngineLog, EngineLogEvent } from './logs-engine.ts'
import type { AdkEvent } from './event.ts'
import { readJson } from './json.ts'
import { recordOf } from './logs-find.ts'
import { type LogPlace, type LogWarning, LogWarnings } from './logs-words.ts'
import { isFinalResponse } from './read-event.ts'

/** A thread that was put together again, with its events as they would have been recorded. */
export interface JoinedThread {
  thread_id: string
  app_name: string | null
  user_id: string | null
  events: ConversationEventInput[]
}

export interface JoinedLogs {
  /** In the order in which they began. */
  threads: JoinedThread[]
  warnings: LogWarning[]
}

export interface JoinOptions {
  /** Only this thread. */
  thread?: string | undefined
}

/** A stretch of a thread: a run of the bridge with what the engine did for it, or either alone. */
interface Stretch {
  run: BridgeRun | null
  invocations: EngineInvocation[]
}

/**
 * Puts the logs of bridges and engines together: what an engine did belongs to the run that its log names, else to the run that
 * began one of its calls of tools, else to the run that names its invocation, else to the run of its session, or of any thread, that it fell into. Where an engine's
 * events are known they are what is recorded, as they hold everything; of the bridge's run its user, its beginning and its end
 * are taken. Seed 003's `generate_eval_json` is this and `exportConversation`.
 */
export function joinLogs(
  bridge: readonly BridgeLog[],
  engine: readonly EngineLog[],
  { thread: only }: JoinOptions = {},
): JoinedLogs {
  const warnings = new LogWarnings(null)
  const runs = bridge.flatMap((log) => log.runs)
  const requests = engine.flatMap((log) => log.requests)
  const asked = new Map(requests.flatMap((one) => (one.invocation === null ? [] : [[one.invocation, one.text]])))
  const invocations = invocationsOf(engine.flatMap((log) => log.events))
  const { byRun, alone } = assignInvocations(runs, invocations, warnings)
  const threads = new Map<string, Stretch[]>()
  const add = (thread: string, stretch: Stretch) => {
    const known = threads.get(thread)
    if (known) known.push(stretch)
    else threads.set(thread, [stretch])
  }
  for (const run of runs) add(run.thread, { run, invocations: byRun.get(run) ?? [] })
  for (const one of requestsOf(alone)) add(one[0].session ?? one[0].id, { run: null, invocations: one })
  const chosen = [...threads].filter(([thread]) => only === undefined || thread === only)
  const joined = chosen.map(([thread, stretches]) => joinThread(thread, stretches, { warnings, asked }))
  return { threads: joined.filter(({ events }) => events.length > 0), warnings: warnings.all() }
}

function joinThread(
  thread: string,
  stretches: readonly Stretch[],
  { warnings, asked }: { warnings: LogWarnings; asked: ReadonlyMap<string, string> },
): JoinedThread {
  const ordered = stretches.toSorted((a, b) => (beginningOf(a) ?? 0) - (beginningOf(b) ?? 0))
  const of = (pick: (one: EngineLogEvent) => string | null) =>
    ordered.flatMap(({ invocations }) => invocations.flatMap(({ events }) => events.map(pick))).find((one) => one)
  const events = ordered.flatMap((stretch) => eventsOf(stretch, { thread, warnings, asked }))
  const ofRun = (pick: (run: BridgeRun) => string | null) =>
    ordered.map(({ run }) => (run === null ? null : pick(run))).find((one) => one !== null)
  return {
    thread_id: thread,
    app_name: ofRun(({ app }) => app) ?? of(({ app }) => app) ?? null,
    user_id: ofRun(({ user }) => user) ?? of(({ user }) => user) ?? null,
    events,
  }
}

interface Telling {
  thread: string
  warnings: LogWarnings
  /** What users said, by the invocation that answers it. */
  asked: ReadonlyMap<string, string>
}

function eventsOf(stretch: Stretch, telling: Telling): ConversationEventInput[] {
  const { run, invocations } = stretch
  const { warnings, thread } = telling
  const begun = beginningOf(stretch)
  if (begun === null) warnings.once('no_time', run, `Nothing says when ${thread} was: it is dated 1970.`)
  const runId = run?.run ?? invocations[0]?.run ?? null
  const first = invocations[0]?.id ?? null
  // Imported again, everything is known by the same ids.
  const key = runId ?? first ?? `${thread}:${begun ?? run?.line ?? 0}`
  const said = saidIn(stretch, telling)
  const told = invocations.length > 0 ? engineEvents(invocations, begun) : bridgeEvents(run, { begun, key })
  const last = told.at(-1)?.at ?? isoOf(begun)
  const start = { at: isoOf(begun), run_id: runId, invocation_id: first, event_id: `${key}:start` }
  const ended = run?.endedAt ? isoOf(run.endedAt) : last
  const how = endOf(stretch)
  if (how === 'unknown') warnings.add('no_end', cutPlace(stretch), cutText(stretch, thread))
  // When a log that goes on is imported again, its end is told as well.
  const end = { at: ended, run_id: runId, invocation_id: null, event_id: `${key}:${how === 'unknown' ? 'cut' : 'end'}` }
  return [
    { ...start, kind: 'run_start', payload: { parent_run_id: null, target: null } },
    ...said.map((one, place): ConversationEventInput => ({ ...start, event_id: `${key}:said:${place}`, ...one })),
    ...told.map((one) => ({ ...one, run_id: runId })),
    { ...end, kind: 'run_end', payload: how === 'unknown' ? cutOff : how },
  ]
}

type Said =
  | { kind: 'user_message'; payload: ConversationPayloads['user_message'] }
  | { kind: 'tool_result'; payload: ConversationPayloads['tool_result'] }

/** What the user, or a front end for the user, said to begin with. */
function saidIn({ run, invocations }: Stretch, { thread, warnings, asked }: Telling): Said[] {
  const users = (run?.users ?? []).map(
    ({ id, text, files }): Said => ({
      kind: 'user_message',
      payload: { id, text, files, author: 'user' },
    }),
  )
  const results = (run?.results ?? []).map(
    ({ id, name, content }): Said => ({
      kind: 'tool_result',
      payload: { id, name, result: resultOf(content), author: 'user' },
    }),
  )
  const isInEngine = invocations.some(({ events }) => events.some(({ event }) => event.author === 'user'))
  if (users.length > 0 || results.length > 0) return isInEngine ? [] : [...users, ...results]
  if (isInEngine) return []
  const text = invocations[0] && asked.get(invocations[0].id)
  if (text !== undefined) return [{ kind: 'user_message', payload: { id: null, text, files: [], author: 'user' } }]
  const place = run?.run ?? invocations[0]?.id ?? ''
  warnings.add(
    'no_user_message',
    run,
    `No log says what the user said in ${thread}${place === '' ? '' : `, ${place}`}.`,
  )
  return []
}

/** A result as ADK has it: what is no object stands in one. */
function resultOf(content: string): Record<string, unknown> {
  const read = readJson(content)
  const value = 'value' in read ? read.value : content
  return recordOf(value) ?? { result: value }
}

function engineEvents(invocations: readonly EngineInvocation[], begun: number | null): ConversationEventInput[] {
  return invocations.flatMap(({ events }) =>
    events.map(({ event, at, eventId }): ConversationEventInput => {
      const when = event.timestamp > 0 ? event.timestamp * 1_000 : (at ?? begun)
      return {
        at: isoOf(when),
        kind: 'adk_event',
        run_id: null,
        invocation_id: event.invocationId,
        event_id: eventId,
        payload: { ...event },
      }
    }),
  )
}

function bridgeEvents(
  run: BridgeRun | null,
  { begun, key }: { begun: number | null; key: string },
): ConversationEventInput[] {
  let when = begun
  return (run?.events ?? []).map(({ at, event }, place): ConversationEventInput => {
    when = at ?? when
    return {
      at: isoOf(when),
      kind: 'agui_event',
      run_id: null,
      invocation_id: null,
      event_id: `${key}:${place}`,
      payload: event,
    }
  })
}

const cutOff: ConversationPayloads['run_end'] = { status: 'truncated', code: null, message: null }

/** How it ended; unknown where no log says that it did, and it stands in the middle of an answer. */
function endOf({ run, invocations }: Stretch): ConversationPayloads['run_end'] | 'unknown' {
  if (run && run.status !== null) return { status: run.status, code: run.code, message: run.message }
  const last = lastOf(invocations)?.event
  if (last?.errorCode !== undefined)
    return { status: 'failed', code: last.errorCode, message: last.errorMessage ?? null }
  const isAnswered = last !== undefined && last.partial !== true && last.author !== 'user' && isFinalResponse(last)
  return isAnswered ? { status: 'finished', code: null, message: null } : 'unknown'
}

function lastOf(invocations: readonly EngineInvocation[]): EngineLogEvent | undefined {
  return invocations.at(-1)?.events.at(-1)
}

function cutPlace({ run, invocations }: Stretch): LogPlace {
  const { file = null, line = null } = run ?? lastOf(invocations) ?? {}
  return { file, line }
}

function cutText({ run, invocations }: Stretch, thread: string): string {
  const name = run?.run ?? invocations[0]?.id ?? ''
  const places = [
    run === null ? null : `line ${run.lastLine} of ${run.file ?? 'the log of the bridge'}`,
    placeOf(lastOf(invocations)),
  ].filter((place) => place !== null)
  return `The log breaks off in ${thread}${name === '' ? '' : `, ${name}`}: what it holds until ${places.join(' and ')} is marked as truncated.`
}

function placeOf(last: EngineLogEvent | undefined): string | null {
  return last === undefined ? null : `line ${last.line} of ${last.file ?? 'the log of the engine'}`
}

function beginningOf({ run, invocations }: Stretch): number | null {
  const times = [run?.startedAt ?? null, ...invocations.map(({ from }) => from)].filter((time) => time !== null)
  return times.length === 0 ? null : Math.min(...times)
}

function isoOf(ms: number | null): string {
  return new Date(ms !== null && Math.abs(ms) < 8e15 ? ms : 0).toISOString()
}

/** What no run of a bridge is for, by the requests that its log names: one that is not named is of one invocation. */
function requestsOf(invocations: readonly EngineInvocation[]): [EngineInvocation, ...EngineInvocation[]][] {
  const found = new Map<string, [EngineInvocation, ...EngineInvocation[]]>()
  for (const one of invocations) {
    const key = JSON.stringify(one.run === null ? [one.id] : [one.session, one.run])
    const known = found.get(key)
    if (known) known.push(one)
    else found.set(key, [one])
  }
  return [...found.values()]
}

/** Events by their invocation, and by the request that brought the result an invocation waited for, in the order in which they were first seen; what was logged twice is there once. */
function invocationsOf(events: readonly EngineLogEvent[]): EngineInvocation[] {
  const found = new Map<string, EngineInvocation>()
  const frames = new Map<string, Frames>()
  for (const one of events) {
    const { event } = one
    const id = event.invocationId
    const key = JSON.stringify([id, one.run])
    const known = found.get(key) ?? {
      id,
      session: null,
      run: one.run,
      from: null,
      to: null,
      calls: new Set<string>(),
      events: [],
    }
    found.set(key, known)
    known.session ??= one.session
    const eventId = frameId(one, frames)
    if (eventId === undefined) continue
    const at = event.timestamp > 0 ? event.timestamp * 1_000 : one.at
    if (at !== null) {
      known.from = Math.min(known.from ?? at, at)
      known.to = Math.max(known.to ?? at, at)
    }
    for (const { functionCall } of event.content?.parts ?? []) if (functionCall?.id) known.calls.add(functionCall.id)
    known.events.push({ ...one, eventId })
  }
  return [...found.values()]
}

/** Frames with one id: the text of each, made when there is a second one. */
interface Frames {
  first: AdkEvent
  texts: Set<string> | null
}

/** The id of an event, numbered where ADK sent several frames with one id; undefined for a frame that was there before. */
function frameId({ event }: EngineLogEvent, frames: Map<string, Frames>): string | undefined {
  const id = event.id === '' ? event.invocationId : event.id
  const known = frames.get(id)
  if (!known) {
    frames.set(id, { first: event, texts: null })
    return event.id === '' ? `${id}#0` : id
  }
  known.texts ??= new Set([JSON.stringify(known.first)])
  const text = JSON.stringify(event)
  if (known.texts.has(text)) return undefined
  known.texts.add(text)
  return `${id}#${known.texts.size - 1}`
}
