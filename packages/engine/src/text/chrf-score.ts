import { solidCharacters, solidRuns } from './bleu-words.ts'
import { matchNgrams } from './ngrams.ts'

export interface ChrfOptions {
  characterOrder: number
  /** 0 is chrF, 2 is chrF++. */
  wordOrder: number
  /** How much more recall weighs than precision. */
  beta: number
  lowercase: boolean
  /** Averages over the F scores of all orders, also those that a text is too short for, as chrF++.py does. */
  epsSmoothing: boolean
}

interface Counts {
  hypothesis: number
  reference: number
  matched: number
}

/**
 * chrF (Popović, 2015) in percent, of the best of the references, as sacrebleu computes it: character n-grams without white space,
 * precision and recall averaged over the orders that both texts are long enough for.
 */
export function chrf(text: string, references: readonly string[], options: ChrfOptions): number {
  const fold = (line: string) => (options.lowercase ? line.toLowerCase() : line)
  return Math.max(0, ...references.map((reference) => fScore(countsOf(fold(text), fold(reference), options), options)))
}

function countsOf(text: string, reference: string, { characterOrder, wordOrder }: ChrfOptions): Counts[] {
  return [
    ...compare(solidCharacters(text), solidCharacters(reference), characterOrder),
    ...compare(wordsOf(text), wordsOf(reference), wordOrder),
  ]
}

function compare(text: readonly string[], reference: readonly string[], orders: number): Counts[] {
  const { total, matched } = matchNgrams(text, [reference], orders)
  return total.map((hypothesis, index) => ({
    hypothesis,
    reference: Math.max(0, reference.length - index),
    matched: matched[index] ?? 0,
  }))
}

const punctuation = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~')

/** Words, with the punctuation at one end apart. */
function wordsOf(line: string): string[] {
  return solidRuns(line).flatMap((run) => {
    const characters = Array.from(run)
    const [first = '', last = ''] = [characters[0], characters.at(-1)]
    if (characters.length === 1) return [run]
    if (punctuation.has(last)) return [run.slice(0, -1), last]
    return punctuation.has(first) ? [first, run.slice(1)] : [run]
  })
}

const epsilon = 1e-16

function fScore(orders: readonly Counts[], { beta, epsSmoothing }: ChrfOptions): number {
  const weight = beta ** 2
  const f = (precision: number, recall: number) =>
    precision + recall === 0 ? 0 : ((1 + weight) * precision * recall) / (weight * precision + recall)
  const share = (matched: number, all: number) => (all > 0 ? matched / all : epsilon)
  if (epsSmoothing) {
    const scores = orders.map(({ hypothesis, reference, matched }) =>
      f(share(matched, hypothesis), share(matched, reference)),
    )
    return (100 * scores.reduce((sum, score) => sum + (score || epsilon), 0)) / orders.length
  }
  const usable = orders.filter(({ hypothesis, reference }) => hypothesis > 0 && reference > 0)
  if (usable.length === 0) return 0
  const mean = (shareOf: (counts: Counts) => number) =>
    usable.reduce((sum, counts) => sum + shareOf(counts), 0) / usable.length
  return (
    100 *
    f(
      mean(({ matched, hypothesis }) => matched / hypothesis),
      mean(({ matched, reference }) => matched / reference),
    )
  )
}
