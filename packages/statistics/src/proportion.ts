import { betaQuantile } from './distributions.ts'
import { clamp, type Confidence, type Interval, levelOf, reachOf, wholeFrom } from './interval.ts'

/** How a proportion's interval is made. */
export type ProportionMethod = 'wilson' | 'clopper_pearson' | 'jeffreys' | 'agresti_coull'

/**
 * The share of successes with its interval; null when there were no trials. Bounds lie in [0, 1], and reach 0 and 1 exactly
 * where the method says so.
 *
 * - `wilson` (default): E. B. Wilson 1927, the score interval; close to its level on average, also for few trials.
 * - `clopper_pearson`: C. Clopper and E. Pearson 1934; never below its level, wider than needed.
 * - `jeffreys`: equal-tailed, from a Beta(½, ½) prior (Brown, Cai, DasGupta 2001).
 * - `agresti_coull`: A. Agresti and B. Coull 1998; Wilson's middle, simpler and wider.
 */
export function proportion(
  successes: number,
  trials: number,
  options: Confidence & { method?: ProportionMethod | undefined } = {},
): Interval | null {
  const level = levelOf(options)
  wholeFrom(0, 'successes', successes)
  wholeFrom(0, 'trials', trials)
  if (successes > trials) throw new RangeError(`${successes} successes of ${trials} trials`)
  if (trials === 0) return null
  const { low, high } = bounds[options.method ?? 'wilson'](successes, trials, level)
  return { estimate: successes / trials, low: clamp(low, 0, 1), high: clamp(high, 0, 1), level, n: trials }
}

interface Bounds {
  low: number
  high: number
}

/** Wilson's bounds for any share of n trials; n need not be whole. */
export function wilsonBounds(share: number, n: number, level: number): Bounds {
  const z = reachOf(level)
  const middle = share + (z * z) / (2 * n)
  const reach = z * Math.sqrt((share * (1 - share) + (z * z) / (4 * n)) / n)
  const scale = 1 + (z * z) / n
  return {
    low: share === 0 ? 0 : clamp((middle - reach) / scale, 0, 1),
    high: share === 1 ? 1 : clamp((middle + reach) / scale, 0, 1),
  }
}

const bounds: Record<ProportionMethod, (k: number, n: number, level: number) => Bounds> = {
  wilson: (k, n, level) => wilsonBounds(k / n, n, level),
  clopper_pearson: (k, n, level) => ({
    low: k === 0 ? 0 : betaQuantile((1 - level) / 2, { a: k, b: n - k + 1 }),
    // From the other end, where the small tail keeps its digits.
    high: k === n ? 1 : 1 - betaQuantile((1 - level) / 2, { a: n - k, b: k + 1 }),
  }),
  jeffreys: (k, n, level) => ({
    low: betaQuantile((1 - level) / 2, { a: k + 0.5, b: n - k + 0.5 }),
    high: 1 - betaQuantile((1 - level) / 2, { a: n - k + 0.5, b: k + 0.5 }),
  }),
  agresti_coull: (k, n, level) => {
    const z = reachOf(level)
    const total = n + z * z
    const share = (k + (z * z) / 2) / total
    const reach = z * Math.sqrt((share * (1 - share)) / total)
    return { low: share - reach, high: share + reach }
  },
}
