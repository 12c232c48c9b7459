/** What a comparison found, in words. */
import type { ComparisonVerdict, MetricComparison, RunComparison } from '@llm-eval/protocol'
import { formatCost, formatCount, formatLatency } from './numbers.ts'

/** What the colour of a verdict says. */
export type VerdictMood = 'good' | 'bad' | 'plain' | 'wait'

export const verdictWords: Record<ComparisonVerdict, { word: string; mood: VerdictMood }> = {
  better: { word: 'Better', mood: 'good' },
  worse: { word: 'Worse', mood: 'bad' },
  different: { word: 'Different', mood: 'wait' },
  no_detectable_difference: { word: 'No detectable difference', mood: 'plain' },
  not_enough_data: { word: 'Not enough data', mood: 'wait' },
}

type Row = MetricComparison

/** How one run is, held against the first. */
export interface Finding {
  mood: VerdictMood
  text: string
}

/** A sentence for each thing that was found, what matters most first. */
export function findingsOf({ metrics, usage }: RunComparison['compared'][number]): Finding[] {
  const named = (verdict: ComparisonVerdict) => metrics.filter((row) => row.verdict === verdict)
  const [worse, better, different] = [named('worse'), named('better'), named('different')]
  const [same, unknown] = [named('no_detectable_difference'), named('not_enough_data')]
  const found: Finding[] = []
  const say = (mood: VerdictMood, words: string, rows: readonly Row[]): void => {
    if (rows.length > 0) found.push({ mood, text: `${words} ${listOf(rows)}.` })
  }
  say('bad', 'Worse in', worse)
  say('good', 'Better in', better)
  say('wait', 'Different in', different)
  if (same.length > 0) found.push({ mood: 'plain', text: `No detectable difference in ${listOf(same)}.` })
  if (unknown.length > 0) found.push({ mood: 'wait', text: `Not enough data to tell of ${listOf(unknown)}.` })
  if (metrics.length === 0) found.push({ mood: 'wait', text: 'Neither run has a metric.' })
  const used = (verdict: 'worse' | 'better', mood: VerdictMood): Finding[] =>
    usage.flatMap((row) => {
      const text = row.verdict === verdict ? usageFindings[row.name]?.[verdict] : undefined
      return text === undefined ? [] : [{ mood, text }]
    })
  return [...found, ...used('worse', 'bad'), ...used('better', 'good')]
}

/** That nothing is found in time and cost needs no sentence. */
const usageFindings: Record<string, Record<'better' | 'worse', string>> = {
  response_time_ms: { better: 'It is faster.', worse: 'It is slower.' },
  cost: { better: 'It costs less.', worse: 'It costs more.' },
}

const mostNames = 4

function listOf(rows: readonly Row[]): string {
  const names = rows.map(({ name }) => name)
  const shown = names.length > mostNames ? names.slice(0, mostNames - 1) : names
  const rest = names.length - shown.length
  const parts = rest > 0 ? [...shown, `${formatCount(rest)} others`] : shown
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

const scoreDigits = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 })

/** How the values of a metric, or of what was used, are written. */
export type Format = (value: number) => string

const usageFormats: Record<string, { name: string; format: Format }> = {
  response_time_ms: { name: 'Latency', format: formatLatency },
  cost: { name: 'Cost', format: formatCost },
}

/** What usage is called, and how it is written. */
export function usageOf(name: string): { name: string; format: Format } {
  return usageFormats[name] ?? { name, format: formatPlain }
}

/** A score, to three digits. */
export function formatPlain(value: number): string {
  return scoreDigits.format(value)
}

/** +0.12, −0.05, 0. */
export function formatChange(value: number, format: Format): string {
  if (value === 0) return format(0)
  return `${value > 0 ? '+' : '−'}${format(Math.abs(value))}`
}

/** A p; small ones as a bound. */
export function formatChance(p: number | null): string {
  if (p === null) return '–'
  return p < 0.0001 ? '< 0.0001' : p.toFixed(p < 0.001 ? 4 : 3)
}

const testNames: Record<string, string> = {
  mcnemar_exact: 'McNemar’s exact test',
  mcnemar_mid_p: 'McNemar’s mid-p test',
  paired_t: 'paired t test',
  sign_flip_exact: 'exact sign-flip test',
  wilcoxon: 'Wilcoxon’s signed-rank test',
  clustered_t: 'clustered t test',
  clustered_sign_flip_exact: 'exact sign-flip test of clusters',
}

export function testName(test: string | null): string {
  return test === null ? 'no test' : (testNames[test] ?? test.replaceAll('_', ' '))
}

/** What speaks against a row. */
export function doubtsOf(row: Row): string[] {
  const cases = (count: number, words: string): string[] =>
    count > 0 ? [`${formatCount(count)} ${count === 1 ? 'case' : 'cases'} ${words}`] : []
  return [
    ...(row.evaluator === 'changed' ? ['the evaluator changed'] : []),
    ...(row.evaluator === 'unknown' ? ['it is not known whether the evaluator is the same'] : []),
    ...cases(row.absent, 'not in it'),
    ...cases(row.missing - row.absent, 'without the score they had'),
    ...cases(row.unmeasured, 'that could not be scored'),
  ]
}

/** A, B, C: how runs are called beside their names. */
export function letterOf(index: number): string {
  return String.fromCharCode(65 + index)
}
