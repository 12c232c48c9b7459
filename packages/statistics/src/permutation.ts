import { wholeFrom } from './interval.ts'
import { createRandom } from './random.ts'
import { meanOf, requireFinite, sumOf, type Values } from './sample.ts'

/** With so many differences that are not 0, all sign patterns are counted; with more, some are drawn. */
export const exactSignFlips = 32

/** Most patterns that are drawn for one test. */
const mostResamples = 1_000_000

/** Whether paired differences lie around 0. */
export interface SignFlipTest {
  n: number
  /** Differences that are not 0; the others tell nothing. */
  nonzero: number
  /** The mean difference. */
  difference: number
  /** Two-sided. When drawn, (1 + as extreme) / (1 + drawn), which is never 0 (Phipson and Smyth 2010). */
  p: number
  method: 'exact' | 'monte_carlo'
  /** Sign patterns that were drawn; null when exact. */
  resamples: number | null
}

/**
 * The permutation test for paired differences (R. A. Fisher 1935): if neither side is better, each difference could as well
 * have had the other sign. p is the share of sign patterns whose mean is at least as far from 0 as the one seen. No
 * distribution is assumed, only that each difference is symmetric about 0 when there is no effect. Null of nothing.
 *
 * Up to {@link exactSignFlips} differences are counted out exactly, and any number that all have one sign; else `resamples`
 * patterns are drawn, in time resamples × n. Patterns that equal the seen one but for rounding count as equal.
 */
export function signFlipTest(
  differences: Values,
  { seed = 1, resamples = 10_000 }: { seed?: number | undefined; resamples?: number | undefined } = {},
): SignFlipTest | null {
  requireFinite('differences', differences)
  wholeFrom(1, 'resamples', resamples)
  if (resamples > mostResamples) throw new RangeError(`resamples is ${resamples}; ${mostResamples} is the most`)
  if (differences.length === 0) return null
  const nonzero = Float64Array.from(differences).filter((difference) => difference !== 0)
  const sizes = nonzero.map(Math.abs)
  const least = Math.abs(sumOf(nonzero)) - 1e-12 * sumOf(sizes)
  const exact = { n: differences.length, nonzero: sizes.length, difference: meanOf(differences), resamples: null }
  if (least <= 0) return { ...exact, p: 1, method: 'exact' }
  // Only all as they are, or all turned over, is as far from 0.
  const first = nonzero[0] ?? 0
  if (nonzero.every((difference) => difference > 0 === first > 0))
    return { ...exact, p: 2 ** (1 - sizes.length), method: 'exact' }
  if (sizes.length <= exactSignFlips)
    return { ...exact, p: (2 * countAtLeast(sizes, least)) / 2 ** sizes.length, method: 'exact' }
  const p = (1 + countDrawn(sizes, least, { seed, resamples })) / (1 + resamples)
  return { ...exact, p, method: 'monte_carlo', resamples }
}

/** How many of the 2^n sums of ±sizes are at least `least`: both halves are enumerated and sorted, then met in the middle. */
function countAtLeast(sizes: Float64Array, least: number): number {
  const half = sizes.length >> 1
  const left = signedSums(sizes.subarray(0, half))
  const right = signedSums(sizes.subarray(half))
  let count = 0
  let from = right.length
  for (const sum of left) {
    while (from > 0 && sum + (right[from - 1] ?? 0) >= least) from--
    count += right.length - from
  }
  return count
}

function signedSums(sizes: Float64Array): Float64Array {
  let sums = Float64Array.of(0)
  for (const size of sizes) {
    const next = new Float64Array(sums.length * 2)
    for (let index = 0; index < sums.length; index++) {
      next[2 * index] = (sums[index] ?? 0) - size
      next[2 * index + 1] = (sums[index] ?? 0) + size
    }
    sums = next
  }
  return sums.sort()
}

/** How many random sign patterns have a sum at least as far from 0. */
function countDrawn(sizes: Float64Array, least: number, drawn: { seed: number; resamples: number }): number {
  const random = createRandom(drawn.seed)
  let count = 0
  for (let resample = 0; resample < drawn.resamples; resample++) {
    let sum = 0
    for (let start = 0; start < sizes.length; start += 32) {
      let signs = random.uint32()
      const end = Math.min(start + 32, sizes.length)
      for (let index = start; index < end; index++) {
        // 1 or -1 by arithmetic: a branch on a random bit is mispredicted every other time.
        sum += (sizes[index] ?? 0) * (1 - 2 * (signs & 1))
        signs >>>= 1
      }
    }
    if (Math.abs(sum) >= least) count++
  }
  return count
}
