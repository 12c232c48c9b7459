import type { CaseResult, Change, CheckResult } from '@llm-eval/protocol'
import { count, dollars, duration, figure, percent } from '../display/amounts.ts'
import { type Column, table } from '../display/table.ts'
import { oneLine } from '../display/width.ts'
import type { Screen, Terminal } from '../terminal.ts'
import { indented, meanOf, reasonsOf, scoreOf, stepMarks } from './reasons.ts'
import type { SuiteReport } from './report.ts'

const outcomeStyles = { passed: 'green', failed: 'red', faulted: 'red', unevaluated: 'yellow' } as const
const stateStyles = {
  PASSED: 'green',
  MODEL_CHANGED: 'cyan',
  OUTPUT_CHANGED: 'yellow',
  TOOLS_CHANGED: 'yellow',
  REGRESSION: 'red',
  NO_BASELINE: 'yellow',
  NOT_EVALUATED: 'yellow',
} as const
/** Reasons of one case that are told. */
const toldReasons = 5

/** The cases as a table, then what did not pass, each with its reasons. */
export function showResults({ out }: Pick<Terminal, 'out'>, results: readonly CaseResult[]): void {
  const columns: Column[] = [
    { title: 'CASE', max: 48 },
    { title: 'OUTCOME' },
    { title: 'SCORE', align: 'right' },
    { title: 'PASSED', align: 'right' },
    { title: 'TOOLS', align: 'right' },
    { title: 'COST', align: 'right' },
    { title: 'TIME', align: 'right' },
  ]
  const rows = results.map((result) => [
    oneLine(result.name),
    result.outcome,
    figure(scoreOf(result)),
    passedText(result),
    count(Math.max(0, ...result.attempts.map(({ trace }) => trace.tool_calls.length))),
    dollars(meanOf(result.attempts.map(({ trace }) => trace.cost))),
    durationText(meanOf(result.attempts.map(({ trace }) => trace.latency_ms))),
  ])
  const [head = '', ...lines] = table(out, columns, rows)
  out.line(head)
  for (const [index, line] of lines.entries()) {
    const outcome = results[index]?.outcome ?? 'passed'
    out.line(outcome === 'passed' ? line : line.replace(outcome, out.paint(outcomeStyles[outcome], outcome)))
  }
  for (const result of results) if (result.outcome !== 'passed' || isIncomplete(result)) showReasons(out, result)
}

function showReasons(out: Screen, result: CaseResult): void {
  const { name, outcome } = result
  out.line()
  out.line(`${out.paint(outcomeStyles[outcome], outcome)}  ${out.paint('bold', oneLine(name))}`)
  const reasons = reasonsOf(result)
  for (const line of reasons.slice(0, toldReasons).flatMap((reason) => indented(out, reason))) out.line(line)
  if (reasons.length > toldReasons) out.line(`  … and ${count(reasons.length - toldReasons)} more`)
}

function isIncomplete({ attempts }: CaseResult): boolean {
  return attempts.some(({ complete }) => !complete)
}

/** Each case held against what was accepted of it. */
export function showChecks({ out }: Pick<Terminal, 'out'>, checks: readonly CheckResult[]): void {
  const columns: Column[] = [
    { title: 'CASE', max: 48 },
    { title: 'STATE' },
    { title: 'VARIANT', max: 16 },
    { title: 'SCORE', align: 'right' },
    { title: 'ALIKE', align: 'right' },
    { title: 'COST', align: 'right' },
    { title: 'TIME', align: 'right' },
  ]
  const rows = checks.map((check) => [
    oneLine(check.name),
    check.quarantine === null ? check.state : `${check.state} (quarantined)`,
    oneLine(check.variant ?? '–'),
    changeText(check.score, figure),
    check.output_similarity === null ? '–' : percent(check.output_similarity),
    changeText(check.cost, dollars),
    changeText(check.latency, durationText),
  ])
  const [head = '', ...lines] = table(out, columns, rows)
  out.line(head)
  for (const [index, line] of lines.entries()) {
    const state = checks[index]?.state ?? 'PASSED'
    out.line(state === 'PASSED' ? line : line.replace(state, out.paint(stateStyles[state], state)))
  }
  for (const check of checks) if (check.state !== 'PASSED') showCheck(out, check)
}

function showCheck(out: Screen, { name, state, reasons, steps }: CheckResult): void {
  out.line()
  out.line(`${out.paint(stateStyles[state], state)}  ${out.paint('bold', oneLine(name))}`)
  for (const line of reasons.slice(0, toldReasons).flatMap((reason) => indented(out, reason))) out.line(line)
  const colours = { same: 'dim', arguments: 'yellow', moved: 'cyan', added: 'green', removed: 'red' } as const
  if (steps.every(({ kind }) => kind === 'same')) return
  for (const { kind, name: tool, differences } of steps.slice(0, 40)) {
    const told = differences
      .slice(0, 3)
      .map(({ path, before, after }) => `${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`)
    out.line(
      out.paint(
        colours[kind],
        `  ${stepMarks[kind]} ${oneLine(tool)}${told.length === 0 ? '' : `  ${oneLine(told.join(', '))}`}`,
      ),
    )
  }
}

const verdictWords: Record<string, keyof typeof verdictPaints> = {
  PASSED: 'good',
  FAILED: 'bad',
  SAFE_TO_SHIP: 'good',
  SHIP_WITH_QUARANTINE: 'told',
  BLOCK_RELEASE: 'bad',
}
const verdictPaints = { good: 'green', bad: 'red', told: 'cyan', wait: 'yellow' } as const

/** The verdict on one line, and what to do next. */
export function showVerdict({ out }: Pick<Terminal, 'out'>, { verdict, headline, next }: SuiteReport): void {
  const paint = verdictPaints[verdictWords[verdict] ?? 'wait']
  out.line()
  out.line(`${out.paint(paint, out.paint('bold', verdict))}  ${oneLine(headline)}`)
  if (next !== null) out.line(`Next: ${oneLine(next)}`)
}

function passedText({ repeated, outcome }: CaseResult): string {
  if (!repeated) return outcome === 'passed' ? '1/1' : '0/1'
  const { low, high } = repeated.pass_rate
  return `${repeated.passed}/${repeated.n} (${percent(low)} to ${percent(high)})${repeated.flaky ? ' flaky' : ''}`
}

function changeText({ before, after, detectable }: Change, text: (value: number | null) => string): string {
  if (before === null && after === null) return '–'
  const mark = detectable === true ? '*' : ''
  return before === null || before === after ? text(after) : `${text(before)} → ${text(after)}${mark}`
}

function durationText(ms: number | null): string {
  return ms === null ? '–' : duration(ms)
}
