import type { CaseComparison, MetricComparison, Run, RunComparison } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundsOf, boundsText, comparedRuns, compareSearch, readCompare } from '../app/addresses.ts'
import { placesOf } from '../components/strip-drawing.ts'
import { comparisonCsv, comparisonMarkdown } from './comparison-files.ts'
import { doubtsOf, findingsOf, formatChance, formatChange, formatPlain, usageOf } from './comparison-words.ts'
import { gateCommand } from './gate-command.ts'
import { differencesOf } from './run-differences.ts'

const row = (name: string, rest: Partial<MetricComparison> = {}): MetricComparison => ({
  name,
  direction: 'higher',
  evaluator: 'same',
  before: 0.5,
  after: 0.5,
  difference: { estimate: 0, low: -0.1, high: 0.1, level: 0.95, n: 40 },
  test: 'paired_t',
  p: 1,
  adjusted_p: 1,
  n: 40,
  minimal_detectable_effect: 0.1,
  verdict: 'no_detectable_difference',
  improved: 0,
  regressed: 0,
  unchanged: 40,
  unpaired: 0,
  missing: 0,
  absent: 0,
  unmeasured: 0,
  ...rest,
})

const compared = (...metrics: MetricComparison[]) => ({ run_id: 'b', metrics, usage: [] })
const one: CaseComparison = {
  case_id: '=cmd()',
  regression: -0.5,
  values: { 'a,b': [1, null] },
  usage: { response_time_ms: [null, null], cost: [null, null] },
  items: [0, null],
}
const comparison: RunComparison = {
  runs: ['a', 'b|c'],
  compared: [compared(row('a,b', { adjusted_p: 0.000_01, difference: null }))],
  cases_total: 2,
  cases_shared: 1,
  cases_matching: 1,
  cases: [one],
  points: [],
  warnings: [{ run_id: 'b|c', code: 'not_finished', message: 'the run is running.' }],
  gate: null,
}

describe('what was found', () => {
  test('is told with what is worse first, and what cannot be told last', () => {
    const found = findingsOf(
      compared(
        row('same'),
        row('up', { verdict: 'better' }),
        row('few', { verdict: 'not_enough_data' }),
        row('down', { verdict: 'worse' }),
        row('else', { verdict: 'different' }),
      ),
    )
    expect(found.map(({ text }) => text)).toEqual([
      'Worse in down.',
      'Better in up.',
      'Different in else.',
      'No detectable difference in same.',
      'Not enough data to tell of few.',
    ])
    expect(findingsOf(compared())).toEqual([{ mood: 'wait', text: 'Neither run has a metric.' }])
  })

  test('tells of time and cost only where they changed', () => {
    const usage = (time: MetricComparison['verdict'], cost: MetricComparison['verdict']) =>
      findingsOf({
        ...compared(row('up', { verdict: 'better' })),
        usage: [row('response_time_ms', { verdict: time }), row('cost', { verdict: cost })],
      }).map(({ mood, text }) => `${mood}: ${text}`)
    expect(usage('better', 'worse')).toEqual(['good: Better in up.', 'bad: It costs more.', 'good: It is faster.'])
    expect(usage('worse', 'better')).toEqual(['good: Better in up.', 'bad: It is slower.', 'good: It costs less.'])
    expect(usage('no_detectable_difference', 'not_enough_data')).toEqual(['good: Better in up.'])
  })

  test('names a few metrics, and counts the others', () => {
    const many = (count: number) => findingsOf(compared(...Array.from({ length: count }, (_, at) => row(`m${at}`))))[0]
    expect(many(4)?.text).toBe('No detectable difference in m0, m1, m2 and m3.')
    expect(many(6)?.text).toBe('No detectable difference in m0, m1, m2 and 3 others.')
  })

  test('is written with its sign, and small chances as a bound', () => {
    expect([0.12, -0.12, 0].map((value) => formatChange(value, formatPlain))).toEqual(['+0.12', '−0.12', '0'])
    expect(formatChange(-0.000_2, usageOf('cost').format)).toBe('−$0.0002')
    expect([null, 0.000_01, 0.000_4, 0.04].map(formatChance)).toEqual(['–', '< 0.0001', '0.0004', '0.040'])
  })

  test('comes with what speaks against it', () => {
    expect(doubtsOf(row('m'))).toEqual([])
    expect(doubtsOf(row('m', { evaluator: 'changed', missing: 3, absent: 1, unmeasured: 1 }))).toEqual([
      'the evaluator changed',
      '1 case not in it',
      '2 cases without the score they had',
      '1 case that could not be scored',
    ])
  })
})

