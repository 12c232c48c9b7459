import type { ToolStep } from '@llm-eval/protocol'
import { count, dollars, duration, figure, percent } from '../display/amounts.ts'
import { oneLine, truncate } from '../display/width.ts'
import { markdownText } from '../reports/markdown-text.ts'
import { meanOf, scoreOf, stepMarks } from './reasons.ts'
import { type SuiteReport, isChanged, type ReportedCase } from './report.ts'
import { problemLine } from './suite.ts'

/** Characters in all, and in the table: a comment on GitHub holds 65,536. */
const mostChars = 60_000
const mostTableChars = 30_000

/** Cases in the table, and those whose reasons are told. */
const mostRows = 100
const mostReasons = 20
const reasonsOfOne = 5
const stepsOfOne = 12

const marks = { 0: '✅', 1: '❌', 2: '⚠️' } as const
const caseMarks = { pass: '✅', fail: '❌', cannot_tell: '⚠️', skip: '⏸️' } as const

/** What was found as Markdown, for a pull request or the summary of a CI job. */
export function agentMarkdown(report: SuiteReport): string {
  const { suite, exitCode, verdict, headline, cases, next } = report
  const before = [
    `### ${marks[exitCode]} ${markdownText(verdict)} · ${cut(suite, 80)}`,
    '',
    cut(headline, 500),
    '',
    ...tableOf(report),
  ]
  const after = [
    ...problemLines(report),
    factsOf(report),
    ...(next === null || exitCode === 0 ? [] : ['', `Next: \`${oneLine(next).replaceAll('`', '')}\``]),
  ]
  const reasoned = cases.filter((one) => (one.outcome !== 'pass' || isChanged(one)) && one.reasons.length > 0)
  const room = mostChars - sizeOf(before) - sizeOf(after)
  const told = fitting(reasoned.slice(0, mostReasons).map(reasonsLines), room)
  const untold = reasoned.length - told.length
  const more = untold === 0 ? [] : [`and why ${count(untold)} more cases are not as they should be`, '']
  return `${[...before, ...told.flat(), ...more, ...after].join('\n')}\n`
}

function sizeOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, 0)
}

/** As many of the blocks, from the first on, as there is room for. */
function fitting(blocks: readonly string[][], room: number): string[][] {
  let left = room
  const end = blocks.findIndex((block) => (left -= sizeOf(block)) < 0)
  return end < 0 ? [...blocks] : blocks.slice(0, end)
}

/** Text in a few cells. Marks without any width could be without end. */
function cut(text: string, cells: number): string {
  return markdownText(truncate(text.slice(0, 4 * cells).toWellFormed(), cells))
}

function tableOf({ command, cases, unasked }: SuiteReport): string[] {
  if (cases.length === 0) return []
  const head = ['case', command === 'test' ? 'outcome' : 'state', 'score', 'passed', 'tools', 'cost', 'time']
  const rows = fitting(
    cases.slice(0, mostRows).map((one) => [`| ${cellsOf(one).join(' | ')} |`]),
    mostTableChars,
  )
  const untold = cases.length - rows.length
  return [
    `| | ${head.join(' | ')} |`,
    '|---|---|---|--:|--:|--:|--:|--:|',
    ...rows.flat(),
    ...(untold > 0 ? ['', `and ${count(untold)} more cases`] : []),
    ...(unasked > 0 ? ['', `${count(unasked)} cases were not asked.`] : []),
    '',
  ]
}

function cellsOf(one: ReportedCase): string[] {
  const { name, state, result, check } = one
  const { attempts, repeated } = result
  const passed = attempts.filter((attempt) => attempt.outcome === 'passed').length
  const changed = (check?.steps ?? []).filter(({ kind }) => kind !== 'same').length
  const called = Math.max(0, ...attempts.map(({ trace }) => trace.tool_calls.length))
  const cost = meanOf(attempts.map(({ trace }) => trace.cost))
  const time = meanOf(attempts.map(({ trace }) => trace.latency_ms))
  return [
    isChanged(one) ? '🔶' : caseMarks[one.outcome],
    cut(name, 80),
    markdownText(state),
    figure(scoreOf(result)),
    `${passed}/${attempts.length}${repeated?.flaky ? ' flaky' : ''}`,
    changed === 0 ? count(called) : `${count(called)}, ${count(changed)} changed`,
    dollars(cost),
    time === null ? '-' : duration(time),
  ]
}

function reasonsLines({ name, reasons, check }: ReportedCase): string[] {
  const steps = (check?.steps ?? []).filter(({ kind }) => kind !== 'same')
  return [
    `**${cut(name, 120)}**`,
    '',
    ...reasons.slice(0, reasonsOfOne).map((reason) => `- ${cut(reason, 300)}`),
    ...(reasons.length > reasonsOfOne ? [`- and ${count(reasons.length - reasonsOfOne)} more`] : []),
    ...steps.slice(0, stepsOfOne).map(stepLine),
    ...(steps.length > stepsOfOne ? [`- and ${count(steps.length - stepsOfOne)} more changes of tools`] : []),
    '',
  ]
}

function stepLine({ kind, name, differences }: ToolStep): string {
  const told = differences
    .slice(0, 3)
    .map(({ path, before, after }) => `${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`)
  return `- ${markdownText(stepMarks[kind])} ${cut(name, 80)} ${cut(told.join(', '), 200)}`
}

function problemLines({ problems }: SuiteReport): string[] {
  const errors = problems.filter(({ level }) => level === 'error')
  if (errors.length === 0) return []
  return [
    'Files that cannot be read as they are:',
    '',
    ...errors.slice(0, mostReasons).map((problem) => `- ${cut(problemLine(problem), 300)}`),
    ...(errors.length > mostReasons ? [`- and ${count(errors.length - mostReasons)} more`] : []),
    '',
  ]
}

function factsOf({ cases }: SuiteReport): string {
  const passed = cases.filter(({ outcome }) => outcome === 'pass').length
  const traces = cases.flatMap(({ result }) => result.attempts.map(({ trace }) => trace))
  const cost = traces.reduce((sum, trace) => sum + (trace.cost ?? 0), 0)
  const unknown = traces.filter((trace) => trace.cost === null).length
  const spent = unknown === 0 ? dollars(cost) : cost === 0 ? 'unknown cost' : `≥ ${dollars(cost)}`
  const share = cases.length === 0 ? '-' : percent(passed / cases.length)
  return [`${count(cases.length)} cases`, `${share} green`, `${count(traces.length)} attempts`, spent].join(' · ')
}
