/** A comparison and what its gate says as Markdown and as JUnit XML. */
import type { GateVerdict, MetricComparison, RunComparison } from '@llm-eval/protocol'
import { count, figure } from '../display/amounts.ts'
import { oneLine, safeLines } from '../display/width.ts'
import { type JunitTest, junitXml } from '../reports/junit-xml.ts'
import { markdownText } from '../reports/markdown-text.ts'
import { escaped } from '../reports/xml.ts'
import { type CaseTexts, stepsOf, worseCases } from './comparison-texts.ts'
import {
  chanceText,
  type Compared,
  gateWords,
  groundsText,
  intervalText,
  summaryOf,
  usageNames,
  verdictText,
} from './comparison-words.ts'

/** What is reported. */
export interface Report extends Compared {
  /** Of the first cases that became worse. */
  texts: readonly CaseTexts[]
}

/** A summary for a pull request. */
export function markdownOf({ comparison, gate, texts }: Report): string {
  const lines = gate === null ? [] : [`**Gate: ${gateWords[gate.outcome]}**`, '', ...gate.reasons.map(reasonLine), '']
  if (comparison !== null) {
    const [first = ''] = comparison.runs
    for (const { run_id: id, metrics, usage } of comparison.compared) {
      lines.push(`### ${markdownText(id)} against ${markdownText(first)}`, '')
      lines.push('| metric | verdict | before | after | change | interval | p | n | MDE | test |')
      lines.push('|---|---|--:|--:|--:|---|--:|--:|--:|---|')
      lines.push(...[...metrics, ...usage].map(markdownRow), '')
    }
    for (const { run_id: id, message } of comparison.warnings)
      lines.push(`- Note: ${markdownText(`${id}: ${message}`)}`)
    if (comparison.warnings.length > 0) lines.push('')
    lines.push(...casesOf(comparison, texts), markdownText(summaryOf(comparison)))
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

function casesOf(comparison: RunComparison, texts: readonly CaseTexts[]): string[] {
  const worse = worseCases(comparison)
  if (worse.length === 0) return []
  const without = worse.slice(texts.length).map((one) => `- ${markdownText(`${one.case_id}: ${stepsOf(one)}`)}`)
  return ['Cases that became worse:', '', ...texts.flatMap(detailsOf), ...without, ...(without.length > 0 ? [''] : [])]
}

/** A case that opens: nothing in a fence is taken for Markdown, or for the name of a person. */
function detailsOf(one: CaseTexts): string[] {
  const lines = [
    ...(one.expected === null ? [] : linesOf('  expected: ', one.expected)),
    ...linesOf('- ', one.before ?? '(no answer)'),
    ...linesOf('+ ', one.after ?? '(no answer)'),
  ]
  const fence = '`'.repeat(Math.max(3, ...lines.map((line) => longestTicks(line) + 1)))
  return [
    `<details><summary><code>${escaped(oneLine(`${one.caseId}: ${one.steps}`))}</code></summary>`,
    '',
    `${fence}diff`,
    ...lines,
    fence,
    '',
    '</details>',
    '',
  ]
}

/** Lines, and characters of each, that a case shows. */
const mostLines = 20
const mostCells = 300

function linesOf(mark: string, text: string): string[] {
  const lines = safeLines(text.replaceAll(/\r\n?/g, '\n')).split('\n')
  const shown = lines.slice(0, mostLines).map((line) => `${mark}${line.slice(0, mostCells).toWellFormed()}`)
  return lines.length > mostLines ? [...shown, `${mark}…`] : shown
}

function longestTicks(line: string): number {
  return Math.max(0, ...[...line.matchAll(/`+/g)].map(([ticks]) => ticks.length))
}

/**
 * What was asked as JUnit XML: one test for each; what cannot be told is an error. The cases that became worse are tests too: they
 * fail where the gate does not pass, and only tell what they are where it does, so that none is red for a gate that is green.
 */
export function junitOf({ comparison, texts }: Report, gate: GateVerdict): string {
  const asked = gate.reasons.map(({ outcome, metric, message }): JunitTest => {
    return { name: metric ?? 'gate', group: 'llm-eval.compare', seconds: null, outcome, message }
  })
  const worse = comparison === null ? [] : worseCases(comparison)
  const cases = worse.map((one, at): JunitTest => {
    const told = texts[at]
    return {
      name: one.case_id,
      group: 'llm-eval.compare.cases',
      seconds: null,
      outcome: gate.passed ? 'pass' : 'fail',
      message: `became worse: ${stepsOf(one)}`,
      text: told ? textOf(told) : '',
    }
  })
  const tests = [...asked, ...cases]
  return junitXml([{ name: 'llm-eval compare', seconds: null, timestamp: null, facts: [], tests }])
}

function textOf({ expected, before, after }: CaseTexts): string {
  const lines = [
    ...(expected === null ? [] : linesOf('expected: ', expected)),
    ...linesOf('before: ', before ?? '(no answer)'),
    ...linesOf('after: ', after ?? '(no answer)'),
  ]
  return lines.join('\n')
}
