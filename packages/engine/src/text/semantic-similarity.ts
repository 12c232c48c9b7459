import * as z from 'zod'
import { type Evaluator, evaluator, NoScore } from '../evaluator.ts'
import type { Models } from '../models/models.ts'
import { textField, textOf } from './comparison.ts'

const config = z.strictObject({
  model: z
    .string()
    .min(1)
    .max(200)
    .nullable()
    .default(null)
    .describe('Embedding model, as `provider/model`; null is the default.'),
  threshold: z.number().min(-1).max(1).default(0.8).describe('Values from here on pass.'),
})

/** How near two texts are in meaning, as an embedding model sees it. */
export function semanticSimilarity(models: Models | undefined): Evaluator<z.output<typeof config>> {
  return evaluator({
    slug: 'semantic-similarity',
    name: 'Semantic similarity',
    description:
      'Cosine of the angle between the embeddings of the completion and the reference: 1 is the same meaning.',
    kind: 'code',
    category: 'text',
    aliases: ['embedding-similarity'],
    needs: ['response', 'reference'],
    provider: 'embedding',
    input: [
      textField('completion', 'What the application answered.'),
      textField('reference', 'What it should have answered.'),
    ],
    output: [{ name: 'similarity_score', type: 'number', description: 'The cosine.', required: true }],
    config,
    depends: { model: models?.nameOf(null, 'embedding') ?? null },
    range: { min: -1, max: 1 },
    direction: 'higher',
    example: { input: { completion: 'It rains.', reference: 'It rains.' }, value: 1, passed: true },
    runs: 'inline',
    async score({ completion, reference }, { config: { model, threshold }, signal }) {
      if (models === undefined)
        throw new NoScore('no_provider', 'Semantic similarity needs an embedding model, and no provider is configured.')
      const { vectors, usage } = await models.embed([textOf(completion), textOf(reference)], { model, signal })
      const value = cosine(vectors[0] ?? [], vectors[1] ?? [])
      if (value === null) throw new NoScore('unparsable_answer', 'The embeddings cannot be compared.', usage)
      return { value, passed: value >= threshold, output: { similarity_score: value }, usage }
    },
  })
}

/** Null where there is none: for vectors of different length, or of length 0. */
function cosine(a: readonly number[], b: readonly number[]): number | null {
  let [product, squareA, squareB] = [0, 0, 0]
  for (const [place, x] of a.entries()) {
    const y = b[place] ?? 0
    product += x * y
    squareA += x * x
    squareB += y * y
  }
  const lengths = Math.sqrt(squareA) * Math.sqrt(squareB)
  const value = product / lengths
  return a.length === b.length && Number.isFinite(value) ? Math.min(1, Math.max(-1, value)) : null
}
