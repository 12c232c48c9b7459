import type { CaseChange } from '@llm-eval/protocol'
import type { Table } from './tables.ts'

/** Of which nothing is known: cases have no other number like it. */
const unknown = Number.NEGATIVE_INFINITY

/** How much worse cases became. */
export interface WorstCases {
  /** Cases with the change that was asked for. */
  matching: number
  /** The first of them. */
  listed: { at: number; regression: number | null }[]
  /** Of any case; null where no metric tells. */
  regressionOf: (at: number) => number | null
}

interface WorstWish {
  count: number
  change: CaseChange
  /** The metric that says; all unless given. */
  sortBy?: string | undefined
}

/**
 * The cases that became worse, the worst first, then the others; those of which nothing is known come last. Of those that only
 * became better the best is first. Each step backward is measured by the largest step of any case in the same metric, so that
 * metrics of different sizes stand beside each other.
 */
export function worstCases(tables: readonly Table[], { count, change, sortBy }: WorstWish): WorstCases {
  const used = tables.filter(({ metric, usage }) => !usage && (sortBy === undefined || metric.name === sortBy))
  const cases = tables[0]?.means[0]?.length ?? 0
  const worst = new Float64Array(cases).fill(unknown)
  for (const { metric, means } of used) {
    const sign = metric.direction === null ? 0 : metric.direction === 'lower' ? 1 : -1
    if (sign !== 0) addSteps(worst, means, sign)
  }
  const regressionOf = (at: number) => {
    const regression = worst[at] ?? unknown
    return regression === unknown ? null : regression
  }
  const places = change === 'all' ? Array.from(worst.keys()) : placesOf(worst, change)
  const order = Float64Array.from(places, (at) => (worst[at] ?? unknown) * (change === 'improved' ? -1 : 1))
  const listed = firstOf(order, count).map((index) => {
    const at = places[index] ?? 0
    return { at, regression: regressionOf(at) }
  })
  return { matching: places.length, listed, regressionOf }
}

const fits: Record<Exclude<CaseChange, 'all'>, (regression: number) => boolean> = {
  regressed: (regression) => regression > 0,
  improved: (regression) => regression < 0 && regression !== unknown,
  unchanged: (regression) => regression === 0,
}

function placesOf(worst: Float64Array, change: Exclude<CaseChange, 'all'>): number[] {
  const places: number[] = []
  for (const [at, regression] of worst.entries()) if (fits[change](regression)) places.push(at)
  return places
}

function addSteps(worst: Float64Array, [before, ...others]: readonly Float64Array[], sign: 1 | -1): void {
  if (!before) return
  let largest = 0
  for (const after of others)
    for (let at = 0; at < worst.length; at++) {
      const step = Math.abs((after[at] ?? 0) - (before[at] ?? 0))
      if (step > largest) largest = step
    }
  for (const after of others)
    for (let at = 0; at < worst.length; at++) {
      const step = sign * ((after[at] ?? 0) - (before[at] ?? 0))
      if (Number.isNaN(step)) continue
      // 0 is 0, not -0.
      const share = largest === 0 ? 0 : step / largest + 0
      if (share > (worst[at] ?? 0)) worst[at] = share
    }
}

/** Where the largest numbers stand, the largest first; equal ones in their own order. */
function firstOf(numbers: Float64Array, count: number): number[] {
  if (count === 0 || numbers.length === 0) return []
  const least = numbers.slice().sort()[Math.max(0, numbers.length - count)] ?? Number.NEGATIVE_INFINITY
  const places: number[] = []
  const equal: number[] = []
  for (const [at, number] of numbers.entries()) {
    if (number > least) places.push(at)
    else if (number === least && equal.length < count) equal.push(at)
  }
  places.sort((x, y) => (numbers[y] ?? 0) - (numbers[x] ?? 0) || x - y)
  return [...places, ...equal].slice(0, count)
}
