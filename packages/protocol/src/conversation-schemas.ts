/** Conversations as zod schemas: what their routes accept. */
import * as z from 'zod'
import {
  conversationEventKinds,
  type ConversationFile,
  conversationFormats,
  type ConversationPayloads,
  conversationRunStatuses,
  conversationStates,
  type ConversationTokens,
} from './conversations.ts'
import { isObject } from './json.ts'
import { limits } from './limits.ts'
import { flag, name, parseTime, wholeText } from './schemas.ts'

const whole = z.int().nonnegative()
const count = whole.max(limits.countMax)
/** Whatever an agent or a tool says: not copied, so that every key stays as it is. */
const opaque = z.custom<Record<string, unknown>>(isObject, 'must be an object')
/** What a tool gave: what is no object stands in one, as ADK has it. */
const given = z
  .custom<unknown>((value) => value !== undefined, 'is required')
  .transform((value): Record<string, unknown> => (isObject(value) ? value : { result: value }))
// Either alphabet, padded or not; what is neither is no base64.
const base64 = z.string().regex(/^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)={0,2}$/, 'must be base64')
const whatever = z.string().max(limits.noteChars, `may hold at most ${limits.noteChars} characters`)
const id = z.string().min(1, 'must not be empty').max(1_000, 'may hold at most 1000 characters')
const author = name.nullable().default(null)

const tokensInput = z.strictObject({
  input: count.nullable().default(null),
  output: count.nullable().default(null).describe('With thoughts.'),
  thoughts: count.nullable().default(null),
  cached: count.nullable().default(null),
  total: count.nullable().default(null),
}) satisfies z.ZodType<ConversationTokens>

const fileInput = z
  .strictObject({
    mime_type: z.string().min(1).max(limits.nameChars),
    data: base64.nullable().default(null).describe('Base64.'),
    uri: z.string().max(8_192).nullable().default(null),
  })
  .refine(({ data, uri }) => data !== null || uri !== null, 'needs data or uri') satisfies z.ZodType<ConversationFile>

/** What each kind of event says, as it is sent. */
export const conversationPayloads = {
  run_start: z.strictObject({
    parent_run_id: name.nullable().default(null),
    target: name.nullable().default(null),
    session_id: id.nullable().default(null),
  }),
  run_end: z.strictObject({
    status: z.enum(conversationRunStatuses),
    code: name.nullable().default(null),
    message: whatever.nullable().default(null),
  }),
  user_message: z.strictObject({
    id: id.nullable().default(null),
    text: z.string(),
    files: z.array(fileInput).max(100, 'may hold at most 100 files').default([]),
    author,
  }),
  assistant_message: z.strictObject({
    id: id.nullable().default(null),
    text: z.string(),
    author,
    usage: tokensInput.nullable().default(null),
    model: name.nullable().default(null),
  }),
  tool_call: z.strictObject({
    id,
    name,
    args: opaque.default({}),
    author,
    thought_signature: base64.nullable().default(null),
  }),
  tool_result: z.strictObject({
    id,
    name: name.nullable().default(null),
    result: given,
    author,
  }),
  thinking: z.strictObject({
    text: z.string().nullable().default(null),
    thought_signature: base64.nullable().default(null),
    author,
    usage: tokensInput.nullable().default(null),
    model: name.nullable().default(null),
  }),
  adk_event: opaque,
  agui_event: opaque,
} satisfies { [K in keyof ConversationPayloads]: z.ZodType<ConversationPayloads[K]> }

const place = {
  at: z.iso
    .datetime({ offset: true, error: 'must be an RFC 3339 time such as 2025-01-27T12:00:00Z' })
    .transform((text) => new Date(parseTime(text)).toISOString())
    .optional()
    .describe('When it happened; when it came, unless said.'),
  run_id: name.nullable().default(null).describe('The request to the agent that it belongs to.'),
  invocation_id: name.nullable().default(null).describe('Of ADK: the turn that it belongs to.'),
  event_id: name.nullable().default(null).describe('Sent again with the same id, it is the same event.'),
}

/** An event as it is sent: its place is given when it is stored. */
export const conversationEventInput = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ ...place, kind: z.literal('run_start'), payload: conversationPayloads.run_start.prefault({}) }),
    z.strictObject({ ...place, kind: z.literal('run_end'), payload: conversationPayloads.run_end }),
    z.strictObject({ ...place, kind: z.literal('user_message'), payload: conversationPayloads.user_message }),
    z.strictObject({ ...place, kind: z.literal('assistant_message'), payload: conversationPayloads.assistant_message }),
    z.strictObject({ ...place, kind: z.literal('tool_call'), payload: conversationPayloads.tool_call }),
    z.strictObject({ ...place, kind: z.literal('tool_result'), payload: conversationPayloads.tool_result }),
    z.strictObject({ ...place, kind: z.literal('thinking'), payload: conversationPayloads.thinking }),
    z.strictObject({ ...place, kind: z.literal('adk_event'), payload: conversationPayloads.adk_event }),
    z.strictObject({ ...place, kind: z.literal('agui_event'), payload: conversationPayloads.agui_event }),
  ],
  { error: `must be one of ${conversationEventKinds.join(', ')}` },
)
export type ParsedConversationEvent = z.output<typeof conversationEventInput>

