import * as z from 'zod'
import { evaluator } from '../evaluator.ts'
import { textField, textOf } from '../text/comparison.ts'

/** Characters that are looked at: more say nothing new. */
const enough = 20_000

/** Which language a text is in. */
export const language = evaluator({
  slug: 'language',
  name: 'Language',
  description:
    '1 when the text is in one of the expected languages, 0 when it is not; without expectation it only tells the language.',
  kind: 'code',
  category: 'text',
  aliases: ['language-detection'],
  needs: ['response'],
  input: [textField('text', 'The text whose language is told.')],
  output: [
    { name: 'language', type: 'string', description: 'ISO 639-1 code; null where none is recognised.', required: true },
    {
      name: 'reliable',
      type: 'boolean',
      description: 'Whether the text is long and clear enough to tell.',
      required: true,
    },
  ],
  config: z.strictObject({
    expected: z
      .array(z.string().regex(/^[a-z]{2}$/, 'must be an ISO 639-1 code'))
      .min(1)
      .max(60)
      .optional()
      .describe('ISO 639-1 codes, such as `en`.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: {
    input: { text: 'Wie komme ich von hier zum Bahnhof?' },
    config: { expected: ['de'] },
    value: 1,
    passed: true,
  },
  // The tables of the languages stay out of the main thread.
  runs: 'thread',
  async score({ text }, { config: { expected } }) {
    const { eld } = await import('eld/small')
    const found = eld.detect(textOf(text).slice(0, enough))
    const code = found.language === '' ? null : found.language
    const output = { language: code, reliable: found.isReliable() }
    if (expected === undefined) return { label: code, output }
    const passed = code !== null && expected.includes(code)
    return { value: passed ? 1 : 0, label: code, passed, output }
  },
})
