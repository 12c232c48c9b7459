import { type Agent, ask, type Question } from '@llm-eval/agents'
import type { AgentTrace } from '@llm-eval/protocol'
import * as z from 'zod'
import type { AskAgentOptions } from './ask-adk.ts'

/** Addresses of agents of Google's ADK: `adk:http://host:8000/app`, `agent-engine:projects/…/reasoningEngines/…`. */
const adkAddress = /^(adk|agent-engine):/

/** Asks an agent in its own dialect; one of ADK over its server. */
export async function askAgent(
  agent: Agent,
  questions: readonly Question[],
  options: AskAgentOptions,
): Promise<AgentTrace> {
  if (adkAddress.test(agent.url)) return (await import('./ask-adk.ts')).askAdk(agent, questions, options)
  const trace = await ask(agent, questions, options)
  const { fault } = trace
  if (fault?.status !== 404) return trace
  const apps = await adkApps(agent.url, options)
  const [app] = apps
  if (app === undefined) return trace
  const { origin } = new URL(agent.url)
  const which = apps.length === 1 ? '' : `, or another of ${apps.slice(0, 10).join(', ')}`
  const message = `${fault.message} It is an api_server of ADK: name it as adk:${origin}/${encodeURIComponent(app)}${which}.`
  return { ...trace, fault: { ...fault, message } }
}

const patienceMs = 5_000
const appNames = z.array(z.string().max(200)).max(1_000)

/** The apps of an api server; none where something else answers. */
async function adkApps(url: string, { fetch, signal }: AskAgentOptions): Promise<string[]> {
  if (!URL.canParse(url)) return []
  try {
    const answer = await fetch(new URL('/list-apps', url), {
      signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
    })
    return appNames.parse(await answer.json())
  } catch {
    return []
  }
}
