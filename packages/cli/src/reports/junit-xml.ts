import type { GateOutcome } from '@llm-eval/protocol'
import { attribute } from './xml.ts'

/** A test of a JUnit report. `skip`: it does not count, and the message says why. */
export interface JunitTest {
  name: string
  group: string
  seconds: number | null
  outcome: GateOutcome | 'skip'
  message: string
}

export interface JunitSuite {
  name: string
  seconds: number
  /** RFC 3339. */
  timestamp: string
  facts: readonly (readonly [name: string, value: string])[]
  tests: readonly JunitTest[]
}

/** Suites as JUnit XML. What cannot be told is an error, so that no reader takes it for green. */
export function junitXml(suites: readonly JunitSuite[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${countsOf(suites.flatMap(({ tests }) => tests))}>`,
    ...suites.flatMap(suiteOf),
    '</testsuites>',
    '',
  ].join('\n')
}

function suiteOf({ name, seconds, timestamp, facts, tests }: JunitSuite): string[] {
  return [
    `  <testsuite name="${attribute(name)}" ${countsOf(tests)} time="${seconds.toFixed(3)}" timestamp="${timestamp}">`,
    '    <properties>',
    ...facts.map(([fact, value]) => `      <property name="${fact}" value="${attribute(value)}"/>`),
    '    </properties>',
    ...tests.map(testOf),
    '  </testsuite>',
  ]
}

function countsOf(tests: readonly JunitTest[]): string {
  const having = (outcome: JunitTest['outcome']) => tests.filter((test) => test.outcome === outcome).length
  const skipped = having('skip')
  const told = `tests="${tests.length}" failures="${having('fail')}" errors="${having('cannot_tell')}"`
  return skipped === 0 ? told : `${told} skipped="${skipped}"`
}

const elements = { fail: 'failure', cannot_tell: 'error', skip: 'skipped' } as const

function testOf({ name, group, seconds, outcome, message }: JunitTest): string {
  const took = seconds === null ? '' : ` time="${seconds.toFixed(3)}"`
  const start = `    <testcase name="${attribute(name)}" classname="${attribute(group)}"${took}`
  return outcome === 'pass'
    ? `${start}/>`
    : `${start}><${elements[outcome]} message="${attribute(message)}"/></testcase>`
}
