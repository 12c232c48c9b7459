import { type ConversationEventInput, conversationRoutes, limits } from '@llm-eval/protocol'
import { conversationEventPage } from '@llm-eval/protocol/conversation-answers'
import type * as z from 'zod'
import { Complaint } from '../complaint.ts'
import { ask, readAnswer } from '../http.ts'
import type { Target } from '../target.ts'
import type { Terminal } from '../terminal.ts'
import { advanced, noProgress, type Progress, restAfter } from './rest.ts'

/** A thread as logs tell it. */
export interface LoggedThread {
  thread: string
  events: readonly ConversationEventInput[]
}

/** What a server is still to be told, and what of a log it cannot be. */
export interface Unrecorded {
  events: ConversationEventInput[]
  warnings: string[]
}

/**
 * Those events of logs that a server does not have. Of a request that was recorded to its end a log tells nothing new; of one whose
 * recording broke off it tells the rest, and the end.
 *
 * @throws Complaint where the key may not read what is there: it might be told twice
 */
export async function unrecorded(
  { signal }: Pick<Terminal, 'signal'>,
  server: Target,
  { thread, events, now }: LoggedThread & { now: number },
): Promise<Unrecorded> {
  const known = await recordedRequests({ signal }, server, thread)
  const found = requestsIn(events).map((request) => restOf(request, { request: known.of(request), now }))
  return {
    events: found.flatMap((one) => one.events),
    warnings: found.flatMap(({ warning }) => (warning === null ? [] : [`${thread}: ${warning}`])),
  }
}

interface Rest {
  events: readonly ConversationEventInput[]
  warning: string | null
}

function restOf(
  events: readonly ConversationEventInput[],
  { request, now }: { request: RecordedRequest | undefined; now: number },
): Rest {
  if (request === undefined) return { events, warning: null }
  if (request.isEnded) return { events: [], warning: null }
  const name = request.runId ?? events[0]?.invocation_id ?? ''
  const end = events.filter((event) => event.kind === 'run_end')
  const isCut = end.every(({ payload }) => payload.status === 'truncated')
  if (isCut && !request.isImported && now - request.heardAt < limits.conversationSilenceSeconds * 1_000)
    return { events: [], warning: `${name} may still be under way: import its logs again when it is over` }
  const spoken = events.filter((event) => isSpoken(event) && !(request.users === 'told' && isUsers(event)))
  const isOther = spoken.some(({ kind }) => [...request.kinds].some((known) => known !== kind))
  if (!isOther) return { events: [...restAfter(spoken, request.progress), ...end], warning: null }
  // Its end would say that nothing is missing, and a log that goes on with it would come too late.
  return { events: end.map(asCut), warning: otherForm(name, request) }
}

function otherForm(name: string, { kinds }: RecordedRequest): string {
  if (![...kinds].every((kind) => kind === 'adk_event' || kind === 'agui_event'))
    return `${name} was recorded in other words than those of logs: its rest is not told`
  const log = kinds.has('adk_event') ? 'the engine (--engine)' : 'the bridge alone (--bridge)'
  return `the recording of ${name} broke off, and only a log of ${log} goes on with it: its rest is not told`
}

/** What an agent, or its bridge, said in the words of logs. */
function isSpoken({ kind }: Pick<ConversationEventInput, 'kind'>): boolean {
  return kind === 'adk_event' || kind === 'agui_event'
}

/** What a user, or a front end for the user, brought: agents go on after it. */
function isUsers({ kind, payload }: { kind: string; payload: object }): boolean {
  if (kind === 'user_message' || kind === 'tool_result') return true
  return kind === 'adk_event' && 'author' in payload && payload.author === 'user'
}

/** An end as logs that break off have it. */
function asCut(end: ConversationEventInput<'run_end'>): ConversationEventInput {
  const id = end.event_id?.replace(/:end$/, cutMark) ?? null
  return { ...end, event_id: id, payload: { status: 'truncated', code: null, message: null } }
}

/** What the id of an end ends with, where it only says how far logs went. */
const cutMark = ':cut'

