import { createHash } from 'node:crypto'
import { limits } from '@llm-eval/protocol'
import type { Price } from '@llm-eval/pricing'
import * as z from 'zod'
import { NoScore } from '../evaluator.ts'
import { AnswerCache } from './cache.ts'
import type { Callers } from './callers.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Kept } from './means.ts'
import type { Answer, Models, Question } from './models.ts'
import { findTarget, type ProvidersConfig, type Target } from './providers.ts'
import { CallFailed } from './retry.ts'
import { nothingPaid } from './usage.ts'

export interface ModelsOptions {
  providers: ProvidersConfig
  /** `provider/model`; absent is the usual model of the first provider that has one. */
  defaultModel?: string | null | undefined
  embeddingModel?: string | null | undefined
  /** Goes to the addresses of the configuration and nowhere else. */
  fetch?: typeof globalThis.fetch | undefined
  clock?: Clock | undefined
  /** In [0, 1), for waits of different lengths. */
  random?: (() => number) | undefined
  /** US dollars for a million tokens, over the listed prices. */
  prices?: Readonly<Record<string, Price>> | undefined
  /** Answers kept in memory, and characters of all of them. */
  cache?: { entries?: number; characters?: number } | undefined
  /** Seconds of one question with all its tries (120), and of one try (60). */
  seconds?: { question?: number; call?: number } | undefined
}

const valueSchema = z.record(z.string(), z.unknown())
const vectorsSchema = z.array(z.array(z.number()))

/** Sets up the models of the configured providers. Nothing is asked, nor what asks loaded, before somebody asks. */
export function createModels(options: ModelsOptions): Models {
  const { clock = systemClock, random = Math.random, prices, fetch = globalThis.fetch } = options
  const { question = limits.judgeSeconds, call = 60 } = options.seconds ?? {}
  const { entries = limits.answersKept, characters = limits.answersKeptChars } = options.cache ?? {}
  const cache = new AnswerCache<Kept>({ entries, characters }, ({ text }) => text.length)
  let loading: Promise<Callers> | undefined
  const callers = () =>
    (loading ??= import('./callers.ts').then(({ createCallers }) =>
      createCallers({ fetch, clock, random, prices, seconds: { question, call } }),
    ))

  function find(model: string | null, use: 'chat' | 'embedding'): Target | undefined {
    const found = findTarget(model, use, options)
    return use === 'embedding' && found?.provider.api === 'anthropic' ? undefined : found
  }

  function nameOf(model: string | null, use: 'chat' | 'embedding'): string | null {
    const found = find(model, use)
    return found ? `${found.name}/${found.model}` : null
  }

  function target(model: string | null, use: 'chat' | 'embedding'): Target {
    const found = find(model, use)
    if (found) return found
    const wanted = model ?? (use === 'chat' ? 'the default model' : 'embeddings')
    throw new NoScore('no_provider', `No provider is configured for ${wanted}.`)
  }

  /** The answer to whatever is told apart by `asked`: from the cache, with others who ask the same, or anew. */
  async function once(
    asked: unknown,
    signal: AbortSignal,
    make: (signal: AbortSignal) => Promise<Kept>,
  ): Promise<Kept> {
    const key = createHash('sha256').update(JSON.stringify(asked)).digest('base64')
    let began = false
    try {
      const { value, first } = await cache.get(key, signal, (shared) => {
        began = true
        return make(shared)
      })
      return first ? value : { ...value, usage: nothingPaid(value.usage.model) }
    } catch (error) {
      const told = inScores(error)
      // What the one who asked paid is not paid by those who waited with them.
      if (!began && told instanceof NoScore && told.usage)
        throw new NoScore(told.fault, told.message, nothingPaid(told.usage.model))
      throw told
    }
  }

  return {
    knows: (model, use) => nameOf(model, use) !== null,
    nameOf,

    async ask(question: Question): Promise<Answer> {
      const asked = target(question.model, 'chat')
      const { signal, model: _named, ...rest } = question
      const { text, usage } = await once(['chat', whose(asked), rest], signal, async (shared) => {
        const { chat } = await callers()
        return chat(asked, { ...question, signal: shared })
      })
      return { value: valueSchema.parse(JSON.parse(text)), usage }
    },

    async complete(prompt) {
      const asked = target(prompt.model, 'chat')
      const { complete } = await callers()
      try {
        return await complete(asked, prompt)
      } catch (error) {
        throw inScores(error)
      }
    },

    async embed(texts, { model, signal }) {
      const asked = target(model, 'embedding')
      const { text, usage } = await once(['embed', whose(asked), texts], signal, async (shared) => {
        const { embedding } = await callers()
        return embedding(asked, texts, shared)
      })
      return { vectors: vectorsSchema.parse(JSON.parse(text)), usage }
    },
  }
}

/** What a call came to, in the words of scores. */
function inScores(error: unknown): unknown {
  return error instanceof CallFailed ? new NoScore(error.fault.fault, error.message) : error
}

/** All that tells one model from another, its address and the account included. */
function whose({ name, provider, model, url }: Target): unknown[] {
  return [
    name,
    provider.api,
    url,
    createHash('sha256')
      .update(provider.api_key ?? '')
      .digest('base64'),
    model,
  ]
}
