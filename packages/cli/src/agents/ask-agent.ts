import {
  type Agent,
  ask,
  type Examination,
  examine,
  type ExamineOptions,
  problem,
  type Question,
} from '@llm-eval/agents'
import type { AgentTrace } from '@llm-eval/protocol'
import { appsAt } from './adk-apps.ts'
import type { AskAgentOptions } from './ask-adk.ts'

/** Addresses of agents of Google's ADK: `adk:http://host:8000/app`, `agent-engine:projects/…/reasoningEngines/…`. */
const adkAddress = /^(adk|agent-engine):/

/** Whether an address is that of an agent of Google's ADK. */
export function isAdkAddress(url: string): boolean {
  return adkAddress.test(url)
}

/** Asks an agent in its own dialect; one of ADK over its server. */
export async function askAgent(
  agent: Agent,
  questions: readonly Question[],
  options: AskAgentOptions,
): Promise<AgentTrace> {
  if (isAdkAddress(agent.url)) return (await import('./ask-adk.ts')).askAdk(agent, questions, options)
  const trace = await ask(agent, questions, options)
  const meant = await meantAddress(trace, agent.url, options)
  return meant === null ? trace : withHint(trace, meant)
}

/** Examines an agent in its own dialect; one of ADK over its server. */
export async function examineAgent(agent: Agent, options: ExamineOptions): Promise<Examination> {
  if (isAdkAddress(agent.url)) return (await import('./examine-adk.ts')).examineAdk(agent, options)
  const found = await examine(agent, options)
  const meant = await meantAddress(found.trace, agent.url, options)
  if (meant === null) return found
  const trace = withHint(found.trace, meant)
  const add = `llm-eval doctor ${meant.address}`
  return { ...found, trace, findings: [problem('answer', hintOf(meant), add)] }
}

/** How an api server of ADK is asked. */
interface Meant {
  /** Of its first app. */
  address: string
  apps: string[]
}

/** How an api server that was asked by its plain address is meant to be; null where something else answered. */
async function meantAddress({ fault }: AgentTrace, url: string, options: Calling): Promise<Meant | null> {
  if (fault?.status !== 404 && fault?.status !== 405) return null
  const apps = await adkApps(url, options)
  const [app] = apps
  return app === undefined ? null : { address: `adk:${new URL(url).origin}/${encodeURIComponent(app)}`, apps }
}

function hintOf({ address, apps }: Meant): string {
  const which = apps.length === 1 ? '' : `, or another of ${apps.slice(0, 10).join(', ')}`
  return `It is an api_server of ADK: name it as ${address}${which}.`
}

function withHint(trace: AgentTrace, meant: Meant): AgentTrace {
  const { fault } = trace
  return fault === null ? trace : { ...trace, fault: { ...fault, message: `${fault.message} ${hintOf(meant)}` } }
}

type Calling = Pick<AskAgentOptions, 'fetch' | 'signal'>

const patienceMs = 5_000

/** The apps of an api server; none where something else answers. */
async function adkApps(url: string, { fetch, signal }: Calling): Promise<string[]> {
  if (!URL.canParse(url)) return []
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
    return (await appsAt(await fetch(new URL('/list-apps', url), { signal: patience }))) ?? []
  } catch {
    return []
  }
}
