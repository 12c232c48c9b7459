/** A comparison as files to keep or to send on. */
import { csvJson, csvRecord, csvText, type MetricComparison, type RunComparison } from '@llm-eval/protocol'
import {
  findingsOf,
  formatChance,
  formatChange,
  formatPlain,
  testName,
  usageOf,
  verdictWords,
} from './comparison-words.ts'
import { formatCount, unknown } from './numbers.ts'

/** The cases that are listed, with the value of each metric in each run. Unknown is an empty cell. */
export function comparisonCsv({ runs, cases }: RunComparison): string {
  const metrics = Object.keys(cases[0]?.values ?? {})
  const cell = (value: number | null | undefined): string =>
    value === null || value === undefined ? '' : csvJson(value)
  const header = ['case_id', 'regression', ...metrics.flatMap((name) => runs.map((id) => `${name} of ${id}`))]
  const rows = cases.map(({ case_id: id, regression, values }) => [
    csvText(id),
    cell(regression),
    ...metrics.flatMap((name) => runs.map((_, at) => cell(values[name]?.[at]))),
  ])
  return [header.map(csvText), ...rows].map((cells) => csvRecord(cells)).join('')
}

/** What was found, for a page or a pull request. */
export function comparisonMarkdown(comparison: RunComparison, nameOf: (id: string) => string): string {
  const first = comparison.runs[0] ?? ''
  const lines = comparison.compared.flatMap((one) => [
    `### ${plain(nameOf(one.run_id))} against ${plain(nameOf(first))}`,
    '',
    ...findingsOf(one).map(({ text }) => plain(text)),
    '',
    '| metric | verdict | before | after | change | interval | p | n | MDE | better / worse / same | test |',
    '|---|---|--:|--:|--:|---|--:|--:|--:|---|---|',
    ...[...one.metrics, ...one.usage].map(markdownRow),
    '',
  ])
  const { cases_shared: shared, cases_total: total, warnings } = comparison
  return [
    ...lines,
    ...warnings.map(({ run_id: id, message }) => `- ${plain(nameOf(id))}: ${plain(message)}`),
    ...(warnings.length > 0 ? [''] : []),
    `${formatCount(shared)} of ${formatCount(total)} cases are in all runs.`,
    '',
  ].join('\n')
}

function markdownRow(row: MetricComparison): string {
  const usage = row.name === 'response_time_ms' || row.name === 'cost' ? usageOf(row.name) : null
  const { name, format } = usage ?? { name: row.name, format: formatPlain }
  const { difference, before, after, minimal_detectable_effect: least } = row
  const cells = [
    plain(name),
    verdictWords[row.verdict].word,
    before === null ? unknown : format(before),
    after === null ? unknown : format(after),
    difference ? formatChange(difference.estimate, format) : unknown,
    difference ? `${formatChange(difference.low, format)} to ${formatChange(difference.high, format)}` : unknown,
    plain(formatChance(row.adjusted_p)),
    formatCount(row.n),
    least === null ? unknown : format(least),
    row.direction === null ? unknown : `${row.improved} / ${row.regressed} / ${row.unchanged}`,
    testName(row.test),
  ]
  return `| ${cells.join(' | ')} |`
}

/** Text that is nothing but text in Markdown, in one line. */
function plain(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_{}[\]<>()#+!|~&]/g, (character) => `\\${character}`)
}
