import { NoScore } from '../evaluator.ts'
import { lcsLength, markLcs } from './lcs.ts'
import { matchNgrams } from './ngrams.ts'
import { stem } from './porter.ts'
import { Vocabulary } from './vocabulary.ts'

/** How much of a prediction is in the target, how much of the target is in the prediction, and their harmonic mean. All in 0 to 1. */
export interface RougeScore {
  precision: number
  recall: number
  f1: number
}

export interface RougeOptions {
  /** Words of more than three letters are taken by their stem. */
  stemmer: boolean
}

/** Pairs of words of one sentence each that a table of 256 MB holds. */
const mostPairs = 2 ** 31

/** The words of a text as Google's rouge_score sees them: lower case runs of a-z and 0-9. */
export function rougeWords(text: string, { stemmer }: RougeOptions): string[] {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? []
  return stemmer ? words.map((word) => (word.length > 3 ? stem(word) : word)) : words
}

/** ROUGE-N: common runs of `n` words (Lin, "ROUGE: a package for automatic evaluation of summaries", 2004). */
export function rougeN(texts: { target: string; prediction: string; n: number }, options: RougeOptions): RougeScore {
  const target = rougeWords(texts.target, options)
  const prediction = rougeWords(texts.prediction, options)
  return ngramScore({ target, prediction }, texts.n)
}

/** ROUGE-1 of words that somebody else took apart. */
export function rougeOfWords(words: { target: readonly string[]; prediction: readonly string[] }): RougeScore {
  return ngramScore(words, 1)
}

function ngramScore(
  { target, prediction }: { target: readonly string[]; prediction: readonly string[] },
  n: number,
): RougeScore {
  const common = matchNgrams(prediction, [target], n).matched[n - 1] ?? 0
  return scoreOf(common, Math.max(prediction.length - n + 1, 1), Math.max(target.length - n + 1, 1))
}

/** ROUGE-L: the longest sequence of words that both texts have in this order. */
export function rougeL(texts: { target: string; prediction: string }, options: RougeOptions): RougeScore {
  const vocabulary = new Vocabulary()
  const target = vocabulary.number(rougeWords(texts.target, options))
  const prediction = vocabulary.number(rougeWords(texts.prediction, options))
  return scoreOf(lcsLength(target, prediction, vocabulary.size), prediction.length, target.length)
}

/**
 * ROUGE-Lsum: for each line of the target the union of its longest common sequences with every line of the prediction; no word
 * counts more often than it occurs.
 *
 * @throws {NoScore} `too_large`
 */
export function rougeLsum(texts: { target: string; prediction: string }, options: RougeOptions): RougeScore {
  const vocabulary = new Vocabulary()
  const linesOf = (text: string) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => vocabulary.number(rougeWords(line, options)))
  const targets = linesOf(texts.target)
  const predictions = linesOf(texts.prediction)
  const left = [targets, predictions].map((lines) => {
    const counts = new Int32Array(vocabulary.size)
    for (const line of lines) for (const word of line) counts[word]!++
    return counts
  })
  const [inTarget, inPrediction] = left
  let hits = 0
  for (const target of targets) {
    const taken = new Uint8Array(target.length)
    for (const prediction of predictions) {
      if (target.length * prediction.length > mostPairs)
        throw new NoScore('too_large', 'A line of the texts has too many words for ROUGE-Lsum.')
      markLcs({ reference: target, candidate: prediction, vocabulary: vocabulary.size }, taken)
    }
    taken.forEach((isTaken, place) => {
      const word = target[place] ?? 0
      if (isTaken === 0 || (inTarget?.[word] ?? 0) <= 0 || (inPrediction?.[word] ?? 0) <= 0) return
      hits++
      inTarget![word]!--
      inPrediction![word]!--
    })
  }
  const words = (lines: Int32Array[]) => lines.reduce((sum, line) => sum + line.length, 0)
  return scoreOf(hits, words(predictions), words(targets))
}

function scoreOf(common: number, predicted: number, wanted: number): RougeScore {
  if (common === 0) return { precision: 0, recall: 0, f1: 0 }
  const precision = common / predicted
  const recall = common / wanted
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) }
}
