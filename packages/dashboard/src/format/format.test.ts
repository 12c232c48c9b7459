import { describe, expect, test } from 'vitest'
import { detail } from '../../test/sample-traces.ts'
import { splitFences } from './fences.ts'
import {
  formatCompact,
  formatCost,
  formatCount,
  formatLatency,
  formatPercent,
  formatRate,
  formatTraces,
} from './numbers.ts'
import { curlFor, curlSample, sdkSample } from './samples.ts'
import { formatAgo, formatUntil } from './times.ts'
import { asSent } from './trace-input.ts'

describe('numbers', () => {
  test('unknown is a dash, and zero is a zero', () => {
    for (const format of [formatCount, formatLatency, formatCost, formatPercent, formatCompact]) {
      expect(format(null)).toBe('–')
      expect(format(0)).not.toBe('–')
    }
  })

  test.each([
    [0, '0 ms'],
    [0.4, '0.4 ms'],
    [850, '850 ms'],
    [1_250, '1.25 s'],
    [59_940, '59.9 s'],
    [125_000, '2 m 5 s'],
    [7_380_000, '2 h 3 m'],
  ])('%d ms is written as %s', (ms, text) => expect(formatLatency(ms)).toBe(text))

  test.each([
    [0, '$0'],
    [0.000_000_5, '< $0.000001'],
    [0.0012, '$0.0012'],
    [0.05, '$0.05'],
    [0.5, '$0.50'],
    [15.67, '$15.67'],
    [1_234.5, '$1,234.50'],
    [250_000, '$250K'],
  ])('a cost of %d dollars is written as %s', (dollars, text) => expect(formatCost(dollars)).toBe(text))

  test('small rates are told per minute, and smaller ones per hour', () => {
    const rates = [0, 1 / 3600, 0.2, 12.34, 240]
    expect(rates.map(formatRate)).toEqual(['0/s', '1.0/h', '12.0/min', '12.3/s', '240/s'])
  })

  test('one trace is not many', () => {
    expect([0, 1, 1_200].map(formatTraces)).toEqual(['0 traces', '1 trace', '1,200 traces'])
  })

  test('percent has one decimal', () => expect(formatPercent(85)).toBe('85.0 %'))
})

describe('times', () => {
  const now = Date.parse('2025-01-27T12:00:00Z')

  test.each([
    [0, 'now'],
    [5, '5 s ago'],
    [65, '1 min ago'],
    [7_300, '2 h ago'],
  ])('%d seconds back is %s', (seconds, words) => expect(formatAgo(now - seconds * 1000, now)).toBe(words))

  test('a clock that runs ahead a little does not show the future', () => {
    expect(formatAgo(now + 20_000, now)).toBe('now')
  })

  test('what is not a time is shown as it is', () => expect(formatAgo('soon', now)).toBe('soon'))

  test('what is left is rounded up, and never negative', () => {
    expect([4_200, 0, -9_000, 90_000].map((ms) => formatUntil(now + ms, now))).toEqual(['5 s', '0 s', '0 s', '2 min'])
  })
})

describe('texts with fenced code', () => {
  test('are split into text and code', () => {
    expect(splitFences('Try:\n```sql\nSELECT 1\n```\nDone.')).toEqual([
      { kind: 'text', text: 'Try:' },
      { kind: 'code', text: 'SELECT 1', language: 'sql' },
      { kind: 'text', text: 'Done.' },
    ])
  })

  test('lose nothing when a fence is never closed', () => {
    expect(splitFences('a\n```js\nb')).toEqual([{ kind: 'text', text: 'a\n```js\nb' }])
  })

  test('are left alone without fences, however long', () => {
    const text = '`'.repeat(2) + 'x'.repeat(100_000)
    expect(splitFences(text)).toEqual([{ kind: 'text', text }])
    expect(splitFences('')).toEqual([])
  })
})

describe('samples', () => {
  const open = { origin: 'http://127.0.0.1:8000', keyed: false }

  test('the curl command sends the sample trace as valid JSON, and a key only where one is needed', () => {
    const body = /-d '(.*)'$/s.exec(curlSample(open))?.[1] ?? ''
    expect(JSON.parse(body)).toMatchObject({ trace_id: 'unique_trace_id', cost: 0.0012 })
    expect(curlSample(open)).not.toContain('Authorization')
    expect(curlSample({ ...open, keyed: true })).toContain('Authorization: Bearer $LLM_EVAL_API_KEY')
    expect(sdkSample(open)).toContain("new LLMEvalClient('http://127.0.0.1:8000')")
  })

  test('a quote in a trace cannot end the quoted text of the command', () => {
    expect(curlFor('{"q":"it\'s; rm -rf /"}', open)).toContain(`'{"q":"it'\\''s; rm -rf /"}'`)
  })

  test('a trace to send again leaves out what was unknown', () => {
    const sent = asSent(detail(1, { cost: null, extra: JSON.parse('{"__proto__":1}') as Record<string, unknown> }))
    expect(Object.keys(sent)).not.toContain('cost')
    expect(Object.keys(sent)).not.toContain('functions_called')
    expect(Object.keys(sent)).toContain('__proto__')
  })
})
