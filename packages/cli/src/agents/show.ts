import type { AttemptResult, CaseResult, Change, CheckResult, ReleaseReport } from '@llm-eval/protocol'
import { count, dollars, duration, figure, percent } from '../display/amounts.ts'
import { type Column, table } from '../display/table.ts'
import { oneLine } from '../display/width.ts'
import type { Screen, Terminal } from '../terminal.ts'

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
const verdictStyles = {
  SAFE_TO_SHIP: 'green',
  SHIP_WITH_QUARANTINE: 'cyan',
  INVESTIGATE: 'yellow',
  BLOCK_RELEASE: 'red',
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

function showReasons(out: Screen, { name, outcome, attempts }: CaseResult): void {
  out.line()
  out.line(`${out.paint(outcomeStyles[outcome], outcome)}  ${out.paint('bold', oneLine(name))}`)
  const reasons = [...new Set(attempts.flatMap(reasonsOf))]
  for (const reason of reasons.slice(0, toldReasons)) out.line(`  ${oneLine(reason)}`)
  if (reasons.length > toldReasons) out.line(`  … and ${count(reasons.length - toldReasons)} more`)
}

function reasonsOf({ trace, assertions, parts }: AttemptResult): string[] {
  if (trace.fault) return [`${trace.fault.code}: ${trace.fault.message}`]
  const bad = assertions
    .filter(({ outcome }) => outcome !== 'passed')
    .map(({ turn, message }) => (turn === null ? message : `Turn ${turn}: ${message}`))
  const unseen = Object.values(parts).flatMap((part) =>
    part.outcome === 'skipped' || part.outcome === 'errored' ? [part.detail] : [],
  )
  const weak = Object.values(parts).flatMap((part) =>
    part.outcome === 'scored' && part.value < 1 ? [part.detail] : [],
  )
  return [...bad, ...(bad.length > 0 ? weak : []), ...unseen, ...trace.warnings]
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
  for (const reason of reasons.slice(0, toldReasons)) out.line(`  ${oneLine(reason)}`)
  const marks = { same: ' ', arguments: '~', moved: '↕', added: '+', removed: '-' }
  const colours = { same: 'dim', arguments: 'yellow', moved: 'cyan', added: 'green', removed: 'red' } as const
  if (steps.every(({ kind }) => kind === 'same')) return
  for (const { kind, name: tool, differences } of steps.slice(0, 40)) {
    const told = differences
      .slice(0, 3)
      .map(({ path, before, after }) => `${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`)
    out.line(
      out.paint(
        colours[kind],
        `  ${marks[kind]} ${oneLine(tool)}${told.length === 0 ? '' : `  ${oneLine(told.join(', '))}`}`,
      ),
    )
  }
}

/** The verdict on one line, and what to do next. */
export function showRelease({ out }: Pick<Terminal, 'out'>, { verdict, headline, next }: ReleaseReport): void {
  out.line()
  out.line(`${out.paint(verdictStyles[verdict], out.paint('bold', verdict))}  ${oneLine(headline)}`)
  if (next !== null) out.line(`Next: ${next}`)
}

/** The score that is shown of a case: the mean of its attempts. */
export function scoreOf({ attempts }: CaseResult): number | null {
  return meanOf(attempts.map(({ score }) => score))
}

/** Null where any value is unknown. */
function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 || known.length < values.length ? null : known.reduce((a, b) => a + b, 0) / known.length
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