/** Body of `POST /api/v1/conversations/:thread/events`. */
export const conversationEventsInput = z.strictObject({
  events: z
    .array(conversationEventInput)
    .min(1, 'must hold at least one event')
    .max(limits.requestConversationEvents, `may hold at most ${limits.requestConversationEvents} events`)
    .describe(
      'Each a `kind` with its `payload`: `user_message` (`text`, `files`), `assistant_message` (`text`), `tool_call` (`id`, `name`, `args`), `tool_result` (`id`, `result`), `thinking` (`text`), `run_start`, `run_end` (`status`), `adk_event` and `agui_event` (as they came); with `at`, `run_id`, `invocation_id` and `event_id` if you like.',
    ),
  app_name: name.default('agent').describe('Of the agent. Only the first events of a conversation say so.'),
  user_id: name.default('user').describe('Whose conversation it is. Only the first events of a conversation say so.'),
  replay_of: name
    .optional()
    .describe("The conversation whose user's turns it says again. Only the first events of a conversation say so."),
})

/** Query of `GET /api/v1/conversations`. */
export const conversationsQuery = z.strictObject({
  target: name.optional(),
  user_id: name.optional(),
  app_name: name.optional(),
  state: z.enum(conversationStates).optional(),
  q: z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(limits.searchChars, `may hold at most ${limits.searchChars} characters`)
    .optional()
    .describe('Stands in the title, whatever the case.'),
  limit: wholeText(1, limits.pageRows)
    .default(50)
    .describe('50 unless said. A page may be shorter and have a next one.'),
  cursor: z.string().max(400).optional().describe('`next_cursor` of the page before.'),
})

/** Query of `GET …/events`. */
export const conversationEventsQuery = z.strictObject({
  after: wholeText(0, limits.conversationEvents).default(0).describe('Place after which events are told.'),
  limit: wholeText(1, limits.requestConversationEvents)
    .default(200)
    .describe('200 unless said; large ones make shorter pages.'),
})

/** Query of `GET …/turns`. */
export const conversationTurnsQuery = z
  .strictObject({
    before: wholeText(0, limits.conversationEvents).optional().describe('Turns before this one; the newest of them.'),
    after: wholeText(0, limits.conversationEvents).optional().describe('Turns after this one; the oldest of them.'),
    limit: wholeText(1, limits.pageRows).default(50).describe('50 unless said.'),
  })
  .refine(({ before, after }) => before === undefined || after === undefined, {
    path: ['after'],
    message: 'goes without before',
  })

const turnIndexes = z
  .array(whole.max(limits.conversationEvents))
  .min(1, 'must name at least one turn')
  .max(limits.requestRows, `may name at most ${limits.requestRows} turns`)

/** Body of `POST …/rows`. */
export const conversationRowsInput = z.strictObject({
  dataset: name.describe('Slug or id of a dataset that is there.'),
  turns: turnIndexes.optional().describe('Which ones, from 0; all unless said.'),
})

/** Body of `POST …/replay`. */
export const replayInput = z.strictObject({
  target: name.optional().describe("Name of a target of the bridge; the recording's own unless said."),
  turns: turnIndexes.optional().describe('Which ones, from 0; all unless said.'),
  thread_id: name.optional().describe('Of the thread in which it happens; made unless said.'),
})

/** Query of `GET …/comparison`. */
export const comparisonQuery = z.strictObject({
  with: name.optional().describe('The other thread: the recording of a replay unless said.'),
})

const thoughts = z
  .enum(['kept', 'apart'])
  .default('kept')
  .describe(
    'Of eval files: where thoughts of a final response go. `apart`: into an event before it, as measures take them for words.',
  )
const usage = 'Of eval sets: tokens, models and groundings too, which ADK knows since version 2.'

/** Query of `GET /export/:thread_id`. */
export const exportConversationQuery = z
  .strictObject({
    format: z.enum(conversationFormats).default('evalset'),
    turns: z
      .string()
      .regex(/^\d{1,6}(,\d{1,6})*$/, 'must be whole numbers with commas between')
      .transform((text) => text.split(',').map(Number))
      .optional()
      .describe('Of eval files: only these turns, from 0, with commas between.'),
    thoughts,
    usage: flag.default(false).describe(usage),
    report: flag.default(false).describe('Instead of the file: what of the conversation is not in it.'),
  })
  .refine(({ format, turns }) => turns === undefined || (format !== 'trace' && format !== 'jsonl'), {
    path: ['turns'],
    message: 'goes with evalset, evalcase and legacy only',
  })

/** Body of `POST /export`. */
export const exportConversationsInput = z.strictObject({
  thread_ids: z
    .array(name)
    .min(1, 'must name at least one conversation')
    .max(limits.exportConversations, `may name at most ${limits.exportConversations} conversations`)
    .refine((ids) => new Set(ids).size === ids.length, 'must name each conversation once'),
  eval_set_id: z
    .string()
    .regex(/^[A-Za-z0-9_]{1,100}$/, 'must be 1 to 100 letters, digits and _')
    .optional()
    .describe('Made of the threads unless said.'),
  name: name.optional(),
  format: z.enum(['evalset', 'legacy']).default('evalset'),
  thoughts,
  usage: z.boolean().default(false).describe(usage),
  report: z.boolean().default(false).describe('Instead of the file: what of the conversations is not in it.'),
})
