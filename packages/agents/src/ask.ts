import {
  type AgentFault,
  type AgentLevel,
  type AgentPart,
  agentParts,
  type AgentTrace,
  type AgentTurn,
  limits,
} from '@llm-eval/protocol'
import { type Agent, agentDefaults, type Asked, type Question } from './agent.ts'
import { mappingOf } from './dialects/mapping.ts'
import { AgentFailed, withoutSecrets } from './fault.ts'
import { AnswerReader } from './read.ts'
import { readAnswer } from './read-answer.ts'
import { TurnRecorder } from './recorder.ts'
import { type AgentRequest, requestOf } from './request.ts'
import { send } from './send.ts'
import { UnknownPlace } from './template.ts'
import { record } from './told.ts'
import { type AskedPrices, costOf, tokensOf } from './usage.ts'

/** Time as asking sees it. */
export interface AskClock {
  /** Milliseconds, from anywhere. */
  now(): number
  /** Rejects with the signal's reason when it is aborted first. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

export interface AskOptions {
  /** Reaches whatever the address names: hand in a guarded one where others say what is asked. */
  fetch: typeof globalThis.fetch
  signal: AbortSignal
  clock: AskClock
  prices: AskedPrices
  /** What `{{env.NAME}}` may name. */
  env: Readonly<Record<string, string | undefined>>
  /** In 0..1: spreads retries. */
  random: () => number
}

/** One turn that was seen, whole or not. */
interface Turn {
  recorder: TurnRecorder
  reader: AnswerReader | null
  turn: AgentTurn
  fault: AgentFault | null
}

/**
 * Asks an agent, turn by turn, in whatever dialect it answers, and says what was seen. It throws for nothing that an agent does:
 * `fault` says what went wrong, and what had come until then is kept. A fault ends the conversation.
 *
 * @throws the signal's reason when it is aborted, and RangeError without a single question
 */
export async function ask(agent: Agent, questions: readonly Question[], options: AskOptions): Promise<AgentTrace> {
  if (questions.length === 0) throw new RangeError('There is nothing to ask.')
  const turns: Turn[] = []
  const history = historyIn(questions[0]?.context)
  let sessionId: string | null = null
  for (const { query, context = null } of questions) {
    const asked: Asked = { query, context, history, sessionId, turn: turns.length + 1 }
    const turn = await askTurn(agent, asked, options)
    turns.push(turn)
    sessionId = turn.recorder.sessionId ?? sessionId
    if (turn.fault) break
    history.push({ role: 'user', content: query }, { role: 'assistant', content: turn.turn.output })
  }
  return traceOf(turns, { agent, prices: options.prices, sessionId })
}

/** A conversation may begin in the middle: EvalView's cases say what went before in the context. */
function historyIn(context: Question['context']): { role: 'user' | 'assistant'; content: string }[] {
  const told = context?.['conversation_history']
  return (Array.isArray(told) ? told : []).flatMap((entry) => {
    const { role, content } = record(entry) ?? {}
    const isMessage = (role === 'user' || role === 'assistant') && typeof content === 'string'
    return isMessage ? [{ role, content }] : []
  })
}

async function askTurn(agent: Agent, asked: Asked, options: AskOptions): Promise<Turn> {
  const { clock } = options
  const started = clock.now()
  const elapsed = () => Math.max(0, clock.now() - started)
  const timeoutMs = agent.timeoutMs ?? agentDefaults.timeoutMs
  const deadline = new AbortController()
  const signal = AbortSignal.any([options.signal, deadline.signal])
  const timer = setTimeout(() => deadline.abort(timedOut(timeoutMs)), Math.min(timeoutMs, longestTimer))
  // Of the attempt that counts: an answer is no slower for those that were refused before it.
  let sent = started
  const sinceSent = () => Math.max(0, clock.now() - sent)
  let recorder = new TurnRecorder(asked.turn, sinceSent)
  let reader: AnswerReader | null = null
  let attempts = 0
  let fault: AgentFault | null = null
  let secrets: readonly string[] = []
  try {
    const request = writtenRequest(agent, asked, options.env)
    secrets = request.secrets
    const mapping = agent.response && (await mappingOf(agent.response))
    const left = () => timeoutMs - elapsed()
    const answer = await withRetries(agent, { ...options, signal, left }, async () => {
      attempts++
      sent = clock.now()
      recorder = new TurnRecorder(asked.turn, sinceSent)
      return send(request, { fetch: options.fetch, signal })
    })
    const contentType = answer.headers.get('content-type')?.toLowerCase() ?? ''
    reader = new AnswerReader({ contentType, mapping, recorder })
    await readAnswer(answer, { reader, recorder, signal, url: request.url })
    if (recorder.output.trim() === '') recorder.warnings.add('The agent answered with no words at all.')
  } catch (error) {
    options.signal.throwIfAborted()
    fault = withoutSecrets(faultOf(deadline.signal.aborted ? deadline.signal.reason : error), secrets)
  } finally {
    clearTimeout(timer)
  }
  const turn = {
    query: asked.query,
    output: recorder.output,
    latency_ms: sinceSent(),
    first_token_ms: recorder.firstTokenMs,
    attempts,
  }
  return { recorder, reader, turn, fault }
}

