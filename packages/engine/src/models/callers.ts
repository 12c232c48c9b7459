import { limits } from '@llm-eval/protocol'
import { createPrices, type Price } from '@llm-eval/pricing'
import { createChat } from './chat.ts'
import type { Clock } from './clock.ts'
import { createComplete } from './complete.ts'
import { createEmbedding } from './embed.ts'
import { cappedFetch } from './fetch.ts'
import type { Means } from './means.ts'
import { inDollars } from './usage.ts'

export interface CallersOptions {
  fetch: typeof globalThis.fetch
  clock: Clock
  random: () => number
  prices: Readonly<Record<string, Price>> | undefined
  /** Of one question with all its tries, and of one try. */
  seconds: { question: number; call: number }
}

/** What asks providers. */
export interface Callers {
  chat: ReturnType<typeof createChat>
  complete: ReturnType<typeof createComplete>
  embedding: ReturnType<typeof createEmbedding>
}

const tries = 4

/**
 * Sets up what asks providers. The packages of the vendors and the listed prices come with this module, some 15 MB: load it
 * when somebody asks.
 */
export function createCallers({ fetch, clock, random, prices: own, seconds }: CallersOptions): Callers {
  const prices = createPrices(own)
  const means: Means = {
    fetch: cappedFetch(fetch, limits.modelAnswerBytes),
    patience: (signal) => ({
      clock,
      random,
      tries,
      callMs: seconds.call * 1_000,
      deadline: clock.now() + seconds.question * 1_000,
      signal,
    }),
    cost: ({ name, model, url }, told, { input, output, cached }) => {
      if (input === null || output === null) return null
      const tokens = { input, output, cachedInput: cached ?? 0 }
      const of = (named: string) => prices.cost({ model: named, provider: name, url, at: clock.now() }, tokens)
      return inDollars((told === null ? null : of(told)) ?? of(model))
    },
  }
  return { chat: createChat(means), complete: createComplete(means), embedding: createEmbedding(means) }
}
