import { normalQuantile } from './distributions.ts'
import { type Confidence, levelOf, reachOf, wholeFrom } from './interval.ts'

/** What a comparison is planned for. */
export interface Plan extends Confidence {
  /** Chance of seeing a difference that is there: above 1 - level, which there is without any, and below 1; 0.8 unless told. */
  power?: number | undefined
  /**
   * `paired`: the same n cases on both sides, `sd` being that of the differences. `independent`: n cases on each side, `sd`
   * being that of the values.
   */
  design?: 'paired' | 'independent' | undefined
}

/** z(1 - α/2) + z(power): how many standard errors a difference must be large. */
export function detectable(plan: Plan): number {
  const { power = 0.8 } = plan
  const level = levelOf(plan)
  if (!(power > 1 - level && power < 1))
    throw new RangeError(
      `power is ${power}; it must lie between ${Number((1 - level).toPrecision(12))} (1 - level) and 1`,
    )
  return reachOf(level) + normalQuantile(power)
}

/**
 * The smallest difference that n cases show with the given power: (z(1 - α/2) + z(power)) sd √(1/n), or √(2/n) with
 * independent groups. Null where sd is 0: nothing is known of the spread then. E. Miller (arXiv:2411.00640), section 5.
 */
export function minimalDetectableEffect({ n, sd, ...plan }: { n: number; sd: number } & Plan): number | null {
  wholeFrom(1, 'n', n)
  spread(sd)
  return sd === 0 ? null : detectable(plan) * sd * Math.sqrt(groups(plan) / n)
}

/**
 * How many cases (on each side, with independent groups) show a difference of `effect` with the given power:
 * ((z(1 - α/2) + z(power)) sd / effect)², doubled with independent groups, rounded up; at least 1. Below about 30, t is wider
 * than z, and a few more are needed. Null where sd is 0, and a RangeError beyond 2^53 cases.
 */
export function requiredCases({ effect, sd, ...plan }: { effect: number; sd: number } & Plan): number | null {
  spread(sd)
  if (!(Math.abs(effect) > 0 && Number.isFinite(effect)))
    throw new RangeError(`effect is ${effect}; it must be a difference other than 0`)
  const exact = groups(plan) * (detectable(plan) * (sd / effect)) ** 2
  if (sd === 0) return null
  // What is whole but for rounding is not rounded up.
  const cases = Math.max(1, Math.ceil(exact * (1 - 1e-12)))
  if (!Number.isSafeInteger(cases))
    throw new RangeError(`effect is ${effect}; beside an sd of ${sd} it takes more cases than can be counted`)
  return cases
}

function groups({ design = 'paired' }: Plan): number {
  return design === 'paired' ? 1 : 2
}

function spread(sd: number): void {
  if (!(sd >= 0 && Number.isFinite(sd))) throw new RangeError(`sd is ${sd}; it must be at least 0`)
}
