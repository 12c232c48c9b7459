import type { Conversation, ConversationEvent, ConversationTurn, TraceInput } from '@llm-eval/protocol'
import { summarise } from './summary.ts'
import { toTurns } from './turns.ts'

/**
 * A thread as a trace for `POST /webhook/trace`: what its users said and what was answered in the end of each turn, the calls of
 * tools, tokens, and the time that its turns took. Null where that is not known of each turn.
 */
export function toTrace(
  { thread_id, app_name, user_id }: Pick<Conversation, 'thread_id' | 'app_name' | 'user_id'>,
  events: readonly ConversationEvent[],
): TraceInput {
  const turns = toTurns(events)
  const { agents, models, tokens, started_at } = summarise(events)
  const took = turns.map(({ duration_ms }) => duration_ms)
  return {
    trace_id: thread_id,
    ...(started_at !== '' && { timestamp: started_at }),
    model_name: models[0] ?? 'unknown',
    user_query: turns.flatMap(({ user }) => user?.text ?? []).join('\n\n'),
    ai_response: turns
      .map(answerOf)
      .filter((answer) => answer !== '')
      .join('\n\n'),
    functions_called: turns.flatMap(callsOf),
    metadata: {
      app_name,
      agents,
      models,
      turns: turns.map((turn) => ({ user: turn.user?.text ?? null, response: answerOf(turn) })),
    },
    tokens_used: tokens.total,
    response_time_ms: took.some((ms) => ms === null) ? null : took.reduce<number>((sum, ms) => sum + (ms ?? 0), 0),
    session_id: thread_id,
    user_id,
    source: 'conversation',
  }
}

/** The final text of a turn, or what there is of one that broke off. */
function answerOf({ steps }: ConversationTurn): string {
  const texts = steps.filter((step) => step.kind === 'text')
  const final = texts.filter((step) => step.final)
  return (final.length > 0 ? final : texts.slice(-1)).map(({ text }) => text).join('\n')
}

function callsOf({ steps }: ConversationTurn): NonNullable<TraceInput['functions_called']> {
  return steps.flatMap((step) =>
    step.kind === 'tool'
      ? [{ name: step.name, parameters: step.args, ...(step.result && { result: step.result }) }]
      : [],
  )
}
