import type { Baseline, CaseResult } from '@llm-eval/protocol'

export interface Acceptance {
  /** `default`, or the name of another way that is right too. */
  variant: string
  /** Milliseconds since 1970. */
  at: number
  by: string | null
  note: string | null
}

/**
 * A result as its own baseline: its attempts that passed; where none did, those that got an answer.
 *
 * @returns undefined where no attempt did
 */
export function baselineOf(result: CaseResult, { variant, at, by, note }: Acceptance): Baseline | undefined {
  const passed = result.attempts.filter(({ outcome }) => outcome === 'passed')
  const good = passed.length > 0 ? passed : result.attempts.filter(({ trace }) => trace.fault === null)
  if (good.length === 0) return undefined
  return {
    version: 1,
    case_id: result.case_id,
    name: result.name,
    suite: result.suite,
    variant,
    accepted_at: new Date(at).toISOString(),
    accepted_by: by,
    note,
    model: good[0]?.trace.model ?? null,
    attempts: good.map(({ score, trace }) => ({ score, trace })),
  }
}
