import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type MetricComparison, type RunComparison, runRoutes } from '@llm-eval/protocol'
import { runComparison } from '@llm-eval/protocol/run-schemas'
import { Complaint, exitCodes, fileComplaint, orImpossible } from '../complaint.ts'
import { count, figure } from '../display/amounts.ts'
import { type Column, table } from '../display/table.ts'
import { oneLine, safeJson, truncate, wrap } from '../display/width.ts'
import type { Bound } from '../evaluation/options.ts'
import { ask, readAnswer } from '../http.ts'
import { reachTarget } from '../place.ts'
import type { Piece } from '../reports/differences.ts'
import type { GlobalOptions, Target } from '../target.ts'
import type { Stage, Terminal } from '../terminal.ts'
import { junitOf, markdownOf, type Report } from './comparison-reports.ts'
import { type CaseTexts, readTexts, shortened, worseCases } from './comparison-texts.ts'
import {
  chanceText,
  type Compared,
  gateStyles,
  gateWords,
  groundsText,
  intervalText,
  summaryOf,
  usageNames,
  verdictText,
} from './comparison-words.ts'

/** Options of `llm-eval compare`. */
export interface CompareOptions extends GlobalOptions {
  failOn?: 'regression'
  allowPartial?: boolean
  min?: Bound[]
  max?: Bound[]
  level: number
  sortBy?: string
  cases: number
  /** False: not what was answered. */
  texts: boolean
  markdown?: boolean
  junit?: string
  json?: boolean
}

/** `llm-eval compare`: holds runs against the first, and says whether they pass what was asked. Gives the exit code. */
export async function compareRuns(terminal: Stage, ids: string[], options: CompareOptions): Promise<number> {
  const { failOn, min = [], max = [] } = options
  const asked = failOn !== undefined || min.length + max.length > 0
  if (ids.length === 1 && !asked)
    throw new Complaint('Name a run to compare it with, or what it must reach: --min rouge-l=0.9.')
  if (options.junit !== undefined && !asked)
    throw new Complaint('--junit reports what was asked: say --fail-on regression, --min or --max.')
  const target = await reachTarget(terminal, options)
  const answer = await orImpossible(() => compared(terminal, target, { ids, options }))
  const { gate } = answer
  // A single run is held against bounds alone.
  const all: Compared = { comparison: ids.length === 1 ? null : answer, gate }
  const shown = options.texts && (options.junit !== undefined || options.json !== true)
  const texts = shown ? await orImpossible(() => readTexts(target, answer, terminal.signal)) : []
  const report: Report = { ...all, texts }
  if (options.junit !== undefined && gate !== null) await save(terminal, options.junit, junitOf(report, gate))
  if (options.json) terminal.out.line(safeJson(JSON.stringify(all)))
  else if (options.markdown) terminal.out.line(markdownOf(report))
  else print(terminal, report, answer)
  return gate === null ? exitCodes.ok : gate.exit_code
}

interface ComparisonWish {
  ids: string[]
  options: CompareOptions
}

async function compared({ signal }: Terminal, target: Target, wish: ComparisonWish): Promise<RunComparison> {
  const { cases, level, sortBy, failOn, min = [], max = [], allowPartial } = wish.options
  const query: [string, string][] = [
    // Several times: an id may hold a comma.
    ...wish.ids.map((id): [string, string] => ['run_ids', id]),
    ['cases', String(wish.ids.length === 1 ? 0 : cases)],
    ['level', String(level)],
    ...(sortBy === undefined ? [] : [['sort_by', sortBy] satisfies [string, string]]),
    ...(failOn === undefined ? [] : [['fail_on', failOn] satisfies [string, string]]),
    ...min.map(({ name, value }): [string, string] => ['min', `${name}:${value}`]),
    ...max.map(({ name, value }): [string, string] => ['max', `${name}:${value}`]),
    ...(allowPartial ? [['allow_partial', 'true'] satisfies [string, string]] : []),
  ]
  return readAnswer(await ask(target, { route: runRoutes.compareRuns, query, signal }), runComparison)
}

async function save({ cwd }: Terminal, name: string, text: string): Promise<void> {
  const path = resolve(cwd, name)
  try {
    await writeFile(path, text)
  } catch (error) {
    throw fileComplaint(`${path} cannot be written`, error)
  }
}

function print(terminal: Terminal, { comparison, gate, texts }: Report, { warnings }: RunComparison): void {
  const { out } = terminal
  if (comparison !== null) printComparison(terminal, comparison, texts)
  for (const { run_id: id, message } of warnings)
    out.line(`${out.paint('yellow', 'Note:')} ${oneLine(`${id}: ${message}`)}`)
  if (comparison !== null) out.line(out.paint('bold', summaryOf(comparison)))
  if (gate === null) return
  for (const { outcome, message } of gate.reasons)
    out.line(`  ${out.paint(gateStyles[outcome], gateWords[outcome])}  ${oneLine(message)}`)
  out.line(out.paint(gateStyles[gate.outcome], `Gate: ${gateWords[gate.outcome]}.`))
}

