/** Conversations with agents: told, listed, shown, exported, replayed. `/api/v1/conversations`, `/export`. */
import { conversationRoutes, Failure } from '@llm-eval/protocol'
import { deletion } from '@llm-eval/protocol/answers'
import { conversationDetail, conversationEventPage, conversationPage } from '@llm-eval/protocol/conversation-answers'
import { conversationEventsQuery, conversationsQuery } from '@llm-eval/protocol/conversation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import type { Bridge } from '../bridge/bridge.ts'
import type { App, Deps, Register } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { Forgetting } from '../recording/forgetting.ts'
import { registerComparison } from './comparison.ts'
import { registerExports } from './export.ts'
import { Recordings } from './recordings.ts'
import { registerReplays } from './replay.ts'
import { registerConversationRows } from './rows.ts'
import { registerTelling } from './tell.ts'
import { registerTurns } from './turns.ts'
import { eventText, findConversation, silentBefore, toConversation, toDetail } from './wire.ts'

const byThread = z.object({ thread: name })
/** Events that one commit of a deletion removes. */
const deletionStep = 1_000
/** Bytes of the payloads of one page. */
const pageBytes = 8 * 1024 * 1024
/** Milliseconds within which words go from memory that were deleted on another server, by erasure or by retention. */
const lookMs = 2_000
/** What is told of thoughts. */
const mostThinking = 10_000

/** Serves the routes of conversations. Replays go over the bridge. */
export function registerConversations(bridgeOf: (deps: Deps) => Bridge): Register {
  return (app, deps) => {
    const recordings = new Recordings(deps)
    const bridge = bridgeOf(deps)
    const onError = (error: unknown) =>
      deps.log.error({ err: error }, 'what is kept of conversations was not looked at')
    const keepers = [recordings, bridge.threads]
    const forgetting = new Forgetting({ store: deps.store, keepers, everyMs: lookMs, onError })
    app.addHook('onClose', () => forgetting.stop())
    registerReading(app, deps, forgetting)
    registerTelling(app, deps)
    registerEvents(app, deps)
    registerTurns(app, deps, recordings)
    registerExports(app, deps, recordings)
    registerConversationRows(app, deps, recordings)
    registerReplays(app, deps, { bridge, recordings })
    registerComparison(app, deps, recordings)
  }
}

function registerReading(app: App, { store, now }: Deps, forgetting: Forgetting): void {
  mount(app, conversationRoutes.listConversations, {
    schema: { querystring: conversationsQuery, response: { 200: conversationPage } },
    handler: async ({ principal, query }) => {
      const { limit, cursor = null, user_id: userId, app_name: appName, ...rest } = query
      const at = now()
      const filter = { ...rest, userId, appName }
      const asked = { filter, limit, cursor, silentBefore: silentBefore(at) }
      const page = await store.read(principal.projectId, 'conversations', asked)
      if ('invalidCursor' in page)
        throw new Failure('invalid_query', { errors: [{ path: 'cursor', message: 'is none of this list' }] })
      return { items: page.items.map((item) => toConversation(item, at)), next_cursor: page.nextCursor }
    },
  })
  mount(app, conversationRoutes.getConversation, {
    schema: { params: byThread, response: { 200: conversationDetail } },
    handler: async ({ principal: { projectId }, params }) => {
      const found = await findConversation(store, projectId, params.thread)
      const thinking = await store.read(projectId, 'conversationThinking', { ref: found.ref, limit: mostThinking })
      return toDetail(found, thinking, now())
    },
  })
  mount(app, conversationRoutes.deleteConversation, {
    schema: { params: byThread, response: { 200: deletion } },
    handler: async ({ principal: { projectId }, params: { thread: threadId } }) => {
      const step = () =>
        store.apply(projectId, { kind: 'deleteConversation', threadId, at: now(), limit: deletionStep })
      let { found, more } = await step()
      if (!found) await findConversation(store, projectId, threadId)
      forgetting.forget({ projectId, threadId })
      while (more) ({ more } = await step())
      return { deleted: 1 }
    },
  })
}

function registerEvents(app: App, { store }: Deps): void {
  mount(app, conversationRoutes.listConversationEvents, {
    schema: { params: byThread, querystring: conversationEventsQuery, response: { 200: conversationEventPage } },
    handler: async ({ principal: { projectId }, params, query }, reply) => {
      const { ref } = await findConversation(store, projectId, params.thread)
      const { events, more } = await store.read(projectId, 'conversationEvents', { ref, ...query, bytes: pageBytes })
      const next = more ? (events.at(-1)?.seq ?? null) : null
      const text = `{"items":[${events.map(eventText).join(',')}],"next_after":${JSON.stringify(next)}}`
      return reply.type('application/json; charset=utf-8').send(text)
    },
  })
}
