import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import type { RunItem, RunningMetric, RunProgress } from '@llm-eval/protocol'
import { describe, expect, test } from 'vitest'
import { displayWidth } from '../display/width.ts'
import { Screen } from '../terminal.ts'
import { Live } from './live.ts'

/** A screen, what was written to it, and a clock that is set. */
function stage({ columns, env = {}, rows = 24 }: { columns?: number; env?: NodeJS.ProcessEnv; rows?: number }) {
  const written: string[] = []
  const writable = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString())
      done()
    },
  })
  const stream = columns === undefined ? writable : Object.assign(writable, { isTTY: true, columns, rows })
  const clock = { ms: 0 }
  const live = new Live(new Screen(stream, env), () => clock.ms)
  return { live, clock, written, text: () => written.join('') }
}

const metric = (fields: Partial<RunningMetric> = {}): RunningMetric => ({
  mean: 0.91234,
  ci: [0.85, 0.95],
  n: 40,
  skipped: 0,
  errored: 0,
  passed: 36,
  failed: 4,
  ...fields,
})

const progress = (fields: Partial<RunProgress> = {}): RunProgress => ({
  total_items: 100,
  completed_items: 50,
  successful_items: 49,
  success_rate: 0.98,
  cost: 0.25,
  unknown_costs: 0,
  metrics: { accuracy: metric() },
  ...fields,
})

const failed = (id: string, message: string) =>
  ({ status: 'failed', case_id: id, repetition: 1, error: { code: 'execution_failed', message } }) as RunItem

/** The lines of each drawing. */
const drawings = (written: readonly string[]) =>
  written.map((text) => stripVTControlCharacters(text).replaceAll('\r', '').split('\n'))

describe('an evaluation as it goes on', () => {
  test('is a bar with pace, time left, successes and cost, over metrics with intervals and coverage', () => {
    const { live, clock, written } = stage({ columns: 120, env: { NO_COLOR: '1' } })
    live.show(progress({ completed_items: 1 }))
    clock.ms = 5_000
    live.show(progress())
    const [bar, accuracy] = drawings(written).at(-1) ?? []
    expect(bar).toMatch(/^━{12}─{12} {2}50 %, 50\/100 items, 10\/s, 5\.0 s left, 98 % without an error, \$0\.2500$/)
    expect(accuracy).toMatch(/^ {2}accuracy {2}0\.9123 ± 0\.05 +80 % scored$/)
  })

  test('what is not known is not shown as if it were', () => {
    const { live, clock, written } = stage({ columns: 120, env: { NO_COLOR: '1' } })
    const unknown = { total_items: null, completed_items: 7, cost: 0, unknown_costs: 7, success_rate: null }
    clock.ms = 1_000
    live.show(progress({ ...unknown, metrics: { judge: metric({ mean: null, ci: null, n: 0, errored: 2 }) } }))
    expect(drawings(written).at(-1)).toEqual(['7 items, 1.0/s, - without an error', '  judge  not scored yet'])
  })

  test.each([20, 40, 60, 80, 200])(
    'no line is wider than %i cells, whatever metrics and cases are called',
    (columns) => {
      const { live, clock, written } = stage({ columns })
      const names = [
        '准确率准确率准确率准确率准确率准确率',
        'a very long name of a metric that goes on and on',
        'e\u0301\n\u001b[2J',
      ]
      const metrics = Object.fromEntries(names.map((name) => [name, metric({ errored: 3 })]))
      for (let at = 0; at < 5; at++) {
        clock.ms += 1_000
        live.show(progress({ completed_items: 10 * at, metrics }))
        live.item(failed('案例'.repeat(40), 'x\n'.repeat(400)))
      }
      live.end()
      for (const line of drawings(written).flat()) expect(displayWidth(line), line).toBeLessThan(Math.max(columns, 21))
    },
  )

  test('takes no more lines than the screen has, and says how many metrics it leaves out', () => {
    const { live, written } = stage({ columns: 80, rows: 9 })
    const metrics = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`m${at}`, metric()]))
    live.show(progress({ metrics }))
    const lines = drawings(written).at(-1) ?? []
    expect(lines).toHaveLength(6)
    expect(lines.at(-1)).toBe('  and 26 other metrics')
  })

  test('is drawn over itself, ten times a second at most, and taken away at the end', () => {
    const { live, clock, written } = stage({ columns: 80, env: { NO_COLOR: '1' } })
    for (clock.ms = 0; clock.ms < 1_000; clock.ms += 10) live.show(progress({ completed_items: clock.ms / 10 }))
    expect(written).toHaveLength(10)
    expect(written[1]?.startsWith('\u001b[1A\r\u001b[J')).toBe(true)
    live.end()
    expect(written.at(-1)).toBe('\u001b[1A\r\u001b[J')
    for (const colour of ['\u001b[36m', '\u001b[2m']) expect(written.join('')).not.toContain(colour)
  })

  test('is a plain line every ten seconds where nobody looks', () => {
    const { live, clock, text } = stage({})
    for (clock.ms = 0; clock.ms <= 25_000; clock.ms += 500) live.show(progress({ completed_items: clock.ms / 500 }))
    const lines = text().trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(/^20 %, 20\/100 items, 2\.\d\/s, \d+ s left, 98 % without an error, \$0\.2500$/)
    expect(text()).not.toContain('\u001b')
  })

  test('tells of ten failures, and that there are more', () => {
    const { live, text } = stage({})
    for (let at = 0; at < 100; at++) live.item(failed(`c${at}`, 'no model'))
    expect(text().match(/no model/g)).toHaveLength(10)
    expect(text()).toMatch(/failed {2}More items fail; they are counted, and told at the end\.\n$/)
  })
})
