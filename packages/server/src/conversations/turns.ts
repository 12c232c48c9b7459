/** Conversations as people read them, turn by turn: `GET /api/v1/conversations/:thread/turns`. */
import { conversationRoutes, type ConversationTurn, Failure } from '@llm-eval/protocol'
import { conversationTurnPage } from '@llm-eval/protocol/conversation-answers'
import { conversationTurnsQuery } from '@llm-eval/protocol/conversation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import type { Recordings } from './recordings.ts'
import { findConversation } from './wire.ts'

/** Serves the turns. */
export function registerTurns(app: App, { store }: Deps, recordings: Recordings): void {
  mount(app, conversationRoutes.listConversationTurns, {
    schema: {
      params: z.object({ thread: name }),
      querystring: conversationTurnsQuery,
      response: { 200: conversationTurnPage },
    },
    handler: async ({ principal: { projectId }, params, query }) => {
      const found = await findConversation(store, projectId, params.thread)
      const turns = await recordings.turns(projectId, found)
      return { items: pageOf(turns, query), total: turns.length }
    },
  })
}

interface Page {
  before?: number | undefined
  after?: number | undefined
  limit: number
}

function pageOf(turns: readonly ConversationTurn[], { before, after, limit }: Page): ConversationTurn[] {
  if (after !== undefined) return turns.slice(after + 1, after + 1 + limit)
  const end = Math.min(before ?? turns.length, turns.length)
  return turns.slice(Math.max(0, end - limit), end)
}

/**
 * Turns by their places, in the order of the conversation; all where none are named.
 *
 * @throws Failure `turn_not_found`
 */
export function chosenTurns(
  turns: readonly ConversationTurn[],
  wanted: readonly number[] | undefined,
): readonly ConversationTurn[] {
  if (wanted === undefined) return turns
  const missing = wanted.find((index) => index >= turns.length)
  if (missing !== undefined) throw new Failure('turn_not_found', { values: { turn: missing } })
  return turns.filter(({ index }) => wanted.includes(index))
}

/** What an agent did in a turn, as ADK's measures look at it: its calls, and its last words. */
export function doneOf({ steps }: ConversationTurn): {
  calls: { name: string; args: Record<string, unknown> }[]
  response: string
} {
  const calls = steps.flatMap((step) => (step.kind === 'tool' ? [{ name: step.name, args: step.args }] : []))
  const final = steps.flatMap((step) => (step.kind === 'text' && step.final ? [step.text] : []))
  return { calls, response: final.join('\n') }
}
