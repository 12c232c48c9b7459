import type { EvaluationUsage } from '@llm-eval/protocol'
import { NoScore } from '../evaluator.ts'
import { embeddingModel } from './clients.ts'
import type { Kept, Means } from './means.ts'
import type { Target } from './providers.ts'
import { retrying } from './retry.ts'
import { mayBePaid } from './faults.ts'
import { withUsage } from './paid.ts'
import { summed, unknownUsage } from './usage.ts'

/** Texts of one call, as all three APIs take them. */
const callTexts = 100

/** Embeds texts, in as many calls as they need. */
export function createEmbedding(means: Means): (target: Target, texts: string[], signal: AbortSignal) => Promise<Kept> {
  return async (target, texts, signal) => {
    const patience = means.patience(signal)
    const asked = `${target.name}/${target.model}`
    const vectors: number[][] = []
    const usages: EvaluationUsage[] = []
    for (let from = 0; from < texts.length; from += callTexts) {
      const values = texts.slice(from, from + callTexts)
      const result = await retrying({ asked, key: target.provider.api_key }, patience, async (aborted) => {
        const model = embeddingModel(target, means.fetch)
        if (!model) throw new NoScore('no_provider', `The API of ${target.name} has no embeddings.`)
        try {
          return await model.doEmbed({ values, abortSignal: aborted })
        } catch (error) {
          if (mayBePaid(error)) usages.push(unknownUsage)
          throw error
        }
      }).catch((error: unknown) => {
        throw withUsage(error, usages)
      })
      const input = result.usage?.tokens ?? null
      const cost = means.cost(target, null, { input, output: 0, cached: null })
      usages.push({ model: target.model, input_tokens: input, output_tokens: 0, cost, cached: false })
      if (result.embeddings.length !== values.length)
        throw new NoScore(
          'unparsable_answer',
          `${asked} gave ${result.embeddings.length} vectors for ${values.length} texts.`,
          summed(usages),
        )
      vectors.push(...result.embeddings)
    }
    const length = vectors[0]?.length
    if (vectors.some((vector) => vector.length !== length || !vector.every(Number.isFinite)))
      throw new NoScore('unparsable_answer', `${asked} gave vectors that cannot be compared.`, summed(usages))
    const nothing = { model: target.model, input_tokens: 0, output_tokens: 0, cost: 0, cached: false }
    return { text: JSON.stringify(vectors), usage: summed(usages) ?? nothing }
  }
}
