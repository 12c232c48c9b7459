/** Conversations as zod schemas: what their routes answer. */
import * as z from 'zod'
import {
  type Conversation,
  type ConversationComparison,
  type ConversationDetail,
  conversationEventKinds,
  conversationStates,
  type ConversationStep,
  type ConversationTokens,
  type ConversationTurn,
  type TurnComparison,
} from './conversations.ts'

const whole = z.int().nonnegative()
const told = z.string().describe('RFC 3339, UTC')

const tokens = z.object({
  input: whole.nullable(),
  output: whole.nullable(),
  thoughts: whole.nullable(),
  cached: whole.nullable(),
  total: whole.nullable(),
}) satisfies z.ZodType<ConversationTokens>

/** Answer of `POST /api/v1/conversations/:thread/events`. */
export const conversationReceipt = z.object({
  thread_id: z.string(),
  stored: whole.describe('Events that are new.'),
  duplicates: whole.describe('Events whose id was stored before.'),
  first_seq: whole.nullable().describe('Place of the first one that is new; null where none is.'),
  last_seq: whole.describe('Place of the last one of the conversation.'),
  warnings: z.array(z.string()).describe('What of an event could not be kept.'),
})
export type ConversationReceipt = z.infer<typeof conversationReceipt>

/** Answer of `POST …/rows`. */
export const conversationRowsAdded = z.object({
  dataset: z.string(),
  added: whole,
  warnings: z.array(z.string()),
})

/** Answer of `POST …/replay`. */
export const replayBegun = z.object({
  thread_id: z.string().describe('Of the thread in which it happens.'),
  replay_of: z.string(),
  target: z.string(),
  turns: whole.describe('Turns that are said again.'),
  warnings: z.array(z.string()).describe('Turns that cannot be said again, and why.'),
})

/** Answer of the exports with `report`. */
export const exportReport = z.object({
  file_name: z.string(),
  state: z.enum(conversationStates).describe('`truncated`: its end is missing; `running`: more may come.'),
  warnings: z.array(z.string()),
})

/** A conversation in short. */
export const conversation = z.object({
  thread_id: z.string(),
  target: z.string().nullable(),
  app_name: z.string(),
  user_id: z.string(),
  title: z.string(),
  state: z.enum(conversationStates),
  error: z.string().nullable(),
  started_at: told,
  updated_at: told,
  events: whole,
  turns: whole,
  tool_calls: whole,
  tokens,
  agents: z.array(z.string()),
  models: z.array(z.string()),
  replay_of: z.string().nullable(),
}) satisfies z.ZodType<Conversation>

/** Answer of `GET /api/v1/conversations`. */
export const conversationPage = z.object({ items: z.array(conversation), next_cursor: z.string().nullable() })

/** Answer of `GET /api/v1/conversations/:thread`. */
export const conversationDetail = z.object({
  ...conversation.shape,
  session_stats: z.object({
    totalThinkingTokens: whole.nullable(),
    totalToolCalls: whole,
    durationSeconds: z.number().nullable(),
  }),
  thinking: z.array(
    z.object({
      thoughtsTokenCount: whole.nullable(),
      totalTokenCount: whole.nullable(),
      model: z.string().nullable(),
    }),
  ),
}) satisfies z.ZodType<ConversationDetail>

/** An event as it is told. */
export const conversationEvent = z.object({
  seq: whole,
  at: told,
  kind: z.enum(conversationEventKinds),
  run_id: z.string().nullable(),
  invocation_id: z.string().nullable(),
  event_id: z.string().nullable(),
  payload: z.record(z.string(), z.unknown()),
})

/** Answer of `GET …/events`. */
export const conversationEventPage = z.object({
  items: z.array(conversationEvent),
  next_after: whole.nullable().describe('What `after` is for the next page; null at the end.'),
})

const shownFile = z.object({ mime_type: z.string(), uri: z.string().nullable(), bytes: whole.nullable() })
const said = { author: z.string(), at_ms: z.number().nullable() }

const step = z.discriminatedUnion('kind', [
  z.object({ ...said, kind: z.literal('text'), text: z.string(), final: z.boolean(), partial: z.boolean() }),
  z.object({ ...said, kind: z.literal('thought'), text: z.string(), partial: z.boolean(), signed: z.boolean() }),
  z.object({
    ...said,
    kind: z.literal('tool'),
    id: z.string(),
    name: z.string(),
    args: z.record(z.string(), z.unknown()),
    result: z.record(z.string(), z.unknown()).nullable(),
    ended_ms: z.number().nullable(),
    long_running: z.boolean(),
    signed: z.boolean(),
  }),
  z.object({ ...said, kind: z.literal('file'), file: shownFile }),
  z.object({
    ...said,
    kind: z.literal('code'),
    language: z.string().nullable(),
    code: z.string(),
    output: z.string().nullable(),
    outcome: z.string().nullable(),
  }),
  z.object({ ...said, kind: z.literal('transfer'), to: z.string() }),
]) satisfies z.ZodType<ConversationStep>

const turn = z.object({
  index: whole,
  invocation_id: z.string(),
  run_ids: z.array(z.string()),
  at: told,
  user: z.object({ text: z.string(), files: z.array(shownFile) }).nullable(),
  steps: z.array(step),
  state: z.enum(conversationStates),
  error: z.string().nullable(),
  duration_ms: z.number().nullable(),
  first_token_ms: z.number().nullable(),
  tokens,
  models: z.array(z.string()),
}) satisfies z.ZodType<ConversationTurn>

/** Answer of `GET …/turns`: in their order. */
export const conversationTurnPage = z.object({
  items: z.array(turn),
  total: whole.describe('Turns of the whole conversation.'),
})

const side = z.object({
  calls: z.array(z.object({ name: z.string(), args: z.record(z.string(), z.unknown()) })),
  response: z.string(),
})
const score = z.number().nullable()
const scores = { tool_trajectory_avg_score: score, response_match_score: score, tool_parameter_match: score }

const turnComparison = z.object({
  index: whole,
  user: z.string(),
  expected: side,
  actual: side.nullable(),
  ...scores,
}) satisfies z.ZodType<TurnComparison>

/** Answer of `GET …/comparison`. */
export const conversationComparison = z.object({
  recording: z.string(),
  replay: z.string(),
  scores: z.object(scores),
  turns: z.array(turnComparison),
  warnings: z.array(z.string()),
}) satisfies z.ZodType<ConversationComparison>
