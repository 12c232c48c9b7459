import { binomialCdf, binomialPmf, chiSquaredUpperTail } from './distributions.ts'
import { wholeFrom } from './interval.ts'

/** Whether wins and losses are more unequal than chance makes them. */
export interface SignTest {
  /** wins + losses; ties tell nothing. */
  n: number
  /** Exact, two-sided: twice the smaller binomial tail with p = ½. 1 when there is nothing to tell from. */
  p: number
}

/** The exact sign test on counts, whole numbers of at least 0 (W. Dixon and A. Mood 1946). */
export function signTest(wins: number, losses: number): SignTest {
  wholeFrom(0, 'wins', wins)
  wholeFrom(0, 'losses', losses)
  const n = wins + losses
  return { n, p: Math.min(1, 2 * binomialCdf(Math.min(wins, losses), { n, p: 0.5 })) }
}

/** McNemar's test of two paired shares. */
export interface McNemarTest extends SignTest {
  /** Counts half of what is exactly as unequal: closer to the level on average, not never above it. */
  midP: number
  /** (b - c)² / (b + c), against chi-squared with one degree of freedom; null when no pair differs. */
  chiSquared: { statistic: number; p: number } | null
  /** The same with Edwards' correction, (|b - c| - 1)² / (b + c), at least 0. */
  corrected: { statistic: number; p: number } | null
}

/**
 * McNemar's test on the pairs in which only one of the two succeeded (Q. McNemar 1947; exact: the sign test of them; mid-p:
 * M. Fagerland, S. Lydersen, P. Laake 2013).
 *
 * @param onlyA pairs in which only the first succeeded
 * @param onlyB pairs in which only the second succeeded
 */
export function mcNemar(onlyA: number, onlyB: number): McNemarTest {
  const { n, p } = signTest(onlyA, onlyB)
  const least = Math.min(onlyA, onlyB)
  const half = { n, p: 0.5 }
  const midP = Math.min(1, 2 * binomialCdf(least, half) - binomialPmf(least, half))
  const against = (distance: number) => {
    if (n === 0) return null
    const statistic = (distance * distance) / n
    return { statistic, p: chiSquaredUpperTail(statistic, 1) }
  }
  const distance = Math.abs(onlyA - onlyB)
  return { n, p, midP, chiSquared: against(distance), corrected: against(Math.max(0, distance - 1)) }
}
