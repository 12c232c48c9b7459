import { type Agent, ask, type Question } from '@llm-eval/agents'
import type { AgentTrace } from '@llm-eval/protocol'
import type { AskAgentOptions } from './ask-adk.ts'

/** Addresses of agents of Google's ADK: `adk:http://host:8000/app`, `agent-engine:projects/…/reasoningEngines/…`. */
const adkAddress = /^(adk|agent-engine):/

/** Asks an agent in its own dialect; one of ADK over its server. */
export async function askAgent(
  agent: Agent,
  questions: readonly Question[],
  options: AskAgentOptions,
): Promise<AgentTrace> {
  if (!adkAddress.test(agent.url)) return ask(agent, questions, options)
  return (await import('./ask-adk.ts')).askAdk(agent, questions, options)
}
