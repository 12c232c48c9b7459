import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createEngine } from '@llm-eval/engine'
import { Levenshtein } from 'autoevals'
import { distance } from 'fastest-levenshtein'
import { l as peerRougeL } from 'js-rouge'
import { type BleuOptions, bleuOf, bleuStatistics } from '../packages/engine/src/text/bleu-score.ts'
import { levenshtein, levenshteinSimilarity } from '../packages/engine/src/text/edit-distance.ts'
import { rougeL, rougeWords } from '../packages/engine/src/text/rouge-score.ts'
import type { Bench } from './bench.ts'
import { textbookBleu } from './peers/textbook-bleu.ts'
import type { Row } from './report.ts'

type Pair = readonly [text: string, reference: string]

const bleuOptions: BleuOptions = {
  tokenizer: '13a',
  lowercase: false,
  effectiveOrder: true,
  smoothing: 'exp',
  floor: 0.1,
}

/** The text metrics beside the packages that one would take instead, with the same results; and what a long pair does to the event loop. */
export const textMetrics: Bench = async ({ quick, say }) => {
  const pairs = Array.from({ length: quick ? 20 : 200 }, (_, seed) => pair(150, seed))
  const rounds = quick ? 1 : 5
  say('ROUGE-L')
  const rouge = await compare({ name: 'ROUGE-L', peer: 'js-rouge', pairs, rounds }, ours.rouge, peers.rouge)
  say('BLEU')
  const bleu = await compare({ name: 'BLEU', peer: 'n-grams as strings', pairs, rounds }, ours.bleu, peers.bleu)
  say('Levenshtein')
  for (const [a, b] of pairs)
    if (levenshtein(a, b) !== distance(a, b)) throw new Error('not the distance of the oracle')
  const edits = await compare({ name: 'Levenshtein', peer: 'autoevals', pairs, rounds }, ours.edits, peers.edits)
  say('long pairs')
  return [rouge, bleu, edits, ...(await longPairs(quick ? 1_000 : 10_000))]
}

const ours = {
  rouge: ([prediction, target]: Pair) => rougeL({ target, prediction }, { stemmer: false }).f1,
  bleu: ([text, reference]: Pair) => bleuOf(bleuStatistics(text, [reference], bleuOptions), bleuOptions).score,
  edits: ([text, reference]: Pair) => levenshteinSimilarity(text, reference),
}

const peers = {
  rouge: ([text, reference]: Pair) =>
    peerRougeL(text, reference, {
      segmenter: (whole) => [whole],
      tokenizer: (line) => rougeWords(line, { stemmer: false }),
    }),
  bleu: ([text, reference]: Pair) => textbookBleu(text, reference, bleuOptions),
  edits: async ([output, expected]: Pair) => (await Levenshtein({ output, expected })).score ?? Number.NaN,
}

type Metric = (pair: Pair) => number | Promise<number>

interface Comparison {
  name: string
  peer: string
  pairs: readonly Pair[]
  rounds: number
}

/** Pairs a second, the faster of the rounds of each; throws when the results differ. */
async function compare({ name, peer, pairs, rounds }: Comparison, own: Metric, other: Metric): Promise<Row> {
  for (const given of pairs) {
    const [a, b] = [await own(given), await other(given)]
    if (!(Math.abs(a - b) < 1e-9)) throw new Error(`${name}: ${a} is not the ${b} of ${peer}`)
  }
  let [best, bestOther] = [0, 0]
  for (let round = 0; round < rounds; round++) {
    best = Math.max(best, await rateOf(own, pairs))
    bestOther = Math.max(bestOther, await rateOf(other, pairs))
  }
  return {
    name: `${name}, pairs of about 150 words`,
    value: best,
    unit: '/s',
    peer: { name: peer, value: bestOther },
    target: { ratioAtLeast: 2 },
    note: 'the same results',
  }
}

async function rateOf(metric: Metric, pairs: readonly Pair[]): Promise<number> {
  const started = performance.now()
  for (const given of pairs) {
    const value = metric(given)
    if (typeof value !== 'number') await value
  }
  return (pairs.length * 1_000) / (performance.now() - started)
}

/** The longest that the event loop waits while an engine scores long texts. */
async function longPairs(words: number): Promise<Row[]> {
  const engine = createEngine()
  const [response, reference] = pair(words, 1)
  const rows: Row[] = []
  // Threads start first: that they start is no part of what is asked.
  await engine.evaluate({ evaluator: 'regex', input: { text: 'a' }, config: { regex: '(a+)+' } })
  for (const evaluator of ['rouge-l', 'rouge-lsum', 'bleu', 'levenshtein']) {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const { outcome, duration_ms } = await engine.evaluate({ evaluator, input: { response, reference } })
    delay.disable()
    if (outcome !== 'scored') throw new Error(`${evaluator} gave no score`)
    rows.push({
      name: `${evaluator}, one pair of ${words.toLocaleString('en-US')} words: event loop held up`,
      value: delay.max / 1e6,
      unit: 'ms',
      target: { atMost: 50 },
      note: `scored in ${duration_ms.toFixed(0)} ms`,
    })
  }
  await engine.close()
  return rows
}

/** Two texts that have most of their words in common, the same in every run. */
function pair(words: number, seed: number): Pair {
  let state = seed * 7_919 + 17
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
  const word = () => `word${Math.floor(random() ** 2 * 2_000).toString(36)}`
  const reference = Array.from({ length: words }, word)
  const text = reference.flatMap((same) => {
    const turn = random()
    if (turn < 0.1) return []
    return turn < 0.2 ? [word()] : turn < 0.3 ? [same, word()] : [same]
  })
  return [`${text.join(' ')}.`, `${reference.join(' ')}.`]
}
