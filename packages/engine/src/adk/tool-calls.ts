import type { AdkTrajectoryMatch } from '@llm-eval/protocol'
import { isEqualInPython } from './equality.ts'

/** A call of a tool as ADK compares it: its id says nothing. */
export interface InvocationCall {
  name: string
  /** Null where the call has none: that is not the same as having empty ones. */
  args: Readonly<Record<string, unknown>> | null
}

export interface TrajectoryOptions {
  match: AdkTrajectoryMatch
  /** Names alone are compared. */
  ignoreArgs: boolean
}

/**
 * ADK's `tool_trajectory_avg_score` of one turn (`trajectory_evaluator.py` of google-adk 2.13.0): 1 when the calls are the expected
 * ones, else 0. EXACT wants no others, IN_ORDER takes others between, ANY_ORDER takes others and any order. The first call that
 * fits is taken. Nothing expected is kept by IN_ORDER and ANY_ORDER, by EXACT only when nothing was called.
 */
export function toolTrajectory(
  expected: readonly InvocationCall[],
  actual: readonly InvocationCall[],
  { match, ignoreArgs }: TrajectoryOptions,
): 0 | 1 {
  const fits = (call: InvocationCall | undefined, wanted: InvocationCall | undefined) =>
    call !== undefined &&
    wanted !== undefined &&
    call.name === wanted.name &&
    (ignoreArgs || isEqualInPython(call.args, wanted.args))
  switch (match) {
    case 'EXACT':
      return expected.length === actual.length && expected.every((wanted, place) => fits(actual[place], wanted)) ? 1 : 0
    case 'IN_ORDER': {
      let found = 0
      for (const call of actual) if (fits(call, expected[found])) found++
      return found === expected.length ? 1 : 0
    }
    case 'ANY_ORDER': {
      if (expected.length > actual.length) return 0
      const alikeOf = ignoreArgs ? ({ name }: InvocationCall) => name : keyOf
      const left = Map.groupBy(actual, alikeOf)
      for (const wanted of expected) {
        const alike = left.get(alikeOf(wanted)) ?? []
        const place = alike.findIndex((call) => fits(call, wanted))
        if (place < 0) return 0
        alike.splice(place, 1)
      }
      return 1
    }
  }
}

/** The same for calls that are equal, and seldom for others: so that not every call is compared with each. */
function keyOf({ name, args }: InvocationCall): string {
  return JSON.stringify([name, outlineOf(args, outlineDepth)])
}

/** Levels of arguments that keys are made of. */
const outlineDepth = 20

function outlineOf(value: unknown, depth: number): unknown {
  if (typeof value === 'boolean') return Number(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return null
  if (Array.isArray(value)) return value.map((item: unknown) => outlineOf(item, depth - 1))
  const members = Object.entries(value).map(([name, member]) => [name, outlineOf(member, depth - 1)] as const)
  return members.toSorted(([one], [other]) => (one < other ? -1 : 1))
}

/**
 * ADK's `tool_parameter_match` of one turn: each expected call takes the next call of its name, and scores the share of its
 * arguments that are the same there; one without arguments scores 1, one that was not made 0. The mean of them, null (not evaluated,
 * not 0) when no call is expected. Of ADK after 2.13, which has no such measure.
 */
export function toolParameterMatch(
  expected: readonly InvocationCall[],
  actual: readonly InvocationCall[],
): number | null {
  if (expected.length === 0) return null
  const places = new Map<string, number[]>()
  for (const [place, { name }] of actual.entries()) {
    const known = places.get(name)
    if (known) known.push(place)
    else places.set(name, [place])
  }
  let from = 0
  let sum = 0
  for (const wanted of expected) {
    const place = firstFrom(places.get(wanted.name) ?? [], from)
    if (place === undefined) continue
    from = place + 1
    sum += shareOfArguments(wanted.args ?? {}, actual[place]?.args ?? {})
  }
  return sum / expected.length
}

/** The first of ascending places that is not before another. */
function firstFrom(places: readonly number[], from: number): number | undefined {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((places[middle] ?? 0) < from) low = middle + 1
    else high = middle
  }
  return places[low]
}

function shareOfArguments(wanted: Readonly<Record<string, unknown>>, given: Readonly<Record<string, unknown>>): number {
  const names = Object.keys(wanted)
  if (names.length === 0) return 1
  const same = names.filter((name) => Object.hasOwn(given, name) && isEqualInPython(given[name], wanted[name]))
  return same.length / names.length
}
