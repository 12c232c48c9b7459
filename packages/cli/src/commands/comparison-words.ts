/** A comparison and what its gate says, in words. */
import type { GateOutcome, GateVerdict, MetricComparison, RunComparison } from '@llm-eval/protocol'
import { count, figure } from '../display/amounts.ts'
import { oneLine } from '../display/width.ts'

/** What `compare` found. */
export interface Compared {
  /** Null of a single run. */
  comparison: RunComparison | null
  /** Null where nothing was asked. */
  gate: GateVerdict | null
}

export const gateWords: Record<GateOutcome, string> = {
  pass: 'passed',
  fail: 'failed',
  cannot_tell: 'cannot be told',
}

/** The colours of what a gate says. */
export const gateStyles = { pass: 'green', fail: 'red', cannot_tell: 'yellow' } as const satisfies Record<
  GateOutcome,
  string
>

/** What usage is called. */
export const usageNames: Record<string, string> = { response_time_ms: 'latency (ms)', cost: 'cost ($)' }

/** A p, of all rows of a comparison. */
export function chanceText({ adjusted_p: p }: MetricComparison): string {
  return p !== null && p < 0.0001 ? '<0.0001' : figure(p)
}

/** An interval, to three digits. */
export function intervalText({ difference }: MetricComparison): string {
  const short = (value: number) => String(Number(value.toPrecision(3)))
  return difference === null ? '-' : `${short(difference.low)} to ${short(difference.high)}`
}

export function verdictText({ verdict }: MetricComparison): string {
  return verdict.replaceAll('_', ' ')
}

/** How the verdict came about, and what speaks against it. */
export function groundsText({ evaluator, missing, unmeasured, test }: MetricComparison): string {
  const notes = [
    evaluator === 'changed' ? 'the evaluator changed' : '',
    missing > 0 ? `${count(missing)} missing` : '',
    unmeasured > 0 ? `${count(unmeasured)} not scored` : '',
    test === null ? '' : test.replaceAll('_', ' '),
  ]
  return notes.filter((note) => note !== '').join('; ')
}

/** One line that says how the runs are, held against the first. */
export function summaryOf({ runs: [first = ''], compared }: RunComparison): string {
  const parts = compared.map(({ run_id: id, metrics, usage }) => {
    const of = (verdict: MetricComparison['verdict']) => {
      const names = metrics.filter((row) => row.verdict === verdict).map(({ name }) => name)
      return names.length === 0 ? [] : [`${verdict.replaceAll('_', ' ')} in ${names.join(', ')}`]
    }
    const found = [...of('worse'), ...of('better'), ...of('different'), ...of('not_enough_data')]
    const used = usage.flatMap(({ name, verdict }) => {
      if (verdict !== 'better' && verdict !== 'worse') return []
      return usageFindings[name]?.[verdict] ?? []
    })
    return `${id}: ${[...(found.length === 0 ? ['no detectable difference'] : found), ...used].join('; ')}`
  })
  return oneLine(`Against ${first}, ${parts.join('. ')}.`)
}

const usageFindings: Record<string, Record<'better' | 'worse', string>> = {
  response_time_ms: { better: 'faster', worse: 'slower' },
  cost: { better: 'costs less', worse: 'costs more' },
}