/** Milliseconds; a timer that should run longer is over at once. */
const longestTimer = 2 ** 31 - 1

function writtenRequest(agent: Agent, asked: Asked, env: AskOptions['env']): AgentRequest {
  try {
    return requestOf(agent, asked, env)
  } catch (error) {
    if (error instanceof UnknownPlace || error instanceof TypeError)
      throw new AgentFailed({ code: 'invalid_request', message: error.message })
    throw error
  }
}

/** Asks again, later and later, while that may help; never before the agent wants to be asked. */
async function withRetries(
  agent: Agent,
  options: AskOptions & { left: () => number },
  attempt: () => Promise<Response>,
): Promise<Response> {
  const retries = agent.retries ?? agentDefaults.retries
  for (let tried = 0; ; tried++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof AgentFailed) || !error.again || tried >= retries) throw error
      const backoff = Math.min(30_000, 500 * 2 ** tried) * (0.5 + options.random() / 2)
      const wait = error.retryAfterMs ?? backoff
      if (wait >= options.left()) throw error
      await options.clock.wait(wait, options.signal)
    }
  }
}

async function traceOf(
  turns: readonly Turn[],
  { agent, prices, sessionId }: { agent: Agent; prices: AskedPrices; sessionId: string | null },
): Promise<AgentTrace> {
  const last = turns.at(-1)
  const recorders = turns.map(({ recorder }) => recorder)
  const dialect = turns.findLast(({ reader }) => reader?.dialect)?.reader?.dialect ?? null
  const told = recorders.findLast((one) => one.model !== null)?.model ?? null
  const model = told ?? agent.model ?? null
  const costs = await Promise.all(
    recorders.map(async ({ totalCost, usages }) =>
      totalCost === null ? costOf(usages, { model, prices }) : { cost: totalCost, source: 'reported' as const },
    ),
  )
  const known = costs.filter((one) => one !== null)
  const cost = known.reduce((sum, { cost }) => sum + cost, 0)
  const whole = known.length === costs.length && Number.isFinite(cost)
  // Tokens of a turn that does not tell them are unknown, and with them their sum.
  const everyTurnTells = recorders.every(({ usages }) => usages.length > 0)
  const captured = partsOf(recorders, told)
  return {
    dialect,
    level: levelOf(captured),
    captured,
    output: last?.turn.output ?? '',
    tool_calls: recorders.flatMap((recorder) => recorder.calls()),
    turns: turns.map(({ turn }) => turn),
    tokens: everyTurnTells ? tokensOf(recorders.flatMap(({ usages }) => usages)) : null,
    cost: whole ? cost : null,
    cost_source: whole ? (known.some(({ source }) => source === 'priced') ? 'priced' : 'reported') : null,
    model: told,
    session_id: sessionId,
    latency_ms: turns.reduce((sum, { turn }) => sum + turn.latency_ms, 0),
    first_token_ms: turns[0]?.turn.first_token_ms ?? null,
    notes: recorders.flatMap(({ notes }) => notes).slice(0, limits.agentNotes),
    fault: last?.fault ?? null,
    warnings: [...new Set(recorders.flatMap(({ warnings }) => [...warnings]))],
  }
}

function partsOf(recorders: readonly TurnRecorder[], model: string | null): AgentPart[] {
  const seen = new Set(recorders.flatMap(({ captured }) => [...captured]))
  if (model !== null) seen.add('model')
  if (recorders.some(({ sessionId }) => sessionId !== null)) seen.add('session')
  return agentParts.filter((part) => seen.has(part))
}

function levelOf(captured: readonly AgentPart[]): AgentLevel {
  if (captured.includes('tools') && captured.includes('first_token')) return 3
  return captured.some((part) => part === 'tools' || part === 'tokens' || part === 'cost') ? 2 : 1
}

function faultOf(error: unknown): AgentFault {
  if (error instanceof AgentFailed) return error.fault
  throw error
}

function timedOut(ms: number): AgentFailed {
  const message = `No whole answer within ${ms / 1_000} s. Bound what the agent refines, or give it more time (timeout).`
  return new AgentFailed({ code: 'timeout', message })
}
