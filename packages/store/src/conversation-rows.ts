import {
  type ConversationState,
  conversationEventKinds,
  conversationStates,
  limits,
  sumKnown,
} from '@llm-eval/protocol'
import type { Selectable } from 'kysely'
import type {
  ConversationNumbers,
  ConversationOrigin,
  NewConversationEvent,
  StoredConversation,
  StoredConversationEvent,
} from './conversations.ts'
import { plain } from './records.ts'
import { named } from './run-events.ts'
import { searchable } from './run-rows.ts'
import type { ConversationTables } from './steps/conversation-tables.ts'

// Kinds and states are stored as their places in their lists; never change one.

/** The number by which a state is stored. */
export const stateNumber = (state: ConversationState): number => conversationStates.indexOf(state)

/** The event of a change. @param row of the thread as it is now; `count` events came */
export function encodeConversation({ ref, events, state }: FoldedRow, count: number): string {
  return `[${ref},${events},${count},${state}]`
}

export function decodeConversation(d: readonly (number | null)[]): ConversationNumbers {
  const [conversation, lastSeq, count, state] = d
  return {
    conversation: conversation ?? 0,
    lastSeq: lastSeq ?? 0,
    count: count ?? 0,
    state: named(conversationStates, state ?? 0),
  }
}

export type ConversationRow = Selectable<ConversationTables['conversations']>
/** What of a row its events make. */
export type Folded = Omit<
  ConversationRow,
  | 'ref'
  | 'project_id'
  | 'thread_id'
  | 'target'
  | 'app_name'
  | 'user_id'
  | 'replay_of'
  | 'words_of'
  | 'held_by'
  | 'held_until'
>

type FoldedRow = Pick<ConversationRow, 'ref' | 'events' | 'state'>

/** Names of agents or models that are kept of one thread. */
const mostNames = 100

/** A thread of which nothing happened yet. */
export function nothingYet(at: number): Folded {
  return {
    title: '',
    searched: '',
    state: stateNumber('finished'),
    open_run: null,
    turn_key: null,
    error: null,
    started_at: at,
    updated_at: 0,
    heard_at: at,
    events: 0,
    bytes: 0,
    turns: 0,
    tool_calls: 0,
    input_tokens: null,
    output_tokens: null,
    thoughts_tokens: null,
    cached_tokens: null,
    total_tokens: null,
    agents: '[]',
    models: '[]',
  }
}

/** The numbers of a thread after more events, that came at a time by the clock of the server. */
export function fold(before: Folded, events: readonly NewConversationEvent[], at: number): Folded {
  const after = { ...before, heard_at: at, events: before.events + events.length }
  const agents = new Set(readNames(before.agents))
  const models = new Set(readNames(before.models))
  for (const event of events) {
    const { adds } = event
    // A clock that is ahead must not keep a thread before all others.
    after.started_at = Math.min(after.started_at, event.at)
    after.updated_at = Math.max(after.updated_at, Math.min(event.at, at))
    after.bytes += Buffer.byteLength(event.payload)
    after.tool_calls += adds.toolCalls
    foldTurn(after, adds)
    foldTokens(after, adds.tokens)
    foldState(after, event)
    if (adds.agent !== null && agents.size < mostNames) agents.add(adds.agent)
    if (adds.model !== null && models.size < mostNames) models.add(adds.model)
    if (after.title === '' && adds.title !== null) after.title = String(plain(adds.title))
  }
  return {
    ...after,
    searched: searchable(after.title),
    agents: JSON.stringify([...agents]),
    models: JSON.stringify([...models]),
  }
}

/** Of words that belong to no request: those that follow at once belong to the same turn. */
const unnamed = ''

function foldTurn(after: Folded, { turn }: NewConversationEvent['adds']): void {
  if (turn === null) {
    if (after.turn_key === unnamed) after.turn_key = null
    return
  }
  const key = turn.key ?? unnamed
  if (key === after.turn_key) return
  after.turns++
  after.turn_key = key
}

function foldTokens(after: Folded, tokens: NewConversationEvent['adds']['tokens']): void {
  if (tokens === null) return
  after.input_tokens = sumKnown([after.input_tokens, tokens.input])
  after.output_tokens = sumKnown([after.output_tokens, tokens.output])
  after.thoughts_tokens = sumKnown([after.thoughts_tokens, tokens.thoughts])
  after.cached_tokens = sumKnown([after.cached_tokens, tokens.cached])
  after.total_tokens = sumKnown([after.total_tokens, tokens.total])
}

function foldState(after: Folded, { adds: { turning, error }, runId }: NewConversationEvent): void {
  if (turning?.kind === 'begins') {
    after.open_run = runId ?? ''
    after.state = stateNumber('running')
    after.error = null
  } else if (turning?.kind === 'ends') {
    // The end of a request after which another one began says nothing of that one.
    const other = after.open_run !== null && after.open_run !== '' && runId !== null && after.open_run !== runId
    if (other) return
    after.open_run = null
    after.state = stateNumber(turning.state)
  } else if (turning?.kind === 'tells' && after.open_run === null) {
    after.state = stateNumber(turning.state)
    if (turning.state === 'running') after.error = null
  }
  if (error !== null) after.error = String(plain(error))
}

function readNames(json: string): string[] {
  return JSON.parse(json) as string[]
}

/** The row of a new thread. */
export function originRow(origin: ConversationOrigin) {
  return {
    thread_id: origin.threadId,
    target: origin.target,
    app_name: origin.appName,
    user_id: origin.userId,
    replay_of: origin.replayOf,
  }
}

/** The user whose words stand in a thread; null where that is not known. */
export function wordsIn({ replay_of: replayOf, user_id: userId, words_of: wordsOf }: ConversationRow): string | null {
  return replayOf === null ? userId : wordsOf
}

export function toConversation(row: ConversationRow): StoredConversation {
  return {
    ref: row.ref,
    threadId: row.thread_id ?? '',
    target: row.target,
    appName: row.app_name,
    userId: row.user_id,
    replayOf: row.replay_of,
    wordsOf: wordsIn(row),
    title: row.title,
    state: named(conversationStates, row.state),
    error: row.error,
    startedAt: row.started_at,
    updatedAt: row.updated_at,
    heardAt: row.heard_at,
    events: row.events,
    bytes: row.bytes,
    turns: row.turns,
    toolCalls: row.tool_calls,
    tokens: {
      input: row.input_tokens,
      output: row.output_tokens,
      thoughts: row.thoughts_tokens,
      cached: row.cached_tokens,
      total: row.total_tokens,
    },
    agents: readNames(row.agents),
    models: readNames(row.models),
  }
}

export function toConversationEvent(
  row: Omit<Selectable<ConversationTables['conversation_events']>, 'conversation_ref' | 'thinking' | 'bytes'>,
): StoredConversationEvent {
  return {
    seq: row.seq,
    at: row.at,
    kind: named(conversationEventKinds, row.kind),
    runId: row.run_id,
    invocationId: row.invocation_id,
    eventId: row.event_id,
    payload: row.payload,
  }
}

/** Whether a thread that has so many events takes some more. */
export function hasRoom(events: number, more: number): boolean {
  return events + more <= limits.conversationEvents
}
