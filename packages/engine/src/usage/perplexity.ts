import * as z from 'zod'
import { evaluator, NoScore } from '../evaluator.ts'
import { byLength } from '../text/comparison.ts'

/** How surprised a model was by the tokens that it wrote. */
export const perplexity = evaluator({
  slug: 'perplexity',
  name: 'Perplexity',
  description:
    'exp of minus the mean natural log probability of the tokens: 1 is certainty. Passes up to `max`, where it is given.',
  kind: 'code',
  category: 'usage',
  needs: [],
  input: [
    {
      name: 'logprobs',
      type: 'array',
      description: 'Natural log probabilities of the tokens: numbers, or objects with a `logprob`.',
      required: true,
    },
  ],
  output: [{ name: 'perplexity_score', type: 'number', description: 'The perplexity.', required: true }],
  config: z.strictObject({ max: z.number().min(1).optional().describe('Values up to here pass.') }),
  range: { min: 1, max: null },
  direction: 'lower',
  example: { input: { logprobs: [0, 0, 0] }, value: 1, passed: null },
  runs: byLength('logprobs'),
  score({ logprobs }, { config: { max } }) {
    const items: unknown[] = Array.isArray(logprobs) ? logprobs : []
    const values = items.map(logProbability)
    if (values.length === 0) throw new NoScore('missing_evidence', 'There are no log probabilities.')
    const value = Math.exp(-values.reduce((sum, logprob) => sum + logprob, 0) / values.length)
    return { value, passed: max === undefined ? null : value <= max, output: { perplexity_score: value } }
  },
})

/** At most 0, but for rounding: what is more is a probability, or none. */
const logarithm = z
  .number()
  .max(1e-3)
  .transform((logprob) => Math.min(logprob, 0))
const item = z.union([logarithm, z.object({ logprob: logarithm }).transform(({ logprob }) => logprob)])

function logProbability(value: unknown, place: number): number {
  const read = item.safeParse(value)
  if (!read.success) throw new NoScore('missing_evidence', `logprobs[${place}] is no log probability.`)
  return read.data
}
