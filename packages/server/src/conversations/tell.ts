/** What others tell of conversations: `POST /api/v1/conversations/:thread/events`. */
import { conversationRoutes, Failure, limits } from '@llm-eval/protocol'
import {
  conversationEventsInput,
  conversationReceipt,
  type ParsedConversationEvent,
} from '@llm-eval/protocol/conversation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { faultsOf } from '../faults/faults.ts'
import type { App, Deps } from '../http/app.ts'
import { acceptRawJson } from '../http/bodies.ts'
import { parseJson } from '../http/json.ts'
import { mount } from '../http/mount.ts'
import { appendEvents } from '../recording/append.ts'
import { keepsAll } from '../recording/redact.ts'

/** Serves the route that takes what others tell. */
export function registerTelling(app: App, deps: Deps): void {
  app.register((scope, _options, done) => {
    acceptRawJson(scope, { maxBytes: limits.requestConversationBytes })
    mount(scope, conversationRoutes.sendConversationEvents, {
      schema: { params: z.object({ thread: name }), response: { 200: conversationReceipt } },
      describedBody: conversationEventsInput,
      handler: (request, reply) => takeEvents(deps, { request, reply, threadId: request.params.thread }),
    })
    done()
  })
}

async function takeEvents(
  deps: Deps,
  { request, reply, threadId }: { request: FastifyRequest; reply: FastifyReply; threadId: string },
) {
  const told = await readCharged(deps, request, reply)
  const { store, now } = deps
  const { projectId } = request.principal
  const { events, app_name: appName, user_id: userId } = told
  const came = new Date(now()).toISOString()
  const thread = { projectId, threadId, target: null, appName, userId, replayOf: null }
  const timed = events.map((event: ParsedConversationEvent) => ({ ...event, at: event.at ?? came }))
  const { first, last, duplicates } = await appendEvents({ store, now, redactor: keepsAll }, thread, timed)
  return {
    thread_id: threadId,
    stored: events.length - duplicates,
    duplicates,
    first_seq: first,
    last_seq: last,
    warnings: [],
  }
}

/** Costs as much as it holds; what cannot be read costs one. */
async function readCharged({ access }: Deps, request: FastifyRequest, reply: FastifyReply) {
  const charge = (cost: number) => access.charge(request, reply, { kind: 'ingest', cost })
  let parsed
  try {
    parsed = conversationEventsInput.safeParse(
      parseJson(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)),
    )
  } catch (error) {
    await charge(1)
    throw error
  }
  await charge(parsed.success ? parsed.data.events.length : 1)
  if (!parsed.success) throw new Failure('invalid_request', { errors: faultsOf(parsed.error.issues) })
  return parsed.data
}
