/** A replay beside its recording: `GET /api/v1/conversations/:thread/comparison`. */
import { compareInvocations } from '@llm-eval/engine'
import { type ConversationComparison, conversationRoutes, type ConversationTurn, Failure } from '@llm-eval/protocol'
import { conversationComparison } from '@llm-eval/protocol/conversation-answers'
import { comparisonQuery } from '@llm-eval/protocol/conversation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { Store } from '@llm-eval/store'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import type { Recordings } from './recordings.ts'
import { doneOf } from './turns.ts'
import { findConversation } from './wire.ts'

/** Serves comparisons. */
export function registerComparison(app: App, { store }: Deps, recordings: Recordings): void {
  mount(app, conversationRoutes.compareConversation, {
    schema: {
      params: z.object({ thread: name }),
      querystring: comparisonQuery,
      response: { 200: conversationComparison },
    },
    handler: async ({ principal: { projectId }, params, query }) => {
      const { recording, replay } = await sidesOf(store, projectId, { thread: params.thread, other: query.with })
      return compareTurns(
        { thread: recording.threadId, turns: await recordings.turns(projectId, recording) },
        { thread: replay.threadId, turns: await recordings.turns(projectId, replay) },
      )
    },
  })
}

/** Which one is the replay: the one that says so, else the one that is asked about. */
async function sidesOf(
  store: Store,
  projectId: number,
  { thread, other }: { thread: string; other: string | undefined },
) {
  const asked = await findConversation(store, projectId, thread)
  const wanted = other ?? asked.replayOf
  if (wanted === null) {
    const message = 'names what it is held against: this conversation replays none'
    throw new Failure('invalid_query', { errors: [{ path: 'with', message }] })
  }
  const found = await findConversation(store, projectId, wanted)
  const isRecording = found.replayOf === asked.threadId && asked.replayOf !== found.threadId
  return isRecording ? { recording: asked, replay: found } : { recording: found, replay: asked }
}

interface Side {
  thread: string
  turns: readonly ConversationTurn[]
}

/** Turn by turn: each of the recording's with the one of the replay in which the same was said. */
function compareTurns(recording: Side, replay: Side): ConversationComparison {
  const warnings = recording.turns.flatMap(({ index, user }) =>
    user === null ? [`turn ${index + 1} only brings results of tools: it cannot be said again`] : [],
  )
  const said = recording.turns.filter((turn) => turn.user !== null)
  const pairs = pair(
    said,
    replay.turns.filter((turn) => turn.user !== null),
  )
  const expected = said.map(doneOf)
  // A turn that failed has no answer that could be held against anything.
  const actual = pairs.map((turn) => (turn === null || isSilent(turn) ? null : doneOf(turn)))
  for (const turn of said) if (goesOn(turn)) warnings.push(`turn ${turn.index + 1} of the recording is running`)
  for (const turn of pairs)
    if (turn !== null && turn.state !== 'finished')
      warnings.push(`turn ${turn.index + 1} of the replay is ${turn.state}`)
  // Nor is one that goes on: what is not said yet is unknown, not wrong.
  const ended = actual.map((done, at) => (goesOn(said[at]) || goesOn(pairs[at]) ? null : done))
  const { scores, turns } = compareInvocations(expected, ended)
  const none = { tool_trajectory_avg_score: null, response_match_score: null, tool_parameter_match: null }
  return {
    recording: recording.thread,
    replay: replay.thread,
    scores,
    turns: said.map(({ index, user }, at) => ({
      index,
      user: user?.text ?? '',
      expected: expected[at] ?? { calls: [], response: '' },
      actual: actual[at] ?? null,
      ...(turns[at] ?? none),
    })),
    warnings,
  }
}

function isSilent({ steps, state }: ConversationTurn): boolean {
  return steps.length === 0 && state !== 'finished'
}

function goesOn(turn: ConversationTurn | null | undefined): boolean {
  return turn?.state === 'running'
}

/** In their order, each once; null where the replay has no such turn. */
function pair(said: readonly ConversationTurn[], again: readonly ConversationTurn[]): (ConversationTurn | null)[] {
  let from = 0
  return said.map(({ user }) => {
    const at = again.findIndex((turn, index) => index >= from && turn.user?.text === user?.text)
    if (at < 0) return null
    from = at + 1
    return again[at] ?? null
  })
}
