import type { EvaluationUsage } from '@llm-eval/protocol'
import { NoScore } from '../evaluator.ts'
import { type Calling, createCall, promptOf } from './calling.ts'
import type { Means } from './means.ts'
import type { Completion, Prompt } from './models.ts'
import { withUsage } from './paid.ts'
import type { Target } from './providers.ts'
import { summed } from './usage.ts'

/** Asks chat models for whatever they say, with nothing added to what they are told and nothing taken from what they say. */
export function createComplete(means: Means): (target: Target, prompt: Prompt) => Promise<Completion> {
  const call = createCall(means)
  return async (target, { messages, signal }) => {
    const usages: EvaluationUsage[] = []
    const calling: Calling = { target, patience: means.patience(signal), usages }
    try {
      const { text, cut } = await call(calling, { prompt: promptOf(messages) })
      if (cut)
        throw new NoScore(
          'unparsable_answer',
          `The answer of ${target.name}/${target.model} was cut off: its tokens were used up. It began: ${text.slice(0, 500)}`,
        )
      const usage = summed(usages)
      if (!usage) throw new Error('an answer came of no call')
      return { text, usage }
    } catch (error) {
      throw withUsage(error, usages)
    }
  }
}
