/** Says the user's turns of a conversation again: `POST /api/v1/conversations/:thread/replay`. */
import { randomUUID } from 'node:crypto'
import type { AguiEvent, RunAgentInput } from '@llm-eval/formats/agui'
import { toAdkEvents } from '@llm-eval/formats/conversation'
import { conversationRoutes, type ConversationTurn, Failure, limits } from '@llm-eval/protocol'
import { replayBegun } from '@llm-eval/protocol/conversation-answers'
import { replayInput } from '@llm-eval/protocol/conversation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { StoredConversation } from '@llm-eval/store'
import * as z from 'zod'
import type { Bridge } from '../bridge/bridge.ts'
import { Slots } from '../bridge/slots.ts'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import type { Recordings } from './recordings.ts'
import { chosenTurns } from './turns.ts'
import { findConversation } from './wire.ts'

type AguiMessage = RunAgentInput['messages'][number]
type Words = Exclude<Extract<AguiMessage, { role: 'user' }>['content'], string | null | undefined>

/** Serves replays, which go on when the request is answered. */
export function registerReplays(
  app: App,
  deps: Deps,
  { bridge, recordings }: { bridge: Bridge; recordings: Recordings },
): void {
  const { store, log, closing } = deps
  const slots = new Slots(limits.replays)
  app.addHook('onClose', () => slots.settled())
  mount(app, conversationRoutes.replayConversation, {
    schema: { params: z.object({ thread: name }), body: replayInput, response: { 202: replayBegun } },
    handler: async ({ principal: { projectId }, params, body, headers }, reply) => {
      const found = await findConversation(store, projectId, params.thread)
      const target = bridge.target(body.target ?? targetOf(found))
      const turns = chosenTurns(await recordings.turns(projectId, found), body.turns)
      const { said, warnings } = wordsOf(await recordings.events(projectId, found), turns)
      const threadId = body.thread_id ?? `replay-${randomUUID()}`
      if ((await store.read(projectId, 'conversation', { threadId })) !== null)
        throw refused('thread_id', 'is that of a conversation already')
      const end = slots.take()
      const asking = {
        projectId,
        target,
        headers: target.forwarded(headers),
        replayOf: found.threadId,
        wordsOf: found.wordsOf,
        signal: closing,
      }
      // The first turn is on disk when this is answered: the thread is there.
      const rest = await new Replay(bridge, asking).begin(threadId, said).catch((error: unknown) => {
        end()
        throw error
      })
      void rest()
        .catch((error: unknown) => log.error({ err: error, thread_id: threadId }, 'a replay failed'))
        .finally(end)
      return reply.code(202).send({
        thread_id: threadId,
        replay_of: found.threadId,
        target: target.name,
        turns: said.length,
        warnings,
      })
    },
  })
}

function targetOf({ target }: StoredConversation): string {
  if (target === null) throw refused('target', 'is required: the conversation was not recorded by the bridge')
  return target
}

function refused(path: string, message: string): Failure {
  return new Failure('invalid_request', { errors: [{ path, message }] })
}

type Events = Parameters<typeof toAdkEvents>[0]

/** What the user said in each turn, as messages of AG-UI. */
function wordsOf(events: Events, turns: readonly ConversationTurn[]) {
  const warnings: string[] = []
  const heard = Map.groupBy(toAdkEvents(events).events, ({ invocationId }) => invocationId)
  const said = turns.flatMap(({ index, invocation_id: id }): Words[] => {
    const users = (heard.get(id) ?? []).filter(({ author }) => author === 'user')
    const parts = users.flatMap(({ content }) => content?.parts ?? [])
    const own = parts.flatMap(({ text, inlineData, fileData }): Words => {
      if (text !== undefined) return [{ type: 'text', text }]
      const mimeType = inlineData?.mimeType ?? fileData?.mimeType ?? 'application/octet-stream'
      if (inlineData?.data !== undefined) return [{ type: 'binary', mimeType, data: inlineData.data }]
      return fileData?.fileUri === undefined ? [] : [{ type: 'binary', mimeType, url: fileData.fileUri }]
    })
    if (own.length > 0) return [own]
    warnings.push(`turn ${index + 1} only brings results of tools: it cannot be said again`)
    return []
  })
  if (said.length === 0) throw refused('turns', 'hold nothing that a user said')
  return { said, warnings }
}

type Asking = Omit<Parameters<Bridge['begin']>[0], 'input'>

/** Turns that are said one after the other in one thread, each when the one before is answered. */
class Replay {
  readonly #bridge: Bridge
  readonly #asking: Asking
  readonly #messages: AguiMessage[] = []
  readonly #answers = new Map<string, { content: string }>()
  #failed = false

  constructor(bridge: Bridge, asking: Asking) {
    this.#bridge = bridge
    this.#asking = asking
  }

  /** Begins with the first turn. What is given back does the rest, up to the first turn that fails. */
  async begin(threadId: string, said: readonly Words[]): Promise<() => Promise<void>> {
    const answer = await this.#ask(threadId, said[0] ?? [])
    return async () => {
      await answer()
      for (const words of said.slice(1)) {
        if (this.#failed || this.#asking.signal.aborted) return
        await (await this.#ask(threadId, words))()
      }
    }
  }

  async #ask(threadId: string, words: Words): Promise<() => Promise<void>> {
    this.#messages.push({ id: randomUUID(), role: 'user', content: words })
    const input: RunAgentInput = {
      threadId,
      runId: randomUUID(),
      messages: [...this.#messages],
      tools: [],
      context: [],
      state: {},
      forwardedProps: {},
    }
    const run = await this.#bridge.begin({ ...this.#asking, input })
    return () => run.answer((events) => this.#hear(events))
  }

  /** Agents of AG-UI remember nothing: the whole thread is sent with each request. */
  #hear(events: readonly AguiEvent[]): void {
    for (const event of events) {
      if (event.type === 'RUN_ERROR') this.#failed = true
      else if (event.type === 'TEXT_MESSAGE_START') {
        const message = { id: event.messageId, role: 'assistant' as const, content: '' }
        this.#answers.set(message.id, message)
        this.#messages.push(message)
      } else if (event.type === 'TEXT_MESSAGE_CONTENT') {
        const message = this.#answers.get(event.messageId)
        if (message) message.content += event.delta
      }
    }
  }
}