test('files hold what is known, nothing that a spreadsheet runs, and no Markdown but their own', () => {
  expect(comparisonCsv(comparison)).toBe('case_id,regression,"a,b of a","a,b of b|c"\r\n\'=cmd(),-0.5,1,\r\n')
  const markdown = comparisonMarkdown(comparison, (id) => `[${id}](x)`)
  expect(markdown).toContain('### \\[b\\]\\(x\\) against \\[a\\]\\(x\\)')
  expect(markdown).toContain('| a,b | No detectable difference | 0.5 | 0.5 | – | – | \\< 0.0001 | 40 |')
  expect(markdown).toContain('- \\[b\\|c\\]\\(x\\): the run is running.')
})

describe('the command of a gate', () => {
  const nothing = { runs: ['a', 'b'], failOn: undefined, min: [], max: [], partial: undefined } as const

  test('asks the same', () => {
    expect(gateCommand(nothing)).toBe('llm-eval compare a b')
    expect(
      gateCommand({
        ...nothing,
        failOn: 'regression',
        min: [['rouge-l', 0.5]],
        max: [['to xic', 1e-7]],
        partial: 'allowed',
      }),
    ).toBe("llm-eval compare --fail-on regression --min rouge-l=0.5 --max 'to xic=1e-7' --allow-partial a b")
  })

  test('is safe in a shell, whatever runs are called', () => {
    expect(gateCommand({ ...nothing, runs: ["it's; rm -rf $HOME", '-x'] })).toBe(
      "llm-eval compare -- 'it'\\''s; rm -rf $HOME' -x",
    )
  })
})

describe('the address of a comparison', () => {
  test('holds any ids, and any bounds', () => {
    const id = fc.string({ minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.uniqueArray(id, { minLength: 1, maxLength: 10 }), (ids) => {
        expect(comparedRuns(compareSearch(ids))).toEqual(ids)
      }),
    )
    const bound = fc.tuple(
      id,
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    )
    fc.assert(
      fc.property(fc.uniqueArray(bound, { selector: ([metric]) => metric, minLength: 1 }), (bounds) => {
        expect(boundsOf(boundsText(bounds))).toEqual(bounds)
      }),
    )
  })

  test('leaves out what is none', () => {
    expect(boundsOf('a,b:,c:x,:1,d:1')).toEqual([['d', 1]])
    expect(boundsText([])).toBeUndefined()
    expect(readCompare({ runs: 'a', change: 'all', fail: 'cost', partial: 'true', case: 7 })).toEqual({ runs: 'a' })
    const whole = { runs: 'a,b', sort: 'm', change: 'improved', case: 'x', fail: 'regression', partial: 'allowed' }
    expect(readCompare(whole)).toEqual(whole)
  })
})

test('what differs between runs is named, and what does not is counted', () => {
  const run = (metadata: object, template: string): Run =>
    ({
      dataset_name: 'd',
      dataset_version: null,
      model_name: null,
      task: { kind: 'prompt', template },
      metrics_used: [],
      settings: { repetitions: 1, concurrency: 2, timeout_ms: 1_000, retries: 0, limits: {}, decision: null },
      tags: [],
      config: {},
      metadata,
    }) as unknown as Run
  const { differences, same } = differencesOf([run({ k: 1, l: [2] }, 'one'), run({ l: [2] }, 'one\ntwo')])
  expect(differences).toEqual([
    { name: 'Prompt', values: ['one', 'one\ntwo'], isLong: true },
    { name: 'Metadata k', values: ['1', '–'], isLong: false },
  ])
  expect(same).toBe(7)
})

test('a case is drawn at the same place whatever is drawn beside it; unknown values nowhere', () => {
  const frame = { width: 500, height: 320, domain: [0, 1] as const, columns: 2 }
  const place = placesOf({ id: 'case', values: [1, null] }, frame)
  expect(placesOf({ id: 'case', values: [1, 0.5] }, frame).points[0]).toEqual(place.points[0])
  expect([place.points[1], place.changes]).toEqual([null, [0, null]])
})
