import { Writable } from 'node:stream'
import type { AttemptOutcome, CaseResult } from '@llm-eval/protocol'
import { expect, test } from 'vitest'
import { displayWidth } from '../display/width.ts'
import { Screen } from '../terminal.ts'
import { LiveCases } from './live.ts'

/** A screen and what was written to it. */
function screenOf(isTTY: boolean): { screen: Screen; written: () => string } {
  let text = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  const screen = new Screen(Object.assign(stream, { isTTY, columns: 60, rows: 24 }), { NO_COLOR: '1' })
  return { screen, written: () => text }
}

function resultOf(outcome: AttemptOutcome, name: string): CaseResult {
  const part = { outcome: 'not_expected' as const }
  const message = 'The answer does not hold “nothing of the kind”, which it should have held, as was demanded.'
  const trace: CaseResult['attempts'][number]['trace'] = {
    dialect: 'json',
    level: 1,
    captured: [],
    output: '',
    tool_calls: [],
    turns: [],
    tokens: null,
    cost: null,
    cost_source: null,
    model: null,
    session_id: null,
    latency_ms: 1,
    first_token_ms: null,
    notes: [],
    fault: null,
    warnings: [],
  }
  const attempt = {
    outcome,
    score: null,
    complete: true,
    parts: { tool_accuracy: part, output_quality: part, sequence_correctness: part },
    assertions: [{ kind: 'x', turn: null, outcome: 'failed' as const, expected: 1, actual: 2, message }],
    trace,
    judged: [],
  }
  return { case_id: name, name, suite: 's', outcome, attempts: [attempt], repeated: null }
}

function shows(live: LiveCases, result: CaseResult): void {
  const [attempt] = result.attempts
  if (attempt) live.attempt(attempt)
  live.case(result)
}

test('cases that do not pass are told as it happens, ten of them, and no line is wider than the screen', () => {
  const { screen, written } = screenOf(true)
  let ms = 0
  const live = new LiveCases(screen, { cases: 20, total: 20, now: () => (ms += 5_000) })
  shows(live, resultOf('passed', 'Fine'))
  for (let at = 0; at < 15; at++)
    shows(live, resultOf(at % 2 === 0 ? 'failed' : 'faulted', `Case ${at} with a long name`))
  live.end()
  // What is redrawn and is wider than the screen could not be overwritten.
  for (const line of written().replaceAll('\r\u001b[2K', '\n').split('\n')) expect(displayWidth(line)).toBeLessThan(60)
  const lines = written()
    .replaceAll('\r\u001b[2K', '\n')
    .split('\n')
    .filter((line) => /^(failed|faulted|…)/.test(line))
  expect(lines).toHaveLength(11)
  expect(lines[0]).toMatch(/^failed {2}Case 0 with a long name {2}The answer does not/)
  expect(lines[10]).toContain('More cases do not pass')
  for (const line of lines) expect(line.length).toBeLessThan(60)
  expect(written()).not.toContain('Fine')
})

test('elsewhere than on a terminal a failure is one line, and progress comes now and then', () => {
  const { screen, written } = screenOf(false)
  const live = new LiveCases(screen, { cases: 2, total: 2 })
  shows(live, resultOf('failed', 'One\u001b[2J'))
  live.end()
  expect(written()).toMatch(/^failed {2}One\\u001b\[2J {2}The answer does not hold .* as was demanded\.\n$/)
})
