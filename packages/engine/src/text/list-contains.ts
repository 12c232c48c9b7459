import * as z from 'zod'
import { evaluator } from '../evaluator.ts'
import { assign } from './assignment.ts'
import { byLength, shown } from './comparison.ts'
import { levenshteinSimilarity } from './edit-distance.ts'
import { textsOf, threshold } from './similarity.ts'

/** Pairs that an output tells. */
const mostShown = 100

/** How well a list matches another, whatever the order. */
export const listContains = evaluator({
  slug: 'list-contains',
  name: 'List contains',
  description:
    'Pairs the items of two lists so that they fit best (Levenshtein similarity) and averages over the longer list; the order says nothing.',
  kind: 'code',
  category: 'text',
  needs: ['response', 'reference'],
  input: [
    { name: 'response', type: 'array', description: 'The list that was given.', required: true },
    { name: 'reference', type: 'array', description: 'The list that was expected.', required: true },
  ],
  output: [
    {
      name: 'pairs',
      type: 'array',
      description: 'What was paired: response, reference, score; the first 100, each text by its beginning.',
      required: true,
    },
  ],
  config: z.strictObject({
    threshold: threshold(0.8),
    allow_extra_entities: z.boolean().default(false).describe('Items beyond the expected ones cost nothing.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: { input: { response: ['b', 'a'], reference: ['a', 'b', 'c', 'd'] }, value: 0.5, passed: false },
  runs: byLength('response', 'reference'),
  score({ response, reference }, { config }) {
    const given = textsOf(response)
    const wanted = textsOf(reference)
    const gains = given.map((item) => wanted.map((expected) => levenshteinSimilarity(item, expected)))
    const pairs = assign(gains).flatMap((column, row) =>
      column < 0
        ? []
        : [
            {
              response: shown(given[row] ?? ''),
              reference: shown(wanted[column] ?? ''),
              score: gains[row]?.[column] ?? 0,
            },
          ],
    )
    const size = config.allow_extra_entities && given.length > 0 ? wanted.length : Math.max(given.length, wanted.length)
    const value = given.length + wanted.length === 0 ? 1 : size === 0 ? 0 : sumOf(pairs) / size
    return {
      value: Math.min(1, value),
      passed: value >= config.threshold,
      output: { pairs: pairs.slice(0, mostShown) },
    }
  },
})

function sumOf(pairs: readonly { score: number }[]): number {
  return pairs.reduce((sum, { score }) => sum + score, 0)
}
