import type { EvaluationUsage } from '@llm-eval/protocol'

/** One thing that is said in a conversation with a language model. */
export interface Message {
  role: 'system' | 'user' | 'assistant'
  content: string
}

/** What a language model is told that may say what it likes. */
export interface Prompt {
  /** `provider/model`; null is the default. */
  model: string | null
  messages: Message[]
  signal: AbortSignal
}

/** What a model said, all of it and nothing else. */
export interface Completion {
  text: string
  usage: EvaluationUsage
}

/** One question to a language model that is to answer in a shape. */
export interface Question extends Prompt {
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
 * All throw `NoScore`: `no_provider`, `provider_error`, `provider_refused`, `unparsable_answer`, `timeout`.
 */
export interface Models {
  /** Whether a model of this name (null: the default) can be asked. */
  knows(model: string | null, use: 'chat' | 'embedding'): boolean
  /** The name of a model (null: the default) in full, `provider/model`; null where it cannot be asked. */
  nameOf(model: string | null, use: 'chat' | 'embedding'): string | null
  /** Asks for an answer in a shape; what was answered before is answered again, from the cache. */
  ask(question: Question): Promise<Answer>
  /** Asks anew each time, and for no shape. An answer that is cut off is `unparsable_answer`. */
  complete(prompt: Prompt): Promise<Completion>
  embed(
    texts: string[],
    options: { model: string | null; signal: AbortSignal },
  ): Promise<{ vectors: number[][]; usage: EvaluationUsage }>
}
