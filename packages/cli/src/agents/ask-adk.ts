import { randomUUID } from 'node:crypto'
import {
  type AdkClient,
  type AdkTarget,
  type Agent,
  agentDefaults,
  AgentFailed,
  type AskOptions,
  createAdkClient,
  type Question,
} from '@llm-eval/agents'
import { tokenUsage } from '@llm-eval/engine/agent'
import { type AdkEvent, callsOf, isFinalResponse, readAdkStream, textOf, toInvocations } from '@llm-eval/formats/adk'
import {
  type AgentFault,
  type AgentPart,
  agentParts,
  type AgentToolCall,
  type AgentTrace,
  type AgentTurn,
  isObject,
  limits,
} from '@llm-eval/protocol'
import { Complaint } from '../complaint.ts'

export interface AskAgentOptions extends AskOptions {
  /** Whether thoughts in a final response of ADK count as part of it, as ADK's own evaluation takes them; `apart` unless said. */
  thoughts?: 'kept' | 'apart' | undefined
  /** Told of each event as it comes. */
  onEvent?: ((event: AdkEvent) => void) | undefined
}

/** One turn that was heard, whole or not. */
interface Heard {
  events: { event: AdkEvent; at: number }[]
  turn: AgentTurn
  calls: AgentToolCall[]
  warnings: string[]
  fault: AgentFault | null
  sessionId: string | null
}

/**
 * Asks an agent of ADK, turn by turn in one session, and says what was seen: its calls and its final response as ADK's own
 * evaluation sees them, so without partial events; thoughts are left out unless they are to be kept. The first question's `context.state` is the state before it.
 *
 * @throws the signal's reason when it is aborted, and Complaint for an address that is none
 */
export async function askAdk(
  agent: Agent,
  questions: readonly Question[],
  options: AskAgentOptions,
): Promise<AgentTrace> {
  const target = adkTargetOf(agent, options.env)
  const client = createAdkClient(target, { fetch: options.fetch })
  const threadId = randomUUID()
  const heard: Heard[] = []
  for (const question of questions) {
    const sessionId = heard.at(-1)?.sessionId ?? null
    const turn = await askTurn({ client, agent, threadId, sessionId, number: heard.length + 1 }, question, options)
    heard.push(turn)
    if (turn.fault) break
  }
  return traceOf(heard, options)
}

/**
 * Who is asked, of an address such as `adk:http://host:8000/app` or `agent-engine:projects/…`.
 *
 * @throws Complaint for one that is none, and for headers that name what is not set
 */
export function adkTargetOf({ url, headers = {}, userId }: Agent, env: AskOptions['env']): AdkTarget {
  const place = /^(adk|agent-engine):(.+)$/.exec(url)
  const [, scheme, address = ''] = place ?? []
  const own = Object.entries(headers).map(([name, value]): [string, string] => [name, filled(name, value, env)])
  const common = { userId: userId ?? agentDefaults.userId, headers: Object.fromEntries(own) }
  if (scheme === 'agent-engine') return { ...common, kind: 'agent_engine', url: address, appName: null }
  const server = URL.parse(address)
  if (server === null || !/^https?:$/.test(server.protocol))
    throw new Complaint(`${url} is no address: write adk:http://localhost:8000/app_name.`)
  const parts = server.pathname.split('/').filter((part) => part !== '')
  const app = parts.pop()
  const appName = app === undefined ? null : decodeURIComponent(app)
  return { ...common, kind: 'adk', url: [server.origin, ...parts].join('/'), appName }
}

function filled(name: string, value: string, env: AskOptions['env']): string {
  return value.replaceAll(/\{\{\s*env\.(\w+)\s*\}\}/g, (_, variable: string) => {
    const found = env[variable]
    if (found !== undefined) return found
    throw new Complaint(`The header ${name} names the environment variable ${variable}, which is not set.`)
  })
}

interface Asking {
  client: AdkClient
  agent: Agent
  threadId: string
  sessionId: string | null
  /** From 1. */
  number: number
}

