import * as z from 'zod'
import { type Evaluator, type Input, evaluator, NoScore } from '../evaluator.ts'
import { byLength, responseField, shown, textOf } from './comparison.ts'

const config = z.strictObject({
  values: z
    .array(z.string().min(1).max(10_000))
    .min(1)
    .max(1_000)
    .optional()
    .describe('Texts that are looked for; without them the reference is.'),
  mode: z.enum(['all', 'any']).default('all').describe('Whether all of the texts count, or any one.'),
  ignore_case: z.boolean().default(false).describe('Upper and lower case are the same.'),
})
type Config = z.output<typeof config>

interface Kind extends Pick<Evaluator<Config>, 'slug' | 'name' | 'description' | 'aliases' | 'example'> {
  has: (text: string, value: string) => boolean
  /** Whether finding it is what should not be. */
  unwanted?: true
}

/** Whether a text contains others, or none of them. */
export const contains = containment({
  slug: 'contains',
  name: 'Contains',
  description: '1 when the response contains the reference, or the configured values, and 0 when it does not.',
  aliases: ['includes'],
  example: { input: { response: 'The capital is Paris.', reference: 'Paris' }, value: 1, passed: true },
  has: (text, value) => text.includes(value),
})

export const notContains = containment({
  slug: 'not-contains',
  name: 'Does not contain',
  description:
    '1 when the response contains neither the reference nor any configured value. `mode: any` asks that one be absent.',
  aliases: ['excludes'],
  example: {
    input: { response: 'Have a nice day.' },
    config: { values: ['refund', 'lawyer'] },
    value: 1,
    passed: true,
  },
  has: (text, value) => text.includes(value),
  unwanted: true,
})

export const startsWith = containment({
  slug: 'starts-with',
  name: 'Starts with',
  description: '1 when the response starts with the reference; with configured values one of them is enough.',
  aliases: [],
  example: { input: { response: 'Dear Ada, …', reference: 'Dear' }, value: 1, passed: true },
  has: (text, value) => text.startsWith(value),
})

export const endsWith = containment({
  slug: 'ends-with',
  name: 'Ends with',
  description: '1 when the response ends with the reference; with configured values one of them is enough.',
  aliases: [],
  example: { input: { response: 'That is all. Goodbye!', reference: 'Goodbye!' }, value: 1, passed: true },
  has: (text, value) => text.endsWith(value),
})

function containment({ has, unwanted, ...kind }: Kind): Evaluator<Config> {
  const atAnEnd = kind.slug === 'starts-with' || kind.slug === 'ends-with'
  return evaluator({
    ...kind,
    kind: 'code',
    category: 'text',
    needs: ['response'],
    input: [
      responseField,
      { name: 'reference', type: 'string', description: 'The text that is looked for.', required: false },
    ],
    output: [
      { name: 'found', type: 'array', description: 'Which of the texts are there, as far as shown.', required: true },
      { name: 'absent', type: 'array', description: 'Which are not, as far as shown.', required: true },
    ],
    config: atAnEnd
      ? config.extend({
          mode: z.enum(['all', 'any']).default('any').describe('Whether all of the texts count, or any one.'),
        })
      : config,
    range: { min: 0, max: 1 },
    direction: 'higher',
    runs: byLength('response', 'reference'),
    score(input, { config: options }) {
      const fold = (text: string) => (options.ignore_case ? text.toLowerCase() : text)
      const text = fold(textOf(input['response']))
      const values = valuesOf(input, options)
      const found: string[] = []
      const absent: string[] = []
      for (const value of values) (has(text, fold(value)) ? found : absent).push(value)
      const good = unwanted ? absent : found
      const passed = options.mode === 'all' ? good.length === values.length : good.length > 0
      return { value: passed ? 1 : 0, passed, output: { found: shownOf(found), absent: shownOf(absent) } }
    },
  })
}

/** Texts that an output tells of each kind. */
const mostShown = 100

function shownOf(values: readonly string[]): string[] {
  return values.slice(0, mostShown).map(shown)
}

function valuesOf(input: Input, { values }: Config): string[] {
  const reference = input['reference']
  const sought = values ?? (typeof reference === 'string' && reference !== '' ? [reference] : [])
  if (sought.length === 0)
    throw new NoScore('missing_evidence', 'There is nothing to look for: neither a reference nor configured values.')
  return sought
}