/** The events of each request: from its beginning to its end. */
function requestsIn(events: readonly ConversationEventInput[]): ConversationEventInput[][] {
  const requests: ConversationEventInput[][] = []
  for (const event of events) {
    if (event.kind === 'run_start') requests.push([])
    requests.at(-1)?.push(event)
  }
  return requests
}

/** A request as a server has recorded it. */
interface RecordedRequest {
  runId: string | null
  /** Whether logs told of it, not who spoke. */
  isImported: boolean
  /** Whether it was recorded to its end, or to where it broke off for whoever recorded it. */
  isEnded: boolean
  /** In what form agents spoke. */
  kinds: Set<string>
  /** Whether what users brought was told in words of its own; `heard`: an agent repeated it. */
  users: 'unknown' | 'told' | 'heard'
  progress: Progress
  /** Milliseconds since 1970. */
  heardAt: number
}

/** The requests of a thread, by their ids and by those of their invocations. */
class RecordedRequests {
  readonly #byRun = new Map<string, RecordedRequest>()
  readonly #byInvocation = new Map<string, RecordedRequest>()

  /** The one that a log tells of. */
  of(events: readonly ConversationEventInput[]): RecordedRequest | undefined {
    for (const { run_id, invocation_id } of events) {
      const known = this.#known(run_id, invocation_id)
      if (known) return known
    }
    return undefined
  }

  take({ kind, run_id, invocation_id, event_id, at, payload }: z.infer<typeof conversationEventPage>['items'][number]) {
    const known = this.#requestOf(run_id, invocation_id)
    if (!known) return
    known.heardAt = Math.max(known.heardAt, Date.parse(at))
    if (kind === 'run_start') {
      known.isImported = event_id === `${run_id ?? invocation_id}:start`
      known.isEnded = false
    } else if (kind === 'run_end') known.isEnded ||= event_id !== `${run_id ?? invocation_id}${cutMark}`
    else if (kind === 'user_message' || kind === 'tool_result') {
      if (known.users === 'unknown') known.users = 'told'
    } else {
      if (isUsers({ kind, payload })) known.users = 'heard'
      known.kinds.add(kind)
      known.progress = advanced(known.progress, { kind, payload })
    }
  }

  #requestOf(runId: string | null, invocationId: string | null): RecordedRequest | undefined {
    const isNamed = runId !== null || invocationId !== null
    const known = this.#known(runId, invocationId) ?? (isNamed ? newRequest(runId) : undefined)
    if (known && runId !== null) {
      known.runId ??= runId
      this.#byRun.set(runId, known)
    }
    if (known && invocationId !== null) this.#byInvocation.set(invocationId, known)
    return known
  }

  #known(runId: string | null, invocationId: string | null): RecordedRequest | undefined {
    const named = runId === null ? undefined : this.#byRun.get(runId)
    const numbered = invocationId === null ? undefined : this.#byInvocation.get(invocationId)
    // ADK goes on with the same invocation in the request that brings the result it waited for.
    return named ?? (runId === null || numbered?.runId === null ? numbered : undefined)
  }
}

function newRequest(runId: string | null): RecordedRequest {
  return {
    runId,
    isImported: false,
    isEnded: false,
    kinds: new Set(),
    users: 'unknown',
    progress: noProgress,
    heardAt: 0,
  }
}

async function recordedRequests(
  { signal }: Pick<Terminal, 'signal'>,
  server: Target,
  thread: string,
): Promise<RecordedRequests> {
  const known = new RecordedRequests()
  const route = conversationRoutes.listConversationEvents
  try {
    for (let after: number | null = 0; after !== null; ) {
      const query = { after: String(after), limit: '1000' }
      const response = await ask(server, { route, values: { thread }, query, signal })
      const page: z.infer<typeof conversationEventPage> = await readAnswer(response, conversationEventPage)
      for (const event of page.items) known.take(event)
      after = page.next_after
    }
  } catch (error) {
    if (!(error instanceof Complaint)) throw error
    // A new thread.
    if (error.status === 404) return known
    if (error.status !== 403) throw error
    throw new Complaint(
      `${error.message} Importing reads what of ${thread} is there, as it might be told twice otherwise: use a key with the scopes ingest and read, or write a file with --out.`,
      { status: 403, cause: error },
    )
  }
  return known
}