async function askTurn(asking: Asking, { query, context }: Question, options: AskAgentOptions): Promise<Heard> {
  const { agent, client, threadId } = asking
  const started = options.clock.now()
  const elapsed = () => Math.max(0, options.clock.now() - started)
  const timeoutMs = agent.timeoutMs ?? agentDefaults.timeoutMs
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(Math.min(timeoutMs, 2 ** 31 - 1))])
  const events: Heard['events'] = []
  const warnings: string[] = []
  let fault: AgentFault | null = null
  let { sessionId } = asking
  try {
    const stateDelta = asking.number === 1 ? stateIn(context) : null
    const message = { role: 'user', parts: [{ text: query }] }
    const answer = await client.ask({ threadId, sessionId, message, stateDelta, headers: {}, signal })
    sessionId = answer.sessionId
    for await (const item of readAdkStream(answer.response.body ?? nothing(), { signal })) {
      if (item.kind === 'error') throw agentError(item.message)
      if (item.kind === 'malformed') warnings.push(`Line ${item.line} of the stream ${item.message}.`)
      else {
        options.onEvent?.(item.event)
        events.push({ event: item.event, at: elapsed() })
      }
      if (events.length > limits.conversationEvents) throw tooMany
    }
    fault = faultIn(events.map(({ event }) => event))
  } catch (error) {
    options.signal.throwIfAborted()
    fault = faultOf(error, { isOver: signal.aborted, timeoutMs })
  }
  return {
    ...spoken(events, asking.number, { query, latencyMs: elapsed(), thoughts: options.thoughts ?? 'apart' }),
    events,
    warnings,
    fault,
    sessionId,
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function stateIn(context: Question['context']): Record<string, unknown> | null {
  const state = context?.['state']
  return isObject(state) ? state : null
}

/** What the events of a turn come to. */
function spoken(
  events: Heard['events'],
  number: number,
  { query, latencyMs, thoughts }: { query: string; latencyMs: number; thoughts: 'kept' | 'apart' },
): Pick<Heard, 'turn' | 'calls'> {
  const { invocations } = toInvocations(
    events.map(({ event }) => event),
    { thoughts },
  )
  const output = textOf(invocations.findLast(({ finalResponse }) => finalResponse)?.finalResponse)
  const first = events.find(({ event }) => event.content?.parts?.some(({ text, thought }) => text && !thought))
  const begun = new Map<string, number>()
  const results = new Map<string, { response: Record<string, unknown>; at: number }>()
  for (const { event, at } of events) {
    for (const { functionCall, functionResponse } of event.content?.parts ?? []) {
      if (functionCall?.id && !begun.has(functionCall.id)) begun.set(functionCall.id, at)
      if (functionResponse?.id) results.set(functionResponse.id, { response: functionResponse.response ?? {}, at })
    }
  }
  const calls = invocations.flatMap(callsOf).map(({ id = '', name = '', args = null }): AgentToolCall => {
    const result = results.get(id)
    const error = typeof result?.response['error'] === 'string' ? result.response['error'] : null
    return {
      id: id === '' ? null : id,
      name,
      args,
      result: result?.response ?? null,
      succeeded: result ? error === null : null,
      error,
      started_ms: begun.get(id) ?? null,
      ended_ms: result?.at ?? null,
      turn: number,
    }
  })
  const turn = { query, output, latency_ms: latencyMs, first_token_ms: first?.at ?? null, attempts: 1 }
  return { turn, calls }
}

/** Why events are no whole answer; null when they are. */
function faultIn(events: readonly AdkEvent[]): AgentFault | null {
  const final = events.findLast((event) => isFinalResponse(event))
  const failed = events.findLast(({ errorCode }) => errorCode !== undefined && errorCode !== '')
  if (failed && (final === undefined || final === failed))
    return agentError(failed.errorMessage ?? failed.errorCode ?? '').fault
  if (final) return null
  return { code: 'cut_off', message: 'The stream of the agent ended before its final response.' }
}

function agentError(message: string): AgentFailed {
  return new AgentFailed({ code: 'agent_error', message: `The agent reported a failure: ${message.slice(0, 500)}` })
}

const tooMany = new AgentFailed({
  code: 'too_many_events',
  message: `The agent sent more than ${limits.conversationEvents} events in one turn. Does it loop?`,
})

function faultOf(error: unknown, { isOver, timeoutMs }: { isOver: boolean; timeoutMs: number }): AgentFault {
  if (isOver) return { code: 'timeout', message: `No whole answer within ${timeoutMs / 1_000} s. Give it more time.` }
  if (error instanceof AgentFailed) return error.fault
  const reason = error instanceof Error ? error.message : String(error)
  return { code: 'cut_off', message: `The agent broke off in the middle of its answer: ${reason}.` }
}

async function traceOf(heard: readonly Heard[], { prices }: AskOptions): Promise<AgentTrace> {
  const whole = heard.flatMap(({ events }) => events.flatMap(({ event }) => (event.partial ? [] : [event])))
  const reported = whole.map(({ usageMetadata }) => usageMetadata ?? {})
  const usage = tokenUsage(reported)
  const model = whole.findLast(({ modelVersion }) => modelVersion)?.modelVersion ?? null
  const cost = await costOf(whole, prices)
  const first = heard[0]?.turn.first_token_ms ?? null
  const seen = new Set<AgentPart>(['output', 'tools', 'tool_arguments', 'tool_results', 'session'])
  if (usage.total_tokens !== null) seen.add('tokens')
  if (cost !== null) seen.add('cost')
  if (model !== null) seen.add('model')
  if (first !== null) seen.add('first_token')
  const { total_tokens: total, input_tokens: input, output_tokens: output, cached_tokens: cached } = usage
  return {
    dialect: null,
    level: 3,
    captured: agentParts.filter((part) => seen.has(part)),
    output: heard.at(-1)?.turn.output ?? '',
    tool_calls: heard.flatMap(({ calls }) => calls),
    turns: heard.map(({ turn }) => turn),
    tokens: total === null ? null : { input, output, cached, total },
    cost,
    cost_source: cost === null ? null : 'priced',
    model,
    session_id: heard.at(-1)?.sessionId ?? null,
    latency_ms: heard.reduce((sum, { turn }) => sum + turn.latency_ms, 0),
    first_token_ms: first,
    notes: [],
    fault: heard.at(-1)?.fault ?? null,
    warnings: [...new Set(heard.flatMap(({ warnings }) => warnings))].slice(0, 100),
  }
}

/** US dollars; null where a call of a model has no price. */
async function costOf(events: readonly AdkEvent[], prices: AskOptions['prices']): Promise<number | null> {
  const spent = events.filter(({ usageMetadata }) => usageMetadata)
  const costs = spent.map(async ({ usageMetadata = {}, modelVersion: model }) => {
    const { input_tokens: input, output_tokens: output, cached_tokens: cached } = tokenUsage([usageMetadata])
    if (!model || input === null || output === null) return null
    return prices.cost({ model }, { input, output, cachedInput: cached ?? 0 })
  })
  const known = (await Promise.all(costs)).flatMap((nano) => nano ?? [])
  if (known.length === 0 || known.length < costs.length) return null
  return known.reduce((sum, nano) => sum + nano, 0) / 1e9
}
