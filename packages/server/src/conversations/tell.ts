/** What others tell of conversations: `POST /api/v1/conversations/:thread/events`. */
import { readAdkEvent, readJson } from '@llm-eval/formats/adk'
import { type ConversationEventInput, conversationRoutes, Failure, type Fault, limits } from '@llm-eval/protocol'
import { conversationReceipt } from '@llm-eval/protocol/conversation-answers'
import { conversationEventsInput, type ParsedConversationEvent } from '@llm-eval/protocol/conversation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { faultsOf } from '../faults/faults.ts'
import type { App, Deps } from '../http/app.ts'
import { acceptRawJson } from '../http/bodies.ts'
import { parseJson } from '../http/json.ts'
import { mount } from '../http/mount.ts'
import { appendEvents, createRecording, type Recording } from '../recording/append.ts'

/** Of one request. */
const mostWarnings = 100

interface Telling {
  deps: Deps
  recording: Recording
}

/** Serves the route that takes what others tell. */
export function registerTelling(app: App, deps: Deps): void {
  const telling = { deps, recording: createRecording(deps) }
  app.register((scope, _options, done) => {
    acceptRawJson(scope, { maxBytes: limits.requestConversationBytes })
    mount(scope, conversationRoutes.sendConversationEvents, {
      schema: { params: z.object({ thread: name }), response: { 200: conversationReceipt } },
      describedBody: conversationEventsInput,
      handler: (request, reply) => takeEvents(telling, { request, reply, threadId: request.params.thread }),
    })
    done()
  })
}

async function takeEvents(
  { deps, recording }: Telling,
  { request, reply, threadId }: { request: FastifyRequest; reply: FastifyReply; threadId: string },
) {
  const { told, lost } = await readCharged(deps, request, reply)
  const { events: given, app_name: appName, user_id: userId, replay_of: replayOf = null } = told
  const { events, warnings } = settle(given, deps.now())
  const { projectId } = request.principal
  const thread = { projectId, threadId, target: null, appName, userId, replayOf }
  const { first, last, duplicates } = await appendEvents(recording, thread, events)
  return {
    thread_id: threadId,
    stored: events.length - duplicates,
    duplicates,
    first_seq: first,
    last_seq: last,
    warnings: [...lost, ...warnings].slice(0, mostWarnings),
  }
}

/** Costs as much as it holds; what cannot be read costs one. */
async function readCharged({ access }: Deps, request: FastifyRequest, reply: FastifyReply) {
  const charge = (cost: number) => access.charge(request, reply, { kind: 'ingest', cost })
  let read
  try {
    read = readExactly(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))
  } catch (error) {
    await charge(1)
    throw error
  }
  const parsed = conversationEventsInput.safeParse(read.value)
  await charge(parsed.success ? parsed.data.events.length : 1)
  if (!parsed.success) throw new Failure('invalid_request', { errors: faultsOf(parsed.error.issues) })
  return { told: parsed.data, lost: read.lost }
}

/** Numbers with more digits than ours hold are kept as text. Only where there may be one is it read twice. */
function readExactly(body: Buffer): { value: unknown; lost: string[] } {
  const value = parseJson(body)
  const text = body.toString()
  if (!/[0-9]{16}/.test(text)) return { value, lost: [] }
  const exact = readJson(text)
  return 'fault' in exact ? { value, lost: [] } : exact
}

/** Events as they are recorded: with times, and those of ADK in their normal form. */
function settle(given: readonly ParsedConversationEvent[], now: number) {
  const warnings: string[] = []
  const faults: Fault[] = []
  const came = new Date(now).toISOString()
  const events = given.map((event, at): ConversationEventInput => {
    const path = `events[${at}].payload`
    if (event.kind === 'agui_event' && (typeof event.payload.type !== 'string' || event.payload.type === ''))
      faults.push({ path: `${path}.type`, message: 'must say which event of AG-UI it is' })
    // In which session an agent's server knows a thread is for the bridge to say, not for whoever may tell of it.
    if (event.kind === 'run_start')
      return { ...event, at: event.at ?? came, payload: { ...event.payload, session_id: null } }
    if (event.kind !== 'adk_event') return { ...event, at: event.at ?? came }
    const read = readAdkEvent(event.payload)
    if ('fault' in read) {
      faults.push({ path, message: read.fault })
      return { ...event, at: event.at ?? came }
    }
    warnings.push(...read.lost.map((lost) => `${path}: ${lost}`))
    const { invocationId, timestamp } = read.event
    return {
      ...event,
      payload: read.event,
      at: event.at ?? timeOf(timestamp) ?? came,
      invocation_id: event.invocation_id ?? (name.safeParse(invocationId).success ? invocationId : null),
    }
  })
  if (faults.length > 0) throw new Failure('invalid_request', { errors: faults.slice(0, mostWarnings) })
  return { events, warnings }
}

/** Of seconds since 1970; undefined where that is no time. */
function timeOf(seconds: number): string | undefined {
  return seconds > 0 && seconds < 1e11 ? new Date(seconds * 1_000).toISOString() : undefined
}
