import { setTimeout as pause } from 'node:timers/promises'
import { type Agent, type AskOptions, timeoutProfiles } from '@llm-eval/agents'
import {
  createAddressCheck,
  createEngine,
  createFromDefinition,
  createJudges,
  createModels,
  type Engine,
  guardedFetch,
  type Models,
  providersFromEnvironment,
} from '@llm-eval/engine'
import type { AgentSettings } from '@llm-eval/formats'
import { createPrices } from '@llm-eval/pricing'
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

/** Puts together what a suite needs. Close the engine in the end. */
export function testTools(terminal: Terminal, settings: AgentSettings, wish: { judge: boolean }): TestTools {
  const providers = providersFromEnvironment(terminal.env)
  const hasJudge = wish.judge && Object.keys(providers).length > 0
  const models: Models | undefined = hasJudge ? createModels({ providers }) : undefined
  const secret = crypto.randomUUID()
  const engine = createEngine({
    models,
    ...(models === undefined
      ? {}
      : {
          evaluators: createJudges({ models, secret }),
          fromDefinition: createFromDefinition({ models, secret, allows: createAddressCheck([]) }),
        }),
  })
  return {
    engine,
    judge: hasJudge ? { model: settings.judge?.model ?? null } : null,
    ask: {
      fetch: settings.allow_private === false ? guardedFetch({ allows: createAddressCheck([]) }) : globalThis.fetch,
      clock: { now: () => performance.now(), wait: (ms, signal) => pause(ms, undefined, { signal }) },
      prices: createPrices(settings.pricing),
      env: terminal.env,
      random: Math.random,
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
    userId,
    model: one?.model ?? model,
  }
}
