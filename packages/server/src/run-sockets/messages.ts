/** What clients say on WebSockets of runs, and how the description shows what they are told. */
import { limits, runFrameTypes, type RunSocketMessage } from '@llm-eval/protocol'
import { name } from '@llm-eval/protocol/schemas'
import * as z from 'zod'

const cursor = z.string().max(100).describe('The `seq` of the last frame that was seen.')

/** The query of the sockets. */
export const socketQuery = z.strictObject({
  ticket: z.string().max(100).exactOptional().describe('A ticket instead of a key.'),
  after_seq: cursor.exactOptional(),
})
/** Of `/ws`, which follows nothing by itself. */
export const bareSocketQuery = socketQuery.omit({ after_seq: true })

const filter = z.strictObject({
  events: z.array(z.enum(runFrameTypes)).min(1).max(runFrameTypes.length).optional(),
  failed: z.literal(true).optional(),
  below: z.strictObject({ metric: name, value: z.number() }).optional(),
})

const message = z.discriminatedUnion('type', [
  z.object({ type: z.literal('auth'), token: z.string().min(1).max(1_000) }),
  z.object({ type: z.literal('subscribe'), run_id: name, after_seq: cursor.optional(), filter: filter.optional() }),
  z.object({ type: z.literal('unsubscribe'), run_id: name }),
  z.object({ type: z.literal('get_current_status'), run_id: name.optional() }),
  z.object({ type: z.literal('get_run_statistics') }),
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('pong') }),
]) satisfies z.ZodType<RunSocketMessage>

/** Why a message cannot be used. */
export interface BadMessage {
  error: string
  code: 'malformed_json' | 'invalid_message'
}

/** Reads what a client said. */
export function parseMessage(text: string): RunSocketMessage | BadMessage {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    return { error: 'Invalid JSON format', code: 'malformed_json' }
  }
  const parsed = message.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const place = issue?.path.join('.') ?? ''
  return {
    error: `Invalid message: ${place === '' ? '' : `${place}: `}${issue?.message ?? ''}`,
    code: 'invalid_message',
  }
}

/** Any frame; the reference of streams tells which has what. */
export const anyFrame = z.object({
  event_type: z.string(),
  type: z.string(),
  run_id: z.string().nullable().exactOptional(),
  timestamp: z.string(),
  seq: z.string().exactOptional().describe('A cursor to go on after.'),
  data: z.unknown().optional(),
  connection_id: z.string().exactOptional(),
  run_status: z.string().nullable().exactOptional(),
  error: z.string().exactOptional(),
  code: z.string().exactOptional(),
})

/** Messages without sense that a socket may send before it is closed. */
export const mostFaults = limits.socketFaults
