/**
 * BLEU as it is usually written: n-grams as joined words, counted in Maps. No package of the registry computes what sacrebleu
 * does; the words are cut by the tokenizer that is measured, so that the counting is compared.
 */
import { type BleuOptions, bleuOf } from '../../packages/engine/src/text/bleu-score.ts'
import { bleuWords } from '../../packages/engine/src/text/bleu-words.ts'

export function textbookBleu(text: string, reference: string, options: BleuOptions): number {
  const words = bleuWords(text, options.tokenizer)
  const others = bleuWords(reference, options.tokenizer)
  const matched: number[] = []
  const total: number[] = []
  for (let order = 1; order <= 4; order++) {
    const counts = grams(words, order)
    const wanted = grams(others, order)
    let found = 0
    for (const [gram, count] of counts) found += Math.min(count, wanted.get(gram) ?? 0)
    matched.push(found)
    total.push(Math.max(0, words.length - order + 1))
  }
  return bleuOf({ matched, total, systemLength: words.length, referenceLength: others.length }, options).score
}

function grams(words: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (let i = 0; i + order <= words.length; i++) {
    const gram = words.slice(i, i + order).join(' ')
    counts.set(gram, (counts.get(gram) ?? 0) + 1)
  }
  return counts
}
