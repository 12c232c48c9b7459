import {
  type AdkTarget,
  advice,
  type Agent,
  AgentFailed,
  callServer,
  type Examination,
  type ExamineOptions,
  type Finding,
  problem,
  well,
} from '@llm-eval/agents'
import type { AgentFault, AgentTrace } from '@llm-eval/protocol'
import { count } from '../display/amounts.ts'
import { appsAt } from './adk-apps.ts'
import { adkTargetOf, askAdk } from './ask-adk.ts'

/**
 * Looks at an agent of ADK step by step: whether its server answers, which apps that lists, whether a session can be made and an
 * answer streams. What comes after a step that fails is not tried.
 *
 * @throws the signal's reason when it is aborted, and Complaint for an address that is none
 */
export async function examineAdk(agent: Agent, options: ExamineOptions): Promise<Examination> {
  const target = adkTargetOf(agent, options.env)
  const looked = target.kind === 'adk' ? await lookAtServer(target, options) : { findings: [], fault: null }
  if (looked.fault) {
    const untold = await askAdk(agent, [], options)
    return { shape: null, trace: { ...untold, fault: looked.fault }, findings: looked.findings }
  }
  const steps = { hasSession: false, events: 0 }
  const question = { query: options.query ?? 'Hello! What can you do?' }
  const trace = await askAdk(agent, [question], {
    ...options,
    fetch: noticing(options.fetch, steps),
    onEvent: () => void steps.events++,
  })
  return { shape: null, trace, findings: [...looked.findings, ...findingsOf(trace, target, steps)] }
}

interface Steps {
  /** Whether the agent was asked, which takes a session. */
  hasSession: boolean
  events: number
}

function noticing(fetch: typeof globalThis.fetch, steps: Steps): typeof globalThis.fetch {
  return (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    if (/\/run_sse$|:streamQuery(?:\?|$)/.test(url)) steps.hasSession = true
    return fetch(input, init)
  }
}

interface Looked {
  findings: Finding[]
  /** Why it need not be asked. */
  fault: AgentFault | null
}

async function lookAtServer(target: AdkTarget, { fetch, signal }: ExamineOptions): Promise<Looked> {
  let answer: Response
  try {
    const url = `${target.url}/list-apps`
    answer = await callServer(target, { fetch, signal, headers: {}, url })
  } catch (error) {
    if (!(error instanceof AgentFailed)) throw error
    const { fault } = error
    return {
      findings: [problem('server', `No api_server of ADK answers: ${fault.message}`, mend(fault, target))],
      fault,
    }
  }
  const apps = await appsAt(answer)
  const fault = (message: string): AgentFault => ({ code: 'invalid_request', message })
  if (apps === null) {
    const message = 'It is no api_server of ADK: its /list-apps is no list of apps.'
    return {
      findings: [problem('server', message, startLine(target))],
      fault: { ...fault(message), status: answer.status },
    }
  }
  const server = well('server', `An api_server of ADK answers at ${target.url}.`)
  const wrong = wrongApp(apps, target)
  if (wrong) return { findings: [server, wrong], fault: fault(wrong.found) }
  const listed = `It lists ${apps.length === 1 ? 'the app' : `${count(apps.length)} apps:`} ${listOf(apps)}.`
  return { findings: [server, well('apps', listed)], fault: null }
}

/** What is wrong with the app that is asked; undefined where it is one of those that there are. */
function wrongApp(apps: readonly string[], target: AdkTarget): Finding | undefined {
  const [first] = apps
  if (first === undefined)
    return problem('apps', 'It lists no apps: it was started in a folder that holds no agents.', startLine(target))
  const again = `llm-eval doctor adk:${target.url}/${encodeURIComponent(first)}`
  if (target.appName === null)
    return apps.length === 1 ? undefined : problem('apps', `It has several apps, ${listOf(apps)}: name one.`, again)
  if (apps.includes(target.appName)) return undefined
  return problem('apps', `It has no app ${target.appName}, but ${listOf(apps)}.`, again)
}

/** Names that are told. */
const mostNames = 10

function listOf(names: readonly string[]): string {
  const told = names.slice(0, mostNames)
  if (names.length > mostNames) return `${told.join(', ')} and ${count(names.length - mostNames)} more`
  return told.length < 2 ? told.join('') : `${told.slice(0, -1).join(', ')} and ${told.at(-1)}`
}

function findingsOf(trace: AgentTrace, target: AdkTarget, steps: Steps): Finding[] {
  const { fault } = trace
  if (!steps.hasSession && fault)
    return [problem('session', `No session can be made: ${fault.message}`, mend(fault, target))]
  const app = target.appName === null ? '' : ` of ${target.appName}`
  const session = well('session', `A session${app} was made.`)
  if (fault) return [session, problem('answer', fault.message, mend(fault, target)), ...warningsOf(trace)]
  return [session, answered(trace, steps), tools(trace), tokens(trace), ...warningsOf(trace)]
}

function answered({ first_token_ms: first, latency_ms: ms }: AgentTrace, { events }: Steps): Finding {
  const begun = first === null ? 'without words' : `its first words after ${secondsOf(first)}`
  return well('answer', `Its answer streams: ${count(events)} events in ${secondsOf(ms)}, ${begun}.`)
}

function tools({ tool_calls: calls }: AgentTrace): Finding {
  const names = [...new Set(calls.map(({ name }) => name))]
  return well(
    'tools',
    names.length === 0 ? 'It called no tools. Those it calls are seen.' : `It called ${listOf(names)}.`,
  )
}

function tokens({ tokens: used, cost }: AgentTrace): Finding {
  if (used === null)
    return advice('tokens', 'It does not report its tokens: they and its cost are unknown, not zero.', null)
  const price = cost === null ? 'its cost is unknown, as its model has no price' : `${cost.toFixed(6)} US dollars`
  return well('tokens', `It reports its tokens: ${count(used.total)}, ${price}.`)
}

function warningsOf({ warnings }: AgentTrace): Finding[] {
  return warnings.map((warning) => advice('stream', warning, null))
}

function secondsOf(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

/** What helps against a fault, as a line to copy. */
function mend({ code, status }: AgentFault, target: AdkTarget): string | null {
  if (status === 401 || status === 403)
    return 'in llm-eval.agent.yaml   agent: {headers: {Authorization: "Bearer {{env.AGENT_TOKEN}}"}}'
  if (target.kind === 'agent_engine')
    return status === 404 || code === 'dns' || code === 'invalid_request'
      ? 'llm-eval doctor agent-engine:projects/PROJECT/locations/LOCATION/reasoningEngines/ID'
      : null
  if (code === 'refused' || status === 404) return startLine(target)
  if (code === 'agent_error' || (status !== undefined && status >= 500))
    return 'What the api_server printed where it runs says why.'
  return null
}

function startLine({ url }: AdkTarget): string {
  return `adk api_server --port ${new URL(url).port || '8000'} FOLDER_OF_AGENTS`
}
