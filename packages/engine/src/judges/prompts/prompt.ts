import type { EvaluatorCategory, Evidence, Field } from '@llm-eval/protocol'

/** One member of what a judge answers, in the order in which it is to think. */
export interface AnswerField {
  name: string
  type: 'string' | 'number' | 'integer' | 'boolean' | 'enum' | 'array'
  description: string
  /** Of an `enum`. */
  values?: readonly string[]
  min?: number
  max?: number
  /** Members of each object of an `array`. */
  items?: readonly AnswerField[]
}

/** A judge, as data. Whatever a model is told of it is hashed into its version. */
export interface JudgePrompt {
  slug: string
  name: string
  /** What the value means, and what passes. */
  description: string
  category: EvaluatorCategory
  aliases?: readonly string[]
  needs: readonly Evidence[]
  /** What is judged, in the order in which it is shown. `title` is what the model reads above it. */
  input: readonly { name: string; title: string; description: string; required?: false }[]
  /** The rubric. */
  instructions: string
  answer: readonly AnswerField[]
  /** Result fields, of the answer or computed from it. */
  output: readonly Omit<Field, 'required'>[]
  /** Value from which on it passes; with the direction `lower`, from which on it fails. */
  threshold: number
  direction: 'higher' | 'lower' | null
  range?: { min: number | null; max: number | null }
  /** An input, what a model may answer to it, and the score of that. */
  example: {
    input: Record<string, unknown>
    answer: Record<string, unknown>
    value: number | null
    passed: boolean | null
  }
}

/** Every judge gives its reason before its verdict: it is the better for it. */
export const reason: AnswerField = {
  name: 'reason',
  type: 'string',
  description: 'In at most three sentences, what decides the verdict. Quote what matters.',
}

/** A number from 0 to 1. */
export function share(name: string, description: string): AnswerField {
  return { name, type: 'number', description: `${description} From 0 to 1.`, min: 0, max: 1 }
}
