import { clamp, type Confidence, type Interval, levelOf, reachOf, wholeFrom } from './interval.ts'
import { type ProportionMethod, proportion } from './proportion.ts'

/** What a judge said, and how it did where people judged too. All are whole numbers. */
export interface JudgedCounts {
  /** Cases that the judge passed, of `judged`. */
  passed: number
  judged: number
  /** Of the cases that people accepted: how many the judge passed too, of how many. */
  truePositives: number
  accepted: number
  /** Of the cases that people rejected: how many the judge failed too, of how many. */
  trueNegatives: number
  rejected: number
}

/** A pass rate with the judge's errors taken out. */
export interface CorrectedRate {
  /** Cases judged. */
  n: number
  /** As the judge sees it. */
  raw: Interval
  /** Share of accepted cases that the judge passes; null when people accepted none. */
  sensitivity: Interval | null
  /** Share of rejected cases that the judge fails; null when people rejected none. */
  specificity: Interval | null
  /** Cut to [0, 1]; null with a `reason`. */
  corrected: Interval | null
  /** As the formula gives it. Outside of [0, 1] the judge passes fewer, or more, than its errors alone would. */
  unclamped: number | null
  /** By the delta method; for the most part from the calibration, if that was small. */
  se: number | null
  /** Why there is no corrected rate: nobody accepted or rejected anything, or the judge tells them apart no better than a coin. */
  reason: 'not_calibrated' | 'judge_no_better_than_chance' | null
}

/** How the interval is made. */
export interface CorrectionOptions extends Confidence {
  /**
   * `delta` (default): corrected ± z SE. `lang_reiczigel`: Z. Lang and J. Reiczigel (2014), which keeps its level also where a
   * judge made no error in a small calibration, and delta believes it never will.
   */
  interval?: 'delta' | 'lang_reiczigel' | undefined
  /** Of the raw rate, the sensitivity and the specificity. */
  method?: ProportionMethod | undefined
}

/**
 * W. Rogan and B. Gladen (1978): θ = (p + sp - 1) / J, J = se + sp - 1, with
 * Var θ = (p(1-p)/n + θ² se(1-se)/m₁ + (1-θ)² sp(1-sp)/m₀) / J².
 * With J <= 0 a pass of the judge says nothing, or the opposite, and there is no corrected rate. Null when nothing was judged.
 */
export function correctedRate(counts: JudgedCounts, options: CorrectionOptions = {}): CorrectedRate | null {
  const level = levelOf(options)
  for (const [name, count] of Object.entries(counts)) wholeFrom(0, name, count)
  const { passed, judged, truePositives, accepted, trueNegatives, rejected } = counts
  const raw = proportion(passed, judged, options)
  const sensitivity = proportion(truePositives, accepted, options)
  const specificity = proportion(trueNegatives, rejected, options)
  if (raw === null) return null
  const known = { n: judged, raw, sensitivity, specificity }
  const without = { corrected: null, unclamped: null, se: null }
  if (sensitivity === null || specificity === null) return { ...known, ...without, reason: 'not_calibrated' }
  const rates = { rate: passed / judged, sensitivity: sensitivity.estimate, specificity: specificity.estimate }
  // In whole numbers, so that a judge which is exactly a coin is not let through by rounding.
  if (truePositives * rejected + trueNegatives * accepted <= accepted * rejected)
    return { ...known, ...without, reason: 'judge_no_better_than_chance' }
  const unclamped = invert(rates)
  const se = errorOf(rates, { n: judged, accepted, rejected })
  const estimate = clamp(unclamped, 0, 1)
  const bounds =
    options.interval === 'lang_reiczigel'
      ? langReiczigel(rates, { n: judged, accepted, rejected }, level)
      : { low: unclamped - reachOf(level) * se, high: unclamped + reachOf(level) * se }
  const [low, high] = [clamp(bounds.low, 0, estimate), clamp(bounds.high, estimate, 1)]
  return { ...known, corrected: { estimate, low, high, level, n: judged }, unclamped, se, reason: null }
}

interface Rates {
  rate: number
  sensitivity: number
  specificity: number
}

interface Sizes {
  n: number
  accepted: number
  rejected: number
}

function invert({ rate, sensitivity, specificity }: Rates): number {
  return (rate + specificity - 1) / (sensitivity + specificity - 1)
}

function errorOf(rates: Rates, { n, accepted, rejected }: Sizes): number {
  const { rate, sensitivity, specificity } = rates
  const truth = invert(rates)
  const variance =
    (rate * (1 - rate)) / n +
    (truth ** 2 * sensitivity * (1 - sensitivity)) / accepted +
    ((1 - truth) ** 2 * specificity * (1 - specificity)) / rejected
  return Math.sqrt(variance) / (sensitivity + specificity - 1)
}

/** Each rate is drawn to ½ by added cases, half of them passed, and the middle is moved by what that brings. */
function langReiczigel(rates: Rates, sizes: Sizes, level: number): { low: number; high: number } {
  const z = reachOf(level)
  const { n, accepted, rejected } = { n: sizes.n + z * z, accepted: sizes.accepted + 2, rejected: sizes.rejected + 2 }
  const drawn = {
    rate: (sizes.n * rates.rate + (z * z) / 2) / n,
    sensitivity: (sizes.accepted * rates.sensitivity + 1) / accepted,
    specificity: (sizes.rejected * rates.specificity + 1) / rejected,
  }
  // So little calibration that the drawn judge is a coin: anything may be true.
  if (drawn.sensitivity + drawn.specificity <= 1) return { low: 0, high: 1 }
  const truth = invert(drawn)
  const shift =
    2 *
    z *
    z *
    ((truth * drawn.sensitivity * (1 - drawn.sensitivity)) / accepted -
      ((1 - truth) * drawn.specificity * (1 - drawn.specificity)) / rejected)
  const reach = z * errorOf(drawn, { n, accepted, rejected })
  return { low: truth + shift - reach, high: truth + shift + reach }
}
