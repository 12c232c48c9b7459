import { matchNgrams } from './ngrams.ts'
import { type BleuTokenizer, bleuWords } from './bleu-words.ts'

const orders = 4

/** BLEU and what it is made of, as sacrebleu tells it: score and precisions in percent. */
export interface BleuScore {
  score: number
  /** Of 1- to 4-grams. */
  precisions: number[]
  brevityPenalty: number
  systemLength: number
  referenceLength: number
}

export interface BleuOptions {
  tokenizer: BleuTokenizer
  lowercase: boolean
  /** Leaves out orders that the text is too short for: what single sentences need. */
  effectiveOrder: boolean
  /** What stands in for a precision of 0: half of the one before (`exp`), a count of `floor`, or nothing. */
  smoothing: (typeof bleuSmoothings)[number]
  floor: number
}

export const bleuSmoothings = ['exp', 'floor', 'none'] as const

/** What BLEU needs of one segment; summed over segments it gives the score of a corpus. */
export interface BleuStatistics {
  matched: number[]
  total: number[]
  systemLength: number
  referenceLength: number
}

/** Counts a segment against its references, of which there is at least one. */
export function bleuStatistics(text: string, references: readonly string[], options: BleuOptions): BleuStatistics {
  const wordsOf = (line: string) => bleuWords(options.lowercase ? line.toLowerCase() : line, options.tokenizer)
  const words = wordsOf(text)
  const others = references.map(wordsOf)
  const lengths = others.map(({ length }) => length)
  const away = (length: number) => Math.abs(length - words.length)
  const referenceLength = lengths.reduce(
    (best, length) => (away(length) < away(best) || (away(length) === away(best) && length < best) ? length : best),
    lengths[0] ?? 0,
  )
  return { ...matchNgrams(words, others, orders), systemLength: words.length, referenceLength }
}

/**
 * BLEU (Papineni et al., 2002) as sacrebleu computes it.
 * Sum the statistics of several segments first to get the score of a corpus.
 */
export function bleuOf(statistics: BleuStatistics, options: BleuOptions): BleuScore {
  const { matched, total, systemLength, referenceLength } = statistics
  const brevityPenalty =
    systemLength >= referenceLength ? 1 : systemLength > 0 ? Math.exp(1 - referenceLength / systemLength) : 0
  const precisions = [0, 0, 0, 0]
  const score = { score: 0, precisions, brevityPenalty, systemLength, referenceLength }
  if (!matched.some((count) => count > 0)) return score
  let smoothing = 1
  let used = orders
  for (let order = 1; order <= orders; order++) {
    const possible = total[order - 1] ?? 0
    if (possible === 0) break
    if (options.effectiveOrder) used = order
    const found = matched[order - 1] ?? 0
    if (found === 0) smoothing *= 2
    const instead = { exp: 1 / smoothing, floor: options.floor, none: 0 }[options.smoothing]
    precisions[order - 1] = (100 * (found === 0 ? instead : found)) / possible
  }
  const logs = precisions
    .slice(0, used)
    .reduce((sum, precision) => sum + (precision === 0 ? -9_999_999_999 : Math.log(precision)), 0)
  return { ...score, score: brevityPenalty * Math.exp(logs / used) }
}

/** Sums the statistics of the segments of a corpus. */
export function sumStatistics(segments: readonly BleuStatistics[]): BleuStatistics {
  const sum: BleuStatistics = { matched: [0, 0, 0, 0], total: [0, 0, 0, 0], systemLength: 0, referenceLength: 0 }
  for (const segment of segments) {
    sum.systemLength += segment.systemLength
    sum.referenceLength += segment.referenceLength
    for (let order = 0; order < orders; order++) {
      sum.matched[order]! += segment.matched[order] ?? 0
      sum.total[order]! += segment.total[order] ?? 0
    }
  }
  return sum
}
