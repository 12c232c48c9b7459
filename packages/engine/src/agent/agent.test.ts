import type { AgentTrace, AttemptResult, Expected } from '@llm-eval/protocol'
import { array, assert, constantFrom, property } from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { call, caseWith, nothing, traceOf } from '../../test/agent-cases.ts'
import { createEngine } from '../create-engine.ts'
import { caseResult } from './case-result.ts'
import { argumentFaults } from './arguments.ts'
import { sequenceKept } from './calls.ts'
import { type AttemptScoring, scoreAttempt } from './score-attempt.ts'

const engine = createEngine()
afterAll(() => engine.close())

const alone: AttemptScoring = {
  engine,
  signal: new AbortController().signal,
  judge: null,
  waived: { judge: false, tools: false },
}

/** What of an attempt did not pass. */
function told({ assertions }: AttemptResult): string[][] {
  return assertions
    .filter(({ outcome }) => outcome !== 'passed')
    .map(({ kind, outcome, message }) => [kind, outcome, message])
}

const output = (expected: Partial<Expected['output']>) => ({ output: { ...nothing.output, ...expected } })

describe('the order of calls', () => {
  test.each([
    ['subsequence', 'abc', 'abcde', 0.6, false],
    ['subsequence', 'ba', 'ab', 0.5, false],
    ['subsequence', 'axbyc', 'abc', 1, true],
    ['exact', 'sta', 'sa', 1 / 3, false],
    ['exact', 'ab', 'a', 0.5, false],
    ['exact', 'ab', 'ab', 1, true],
    ['unordered', 'ab', 'aab', 2 / 3, false],
    ['unordered', 'bca', 'abc', 1, true],
    ['unordered', 'abcd', 'abc', 0.75, false],
    ['superset', 'xbya', 'ab', 1, true],
    ['superset', 'a', 'aa', 0.5, false],
  ] as const)('%s: %s against %s', (...[mode, called, expected, share, kept]) => {
    expect(sequenceKept(called.split(''), expected.split(''), mode)).toEqual({ kept, share: expect.closeTo(share, 12) })
  })

  test('is kept exactly when the share is 1, whatever the mode', () => {
    const names = array(constantFrom('a', 'b', 'c'), { maxLength: 6 })
    const modes = constantFrom('subsequence', 'exact', 'unordered', 'superset')
    assert(
      property(names, names, modes, (called, expected, mode) => {
        const { kept, share } = sequenceKept(called, expected, mode)
        expect(kept).toBe(share === 1)
        expect(share).toBeGreaterThanOrEqual(0)
        expect(share).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('arguments', () => {
  const expected = {
    tool: 'a',
    args: { s: 'X', deep: { n: 1 }, list: [1, { k: 2 }] },
    match: 'partial',
    ignore: [],
  } as const
  const right = { s: 'X', deep: { n: 1, more: 2 }, list: [1, { k: 2 }], extra: true }

  test('hold when every expected member is there and equal, however deep', () => {
    expect(argumentFaults(right, { ...expected, ignore: [] })).toEqual([])
  })

  test('that are exact may have nothing else', () => {
    expect(argumentFaults(right, { ...expected, match: 'exact', ignore: [] })).toEqual([
      'extra was not expected',
      'deep.more was not expected',
    ])
    expect(argumentFaults(right, { ...expected, match: 'exact', ignore: ['deep', 'extra'] })).toEqual([])
  })

  test('that differ are told by path', () => {
    const args = { s: 'Y', deep: {}, list: [1] }
    expect(argumentFaults(args, { ...expected, ignore: [] })).toEqual([
      's is "Y", not "X"',
      'deep.n is missing',
      'list.1 is missing',
    ])
    expect(argumentFaults(null, { ...expected, ignore: [] })).toEqual([
      'it is null, not {"s":"X","deep":{"n":1},"list":[1,{"k":2}]}',
    ])
    expect(argumentFaults({ ...right, list: [1, { k: 2 }, 3] }, { ...expected, ignore: [] })).toEqual([
      'list.2 was not expected',
    ])
    expect(argumentFaults({ constructor: 1 }, { ...expected, args: { toString: 1 }, ignore: [] })).toEqual([
      'toString is missing',
    ])
  })
})

test('however much else a call says, what is wrong with its arguments is told', () => {
  const further = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`a${index}`, index]))
  const expected = { tool: 'a', args: { z: 1 }, match: 'partial', ignore: [] } as const
  expect(argumentFaults({ ...further, z: 2 }, { ...expected, ignore: [] })).toEqual(['z is 2, not 1'])
  const ignore = Object.keys(further)
  expect(argumentFaults({ ...further, z: 2 }, { ...expected, match: 'exact', ignore })).toEqual(['z is 2, not 1'])
})

describe('a score', () => {
  test('weighs what is expected, and nothing that is not', async () => {
    const one = caseWith({ tools: ['a', 'b'], sequence: ['a', 'b'], ...output({ contains: ['up', 'down'] }) })
    const result = await scoreAttempt(one, traceOf('It is up.', ['a']), alone)
    // (0.3 × 1/2 + 0.5 × 1/2 + 0.2 × 1/2) / 1
    expect(result).toMatchObject({ outcome: 'failed', score: 50, complete: true })
    const only = await scoreAttempt(caseWith({ tools: ['a', 'b'] }), traceOf('x', ['a']), alone)
    expect(only).toMatchObject({
      score: 50,
      complete: false,
      parts: { sequence_correctness: { outcome: 'not_expected' } },
    })
  })

  test('passes from its threshold on', async () => {
    const one = caseWith({ tools: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'] })
    const seven = await scoreAttempt(one, traceOf('x', 'abcdefg'.split('')), alone)
    expect([seven.score, seven.outcome]).toEqual([70, 'passed'])
    const six = await scoreAttempt(one, traceOf('x', 'abcdef'.split('')), alone)
    expect([six.score, six.outcome]).toEqual([60, 'failed'])
  })

  test('is none where nothing can be seen or judged, and the case is not green', async () => {
    const result = await scoreAttempt(caseWith({}), traceOf('x'), alone)
    expect(result).toMatchObject({ outcome: 'unevaluated', score: null })
    expect(told(result)).toEqual([
      [
        'thresholds.min_score',
        'unknown',
        'Nothing of it was tested: expect something that can be seen of the answer, or have it judged.',
      ],
    ])
  })

  test('may be missing where a case stands on its demands alone', async () => {
    const result = await scoreAttempt(caseWith({ forbidden_tools: ['rm'] }), traceOf('x', ['a']), alone)
    expect(result).toMatchObject({ outcome: 'passed', score: null })
  })

  test('counts a tool of a category as one that was expected', async () => {
    const one = caseWith({ tool_categories: ['file_read', 'web'] })
    const result = await scoreAttempt(one, traceOf('x', ['cat']), alone)
    expect(result).toMatchObject({ score: 50, parts: { tool_accuracy: { detail: 'Not called: a tool for web.' } } })
  })

  test.each(['constructor', 'toString', '__proto__'])(
    'takes a category that nobody knows, %s, for a tool',
    async (name) => {
      const one = caseWith({ tool_categories: [name] })
      expect(await scoreAttempt(one, traceOf('x', [name]), alone)).toMatchObject({ score: 100 })
    },
  )

  test('says when a tool was called under nearly its name', async () => {
    const result = await scoreAttempt(caseWith({ tools: ['read_file'] }), traceOf('x', ['readFile']), alone)
    expect(result.parts.tool_accuracy).toMatchObject({
      value: 0,
      detail: 'Not called: read_file (but readFile was: names must be the same).',
    })
  })
})

describe('what a case demands', () => {
  test.each<[string, Partial<Expected>, AgentTrace, string]>([
    ['a text that is missing', output({ contains: ['NVDA'] }), traceOf('AAPL is up'), 'output.contains'],
    ['a text that must not be there', output({ not_contains: ['aapl'] }), traceOf('AAPL'), 'output.not_contains'],
    ['a pattern that is missing', output({ regex: ['\\$\\d+'] }), traceOf('no price'), 'output.regex'],
    ['a pattern that must not be there', output({ not_regex: ['as an ai'] }), traceOf('As an AI'), 'output.not_regex'],
    ['JSON of another shape', output({ json_schema: { required: ['a'] } }), traceOf('{"b": 1}'), 'output.json_schema'],
    [
      'a number that is off',
      { metrics: { price: { value: 2, tolerance: 0.5 } } },
      traceOf('{"price": 3}'),
      'output.metric',
    ],
    [
      'certainty without a look',
      output({ must_acknowledge_uncertainty: true }),
      traceOf('It is 5.'),
      'output.must_acknowledge_uncertainty',
    ],
    ['a forbidden tool', { forbidden_tools: ['delete_all'] }, traceOf('x', ['Delete-All']), 'tools.forbidden'],
    [
      'a forbidden order',
      { forbidden_sequences: [['b', 'a']] },
      traceOf('x', ['b', 'c', 'a']),
      'tools.forbidden_sequence',
    ],
    ['a call too many', { calls: [{ tool: 'a', min: null, max: 1 }] }, traceOf('x', ['a', 'a']), 'tools.calls'],
    ['a call that is missing', { calls: [{ tool: 'a', min: 1, max: null }] }, traceOf('x', ['b']), 'tools.calls'],
    [
      'other arguments',
      { arguments: [{ tool: 'a', args: { n: 1 }, match: 'partial', ignore: [] }] },
      traceOf('x', [call('a', { n: 2 })]),
      'tools.arguments',
    ],
  ])('gates, whatever the score is: %s', async (...[, expected, trace, kind]) => {
    const one = caseWith({ ...expected }, { thresholds: { ...caseWith({}).thresholds, min_score: 0 } })
    const result = await scoreAttempt(one, trace, alone)
    expect(result.outcome).toBe('failed')
    expect(told(result).map(([which]) => which)).toEqual([kind])
  })

  test('may hold in words around the JSON, and in names beside a number', async () => {
    const expected = {
      ...output({ json_schema: { required: ['a'] } }),
      metrics: { total: { value: 41.5, tolerance: 0.1 } },
    }
    const result = await scoreAttempt(caseWith(expected), traceOf('Well {not json} {"a": "}"} and Total: 41.55'), alone)
    expect(result).toMatchObject({ outcome: 'passed', score: 100 })
  })

  test('of a turn holds for that turn alone, and nothing in it is weighed', async () => {
    const turn = (expected: Partial<Expected>) => ({ query: 'q', context: null, expected: { ...nothing, ...expected } })
    const one = caseWith(
      {},
      { turns: [turn({ tools: ['a'] }), turn({ tools: ['a'], ...output({ contains: ['two'] }) })] },
    )
    const turns = ['one', 'two'].map((text) => ({
      query: 'q',
      output: text,
      latency_ms: 1,
      first_token_ms: null,
      attempts: 1,
    }))
    const result = await scoreAttempt(one, traceOf('two', [call('a')], { turns }), alone)
    expect(told(result)).toEqual([['tools.called', 'failed', 'Not called: a.']])
    expect(result.assertions.find(({ outcome }) => outcome === 'failed')?.turn).toBe(2)
  })

  test('of cost and time is inclusive, and a cost that is unknown does not keep it', async () => {
    const limited = (max_cost: number, max_latency: number) =>
      caseWith({ tools: ['a'] }, { thresholds: { ...caseWith({}).thresholds, max_cost, max_latency } })
    const trace = traceOf('x', ['a'], { cost: 0.5 })
    expect((await scoreAttempt(limited(0.5, 10), trace, alone)).outcome).toBe('passed')
    expect(told(await scoreAttempt(limited(0.4, 9), trace, alone))).toEqual([
      ['thresholds.max_cost', 'failed', '0.5 US dollars; it may be 0.4 US dollars.'],
      ['thresholds.max_latency', 'failed', '10 ms; it may be 9 ms.'],
    ])
    const unknown = await scoreAttempt(limited(0.5, 10), { ...trace, cost: null }, alone)
    expect(unknown.outcome).toBe('unevaluated')
  })

  test('of an agent that does not show its tools is unknown: neither green nor a failure', async () => {
    const one = caseWith({ tools: ['a'], forbidden_tools: ['b'], calls: [{ tool: 'a', min: 1, max: 1 }] })
    const blind = traceOf('x', [], { captured: ['output'], level: 1 })
    const result = await scoreAttempt(one, blind, alone)
    expect(result).toMatchObject({
      outcome: 'unevaluated',
      score: null,
      parts: { tool_accuracy: { reason: 'not_captured' } },
    })
    expect(told(result).map(([kind, outcome]) => [kind, outcome])).toEqual([
      ['tools.forbidden', 'unknown'],
      ['tools.calls', 'unknown'],
      ['tools.called', 'unknown'],
      ['thresholds.min_score', 'unknown'],
    ])
  })

  test.each<[string, Partial<Expected>]>([
    ['tools', { tools: ['a'] }],
    ['a category of tools', { tool_categories: ['web'] }],
    ['an order', { sequence: ['a', 'b'] }],
  ])(
    'of %s is unknown where no tools are shown, however good the answer is, unless that is waived',
    async (...[, expected]) => {
      const one = caseWith({ ...expected, ...output({ contains: ['up'] }) })
      const blind = traceOf('It is up.', [], { captured: ['output'], level: 1 })
      expect(await scoreAttempt(one, blind, alone)).toMatchObject({
        outcome: 'unevaluated',
        score: 100,
        complete: false,
      })
      const waived = await scoreAttempt(one, blind, { ...alone, waived: { judge: false, tools: true } })
      expect(waived.outcome).toBe('passed')
      expect(waived.assertions.find(({ kind }) => kind.startsWith('tools.'))?.message).toMatch(/^Waived\. /)
    },
  )

  test('is not met where all of it is waived: then nothing was tested', async () => {
    const blind = traceOf('x', [], { captured: ['output'], level: 1 })
    const waived = { ...alone, waived: { judge: true, tools: true } }
    for (const one of [
      caseWith({ tools: ['a'], forbidden_tools: ['b'] }),
      caseWith({}),
      caseWith({}, { rubric: 'Is kind.' }),
    ]) {
      const result = await scoreAttempt(one, blind, waived)
      expect(result.outcome).toBe('unevaluated')
      expect(told(result).map(([kind]) => kind)).toEqual(['thresholds.min_score'])
    }
    const timed = caseWith({}, { thresholds: { ...caseWith({}).thresholds, max_latency: 100 } })
    expect((await scoreAttempt(timed, blind, waived)).outcome).toBe('passed')
  })

  test('of doubt is unknown where nobody can see whether anything was looked up, unless there is doubt', async () => {
    const one = caseWith(output({ must_acknowledge_uncertainty: true }))
    const blind = (text: string) => traceOf(text, [], { captured: ['output'], level: 1 })
    expect((await scoreAttempt(one, blind('It is 5.'), alone)).outcome).toBe('unevaluated')
    expect((await scoreAttempt(one, blind('I am not sure.'), alone)).outcome).toBe('passed')
  })

  test('of an agent that shows names of tools only is unknown as to their arguments', async () => {
    const one = caseWith({ tools: ['a'], arguments: [{ tool: 'a', args: {}, match: 'partial', ignore: [] }] })
    const names = traceOf('x', [call('a', null)], { captured: ['output', 'tools'], level: 2 })
    expect(told(await scoreAttempt(one, names, alone))).toEqual([
      ['tools.arguments', 'unknown', 'The agent does not show the arguments of a.'],
    ])
  })

  test('of personal data is looked for in every turn', async () => {
    const one = caseWith({ tools: ['a'] }, { checks: { hallucination: 'off', safety: 'off', pii: 'demanded' } })
    const turns = ['Write to ada@example.com', 'bye'].map((text) => ({
      query: 'q',
      output: text,
      latency_ms: 1,
      first_token_ms: null,
      attempts: 1,
    }))
    const result = await scoreAttempt(one, traceOf('bye', ['a'], { turns }), alone)
    expect(told(result).map(([kind]) => kind)).toEqual(['checks.pii'])
  })

  test('that only a judge can tell is unknown without one, unless that is waived', async () => {
    const one = caseWith(
      { tools: ['a'] },
      { rubric: 'Is kind.', checks: { hallucination: 'demanded', safety: 'when_judged', pii: 'off' } },
    )
    const result = await scoreAttempt(one, traceOf('x', ['a']), alone)
    expect(result).toMatchObject({ outcome: 'unevaluated', score: 100, complete: false })
    expect(told(result).map(([kind]) => kind)).toEqual(['rubric', 'checks.hallucination'])
    const waived = await scoreAttempt(one, traceOf('x', ['a']), { ...alone, waived: { judge: true, tools: false } })
    expect(waived.outcome).toBe('passed')
  })

  test('a pattern that would take for ever is unknown, and does not hold anything up', async () => {
    const hasty = createEngine({ seconds: { code: 1, judge: 1 } })
    const one = caseWith(output({ regex: ['^(a+)+$'] }))
    const result = await scoreAttempt(one, traceOf(`${'a'.repeat(40)}!`), { ...alone, engine: hasty })
    await hasty.close()
    expect(result.outcome).toBe('unevaluated')
  })

  test('of an agent that failed is not asked: the attempt has no score', async () => {
    const fault = { code: 'timeout', message: 'too late' } as const
    const result = await scoreAttempt(caseWith({ tools: ['a'] }), traceOf('half', ['a'], { fault }), alone)
    expect(result).toMatchObject({ outcome: 'faulted', score: null, assertions: [], trace: { output: 'half' } })
  })

  test('is held against what an agent did before it failed: a forbidden tool was called all the same', async () => {
    const fault = { code: 'cut_off', message: 'gone' } as const
    const turns = [{ query: 'q', context: null, expected: { ...nothing, forbidden_tools: ['rm'] } }]
    for (const one of [caseWith({ forbidden_tools: ['rm'] }), caseWith({}, { turns })]) {
      const result = await scoreAttempt(one, traceOf('half', ['rm'], { fault }), alone)
      expect(result.outcome).toBe('failed')
      expect(told(result)).toEqual([['tools.forbidden', 'failed', 'Called though forbidden: rm.']])
      expect((await scoreAttempt(one, traceOf('half', ['ls'], { fault }), alone)).outcome).toBe('faulted')
    }
  })
})

describe('a case that is asked often', () => {
  const attempt = (outcome: AttemptResult['outcome'], score: number | null = 80): AttemptResult => ({
    outcome,
    score: outcome === 'faulted' ? null : score,
    complete: true,
    parts: {
      tool_accuracy: { outcome: 'not_expected' },
      output_quality: { outcome: 'not_expected' },
      sequence_correctness: { outcome: 'not_expected' },
    },
    assertions: [],
    trace: traceOf('x'),
    judged: [],
  })
  const attempts = (passed: number, failed: number, faulted = 0) => [
    ...Array.from({ length: passed }, () => attempt('passed', 90)),
    ...Array.from({ length: failed }, () => attempt('failed', 40)),
    ...Array.from({ length: faulted }, () => attempt('faulted')),
  ]
  const variance = { pass_rate: 0.8, min_mean_score: null, max_std_dev: null, confidence_level: 0.95 }
  const varied = (more: Partial<typeof variance> | { min_mean_score: number } | { max_std_dev: number } = {}) =>
    caseWith({}, { thresholds: { ...caseWith({}).thresholds, variance: { ...variance, ...more } } })

  test('passes as often as its variance asks for, and without one only always', () => {
    expect(caseResult(varied(), attempts(8, 2)).outcome).toBe('passed')
    expect(caseResult(varied(), attempts(7, 3)).outcome).toBe('failed')
    expect(caseResult(caseWith({}), attempts(9, 1)).outcome).toBe('failed')
    expect(caseResult(caseWith({}), attempts(10, 0)).outcome).toBe('passed')
  })

  test('is flaky when it passes and fails by turns, and not for attempts of which nothing could be told', () => {
    const flaky = (...given: Parameters<typeof attempts>) => caseResult(caseWith({}), attempts(...given)).repeated
    expect(flaky(4, 2)).toMatchObject({ n: 6, passed: 4, flaky: true })
    expect(flaky(4, 0, 2)).toMatchObject({ n: 6, passed: 4, flaky: false, flaky_p: 1 })
    expect(flaky(0, 4, 2)).toMatchObject({ n: 6, passed: 0, flaky: false, flaky_p: 1 })
    expect(flaky(0, 0, 4)).toMatchObject({ flaky: false, flaky_p: 1 })
    const untold = [...attempts(4, 0), attempt('unevaluated'), attempt('unevaluated')]
    expect(caseResult(caseWith({}), untold).repeated).toMatchObject({ flaky: false, flaky_p: 1 })
  })

  test('has its rates with their uncertainty', () => {
    // Wilson's interval of 8 of 10: R, binom.confint(8, 10, method = "wilson").
    expect(caseResult(varied(), attempts(8, 2)).repeated).toMatchObject({
      n: 10,
      passed: 8,
      pass_rate: { estimate: 0.8, low: expect.closeTo(0.4901625, 6), high: expect.closeTo(0.9433178, 6), level: 0.95 },
      pass_at_k: expect.arrayContaining([{ k: 2, value: expect.closeTo(1 - 1 / 45, 10) }]),
      pass_hat_k: expect.arrayContaining([{ k: 2, value: expect.closeTo(28 / 45, 10) }]),
      mean_score: 80,
      standard_deviation: expect.closeTo(21.0818511, 6),
    })
  })

  test('that could not be asked sometimes does not pass for it, and fails only when it could not pass at all', () => {
    expect(caseResult(varied(), attempts(7, 0, 3)).outcome).toBe('faulted')
    expect(caseResult(varied(), attempts(5, 3, 2)).outcome).toBe('failed')
    expect(caseResult(varied(), attempts(8, 0, 2)).outcome).toBe('passed')
    expect(caseResult(varied(), attempts(7, 0, 3)).repeated?.pass_rate.estimate).toBe(0.7)
  })

  test('is not passed when no attempt was evaluated, however little is asked', () => {
    const lenient = varied({ pass_rate: 0 })
    expect(caseResult(lenient, attempts(0, 0, 3)).outcome).toBe('faulted')
    expect(caseResult(lenient, [attempt('unevaluated'), attempt('unevaluated')]).outcome).toBe('unevaluated')
    expect(caseResult(lenient, attempts(0, 3)).outcome).toBe('passed')
  })

  test('fails when a forbidden tool was called once, however few attempts have to pass', async () => {
    const one = varied({ pass_rate: 0 })
    const forbidding = { ...one, expected: { ...one.expected, forbidden_tools: ['rm'] } }
    const bad = await scoreAttempt(forbidding, traceOf('x', ['rm']), alone)
    expect(caseResult(forbidding, [...attempts(9, 0), bad]).outcome).toBe('failed')
    const crashed = traceOf('x', ['rm'], { fault: { code: 'cut_off', message: 'gone' } })
    const worse = await scoreAttempt(forbidding, crashed, alone)
    expect(caseResult(forbidding, [...attempts(9, 0), worse]).outcome).toBe('failed')
    expect(caseResult(forbidding, [...attempts(9, 0), attempt('failed')]).outcome).toBe('passed')
  })

  test('may have to reach a mean, and to vary little', () => {
    expect(caseResult(varied({ min_mean_score: 85 }), attempts(8, 2)).outcome).toBe('failed')
    expect(caseResult(varied({ min_mean_score: 80 }), attempts(8, 2)).outcome).toBe('passed')
    expect(caseResult(varied({ max_std_dev: 20 }), attempts(8, 2)).outcome).toBe('failed')
    expect(caseResult(varied({ max_std_dev: 25 }), attempts(8, 2)).outcome).toBe('passed')
  })

  test('is flaky when its outcome changes more often than chance allows', () => {
    const flaky = (passed: number, failed: number) => caseResult(varied(), attempts(passed, failed)).repeated
    expect(flaky(10, 0)).toMatchObject({ flaky: false, flaky_p: 1 })
    expect(flaky(0, 10)).toMatchObject({ flaky: false })
    // R: pbinom(0, 10, 0.01, lower.tail = FALSE), pbinom(1, 10, 0.01, lower.tail = FALSE)
    expect(flaky(9, 1)).toMatchObject({ flaky: false, flaky_p: expect.closeTo(0.0956179, 6) })
    expect(flaky(8, 2)).toMatchObject({ flaky: true, flaky_p: expect.closeTo(0.0042662, 6) })
  })

  test('once is no repetition', () => {
    expect(caseResult(caseWith({}), attempts(1, 0))).toMatchObject({ outcome: 'passed', repeated: null })
    expect(() => caseResult(caseWith({}), [])).toThrow(RangeError)
  })
})
