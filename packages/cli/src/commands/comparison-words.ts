/** A comparison and what its gate says, in words: for people, as Markdown, and as JUnit XML. */
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
export function groundsText({ evaluator, missing, test }: MetricComparison): string {
  const notes = [
    evaluator === 'changed' ? 'the evaluator changed' : '',
    missing > 0 ? `${count(missing)} missing` : '',
    test === null ? '' : test.replaceAll('_', ' '),
  ]
  return notes.filter((note) => note !== '').join('; ')
}

/** One line that says how the runs are, held against the first. */
export function summaryOf({ runs: [first = ''], compared }: RunComparison): string {
  const parts = compared.map(({ run_id: id, metrics }) => {
    const of = (verdict: MetricComparison['verdict']) => {
      const names = metrics.filter((row) => row.verdict === verdict).map(({ name }) => name)
      return names.length === 0 ? [] : [`${verdict.replaceAll('_', ' ')} in ${names.join(', ')}`]
    }
    const found = [...of('worse'), ...of('better'), ...of('different'), ...of('not_enough_data')]
    return `${id}: ${found.length === 0 ? 'no detectable difference' : found.join('; ')}`
  })
  return oneLine(`Against ${first}, ${parts.join('. ')}.`)
}

/** A summary for a pull request. */
export function markdownOf({ comparison, gate }: Compared): string {
  const lines = gate === null ? [] : [`**Gate: ${gateWords[gate.outcome]}**`, '', ...gate.reasons.map(reasonLine), '']
  if (comparison !== null) {
    const [first = ''] = comparison.runs
    for (const { run_id: id, metrics, usage } of comparison.compared) {
      lines.push(`### ${markdownText(id)} against ${markdownText(first)}`, '')
      lines.push('| metric | verdict | before | after | change | interval | p | n | MDE | test |')
      lines.push('|---|---|--:|--:|--:|---|--:|--:|--:|---|')
      lines.push(...[...metrics, ...usage].map(markdownRow), '')
    }
    lines.push(...casesOf(comparison), markdownText(summaryOf(comparison)))
  }
  return lines.join('\n').trimEnd()
}

function reasonLine({ outcome, message }: GateVerdict['reasons'][number]): string {
  return `- ${gateWords[outcome]}: ${markdownText(message)}`
}

function markdownRow(row: MetricComparison): string {
  const cells = [
    markdownText(usageNames[row.name] ?? row.name),
    verdictText(row),
    figure(row.before),
    figure(row.after),
    figure(row.difference?.estimate ?? null),
    intervalText(row),
    markdownText(chanceText(row)),
    count(row.n),
    figure(row.minimal_detectable_effect),
    groundsText(row),
  ]
  return `| ${cells.join(' | ')} |`
}

function casesOf({ cases }: RunComparison): string[] {
  const worse = cases.filter(({ regression }) => regression !== null && regression > 0)
  if (worse.length === 0) return []
  const lines = worse.map(({ case_id: id, values }) => {
    const steps = Object.entries(values).map(
      ([name, means]) => `${markdownText(name)} ${means.map(figure).join(' → ')}`,
    )
    return `- ${markdownText(id)}: ${steps.join(', ')}`
  })
  return ['Cases that became worse:', '', ...lines, '']
}

/** Text that is nothing but text in Markdown, in one line. */
export function markdownText(text: string): string {
  return oneLine(text).replaceAll(/[\\`*_{}[\]<>()#+!|~&]/g, (character) => `\\${character}`)
}

/** What was asked as JUnit XML: one test for each; what cannot be told is an error. */
export function junitOf({ reasons }: GateVerdict): string {
  const having = (outcome: GateOutcome) => reasons.filter((reason) => reason.outcome === outcome).length
  const counts = `tests="${reasons.length}" failures="${having('fail')}" errors="${having('cannot_tell')}"`
  const cases = reasons.map(({ outcome, metric, message }) => {
    const name = `name="${attribute(metric ?? 'gate')}" classname="llm-eval.compare"`
    if (outcome === 'pass') return `    <testcase ${name}/>`
    const kind = outcome === 'fail' ? 'failure' : 'error'
    return `    <testcase ${name}><${kind} message="${attribute(message)}"/></testcase>`
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="llm-eval compare" ${counts}>`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text as the value of an attribute; `oneLine` leaves no character that XML cannot hold, but lone surrogates. */
function attribute(text: string): string {
  return oneLine(text)
    .toWellFormed()
    .replaceAll(/[\uFFFE\uFFFF]/g, '\uFFFD')
    .replaceAll(/[&<>"]/g, (character) => entities[character] ?? character)
}
