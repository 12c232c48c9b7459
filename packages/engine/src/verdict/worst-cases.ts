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
 * The cases that became worse, the worst first; then those that only became better, the best first; then the others, those of
 * which nothing is known last. Each step is measured by the largest step of any case in the same metric, so that metrics of
 * different sizes stand beside each other.
 */
export function worstCases(tables: readonly Table[], { count, change, sortBy }: WorstWish): WorstCases {
  const used = tables.filter(({ metric, usage }) => !usage && (sortBy === undefined || metric.name === sortBy))
  const cases = tables[0]?.means[0]?.length ?? 0
  const steps: Steps = { back: new Float64Array(cases).fill(unknown), forth: new Float64Array(cases) }
  for (const { metric, means } of used) {
    const sign = metric.direction === null ? 0 : metric.direction === 'lower' ? 1 : -1
    if (sign !== 0) addSteps(steps, means, sign)
  }
  const regressions = steps.back.map((back, at) => (back === 0 ? 0 - (steps.forth[at] ?? 0) : back))
  const places = Array.from(regressions.keys()).filter((at) => fits[change](regressions[at] ?? unknown))
  const order = Float64Array.from(places, (at) => rankOf(regressions[at] ?? unknown))
  const regressionOf = (at: number) => {
    const regression = regressions[at] ?? unknown
    // 0 is 0, not -0.
    return regression === unknown ? null : regression + 0
  }
  const listed = firstOf(order, count).map((index) => {
    const at = places[index] ?? 0
    return { at, regression: regressionOf(at) }
  })
  return { matching: places.length, listed, regressionOf }
}

const fits: Record<CaseChange, (regression: number) => boolean> = {
  all: () => true,
  regressed: (regression) => regression > 0,
  improved: (regression) => regression < 0 && regression !== unknown,
  unchanged: (regression) => regression === 0,
}

/** Shares are at most 1: what became worse ranks from 2 to 3, what became better from 1 to 2. */
function rankOf(regression: number): number {
  if (regression > 0) return 2 + regression
  return regression < 0 && regression !== unknown ? 1 - regression : regression
}

/** By case, the largest step backward and forward, in 0..1; backward is unknown where no metric tells. */
interface Steps {
  back: Float64Array
  forth: Float64Array
}

function addSteps({ back, forth }: Steps, [before, ...others]: readonly Float64Array[], sign: 1 | -1): void {
  if (!before) return
  let largest = 0
  for (const after of others)
    for (let at = 0; at < back.length; at++) {
      const step = Math.abs((after[at] ?? 0) - (before[at] ?? 0))
      if (step > largest) largest = step
    }
  for (const after of others)
    for (let at = 0; at < back.length; at++) {
      const step = sign * ((after[at] ?? 0) - (before[at] ?? 0))
      if (Number.isNaN(step)) continue
      const share = largest === 0 ? 0 : step / largest
      back[at] = Math.max(back[at] ?? unknown, share, 0)
      forth[at] = Math.max(forth[at] ?? 0, -share)
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
