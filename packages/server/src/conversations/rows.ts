/** Turns of conversations as rows of datasets: `POST /api/v1/conversations/:thread/rows`. */
import { caseName } from '@llm-eval/formats/conversation'
import { type Column, conversationRoutes, type ConversationTurn, Failure, limits } from '@llm-eval/protocol'
import { conversationRowsAdded } from '@llm-eval/protocol/conversation-answers'
import { conversationRowsInput } from '@llm-eval/protocol/conversation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { StoredConversation } from '@llm-eval/store'
import * as z from 'zod'
import { addMissingColumns, getDataset } from '../datasets/datasets.ts'
import { checkRows, storeRows } from '../datasets/rows.ts'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import type { Recordings } from './recordings.ts'
import { chosenTurns, doneOf } from './turns.ts'
import { findConversation } from './wire.ts'

/** Serves the route that makes rows of turns. */
export function registerConversationRows(app: App, { store, now }: Deps, recordings: Recordings): void {
  mount(app, conversationRoutes.addConversationToDataset, {
    schema: {
      params: z.object({ thread: name }),
      body: conversationRowsInput,
      response: { 200: conversationRowsAdded },
    },
    handler: async ({ principal: { projectId }, params, body }) => {
      const place = { store, projectId, now }
      const { id, slug, columns: before } = await getDataset(place, body.dataset)
      const found = await findConversation(store, projectId, params.thread)
      const turns = await recordings.turns(projectId, found)
      const chosen = chosenTurns(turns, body.turns)
      const { rows: given, warnings } = rowsOf(found, turns, chosen)
      if (given.length > limits.requestRows)
        throw new Failure('invalid_request', {
          errors: [{ path: 'turns', message: `are more than ${limits.requestRows}` }],
        })
      const used = parts.filter(({ slug: own }) => given.some((row) => row[own] !== undefined))
      const missing = used.filter((part) => !before.some((column) => column.slug === part.slug))
      const rows = checkRows(given, [...before, ...missing], 'lenient')
      await addMissingColumns(place, id, missing)
      const owned = rows.map((row) => ({ ...row, userId: found.wordsOf ?? found.userId, conversationRef: found.ref }))
      const fates = await storeRows(place, id, { rows: owned, mode: 'append', at: now() })
      return { dataset: slug, added: fates.length, warnings }
    },
  })
}

/** What a turn gives to a row; columns that are missing are made. */
const parts: Column[] = [
  { slug: 'input', name: 'Input', type: 'string', description: 'What the user said.' },
  { slug: 'history', name: 'History', type: 'json', description: 'What was said before: role and content.' },
  { slug: 'expected-output', name: 'Expected output', type: 'string', description: 'What the agent said in the end.' },
  { slug: 'expected-tools', name: 'Expected tools', type: 'json', description: 'Its calls: name and args.' },
  { slug: 'case-id', name: 'Case ID', type: 'string', description: 'Of the conversation and the turn.' },
]

type Row = Record<string, unknown>

/** A row for each turn in which a user said something. */
function rowsOf(
  { threadId }: StoredConversation,
  turns: readonly ConversationTurn[],
  chosen: readonly ConversationTurn[],
): { rows: Row[]; warnings: string[] } {
  const warnings: string[] = []
  const said = turns.map((turn) => ({ user: turn.user?.text ?? '', response: doneOf(turn).response }))
  const rows = chosen.flatMap((turn): Row[] => {
    const { index, state, user } = turn
    if (user === null) {
      warnings.push(`turn ${index + 1} only brings results of tools: it is no case`)
      return []
    }
    if (state !== 'finished') warnings.push(`turn ${index + 1} is ${state}: what it expects may not be all`)
    if (user.files.length > 0) warnings.push(`turn ${index} has files, which are not in its row`)
    const { calls, response } = doneOf(turn)
    const history = said.slice(0, index).flatMap(messagesOf)
    return [
      {
        input: user.text,
        ...(history.length > 0 ? { history } : {}),
        'expected-output': response,
        ...(calls.length > 0 ? { 'expected-tools': calls } : {}),
        'case-id': `${caseName(threadId)}-${index}`,
      },
    ]
  })
  return { rows, warnings }
}

function messagesOf({ user, response }: { user: string; response: string }) {
  return [
    { role: 'user', content: user },
    { role: 'assistant', content: response },
  ].filter(({ content }) => content !== '')
}
