import type { AttemptResult, CaseResult, ToolStep } from '@llm-eval/protocol'
import { oneLine, wrap } from '../display/width.ts'
import type { Screen } from '../terminal.ts'

/** Why a case did not pass, or is not scored as a whole: a sentence each, none twice. */
export function reasonsOf({ attempts }: CaseResult): string[] {
  return [...new Set(attempts.flatMap(ofAttempt))]
}

function ofAttempt({ trace, assertions, parts }: AttemptResult): string[] {
  const bad = assertions
    .filter(({ outcome }) => outcome !== 'passed')
    .map(({ turn, message }) => (turn === null ? message : `Turn ${turn}: ${message}`))
  if (trace.fault) return [...bad, `${trace.fault.code}: ${trace.fault.message}`]
  const unseen = Object.values(parts).flatMap((part) =>
    part.outcome === 'skipped' || part.outcome === 'errored' ? [part.detail] : [],
  )
  const weak = Object.values(parts).flatMap((part) =>
    part.outcome === 'scored' && part.value < 1 ? [part.detail] : [],
  )
  return [...bad, ...(bad.length > 0 ? weak : []), ...unseen, ...trace.warnings]
}

/** The score that is shown of a case: the mean of its attempts; null where one has none. */
export function scoreOf({ attempts }: CaseResult): number | null {
  return meanOf(attempts.map(({ score }) => score))
}

/** Null where any value is unknown. */
export function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 || known.length < values.length ? null : known.reduce((a, b) => a + b, 0) / known.length
}

/** How a step of aligned calls is marked. */
export const stepMarks: Record<ToolStep['kind'], string> = {
  same: ' ',
  arguments: '~',
  moved: '↕',
  added: '+',
  removed: '-',
}

/** Foreign words below a heading: on a terminal as wide as it is, elsewhere on one line. */
export function indented(screen: Screen, words: string): string[] {
  const line = oneLine(words)
  if (!screen.isTTY) return [`  ${line}`]
  return wrap(line, Math.max(30, screen.columns - 4)).map((part, index) => `${index === 0 ? '  ' : '    '}${part}`)
}
