import {
  type Conversation,
  type ConversationComparison,
  type ConversationDetail,
  type ConversationFormat,
  conversationRoutes,
  conversationStates,
  type ConversationState,
  type ConversationStep,
  type ConversationTokens,
  type ConversationTurn,
  pathTo,
  type TurnComparison,
} from '@llm-eval/protocol'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { anything, type Check, flag, list, nullable, number, oneOf, record, shape, text } from './checks.ts'
import type { Api } from './client.ts'
import { keys } from './queries.ts'

const tokens = shape<ConversationTokens>({
  input: nullable(number),
  output: nullable(number),
  thoughts: nullable(number),
  cached: nullable(number),
  total: nullable(number),
})

const summary = {
  thread_id: text,
  target: nullable(text),
  app_name: text,
  user_id: text,
  title: text,
  state: oneOf(conversationStates),
  error: nullable(text),
  started_at: text,
  updated_at: text,
  events: number,
  turns: number,
  tool_calls: number,
  tokens,
  agents: list(text),
  models: list(text),
  replay_of: nullable(text),
}

const conversation = shape<Conversation>(summary)

const detail = shape<ConversationDetail>({
  ...summary,
  session_stats: shape<ConversationDetail['session_stats']>({
    totalThinkingTokens: nullable(number),
    totalToolCalls: number,
    durationSeconds: nullable(number),
  }),
  thinking: list(
    shape<ConversationDetail['thinking'][number]>({
      thoughtsTokenCount: nullable(number),
      totalTokenCount: nullable(number),
      model: nullable(text),
    }),
  ),
})

type File = Extract<ConversationStep, { kind: 'file' }>['file']
const file = shape<File>({ mime_type: text, uri: nullable(text), bytes: nullable(number) })

const said = { author: text, at_ms: nullable(number) }
type Step<K extends ConversationStep['kind']> = Extract<ConversationStep, { kind: K }>
const steps: { [K in ConversationStep['kind']]: Check<Step<K>> } = {
  text: shape<Step<'text'>>({ ...said, kind: oneOf(['text']), text, final: flag, partial: flag }),
  thought: shape<Step<'thought'>>({ ...said, kind: oneOf(['thought']), text, partial: flag, signed: flag }),
  tool: shape<Step<'tool'>>({
    ...said,
    kind: oneOf(['tool']),
    id: text,
    name: text,
    args: record,
    result: nullable(record),
    ended_ms: nullable(number),
    long_running: flag,
    signed: flag,
  }),
  file: shape<Step<'file'>>({ ...said, kind: oneOf(['file']), file }),
  code: shape<Step<'code'>>({
    ...said,
    kind: oneOf(['code']),
    language: nullable(text),
    code: text,
    output: nullable(text),
    outcome: nullable(text),
  }),
  transfer: shape<Step<'transfer'>>({ ...said, kind: oneOf(['transfer']), to: text }),
}
const stepKinds = Object.keys(steps) as ConversationStep['kind'][]

const step: Check<ConversationStep> = (value, path) => {
  const kind = oneOf(stepKinds)(record(value, path).kind, `${path}.kind`)
  return steps[kind](value, path)
}

const turn = shape<ConversationTurn>({
  index: number,
  invocation_id: text,
  run_ids: list(text),
  at: text,
  user: nullable(shape<NonNullable<ConversationTurn['user']>>({ text, files: list(file) })),
  steps: list(step),
  state: oneOf(conversationStates),
  error: nullable(text),
  duration_ms: nullable(number),
  first_token_ms: nullable(number),
  tokens,
  models: list(text),
})

const side = shape<TurnComparison['expected']>({
  calls: list(shape<TurnComparison['expected']['calls'][number]>({ name: text, args: record })),
  response: text,
})

const scores = {
  tool_trajectory_avg_score: nullable(number),
  response_match_score: nullable(number),
  tool_parameter_match: nullable(number),
}

const comparison = shape<ConversationComparison>({
  recording: text,
  replay: text,
  scores: shape<ConversationComparison['scores']>(scores),
  turns: list(shape<TurnComparison>({ index: number, user: text, expected: side, actual: nullable(side), ...scores })),
  warnings: list(text),
})

/** A page of conversations, or of turns. */
interface Page<T> {
  items: T[]
  next_cursor: string | null
}

