import * as z from 'zod'
import { type Evaluator, evaluator } from '../evaluator.ts'
import { byLength, referenceField, responseField, textOf } from './comparison.ts'
import { rougeL, rougeLsum, rougeN, type RougeOptions, type RougeScore } from './rouge-score.ts'
import { threshold } from './similarity.ts'

const config = z.strictObject({
  threshold: threshold(0.5),
  measure: z.enum(['f1', 'precision', 'recall']).default('f1').describe('Which of the three is the value.'),
  stemmer: z.boolean().default(false).describe("Words of more than three letters are taken by their stem (Porter's)."),
})
type Config = z.output<typeof config>

const example = { response: 'the cat sat on the mat', reference: 'the cat is on the mat' }

export const rouge1 = rouge({
  slug: 'rouge-1',
  name: 'ROUGE-1',
  aliases: ['rouge1', 'rouge'],
  description: 'Words that response and reference have in common; equal to Google’s rouge_score.',
  example: { input: example, value: 5 / 6, passed: true },
  compute: (texts, options) => rougeN({ ...texts, n: 1 }, options),
})

export const rouge2 = rouge({
  slug: 'rouge-2',
  name: 'ROUGE-2',
  aliases: ['rouge2'],
  description: 'Pairs of neighbouring words that response and reference have in common; equal to Google’s rouge_score.',
  example: { input: example, value: 0.6, passed: true },
  compute: (texts, options) => rougeN({ ...texts, n: 2 }, options),
})

export const rougeLEvaluator = rouge({
  slug: 'rouge-l',
  name: 'ROUGE-L',
  aliases: ['rougel'],
  description:
    'The longest sequence of words that response and reference both have in this order; equal to Google’s rouge_score.',
  example: { input: example, value: 5 / 6, passed: true },
  compute: rougeL,
})

export const rougeLsumEvaluator = rouge({
  slug: 'rouge-lsum',
  name: 'ROUGE-Lsum',
  aliases: ['rougelsum'],
  description: 'ROUGE-L line by line, for summaries of several sentences, one a line; equal to Google’s rouge_score.',
  example: { input: { response: 'Rain came.\nWe left.', reference: 'We left.\nRain came.' }, value: 1, passed: true },
  compute: rougeLsum,
})

interface Kind extends Pick<Evaluator, 'slug' | 'name' | 'aliases' | 'description' | 'example'> {
  compute: (texts: { target: string; prediction: string }, options: RougeOptions) => RougeScore
}

function rouge({ compute, ...kind }: Kind): Evaluator<Config> {
  const share = (name: string, description: string) => ({ name, type: 'number', description, required: true }) as const
  return evaluator({
    ...kind,
    kind: 'code',
    category: 'text',
    needs: ['response', 'reference'],
    input: [responseField, referenceField],
    output: [
      share('precision', 'Share of the response that is in the reference.'),
      share('recall', 'Share of the reference that is in the response.'),
      share('f1', 'Harmonic mean of both.'),
    ],
    config,
    range: { min: 0, max: 1 },
    direction: 'higher',
    runs: byLength('response', 'reference'),
    score({ response, reference }, { config: { measure, threshold: least, stemmer } }) {
      const output = compute({ target: textOf(reference), prediction: textOf(response) }, { stemmer })
      const value = output[measure]
      return { value, passed: value >= least, output: { ...output } }
    },
  })
}
