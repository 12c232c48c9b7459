import * as z from 'zod'
import { evaluator } from '../evaluator.ts'
import { solidRuns } from './bleu-words.ts'
import { byLength, responseField, textOf } from './comparison.ts'
import { matchNgrams } from './ngrams.ts'
import { textsOf, threshold } from './similarity.ts'

/** F1 over words, as the SQuAD benchmark scores answers. */
export const tokenF1 = evaluator({
  slug: 'token-f1',
  name: 'Token F1',
  description:
    'Words that response and reference share, without articles, case and punctuation (as SQuAD scores answers); the best reference counts.',
  kind: 'code',
  category: 'text',
  aliases: ['f1', 'squad-f1'],
  needs: ['response', 'reference'],
  input: [
    responseField,
    {
      name: 'reference',
      type: 'any',
      description: 'What it should have answered: a text, or a list of texts that are all good.',
      required: true,
    },
  ],
  output: [
    {
      name: 'precision',
      type: 'number',
      description: 'Share of the response that is in the reference.',
      required: true,
    },
    { name: 'recall', type: 'number', description: 'Share of the reference that is in the response.', required: true },
  ],
  config: z.strictObject({ threshold: threshold(0.5) }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: { input: { response: 'It is the Eiffel Tower.', reference: 'Eiffel Tower' }, value: 2 / 3, passed: true },
  runs: byLength('response', 'reference'),
  score({ response, reference }, { config }) {
    const words = wordsOf(textOf(response))
    const nothing = { value: 0, precision: 0, recall: 0 }
    const best = textsOf(reference)
      .map((text) => compare(words, wordsOf(text)))
      .reduce((most, score) => (score.value > most.value ? score : most), nothing)
    const { value, precision, recall } = best
    return { value, passed: value >= config.threshold, output: { precision, recall } }
  },
})

/** Articles up to the boundaries of words as Python's regular expressions have them: quotation marks and dashes end one. */
const articles = /(?<![\p{L}\p{N}_])(?:an?|the)(?![\p{L}\p{N}_])/gu

function wordsOf(text: string): string[] {
  const bare = text.toLowerCase().replaceAll(/[!-/:-@[-`{-~]/g, '')
  return solidRuns(bare.replaceAll(articles, ' '))
}

function compare(words: string[], wanted: string[]) {
  // Two answers of nothing but articles are the same answer.
  if (words.length === 0 || wanted.length === 0) {
    const same = words.length === wanted.length ? 1 : 0
    return { value: same, precision: same, recall: same }
  }
  const common = matchNgrams(words, [wanted], 1).matched[0] ?? 0
  const precision = common / words.length
  const recall = common / wanted.length
  return { value: common === 0 ? 0 : (2 * precision * recall) / (precision + recall), precision, recall }
}
