import { responseMatch } from './response-match.ts'
import { type InvocationCall, toolParameterMatch, toolTrajectory, type TrajectoryOptions } from './tool-calls.ts'

/** What an agent did in a user's turn, as ADK's measures look at it. */
export interface InvocationDone {
  calls: readonly InvocationCall[]
  /** Text of the final response; empty where there is none. */
  response: string
}

/** ADK's measures that need nothing but an expectation, by its names. */
export const adkMeasures = ['tool_trajectory_avg_score', 'response_match_score', 'tool_parameter_match'] as const
export type AdkMeasure = (typeof adkMeasures)[number]

/** Scores in 0..1. Null is not evaluated: no answer, or nothing to hold it against. */
export type AdkScores = Record<AdkMeasure, number | null>

export interface InvocationComparison {
  /** Means over the turns that have a score. */
  scores: AdkScores
  /** Turn by turn. */
  turns: AdkScores[]
}

const exact: TrajectoryOptions = { match: 'EXACT', ignoreArgs: false }

/**
 * Holds what an agent did against what is expected of it, turn by turn, by ADK's own measures. A turn that was not answered is
 * null, and has no scores.
 *
 * @throws RangeError when there are not as many turns as are expected: ADK refuses that too
 */
export function compareInvocations(
  expected: readonly InvocationDone[],
  actual: readonly (InvocationDone | null)[],
  options: TrajectoryOptions = exact,
): InvocationComparison {
  if (expected.length !== actual.length)
    throw new RangeError(`There are ${actual.length} turns, and ${expected.length} are expected.`)
  const turns = expected.map((wanted, index): AdkScores => {
    const done = actual[index] ?? null
    if (done === null)
      return { tool_trajectory_avg_score: null, response_match_score: null, tool_parameter_match: null }
    return {
      tool_trajectory_avg_score: toolTrajectory(wanted.calls, done.calls, options),
      response_match_score: responseMatch(wanted.response, done.response),
      tool_parameter_match: toolParameterMatch(wanted.calls, done.calls),
    }
  })
  const mean = (name: AdkMeasure) => meanOf(turns.map((turn) => turn[name]))
  return {
    scores: {
      tool_trajectory_avg_score: mean('tool_trajectory_avg_score'),
      response_match_score: mean('response_match_score'),
      tool_parameter_match: mean('tool_parameter_match'),
    },
    turns,
  }
}

/** Over the values that are known; null when none is. */
function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length
}
