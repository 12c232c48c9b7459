import * as z from 'zod'
import { evaluator } from '../evaluator.ts'
import { bleuOf, bleuSmoothings, bleuStatistics } from './bleu-score.ts'
import { bleuTokenizers } from './bleu-words.ts'
import { chrf } from './chrf-score.ts'
import { byLength, responseField, textOf } from './comparison.ts'
import { textsOf, threshold } from './similarity.ts'

const references = {
  name: 'reference',
  type: 'any',
  description: 'What it should have answered: a text, or a list of texts that are all good.',
  required: true,
} as const
const lowercase = z.boolean().default(false).describe('Upper and lower case are the same.')

/** BLEU of a single response. */
export const bleu = evaluator({
  slug: 'bleu',
  name: 'BLEU',
  description:
    'Runs of one to four words that the response shares with its references, less for short responses; a hundredth of sacrebleu’s sentence score.',
  kind: 'code',
  category: 'text',
  aliases: ['sacrebleu'],
  needs: ['response', 'reference'],
  input: [responseField, references],
  output: [
    { name: 'bleu', type: 'number', description: 'The score as sacrebleu gives it, 0 to 100.', required: true },
    { name: 'precisions', type: 'array', description: 'Of runs of 1 to 4 words, in percent.', required: true },
    { name: 'brevity_penalty', type: 'number', description: 'Below 1 for a short response.', required: true },
    { name: 'response_words', type: 'integer', description: 'Words of the response.', required: true },
    {
      name: 'reference_words',
      type: 'integer',
      description: 'Words of the reference nearest in length.',
      required: true,
    },
  ],
  config: z.strictObject({
    threshold: threshold(0.3),
    tokenizer: z.enum(bleuTokenizers).default('13a').describe('How words are told apart, as sacrebleu names it.'),
    lowercase,
    smoothing: z
      .enum(bleuSmoothings)
      .default('exp')
      .describe('What stands in for a precision of 0: half of the one before, a count of `floor`, or nothing.'),
    floor: z.number().min(0).max(1).default(0.1).describe('With `smoothing: floor`.'),
    effective_order: z.boolean().default(true).describe('Leaves out runs longer than the response.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: {
    input: { response: 'the cat sat on the mat', reference: 'the cat is on the mat' },
    value: 0.379_917_842_825_8,
    passed: true,
  },
  runs: byLength('response', 'reference'),
  score({ response, reference }, { config }) {
    const options = { ...config, effectiveOrder: config.effective_order }
    const score = bleuOf(bleuStatistics(textOf(response), someOf(reference), options), options)
    const value = Math.min(1, score.score / 100)
    return {
      value,
      passed: value >= config.threshold,
      output: {
        bleu: score.score,
        precisions: score.precisions,
        brevity_penalty: score.brevityPenalty,
        response_words: score.systemLength,
        reference_words: score.referenceLength,
      },
    }
  },
})

/** chrF of a single response. */
export const chrfEvaluator = evaluator({
  slug: 'chrf',
  name: 'chrF',
  description:
    'Runs of one to six characters that response and reference share, the best reference counting; a hundredth of sacrebleu’s score.',
  kind: 'code',
  category: 'text',
  needs: ['response', 'reference'],
  input: [responseField, references],
  output: [{ name: 'chrf', type: 'number', description: 'The score as sacrebleu gives it, 0 to 100.', required: true }],
  config: z.strictObject({
    threshold: threshold(0.5),
    char_order: z.int().min(1).max(10).default(6).describe('Longest run of characters.'),
    word_order: z.int().min(0).max(4).default(0).describe('Longest run of words; 2 makes it chrF++.'),
    beta: z.number().min(0.1).max(10).default(2).describe('How much more recall weighs than precision.'),
    lowercase,
    eps_smoothing: z.boolean().default(false).describe('Averages over all orders, also those a text is too short for.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: { input: { response: 'a b c', reference: 'abc' }, value: 1, passed: true },
  runs: byLength('response', 'reference'),
  score({ response, reference }, { config }) {
    const options = {
      ...config,
      characterOrder: config.char_order,
      wordOrder: config.word_order,
      epsSmoothing: config.eps_smoothing,
    }
    const score = chrf(textOf(response), someOf(reference), options)
    const value = Math.min(1, score / 100)
    return { value, passed: value >= config.threshold, output: { chrf: score } }
  },
})

/** At least one reference: none is the empty one. */
function someOf(reference: unknown): string[] {
  const texts = textsOf(reference)
  return texts.length > 0 ? texts : ['']
}