const conversationPage = shape<Page<Conversation>>({ items: list(conversation), next_cursor: nullable(text) })

/** Turns in their order. */
export interface TurnPage {
  items: ConversationTurn[]
  /** Of the whole conversation. */
  total: number
}

const turnPage = shape<TurnPage>({ items: list(turn), total: number })

/** Which conversations are listed. */
export interface ConversationSearch {
  q?: string
  state?: ConversationState
  target?: string
  user?: string
}

/** Turns that are read at once. */
const turnsAtOnce = 10

/** The block that a turn is read in: so many turns each, from the first one on. */
export function blockOf(index: number): number {
  return Math.floor(Math.max(0, index) / turnsAtOnce)
}

/** The blocks that are shown first. The last one may hold a single turn: the one before it gives it company. */
export function newestBlocks({ turns }: Pick<Conversation, 'turns'>): number[] {
  const last = blockOf(turns - 1)
  return last === 0 ? [0] : [last - 1, last]
}

/** How conversations are read. The stream says when they changed; see `createFeed`. */
export function conversationQueries(api: Api) {
  return {
    list: (search: ConversationSearch) =>
      infiniteQueryOptions({
        queryKey: [...keys.conversationLists, search],
        queryFn: ({ pageParam, signal }) => {
          const { user, ...same } = search
          const query = new URLSearchParams({ limit: '50', ...same, ...(user === undefined ? {} : { user_id: user }) })
          if (pageParam !== null) query.set('cursor', pageParam)
          return api({ route: conversationRoutes.listConversations, query, answer: conversationPage, signal })
        },
        initialPageParam: null as string | null,
        getNextPageParam: (page) => page.next_cursor,
      }),
    conversation: (thread: string) =>
      queryOptions({
        queryKey: [...keys.conversation(thread), 'detail'],
        queryFn: ({ signal }) =>
          api({ route: conversationRoutes.getConversation, path: { thread }, answer: detail, signal }),
      }),
    /** A block of turns; see {@link blockOf}. */
    turns: (thread: string, block: number) =>
      queryOptions({
        queryKey: [...keys.conversation(thread), 'turns', block],
        queryFn: ({ signal }) => {
          const query = new URLSearchParams({ limit: String(turnsAtOnce) })
          if (block === 0) query.set('before', String(turnsAtOnce))
          else query.set('after', String(block * turnsAtOnce - 1))
          const path = { thread }
          return api({ route: conversationRoutes.listConversationTurns, path, query, answer: turnPage, signal })
        },
      }),
    comparison: (recording: string, replay: string) =>
      queryOptions({
        queryKey: [...keys.conversation(replay), 'comparison', recording],
        queryFn: ({ signal }) =>
          api({
            route: conversationRoutes.compareConversation,
            path: { thread: replay },
            query: new URLSearchParams({ with: recording }),
            answer: comparison,
            signal,
          }),
      }),
  }
}

/** Where a thread is downloaded from. @param turns their places, from 0; none is all of them */
export function exportAddress(thread: string, format: ConversationFormat, turns: readonly number[]): string {
  const path = pathTo(conversationRoutes.exportConversation, { thread_id: thread })
  const query = [
    ...(format === 'evalset' ? [] : [`format=${format}`]),
    ...(turns.length === 0 ? [] : [`turns=${turns.join(',')}`]),
  ]
  return query.length === 0 ? path : `${path}?${query.join('&')}`
}

export async function deleteConversation(api: Api, thread: string): Promise<void> {
  await api({ route: conversationRoutes.deleteConversation, path: { thread }, answer: anything })
}

/** Adds turns of a conversation to a dataset; how many rows were made. */
export async function addTurns(
  api: Api,
  thread: string,
  body: { dataset: string; turns?: number[] },
): Promise<{ added: number }> {
  const answer = shape<{ added: number }>({ added: number })
  return api({ route: conversationRoutes.addConversationToDataset, path: { thread }, body, answer })
}

/** Begins a replay; the thread in which it happens. */
export async function replay(api: Api, thread: string, body: { target: string }): Promise<string> {
  const answer = shape<{ thread_id: string }>({ thread_id: text })
  const begun = await api({ route: conversationRoutes.replayConversation, path: { thread }, body, answer })
  return begun.thread_id
}
