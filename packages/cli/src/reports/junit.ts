import type { GateOutcome } from '@llm-eval/protocol'
import { count } from '../display/amounts.ts'
import { mostReportedItems, type Reported } from './gather.ts'
import { attribute } from './xml.ts'

interface TestCase {
  name: string
  group: string
  seconds: number | null
  outcome: GateOutcome
  message: string
}

/**
 * Evaluations as JUnit XML: a suite for each, with a test for each item (an error where the task gave no answer) and one for each
 * thing that was asked (an error where it cannot be told), and one for the verdict. None is green that the exit code says is not.
 */
export function junitOf(all: readonly Reported[]): string {
  const suites = all.map((one) => ({ one, tests: testsOf(one) }))
  const everything = suites.flatMap(({ tests }) => tests)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${countsOf(everything)}>`,
    ...suites.flatMap(({ one, tests }) => suiteOf(one, tests)),
    '</testsuites>',
    '',
  ].join('\n')
}

function suiteOf({ run, items }: Reported, tests: readonly TestCase[]): string[] {
  const took = ((run.duration_ms ?? 0) / 1_000).toFixed(3)
  const untold = run.completed_items - items.length
  const facts: [string, string][] = [
    ['run_id', run.run_id],
    ['dataset', run.dataset_name],
    ...(untold > 0
      ? [['items_not_listed', `${untold}, as a report lists ${count(mostReportedItems)}`] satisfies [string, string]]
      : []),
  ]
  return [
    `  <testsuite name="${attribute(run.name)}" ${countsOf(tests)} time="${took}" timestamp="${run.created_at}">`,
    '    <properties>',
    ...facts.map(([name, value]) => `      <property name="${name}" value="${attribute(value)}"/>`),
    '    </properties>',
    ...tests.map(testOf),
    '  </testsuite>',
  ]
}

function testsOf({ run, items, gate, exitCode, verdict }: Reported): TestCase[] {
  const ofItems = items.map(({ case_id: id, repetition, status, error, response_time_ms: ms }): TestCase => {
    const failed = status === 'failed'
    return {
      name: repetition > 1 ? `${id} (${repetition})` : id,
      group: `${run.name}.items`,
      seconds: ms === null ? null : ms / 1_000,
      outcome: failed ? 'cannot_tell' : 'pass',
      message: failed ? `${error?.code ?? 'failed'}: ${error?.message ?? ''}` : '',
    }
  })
  const ofGate = (gate?.reasons ?? []).map(({ outcome, metric, message }): TestCase => {
    return { name: metric ?? 'gate', group: `${run.name}.gate`, seconds: null, outcome, message }
  })
  const outcome = exitCode === 0 ? 'pass' : exitCode === 1 ? 'fail' : 'cannot_tell'
  return [...ofGate, { name: 'verdict', group: run.name, seconds: null, outcome, message: verdict }, ...ofItems]
}

function countsOf(tests: readonly TestCase[]): string {
  const having = (outcome: GateOutcome) => tests.filter((test) => test.outcome === outcome).length
  return `tests="${tests.length}" failures="${having('fail')}" errors="${having('cannot_tell')}"`
}

function testOf({ name, group, seconds, outcome, message }: TestCase): string {
  const took = seconds === null ? '' : ` time="${seconds.toFixed(3)}"`
  const start = `    <testcase name="${attribute(name)}" classname="${attribute(group)}"${took}`
  if (outcome === 'pass') return `${start}/>`
  const kind = outcome === 'fail' ? 'failure' : 'error'
  return `${start}><${kind} message="${attribute(message)}"/></testcase>`
}
