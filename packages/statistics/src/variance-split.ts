import { wholeFrom } from './interval.ts'
import { meanOf, requireFinite } from './sample.ts'

/** Where the differences between scores come from. What the design cannot tell apart is null. */
export interface VarianceSplit {
  /** Scores, runs and cases. */
  n: number
  runs: number
  cases: number
  mean: number
  /** Between cases: how different the questions are. */
  case: number | null
  /** Between runs of the same case: how different the agent's answers are. Null when no case was run twice, or no run judged twice. */
  agent: number | null
  /** Between judgements of the same answer: how often the judge changes its mind. Null when no run was judged twice. */
  judge: number | null
  /** agent + judge: between scores of one case, whichever it comes from. Null when no case was run twice. */
  noise: number | null
  /** Components that came out below 0, which means too small to see, and count as 0, also in what is taken from the case's. */
  clamped: ('case' | 'agent')[]
}

/**
 * The variance of scores split by nested analysis of variance: case, run of the agent within the case, judgement within the
 * run. Components by the method of moments; cases and runs may have different numbers of scores (S. Searle, G. Casella,
 * C. McCulloch, Variance Components, 1992, section 3.6 for unequal numbers), from the judge's up: where the agent's is cut to 0, the
 * case's takes that into account, so that the split still explains the error of the mean. Runs without a score, and cases
 * without a run, are left out. Null when there is no score.
 *
 * @param scores for each case, for each run of it, what the judge gave each time
 */
export function varianceSplit(scores: readonly (readonly (readonly number[])[])[]): VarianceSplit | null {
  const cases = scores.map((runs) => runs.filter((run) => run.length > 0)).filter((runs) => runs.length > 0)
  for (const [at, runs] of cases.entries()) for (const run of runs) requireFinite(`scores of case ${at}`, run)
  const all = cases.flat(2)
  if (all.length === 0) return null
  const runs = cases.flat().length
  const mean = meanOf(all)
  const known = { n: all.length, runs, cases: cases.length, mean }
  const squares = squaresOf(cases, mean)
  const judge = meanSquare(squares.judge, all.length - runs)
  const betweenRuns = meanSquare(squares.agent, runs - cases.length)
  const betweenCases = meanSquare(squares.case, cases.length - 1)
  const sizes = coefficientsOf(cases, all.length)
  // Where no run was judged twice, the judge's part cannot be taken out of the agent's, but the sum of both is known.
  const agent = betweenRuns === null || judge === null ? null : (betweenRuns - judge) / sizes.agentInRuns
  const noise = betweenRuns === null ? null : judge === null ? betweenRuns : Math.max(0, agent ?? 0) + judge
  const inCases = noise === null ? null : judge === null ? noise : judge + sizes.agentInCases * Math.max(0, agent ?? 0)
  const between = betweenCases === null || inCases === null ? null : (betweenCases - inCases) / sizes.caseInCases
  const clamped: VarianceSplit['clamped'] = []
  if (between !== null && between < 0) clamped.push('case')
  if (agent !== null && agent < 0) clamped.push('agent')
  return {
    ...known,
    case: between === null ? null : Math.max(0, between),
    agent: agent === null ? null : Math.max(0, agent),
    judge,
    noise,
    clamped,
  }
}

type Nested = readonly (readonly (readonly number[])[])[]

function squaresOf(cases: Nested, mean: number): { case: number; agent: number; judge: number } {
  const squares = { case: 0, agent: 0, judge: 0 }
  for (const runs of cases) {
    const ofCase = runs.flat()
    const caseMean = meanOf(ofCase)
    squares.case += ofCase.length * (caseMean - mean) ** 2
    for (const run of runs) {
      const runMean = meanOf(run)
      squares.agent += run.length * (runMean - caseMean) ** 2
      for (const score of run) squares.judge += (score - runMean) ** 2
    }
  }
  return squares
}

function meanSquare(squares: number, df: number): number | null {
  return df > 0 ? squares / df : null
}

/** How often each component is in the mean squares above it. With equal numbers: judgements, judgements, runs × judgements. */
function coefficientsOf(cases: Nested, n: number): { agentInRuns: number; agentInCases: number; caseInCases: number } {
  let [withinCases, ofRuns, ofCases, runs] = [0, 0, 0, 0]
  for (const one of cases) {
    const squares = one.reduce((sum, run) => sum + run.length ** 2, 0)
    const size = one.reduce((sum, run) => sum + run.length, 0)
    withinCases += squares / size
    ofRuns += squares
    ofCases += size ** 2
    runs += one.length
  }
  return {
    agentInRuns: (n - withinCases) / (runs - cases.length),
    agentInCases: (withinCases - ofRuns / n) / (cases.length - 1),
    caseInCases: (n - ofCases / n) / (cases.length - 1),
  }
}

/** A design: so many cases, runs of each, judgements of each run. Whole numbers of at least 1. */
export interface Design {
  cases: number
  runs: number
  judgements: number
}

/**
 * The standard error of the mean that another design would have: √(case/C + agent/(C R) + judge/(C R J)). It tells where
 * more work helps; more judgements never take away what comes from the cases. Null where a component is unknown.
 */
export function plannedError(split: Pick<VarianceSplit, 'case' | 'agent' | 'judge'>, design: Design): number | null {
  for (const [name, count] of Object.entries(design)) wholeFrom(1, name, count)
  if (split.case === null || split.agent === null || split.judge === null) return null
  const { cases, runs, judgements } = design
  return Math.sqrt((split.case + (split.agent + split.judge / judgements) / runs) / cases)
}
