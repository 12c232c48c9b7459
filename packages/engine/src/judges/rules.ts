import * as z from 'zod'
import { NoScore } from '../evaluator.ts'
import type { JudgeConfig, Rule } from './judge.ts'

type Answer = Record<string, unknown>

const claims = z.array(z.object({ claim: z.string(), supported: z.boolean() }))

/** A number of the answer is the value; from the threshold on it passes. */
export function byScore(field: string): Rule<JudgeConfig> {
  return {
    valueField: field,
    read(answer, { threshold }) {
      const value = numberOf(answer, field)
      return { value, passed: value >= threshold }
    },
  }
}

/** As `byScore`, with a result field `success`. */
export function bySuccess(field: string): Rule<JudgeConfig> {
  const rule = byScore(field)
  return {
    ...rule,
    read(answer, config) {
      const reading = rule.read(answer, config)
      return { ...reading, output: { success: reading.passed } }
    },
  }
}

/** A yes or no of the answer is the value, and what it should be passes. */
export function byFlag(field: string, good: boolean): Rule<JudgeConfig> {
  return {
    read(answer) {
      const flag = booleanOf(answer, field)
      return { value: flag ? 1 : 0, passed: flag === good }
    },
  }
}

/** The probability of something bad: fails from the threshold on, and says so in a result field. */
export function byRisk(flag: string, whenRisky: boolean): Rule<JudgeConfig> {
  return {
    read(answer, { threshold }) {
      const value = numberOf(answer, 'probability')
      const risky = value >= threshold
      return { value, passed: !risky, output: { [flag]: risky ? whenRisky : !whenRisky } }
    },
  }
}

/** A number that is better small. */
export function bySmallness(field: string, flag?: string): Rule<JudgeConfig> {
  return {
    valueField: field,
    read(answer, { threshold }) {
      const value = numberOf(answer, field)
      const passed = value < threshold
      return { value, passed, ...(flag === undefined ? {} : { output: { [flag]: passed } }) }
    },
  }
}

/** The smaller of two scores. */
export const byEfficiency: Rule<JudgeConfig> = {
  read(answer, { threshold }) {
    const steps = numberOf(answer, 'step_efficiency_score')
    const task = numberOf(answer, 'task_completion_score')
    const value = Math.min(steps, task)
    const told = [answer['task_completion_reason'], answer['step_efficiency_reason']]
    return { value, passed: value >= threshold, explanation: told.filter((one) => typeof one === 'string').join(' ') }
  },
}

/** The share of the claims that are supported. Nothing claimed is nothing made up. */
export const byClaims: Rule<JudgeConfig> = {
  read(answer, { threshold }) {
    const listed = claims.parse(answer['claims'])
    const supported = listed.filter((claim) => claim.supported).length
    const value = listed.length === 0 ? 1 : supported / listed.length
    const passed = value >= threshold
    return { value, passed, label: listed.length === 0 ? 'no_claims' : null, output: { is_faithful: passed } }
  },
}

/** Two yes or no of equal weight. */
export const byToolChoice: Rule<JudgeConfig> = {
  read(answer, { threshold }) {
    const flags = [booleanOf(answer, 'tool_selection'), booleanOf(answer, 'correct_args')]
    const value = flags.filter(Boolean).length / flags.length
    const told = [answer['tool_selection_reason'], answer['correct_args_reason']]
    return { value, passed: value >= threshold, explanation: told.filter((one) => typeof one === 'string').join(' ') }
  },
}

/** Whether something stayed as it was. */
export const byChange: Rule<JudgeConfig> = {
  read(answer) {
    const passed = !booleanOf(answer, 'changed')
    const value = passed ? 1 : 0
    return { value, passed, output: { score: value, success: passed } }
  },
}

/** A member of an answer; the shape that it was read by says that it is there. */
export function numberOf(answer: Answer, field: string): number {
  const value = answer[field]
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new NoScore('unparsable_answer', `The judge's ${field} is no number.`)
}

export function booleanOf(answer: Answer, field: string): boolean {
  const value = answer[field]
  if (typeof value === 'boolean') return value
  throw new NoScore('unparsable_answer', `The judge's ${field} is neither true nor false.`)
}

export function stringOf(answer: Answer, field: string): string {
  const value = answer[field]
  if (typeof value === 'string') return value
  throw new NoScore('unparsable_answer', `The judge's ${field} is no text.`)
}
