import * as z from 'zod'
import { type Evaluator, evaluator, NoScore } from '../evaluator.ts'
import { byLength, textField, textOf } from '../text/comparison.ts'

const bounds = z.strictObject({
  min: z.int().min(0).optional().describe('Fewer do not pass.'),
  max: z.int().min(0).optional().describe('More do not pass.'),
})
const ratioBounds = z.strictObject({
  min: z.number().min(0).optional().describe('Smaller ratios do not pass.'),
  max: z.number().min(0).optional().describe('Larger ratios do not pass.'),
})

const kind = { kind: 'code', category: 'usage', range: { min: 0, max: null }, direction: null } as const

/** How many characters a text has. */
export const charCount = count({
  slug: 'char-count',
  name: 'Character count',
  description: 'Characters of the text (Unicode code points). Passes between `min` and `max`, where they are given.',
  aliases: ['length', 'character-count'],
  field: 'char_count',
  of: characters,
  example: { input: { text: 'Grüße 👋' }, config: { max: 10 }, value: 7, passed: true },
})

/** How many words a text has. */
export const wordCount = count({
  slug: 'word-count',
  name: 'Word count',
  description: 'Words of the text, told apart by white space. Passes between `min` and `max`, where they are given.',
  aliases: [],
  field: 'word_count',
  of: words,
  example: { input: { text: 'Three little words' }, config: { min: 5 }, value: 3, passed: false },
})

/** How much longer one text is than another, in characters. */
export const charCountRatio = ratio({
  slug: 'char-count-ratio',
  name: 'Character count ratio',
  description: 'Characters of one text over those of another.',
  field: 'char_ratio',
  of: characters,
  example: { input: { numerator_text: 'abc', denominator_text: 'abcdef' }, value: 0.5, passed: null },
})

/** How much longer one text is than another, in words. */
export const wordCountRatio = ratio({
  slug: 'word-count-ratio',
  name: 'Word count ratio',
  description: 'Words of one text over those of another.',
  field: 'word_ratio',
  of: words,
  example: {
    input: { numerator_text: 'a b c', denominator_text: 'a b' },
    config: { max: 1 },
    value: 1.5,
    passed: false,
  },
})

interface Kind extends Pick<Evaluator, 'slug' | 'name' | 'description' | 'aliases' | 'example'> {
  /** The field of the output. */
  field: string
  of: (text: string) => number
}

function count({ field, of, ...about }: Kind): Evaluator<z.output<typeof bounds>> {
  return evaluator({
    ...about,
    ...kind,
    needs: ['response'],
    input: [textField('text', 'The text that is counted.')],
    output: [{ name: field, type: 'integer', description: 'The count.', required: true }],
    config: bounds,
    runs: byLength('text'),
    score({ text }, { config }) {
      const value = of(textOf(text))
      return { value, passed: within(value, config), output: { [field]: value } }
    },
  })
}

function ratio({ field, of, ...about }: Kind): Evaluator<z.output<typeof ratioBounds>> {
  return evaluator({
    ...about,
    ...kind,
    needs: [],
    input: [
      textField('numerator_text', 'The text whose length is divided.'),
      textField('denominator_text', 'The text whose length it is divided by.'),
    ],
    output: [{ name: field, type: 'number', description: 'The ratio.', required: true }],
    config: ratioBounds,
    runs: byLength('numerator_text', 'denominator_text'),
    score(input, { config }) {
      const denominator = of(textOf(input['denominator_text']))
      if (denominator === 0) throw new NoScore('missing_evidence', 'The text to divide by is empty: there is no ratio.')
      const value = of(textOf(input['numerator_text'])) / denominator
      return { value, passed: within(value, config), output: { [field]: value } }
    },
  })
}

/** Null where there is no bound to keep to. */
function within(value: number, bound: { min?: number | undefined; max?: number | undefined }): boolean | null {
  if (bound.min === undefined && bound.max === undefined) return null
  return value >= (bound.min ?? 0) && value <= (bound.max ?? Number.POSITIVE_INFINITY)
}

function characters(text: string): number {
  let sum = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    const next = text.charCodeAt(i + 1)
    // A pair of surrogates is one character.
    if (unit >= 0xd800 && unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) i++
    sum++
  }
  return sum
}

function words(text: string): number {
  return text.match(/\S+/g)?.length ?? 0
}
