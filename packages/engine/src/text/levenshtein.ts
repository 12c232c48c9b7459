import * as z from 'zod'
import { evaluator } from '../evaluator.ts'
import { byLength, referenceField, responseField, textOf } from './comparison.ts'
import { levenshtein } from './edit-distance.ts'
import { threshold } from './similarity.ts'

/** How near two texts are, letter by letter. */
export const levenshteinEvaluator = evaluator({
  slug: 'levenshtein',
  name: 'Levenshtein similarity',
  description:
    '1 minus the edits (insertions, deletions, replacements) from the response to the reference over the length of the longer one.',
  kind: 'code',
  category: 'text',
  aliases: ['edit-distance', 'string-similarity'],
  needs: ['response', 'reference'],
  input: [responseField, referenceField],
  output: [{ name: 'distance', type: 'integer', description: 'Edits, in UTF-16 units.', required: true }],
  config: z.strictObject({
    threshold: threshold(0.8),
    ignore_case: z.boolean().default(false).describe('Upper and lower case are the same.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: { input: { response: 'abcd', reference: 'abxd' }, value: 0.75, passed: false },
  runs: byLength('response', 'reference'),
  score({ response, reference }, { config }) {
    const fold = (text: string) => (config.ignore_case ? text.toLowerCase() : text)
    const [a, b] = [fold(textOf(response)), fold(textOf(reference))]
    const distance = levenshtein(a, b)
    const longer = Math.max(a.length, b.length)
    const value = longer === 0 ? 1 : 1 - distance / longer
    return { value, passed: value >= config.threshold, output: { distance } }
  },
})
