import type { EvaluationUsage } from '@llm-eval/protocol'

/** One question to a language model that is to answer in a shape. */
export interface Question {
  /** `provider/model`; null is the default. */
  model: string | null
  messages: { role: 'system' | 'user' | 'assistant'; content: string }[]
  /** JSON Schema of the answer. */
  answer: Record<string, unknown>
  /** Name of the answer's shape, as providers want one. */
  shape: string
  temperature?: number | null
  maxTokens?: number | null
  topP?: number | null
  frequencyPenalty?: number | null
  presencePenalty?: number | null
  /** Which of several independent samples this is: part of the cache's key. */
  sample?: number
  signal: AbortSignal
}

export interface Answer {
  /** What fits the shape. */
  value: Record<string, unknown>
  usage: EvaluationUsage
}

/**
 * Language and embedding models behind one interface: OpenAI-compatible, Anthropic and Gemini APIs, with structured output,
 * retries, timeouts, a cache and prices.
 *
 * Both throw `NoScore`: `no_provider`, `provider_error`, `provider_refused`, `unparsable_answer`, `timeout`.
 */
export interface Models {
  /** Whether a model of this name (null: the default) can be asked. */
  knows(model: string | null, use: 'chat' | 'embedding'): boolean
  /** The name of a model (null: the default) in full, `provider/model`; null where it cannot be asked. */
  nameOf(model: string | null, use: 'chat' | 'embedding'): string | null
  ask(question: Question): Promise<Answer>
  embed(
    texts: string[],
    options: { model: string | null; signal: AbortSignal },
  ): Promise<{ vectors: number[][]; usage: EvaluationUsage }>
}
