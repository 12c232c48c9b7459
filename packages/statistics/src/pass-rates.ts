import { type Confidence, wholeFrom } from './interval.ts'
import { type MeanEstimate, meanEstimate } from './mean.ts'

/** How often one task was tried, and how often it went well. */
export interface Attempts {
  /** Whole number of attempts. */
  n: number
  /** Of them correct. */
  c: number
}

/**
 * pass@k: the chance that at least one of k attempts is correct, 1 - C(n - c, k) / C(n, k), without bias from n attempts.
 * M. Chen et al. (arXiv:2107.03374), in their stable product form. Null when n < k: it cannot be told without bias.
 */
export function passAtK(attempts: Attempts, k: number): number | null {
  const { n, c } = checked(attempts, k)
  if (n < k) return null
  if (n - c < k) return 1
  let allFail = 1
  for (let size = n - c + 1; size <= n; size++) allFail *= 1 - k / size
  return 1 - allFail
}

/**
 * pass^k: the chance that all of k attempts are correct, C(c, k) / C(n, k), without bias from n attempts.
 * S. Yao et al., τ-bench (arXiv:2406.12045). Null when n < k.
 */
export function passHatK(attempts: Attempts, k: number): number | null {
  const { n, c } = checked(attempts, k)
  if (n < k) return null
  let all = 1
  for (let drawn = 0; drawn < k && all > 0; drawn++) all *= Math.max(0, c - drawn) / (n - drawn)
  return all
}

/** A pass rate over tasks. */
export interface PassRate extends MeanEstimate {
  /** Tasks with fewer than k attempts. */
  leftOut: number
}

/**
 * The mean over tasks of pass@k (`any`) or pass^k (`all`), with the t interval over tasks: attempts of one task are no
 * independent ones. Null when no task has k attempts.
 */
export function passRate(
  tasks: readonly Attempts[],
  k: number,
  options: Confidence & { of: 'any' | 'all' },
): PassRate | null {
  const rate = options.of === 'any' ? passAtK : passHatK
  const rates = tasks.map((attempts) => rate(attempts, k)).filter((value) => value !== null)
  const estimate = meanEstimate(rates, options)
  return estimate === null ? null : { ...estimate, leftOut: tasks.length - rates.length }
}

function checked(attempts: Attempts, k: number): Attempts {
  wholeFrom(1, 'k', k)
  wholeFrom(0, 'n', attempts.n)
  wholeFrom(0, 'c', attempts.c)
  if (attempts.c > attempts.n) throw new RangeError(`${attempts.c} correct of ${attempts.n} attempts`)
  return attempts
}
