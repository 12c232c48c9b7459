import type { GateOutcome } from '@llm-eval/protocol'
import { oneLine } from '../display/width.ts'
import { attribute, contents, escaped } from './xml.ts'

/** A test of a JUnit report. `skip`: it does not count, and the message says why. */
export interface JunitTest {
  name: string
  group: string
  seconds: number | null
  outcome: GateOutcome | 'skip'
  message: string
  /** Lines that stand below the message. */
  text?: string
}

export interface JunitSuite {
  name: string
  /** Null where nothing was done that takes time. */
  seconds: number | null
  /** RFC 3339; null where there is none. */
  timestamp: string | null
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
  const moment = timestamp === null ? '' : ` timestamp="${timestamp}"`
  const properties = [
    '    <properties>',
    ...facts.map(([fact, value]) => `      <property name="${fact}" value="${attribute(value)}"/>`),
    '    </properties>',
  ]
  return [
    `  <testsuite name="${attribute(name)}" ${countsOf(tests)}${timeOf(seconds)}${moment}>`,
    ...(facts.length === 0 ? [] : properties),
    ...tests.map(testOf),
    '  </testsuite>',
  ]
}

function timeOf(seconds: number | null): string {
  return seconds === null ? '' : ` time="${seconds.toFixed(3)}"`
}

function countsOf(tests: readonly JunitTest[]): string {
  const having = (outcome: JunitTest['outcome']) => tests.filter((test) => test.outcome === outcome).length
  const skipped = having('skip')
  const told = `tests="${tests.length}" failures="${having('fail')}" errors="${having('cannot_tell')}"`
  return skipped === 0 ? told : `${told} skipped="${skipped}"`
}

const elements = { fail: 'failure', cannot_tell: 'error', skip: 'skipped' } as const

function testOf({ name, group, seconds, outcome, message, text = '' }: JunitTest): string {
  const start = `    <testcase name="${attribute(name)}" classname="${attribute(group)}"${timeOf(seconds)}`
  const body = contents(text)
  if (outcome === 'pass')
    return body === ''
      ? `${start}/>`
      : `${start}><system-out>${escaped(oneLine(message))}\n${body}</system-out></testcase>`
  const element = elements[outcome]
  const told = body === '' ? '/>' : `>${body}</${element}>`
  return `${start}><${element} message="${attribute(message)}"${told}</testcase>`
}
