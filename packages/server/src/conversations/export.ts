/** Conversations as files: `/export`. */
import { caseName, exportConversation, exportConversations } from '@llm-eval/formats/conversation'
import { type ConversationEvent, conversationRoutes, Failure, limits } from '@llm-eval/protocol'
import { conversationEvent, exportReport } from '@llm-eval/protocol/conversation-answers'
import { exportConversationQuery, exportConversationsInput } from '@llm-eval/protocol/conversation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { Store, StoredConversation } from '@llm-eval/store'
import type { FastifyReply } from 'fastify'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { described, mount } from '../http/mount.ts'
import { pagedBody } from '../http/paged-body.ts'
import type { Recordings } from './recordings.ts'
import { chosenTurns } from './turns.ts'
import { eventText, findConversation, stateOf } from './wire.ts'

const evalFile = z.looseObject({}).describe('An eval set, or a case of one, as `adk eval` has it; or a trace.')
const oneFile = z.union([evalFile, exportReport])
const fileWords = 'The file, or with `report` what is not in it.'
const files = described(fileWords, { 'application/json': oneFile })
const allFiles = described(fileWords, {
  'application/json': oneFile,
  'application/x-ndjson': conversationEvent,
})

/** Serves the exports. */
export function registerExports(app: App, deps: Deps, recordings: Recordings): void {
  const { store, now } = deps
  mount(app, conversationRoutes.exportConversation, {
    schema: {
      params: z.object({ thread_id: name }),
      querystring: exportConversationQuery,
      response: { 200: allFiles },
    },
    handler: async ({ principal: { projectId }, params, query, method }, reply) => {
      const found = await findConversation(store, projectId, params.thread_id)
      const state = stateOf(found, now())
      reply.header('x-conversation-state', state).header('cache-control', 'no-store')
      const { format, report, turns, ...rest } = query
      const fileName = `${caseName(found.threadId)}.jsonl`
      if (format === 'jsonl' && !report) {
        reply.type('application/x-ndjson; charset=utf-8').header('content-disposition', attachment(fileName))
        return reply.send(method === 'HEAD' ? undefined : await pagedBody(pagesOf(store, projectId, found.ref)))
      }
      // A turn that is not there is told, before a file lacks it.
      if (turns) chosenTurns(await recordings.turns(projectId, found), turns)
      const events = await recordings.events(projectId, found)
      const file = exportConversation(headOf(found), events, { format, ...holding(rest), ...(turns ? { turns } : {}) })
      if (report) return { file_name: file.fileName, state, warnings: file.warnings }
      return sendFile(reply, file)
    },
  })
  mount(app, conversationRoutes.exportConversations, {
    schema: { body: exportConversationsInput, response: { 200: files } },
    handler: async ({ principal: { projectId }, body }, reply) => {
      const { thread_ids: ids, format, name: setName, eval_set_id: evalSetId, report, ...rest } = body
      const conversations = await readAll({ store, recordings, projectId }, ids)
      const named = {
        ...(evalSetId === undefined ? {} : { evalSetId }),
        ...(setName === undefined ? {} : { name: setName }),
      }
      const file = exportConversations(conversations, { format, ...holding(rest), ...named })
      const states = conversations.map(({ stored }) => stateOf(stored, now()))
      const state = states.find((one) => one === 'truncated') ?? states.find((one) => one === 'running') ?? 'finished'
      if (report) return { file_name: file.fileName, state, warnings: file.warnings }
      reply.header('x-conversation-state', state).header('cache-control', 'no-store')
      return sendFile(reply, file)
    },
  })
}

/** What eval files hold, in the words of those who make them. */
function holding({ thoughts, usage }: { thoughts: 'kept' | 'apart'; usage: boolean }) {
  return { thoughts, usage: usage ? ('included' as const) : ('left out' as const) }
}

/** Characters of warnings in a header; whoever wants all asks for the report. */
const headerChars = 2_000

function sendFile(reply: FastifyReply, { fileName, text, mediaType, warnings }: ReturnType<typeof exportConversation>) {
  const told = encodeURIComponent(JSON.stringify(warnings))
  return reply
    .type(`${mediaType}; charset=utf-8`)
    .header('content-disposition', attachment(fileName))
    .header('x-export-warnings', warnings.length)
    .headers(warnings.length > 0 && told.length <= headerChars ? { 'x-export-warning-list': told } : {})
    .send(text)
}

function attachment(fileName: string): string {
  return `attachment; filename="${fileName}"`
}

function headOf({ threadId: thread_id, appName: app_name, userId: user_id }: StoredConversation) {
  return { thread_id, app_name, user_id }
}

interface Reading {
  store: Store
  recordings: Recordings
  projectId: number
}

async function readAll({ store, recordings, projectId }: Reading, ids: readonly string[]) {
  const found = await Promise.all(ids.map((id) => store.read(projectId, 'conversation', { threadId: id })))
  const errors = found.flatMap((one, at) =>
    one === null || one === 'deleted'
      ? [{ path: `thread_ids[${at}]`, message: one === null ? 'is no conversation' : 'was deleted' }]
      : [],
  )
  if (errors.length > 0) throw new Failure('conversation_not_found', { errors })
  const read: { head: ReturnType<typeof headOf>; stored: StoredConversation; events: readonly ConversationEvent[] }[] =
    []
  let [count, bytes] = [0, 0]
  for (const stored of found) {
    if (stored === null || stored === 'deleted') continue
    count += stored.events
    bytes += stored.bytes
    if (bytes > limits.conversationReadBytes)
      throw new Failure('conversation_too_large', { values: { max: limits.conversationReadBytes } })
    if (count > limits.exportEvents)
      throw new Failure('limit_reached', { values: { max: limits.exportEvents, what: 'events in one export' } })
    read.push({ head: headOf(stored), stored, events: await recordings.events(projectId, stored) })
  }
  return read
}

const pageRows = 1_000
const pageBytes = 4 * 1024 * 1024

/** What was recorded, an event a line, page by page. */
async function* pagesOf(store: Store, projectId: number, ref: number): AsyncGenerator<Buffer> {
  for (let after = 0; ; ) {
    const page = { ref, after, limit: pageRows, bytes: pageBytes }
    const { events, more } = await store.read(projectId, 'conversationEvents', page)
    after = events.at(-1)?.seq ?? after
    yield Buffer.from(events.map((event) => `${eventText(event)}\n`).join(''))
    if (!more) return
  }
}