const metricColumns = (level: string): Column[] => [
  { title: 'METRIC', max: 24 },
  { title: 'VERDICT' },
  { title: 'BEFORE', align: 'right' },
  { title: 'AFTER', align: 'right' },
  { title: 'CHANGE', align: 'right' },
  { title: level },
  { title: 'P', align: 'right' },
  { title: 'N', align: 'right' },
  { title: 'MDE', align: 'right' },
  { title: '+/-/=', align: 'right' },
  { title: 'TEST', wraps: true },
]

function printComparison({ out }: Terminal, comparison: RunComparison, texts: readonly CaseTexts[]): void {
  const [first = ''] = comparison.runs
  for (const { run_id: id, metrics, usage } of comparison.compared) {
    const level = metrics.concat(usage).find(({ difference }) => difference !== null)?.difference?.level ?? 0.95
    out.line(out.paint('bold', `${oneLine(id)} against ${oneLine(first)}`))
    const rows = [...metrics.map((row) => comparisonRow(row)), ...usage.map((row) => comparisonRow(named(row)))]
    for (const line of table(out, metricColumns(`${figure(level * 100)} %`), rows)) out.line(line)
    out.line()
  }
  printCases({ out }, comparison)
  for (const one of texts) printTexts({ out }, one)
  const { cases_shared: shared, cases_total: total } = comparison
  out.line(
    `${count(shared)} of ${count(total)} cases are in all runs. +/-/= are cases that became better, worse, or neither;`,
  )
  out.line(
    'P is Holm’s, over all rows; MDE is the smallest change that so many pairs would show four times out of five.',
  )
}

function named(row: MetricComparison): MetricComparison {
  return { ...row, name: usageNames[row.name] ?? row.name }
}

function comparisonRow(row: MetricComparison): string[] {
  const [better, worse] = row.direction === null ? ['-', '-'] : [count(row.improved), count(row.regressed)]
  return [
    oneLine(row.name),
    verdictText(row),
    figure(row.before),
    figure(row.after),
    figure(row.difference?.estimate ?? null),
    intervalText(row),
    chanceText(row),
    count(row.n),
    figure(row.minimal_detectable_effect),
    `${better}/${worse}/${count(row.unchanged)}`,
    groundsText(row),
  ]
}

/** Metrics that have a column of their own. */
const shownMetrics = 4

function printCases({ out }: Pick<Terminal, 'out'>, comparison: RunComparison): void {
  const worse = worseCases(comparison)
  if (worse.length === 0) return
  const names = Object.keys(worse[0]?.values ?? {}).slice(0, shownMetrics)
  const columns: Column[] = [
    { title: 'CASES THAT BECAME WORSE', max: 40 },
    ...names.map((name): Column => ({ title: oneLine(name), max: 32 })),
  ]
  const rows = worse.map(({ case_id: id, values }) => [
    oneLine(id),
    ...names.map((name) => (values[name] ?? []).map(figure).join(' → ')),
  ])
  for (const line of table(out, columns, rows)) out.line(line)
  out.line()
}

/** Lines of one text. */
const textLines = 3

function printTexts(
  { out }: Pick<Terminal, 'out'>,
  { caseId, runs, expected, before, after, pieces }: CaseTexts,
): void {
  const cells = Math.max(20, out.columns - 12)
  const say = (name: string, text: string | null, paint: (line: string) => string = (line) => line): void => {
    const lines = wrap(oneLine(text ?? '(no answer)'), cells)
    for (const [at, line] of lines.slice(0, textLines).entries())
      out.line(`  ${(at === 0 ? name : '').padEnd(10)}${paint(truncate(line, cells))}`)
    if (lines.length > textLines) out.line(`${' '.repeat(12)}…`)
  }
  out.line(out.paint('bold', oneLine(`${caseId} in ${runs[0]} and ${runs[1]}`)))
  if (expected !== null) say('expected', expected)
  say('before', before)
  say('after', after)
  if (pieces !== null) say('changes', shortened(pieces).map(markedPiece).join(''), (line) => paintChanges(out, line))
  out.line()
}

/** As wdiff writes it. */
function markedPiece([kind, text]: Piece): string {
  return kind === 'same' ? text : kind === 'expected' ? `[-${text}-]` : `{+${text}+}`
}

function paintChanges(out: Terminal['out'], line: string): string {
  return line.replaceAll(/\[-.*?-\]|\{\+.*?\+\}/g, (change) =>
    out.paint(change.startsWith('[') ? 'red' : 'green', change),
  )
}
