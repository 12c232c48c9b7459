import type { EvaluationUsage } from '@llm-eval/protocol'
import type { Target } from './providers.ts'
import type { Patience } from './retry.ts'

/** What one question brought, as it is kept. */
export interface Kept {
  /** JSON. */
  text: string
  usage: EvaluationUsage
}

/** What every way of asking stands on. */
export interface Means {
  fetch: typeof globalThis.fetch
  patience: (signal: AbortSignal) => Patience
  /** In US dollars. */
  cost: (target: Target, told: string | null, tokens: Used) => number | null
}

/** Tokens as a provider told them. Cached ones are part of the input. */
export interface Used {
  input: number | null
  output: number | null
  cached: number | null
}
