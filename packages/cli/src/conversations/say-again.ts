import { randomUUID } from 'node:crypto'
import {
  type AgentToolCall,
  type AgentTrace,
  type ConversationEventInput,
  conversationRoutes,
  type ConversationTurn,
  isObject,
} from '@llm-eval/protocol'
import { conversationDetail, conversationTurnPage } from '@llm-eval/protocol/conversation-answers'
import { askAgent } from '../agents/ask-agent.ts'
import { hiding, secretsOf } from '../agents/secrets.ts'
import { readAgentSettings } from '../agents/suite.ts'
import { agentOf, askOptions } from '../agents/tools.ts'
import { Complaint } from '../complaint.ts'
import { ask, readAnswer } from '../http.ts'
import type { Target } from '../target.ts'
import type { Terminal } from '../terminal.ts'
import type { ReplayOptions, SaidAgain } from './said.ts'
import { tellConversation } from './tell.ts'

/** Says what a user said to an agent from here, and records it in a thread of its own. */
export async function sayAgain(
  terminal: Terminal,
  server: Target,
  { thread, options }: { thread: string; options: ReplayOptions },
): Promise<SaidAgain> {
  const { signal, err } = terminal
  const route = conversationRoutes.getConversation
  const recording = await readAnswer(await ask(server, { route, values: { thread }, signal }), conversationDetail)
  const { said, warnings } = wordsOf(await turnsOf(terminal, server, thread))
  if (said.length === 0) throw new Complaint(`Nothing of ${thread} can be said again.`)
  const { settings, secrets } = await readAgentSettings(terminal, options.agentConfig)
  const asked = agentOf(settings, null, options.agent)
  const agent = { ...asked, userId: asked.userId ?? recording.user_id }
  const questions = said.map((query) => ({ query, context: null }))
  const begun = Date.now()
  // Some agents say back what they are asked with.
  const hidden = hiding([...secrets, ...secretsOf({ url: options.agent })])
  const trace = hidden(await askAgent(agent, questions, { ...(await askOptions(terminal, settings)), signal }))
  const replay = `replay-${randomUUID()}`
  const { app_name, user_id } = recording
  await tellConversation(terminal, server, {
    thread: replay,
    head: { app_name, user_id, replay_of: thread },
    events: eventsOf(trace, begun),
  })
  err.line(`Recorded ${replay}`)
  const isWhole = warnings.length === 0 && trace.fault === null && trace.turns.length === said.length
  return { thread: replay, isWhole, warnings: [...warnings, ...faultIn(trace)] }
}

/** All turns of a conversation, page by page. */
async function turnsOf({ signal }: Terminal, server: Target, thread: string): Promise<ConversationTurn[]> {
  const turns: ConversationTurn[] = []
  for (let total = 1; turns.length < total; ) {
    const before = turns[0]?.index
    const query = { limit: '200', ...(before !== undefined && { before: String(before) }) }
    const asked = { route: conversationRoutes.listConversationTurns, values: { thread }, query, signal }
    const page = await readAnswer(await ask(server, asked), conversationTurnPage)
    turns.unshift(...page.items)
    if (page.items.length === 0) break
    total = page.total
  }
  return turns
}

function wordsOf(turns: readonly ConversationTurn[]): { said: string[]; warnings: string[] } {
  const warnings: string[] = []
  const said = turns.flatMap(({ index, user }) => {
    const why =
      user === null
        ? 'only brings results of tools'
        : user.files.length > 0
          ? 'holds a file'
          : user.text === ''
            ? 'says nothing'
            : null
    if (why === null) return [user?.text ?? '']
    warnings.push(`turn ${index + 1} ${why}: it cannot be said again`)
    return []
  })
  return { said, warnings }
}

function faultIn({ fault, turns }: AgentTrace): string[] {
  return fault === null ? [] : [`turn ${turns.length}: ${fault.code}: ${fault.message}`]
}

/** What was seen of an agent, as it is told of conversations. */
function eventsOf(trace: AgentTrace, begun: number): ConversationEventInput[] {
  let from = begun
  return trace.turns.flatMap((turn, index) => {
    const at = (ms: number | null) => new Date(from + (ms ?? turn.latency_ms)).toISOString()
    const isLast = index === trace.turns.length - 1
    const fault = isLast ? trace.fault : null
    const common = { run_id: randomUUID(), invocation_id: `e-${randomUUID()}`, event_id: null }
    const calls = trace.tool_calls.filter((call) => call.turn === index + 1)
    const events: ConversationEventInput[] = [
      { ...common, at: at(0), kind: 'run_start', payload: { parent_run_id: null, target: null } },
      {
        ...common,
        at: at(0),
        kind: 'user_message',
        payload: { id: null, text: turn.query, files: [], author: null },
      },
      ...calls.flatMap((call) => callEvents(call, common, at)),
      ...(turn.output === ''
        ? []
        : [
            {
              ...common,
              at: at(null),
              kind: 'assistant_message',
              payload: { id: null, text: turn.output, author: null, usage: null, model: trace.model },
            } as const,
          ]),
      {
        ...common,
        at: at(null),
        kind: 'run_end',
        payload: {
          status: fault === null ? 'finished' : fault.code === 'cut_off' ? 'truncated' : 'failed',
          code: fault?.code ?? null,
          message: fault?.message ?? null,
        },
      },
    ]
    from += turn.latency_ms
    return events
  })
}

type Place = Pick<ConversationEventInput, 'run_id' | 'invocation_id' | 'event_id'>

/** A call, and its result where one was seen. */
function callEvents(
  { id, name, args, result, started_ms, ended_ms }: AgentToolCall,
  place: Place,
  at: (ms: number) => string,
): ConversationEventInput[] {
  const call = id ?? randomUUID()
  const asked = { id: call, name, args: objectOf(args), author: null, thought_signature: null }
  const made: ConversationEventInput = { ...place, at: at(started_ms ?? 0), kind: 'tool_call', payload: asked }
  if (result === null) return [made]
  const payload = { id: call, name, result: objectOf(result), author: null }
  return [made, { ...place, at: at(ended_ms ?? started_ms ?? 0), kind: 'tool_result', payload }]
}

/** What is no object stands in one, as ADK has it. */
function objectOf(value: unknown): Record<string, unknown> {
  if (value === null || value === undefined) return {}
  return isObject(value) ? value : { result: value }
}
