import * as z from 'zod'
import { evaluator } from '../evaluator.ts'
import { byLength, referenceField, responseField, textOf } from './comparison.ts'

const config = z.strictObject({
  ignore_case: z.boolean().default(false).describe('Upper and lower case are the same.'),
  ignore_whitespace: z.boolean().default(true).describe('Runs of white space are one space, and none at the ends.'),
  ignore_punctuation: z.boolean().default(false).describe('Punctuation and symbols say nothing.'),
})

/** Whether two texts are the same. */
export const exactMatch = evaluator({
  slug: 'exact-match',
  name: 'Exact match',
  description: '1 when the response is the reference, 0 when it is not. White space at the ends says nothing.',
  kind: 'code',
  category: 'text',
  aliases: ['accuracy', 'accuracy-evaluator', 'equals', 'exact-match-evaluator'],
  needs: ['response', 'reference'],
  input: [responseField, referenceField],
  output: [{ name: 'match', type: 'boolean', description: 'Whether they are the same.', required: true }],
  config,
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: { input: { response: 'Paris', reference: 'Paris' }, value: 1, passed: true },
  runs: byLength('response', 'reference'),
  score({ response, reference }, { config: options }) {
    const match = normal(textOf(response), options) === normal(textOf(reference), options)
    return { value: match ? 1 : 0, passed: match, output: { match } }
  },
})

function normal(text: string, options: z.output<typeof config>): string {
  let result = text
  if (options.ignore_case) result = result.toLowerCase()
  if (options.ignore_punctuation) result = result.replaceAll(/[\p{P}\p{S}]/gu, '')
  if (options.ignore_whitespace) result = result.trim().replaceAll(/\s+/g, ' ')
  return result
}
