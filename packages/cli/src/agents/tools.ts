import { setTimeout as pause } from 'node:timers/promises'
import { type Agent, type AskOptions, timeoutProfiles } from '@llm-eval/agents'
import type { Engine } from '@llm-eval/engine/agent'
import type { AgentSettings } from '@llm-eval/formats'
import type { Prices } from '@llm-eval/pricing'
import type { TestCase } from '@llm-eval/protocol'
import { Complaint } from '../complaint.ts'
import type { Terminal } from '../terminal.ts'

/** What cases are asked and scored with. */
export interface TestTools {
  engine: Engine
  /** Null where no provider of models is configured, or none is wanted. */
  judge: { model: string | null } | null
  ask: Omit<AskOptions, 'signal'>
}

/** Puts together what a suite needs; judges are loaded where there is a model to judge. Close the engine in the end. */
export async function testTools(
  terminal: Terminal,
  settings: AgentSettings,
  wish: { judge: boolean },
): Promise<TestTools> {
  const { createEngine, providersFromEnvironment } = await import('@llm-eval/engine/agent')
  const providers = providersFromEnvironment(terminal.env)
  const hasJudge = wish.judge && Object.keys(providers).length > 0
  const model = settings.judge?.model ?? null
  // What stands behind an address of one's own has no usual model.
  if (hasJudge && model === null && Object.values(providers).every(({ base_url: own }) => own !== null))
    terminal.err.line(
      `${terminal.err.paint('yellow', 'warning:')} Nobody says which model judges: judge.model in llm-eval.agent.yaml, such as openai/NAME for OPENAI_BASE_URL.`,
    )
  return {
    engine: createEngine(hasJudge ? (await import('./judging.ts')).judgesWith(providers) : {}),
    judge: hasJudge ? { model } : null,
    ask: await askOptions(terminal, settings),
  }
}

/** What an agent is asked with. */
export async function askOptions({ env }: Terminal, settings: AgentSettings): Promise<Omit<AskOptions, 'signal'>> {
  return {
    fetch: settings.allow_private === false ? (await import('./judging.ts')).publicFetch() : globalThis.fetch,
    clock: { now: () => performance.now(), wait: (ms, signal) => pause(ms, undefined, { signal }) },
    prices: pricesOf(settings),
    env,
    random: Math.random,
  }
}

/** The catalogue is large, and most agents say what they cost, or not even what they used. */
function pricesOf({ pricing }: AgentSettings): AskOptions['prices'] {
  let prices: Promise<Prices> | undefined
  return {
    cost: async (model, tokens) => {
      prices ??= import('@llm-eval/pricing').then(({ createPrices }) => createPrices(pricing))
      return (await prices).cost(model, tokens)
    },
  }
}

/**
 * The agent that a case is for: as the settings say, with what the case says over it.
 *
 * @throws {Complaint} where nobody says where it is
 */
export function agentOf({ agent: own }: AgentSettings, one: TestCase | null, url: string | undefined): Agent {
  const where = url ?? one?.agent.endpoint ?? own?.url
  if (where === undefined)
    throw new Complaint(
      'Nobody says where the agent is: --agent http://localhost:3000/api/chat, or agent.url in llm-eval.agent.yaml.',
    )
  const { url: _, timeout, profile, retries, user_id: userId, model, headers, ...shape } = own ?? { url: where }
  const seconds = timeout === undefined ? undefined : timeout * 1_000
  return {
    ...shape,
    url: where,
    headers: { ...headers, ...one?.agent.headers },
    timeoutMs: one?.agent.timeout_ms ?? seconds ?? (profile === undefined ? undefined : timeoutProfiles[profile]),
    retries,
    userId: userId ?? one?.adk?.user_id ?? undefined,
    model: one?.model ?? model,
  }
}
