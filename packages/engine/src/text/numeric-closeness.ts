import * as z from 'zod'
import { evaluator, NoScore } from '../evaluator.ts'
import { byLength } from './comparison.ts'
import { closeness, threshold } from './similarity.ts'

/** How near two numbers are. */
export const numericCloseness = evaluator({
  slug: 'numeric-closeness',
  name: 'Numeric closeness',
  description:
    '1 minus the difference of two numbers over the sum of their sizes: 1 when equal, 0 when of different sign.',
  kind: 'code',
  category: 'text',
  aliases: ['numeric-diff', 'numeric'],
  needs: ['response', 'reference'],
  input: [
    {
      name: 'response',
      type: 'any',
      description: 'The number that was given, or a text that holds it.',
      required: true,
    },
    { name: 'reference', type: 'any', description: 'The number that was expected.', required: true },
  ],
  output: [
    {
      name: 'number',
      type: 'number',
      description: 'The number of the response; null where there is none.',
      required: true,
    },
    { name: 'difference', type: 'number', description: 'Response minus reference; null likewise.', required: true },
  ],
  config: z.strictObject({
    threshold: threshold(0.99),
    tolerance: z
      .number()
      .min(0)
      .optional()
      .describe('Passes when the numbers differ by no more; instead of the threshold.'),
    find: z
      .enum(['whole', 'first', 'last'])
      .default('whole')
      .describe('Which number of a text counts: it must be nothing else, or the first or last one in it.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: { input: { response: 3, reference: 1 }, value: 0.5, passed: false },
  runs: byLength('response', 'reference'),
  score({ response, reference }, { config }) {
    const wanted = numberIn(reference, 'whole')
    if (wanted === null) throw new NoScore('missing_evidence', 'The reference is no number.')
    const number = numberIn(response, config.find)
    if (number === null)
      return {
        value: 0,
        passed: false,
        explanation: 'The response holds no number.',
        output: { number, difference: null },
      }
    const difference = number - wanted
    const value = closeness(number, wanted)
    const passed = config.tolerance === undefined ? value >= config.threshold : Math.abs(difference) <= config.tolerance
    return { value, passed, output: { number, difference } }
  },
})

/** Numbers in a text; a minus may be the sign of typographers, and stand before that of a currency. */
const written = /(?:(?<![\w.])[-+−][$€£¥]?)?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,3}(?!\d))?/g
/** Characters of a text that are searched for a number. */
const searchedChars = 100_000

function numberIn(value: unknown, find: 'whole' | 'first' | 'last'): number | null {
  if (typeof value === 'number') return finite(value)
  if (typeof value !== 'string') return null
  if (find === 'whole') {
    const bare = value.trim().replaceAll(/(?<=^[-+−]?)[$€£¥]\s?|\s?[%€]$|(?<=\d),(?=\d{3}(?:\D|$))/g, '')
    return bare === '' ? null : finite(Number(bare.replace(/^−/, '-')))
  }
  const text = find === 'first' ? value.slice(0, searchedChars) : value.slice(-searchedChars)
  const numbers = text.match(written) ?? []
  const chosen = find === 'first' ? numbers[0] : numbers.at(-1)
  return chosen === undefined ? null : finite(Number(chosen.replaceAll(/[,$€£¥]/g, '').replace('−', '-')))
}

function finite(number: number): number | null {
  return Number.isFinite(number) ? number : null
}
