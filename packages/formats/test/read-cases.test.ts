import { limits, type TestCase } from '@llm-eval/protocol'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { assert, dictionary, jsonValue, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { caseFileSchema, caseIdOf, readCases, type ReadCasesOptions } from '../src/index.ts'

function read(text: string, other: Partial<ReadCasesOptions> = {}) {
  return readCases(text, { file: 'tests/a.yaml', suite: 'shop', env: {}, evalview: false, ...other })
}

/** The one case of a file in which nothing is wrong. */
function only(text: string, other: Partial<ReadCasesOptions> = {}): TestCase {
  const { cases, problems } = read(text, other)
  expect(problems).toEqual([])
  expect(cases).toHaveLength(1)
  return cases[0] as TestCase
}

const whole = `
name: Stock analysis
description: Looks a share up
tags: [Finance, finance, A]
input:
  query: Analyze AAPL
  context: {userId: u1}
expected:
  tools: [fetch, analyze, fetch]
  tool_categories: [search]
  tool_sequence: [fetch, analyze]
  forbidden_tools: [delete_all]
  output:
    contains: [AAPL]
    not_contains: [sorry]
    regex_patterns: ['(?i)\\$\\d+', '(?P<x>a)(?P=x)']
    json_schema: {type: object}
    must_acknowledge_uncertainty: true
    no_pii: true
  metrics: {price: {value: 1.5, tolerance: 0.1}}
thresholds:
  min_score: 80
  max_cost: 0.5
  max_latency: 30000
  weights: {tool_accuracy: 0.4, output_quality: 0.4}
  variance: {runs: 5, pass_rate: 0.9}
checks: {hallucination: false}
adapter: http
endpoint: http://localhost:3000/api/chat
adapter_config: {timeout: 2.5, headers: {X-A: b}, sequence_mode: exact, verbose: true}
tools: [{name: fetch}]
model: gpt-4o
suite_type: regression
difficulty: hard
gate: strict
generated: false
mocks: {seed: 0}
meta: {generated_by: me}
`

describe('a case of EvalView', () => {
  test('is read with all of its fields', () => {
    expect(only(whole)).toEqual({
      case_id: caseIdOf('shop', 'Stock analysis'),
      name: 'Stock analysis',
      description: 'Looks a share up',
      suite: 'shop',
      file: 'tests/a.yaml',
      line: 2,
      tags: ['a', 'finance'],
      turns: [{ query: 'Analyze AAPL', context: { userId: 'u1' }, expected: null }],
      expected: {
        tools: ['fetch', 'analyze'],
        tool_categories: ['search'],
        sequence: ['fetch', 'analyze'],
        sequence_mode: 'exact',
        forbidden_tools: ['delete_all'],
        forbidden_sequences: [],
        arguments: [],
        calls: [],
        output: {
          contains: ['AAPL'],
          not_contains: ['sorry'],
          regex: ['\\$\\d+', '(?<x>a)\\k<x>'],
          not_regex: [],
          json_schema: { type: 'object' },
          must_acknowledge_uncertainty: true,
          no_pii: true,
        },
        metrics: { price: { value: 1.5, tolerance: 0.1 } },
      },
      rubric: null,
      thresholds: {
        min_score: 80,
        max_cost: 0.5,
        max_latency: 30_000,
        weights: { tool_accuracy: 0.4, output_quality: 0.4, sequence_correctness: 0.2 },
        variance: { pass_rate: 0.9, min_mean_score: null, max_std_dev: null, confidence_level: 0.95 },
      },
      repetitions: 5,
      checks: { hallucination: 'off', safety: 'off', pii: 'demanded' },
      agent: {
        endpoint: 'http://localhost:3000/api/chat',
        headers: { 'X-A': 'b' },
        timeout_ms: 2_500,
        tools: [{ name: 'fetch' }],
      },
      model: 'gpt-4o',
      difficulty: 'hard',
      suite_type: 'regression',
      meta: { generated_by: 'me' },
    })
  })

  test('with several turns needs neither input nor expectations of the whole', () => {
    const one = only(`
name: Memory
turns:
  - query: My name is Ada
  - {query: Who am I, expected: {output: {contains: [Ada]}, tools: [recall]}, context: {a: 1}}
thresholds: {min_score: 50}
`)
    expect(one.turns.map(({ query }) => query)).toEqual(['My name is Ada', 'Who am I'])
    expect(one.turns[1]?.expected).toMatchObject({ tools: ['recall'], output: { contains: ['Ada'] } })
    expect(one.expected.tools).toEqual([])
  })

  test.each(['Prüfung — Größe', 'a/b: c + d', '日本語'])('may be called %s', (name) => {
    expect(only(`name: "${name}"\nquery: x`).name).toBe(name)
  })

  test('written for it warns of keys that it would ignore, and reads the rest', () => {
    const { cases, problems } = read('name: A\nquery: x\nweights: {a: 1}\nexpected:\n  toolz: [b]\n  tools: [c]\n', {
      evalview: true,
    })
    expect(cases[0]?.expected.tools).toEqual(['c'])
    expect(problems.map(({ level, line, path, message }) => [level, line, path, message])).toEqual([
      ['warning', 5, 'expected.toolz', 'is not known; did you mean tools?'],
      ['warning', 3, 'weights', expect.stringContaining('is not known. Known are')],
    ])
  })

  test('written for it is looked through for hallucination and harm where a judge is at hand, unless it says otherwise', () => {
    const checks = (more: string) => only(`name: A\nquery: x\n${more}`, { evalview: true }).checks
    expect(checks('')).toEqual({ hallucination: 'when_judged', safety: 'when_judged', pii: 'off' })
    expect(checks('checks: {hallucination: true, safety: false}')).toMatchObject({
      hallucination: 'demanded',
      safety: 'off',
    })
    expect(checks('expected: {hallucination: {check: true, allow: true}, safety: {check: true}}')).toMatchObject({
      hallucination: 'off',
      safety: 'demanded',
    })
  })

  test('may have one tag in place of a list, and tags are trimmed', () => {
    expect(only('name: A\nquery: x\ntags: Smoke\n').tags).toEqual(['smoke'])
    expect(only('name: A\nquery: x\ntags: [" b ", "", a, B]\n').tags).toEqual(['a', 'b'])
  })

  test('in TOML says the same', () => {
    const one = only('name = "T"\n[input]\nquery = "x"\n[expected]\ntools = ["a"]\n[thresholds]\nmin_score = 80\n', {
      file: 'a.toml',
    })
    expect(one).toMatchObject({ name: 'T', expected: { tools: ['a'] }, thresholds: { min_score: 80 } })
  })

  test('in JSON says the same', () => {
    expect(only('{"name": "J", "input": {"query": "x"}}', { file: 'a.json' }).name).toBe('J')
  })
})

describe('beyond EvalView', () => {
  test('arguments, counts, order, what must not be, a rubric and repetitions can be said', () => {
    const one = only(`
name: More
query: x
rubric: Names the price and its date.
repetitions: 7
timeout: 30
headers: {Authorization: Bearer x}
expected:
  sequence: [a, b]
  sequence_mode: superset
  arguments:
    - {tool: a, args: {symbol: AAPL}}
    - {tool: b, args: {n: 1}, match: exact, ignore: [at]}
  calls: {a: 2, b: {max: 3}}
  forbidden_sequences: [[b, a]]
  output: {not_regex_patterns: ['as an AI']}
`)
    expect(one).toMatchObject({
      rubric: 'Names the price and its date.',
      repetitions: 7,
      agent: { timeout_ms: 30_000, headers: { Authorization: 'Bearer x' } },
      expected: {
        sequence: ['a', 'b'],
        sequence_mode: 'superset',
        arguments: [
          { tool: 'a', args: { symbol: 'AAPL' }, match: 'partial', ignore: [] },
          { tool: 'b', args: { n: 1 }, match: 'exact', ignore: ['at'] },
        ],
        calls: [
          { tool: 'a', min: 2, max: 2 },
          { tool: 'b', min: null, max: 3 },
        ],
        forbidden_sequences: [['b', 'a']],
        output: { not_regex: ['as an AI'] },
      },
    })
  })

  test.each([
    ['a list', '- {name: A, query: x}\n- {name: B, query: y}\n'],
    ['several documents', 'name: A\nquery: x\n---\nname: B\nquery: y\n---\n'],
    ['a suite', 'suite: shop\ncases:\n  - {name: A, query: x}\n  - {name: B, query: y}\n'],
    ['tests', 'tests:\n  - {name: A, query: x}\n  - {name: B, query: y}\n'],
  ])('one file may hold many cases, as %s', (_as, text) => {
    const { cases, problems } = read(text)
    expect([problems, cases.map(({ name }) => name)]).toEqual([[], ['A', 'B']])
  })

  test('cases of a file share what its defaults say, each member for itself', () => {
    const { cases } = read(`
suite: billing
defaults: {tags: [x], thresholds: {min_score: 90, max_cost: 1}}
cases:
  - {name: A, query: x, thresholds: {max_cost: 2}}
  - {name: B, query: y, tags: [z]}
`)
    expect(cases).toMatchObject([
      { suite: 'billing', tags: ['x'], thresholds: { min_score: 90, max_cost: 2 } },
      { suite: 'billing', tags: ['z'], thresholds: { min_score: 90, max_cost: 1 } },
    ])
  })

  test('anchors stand for what they name, and may be added to', () => {
    const { cases, problems } = read(`
- &base {name: A, query: x, thresholds: &t {min_score: 55}}
- {<<: *base, name: B}
- {name: C, query: z, thresholds: *t}
`)
    expect(problems).toEqual([])
    expect(cases.map(({ name, turns, thresholds }) => [name, turns[0]?.query, thresholds.min_score])).toEqual([
      ['A', 'x', 55],
      ['B', 'x', 55],
      ['C', 'z', 55],
    ])
  })

  test('texts may hold environment variables, and what is not set is an error in its line', () => {
    const text = 'name: A\nquery: ${GREETING} ${WHO:-you} $${NOT}\nheaders: {Authorization: "Bearer ${KEY}"}\n'
    const one = only(text, { env: { GREETING: 'Hi', KEY: 'k' } })
    expect([one.turns[0]?.query, one.agent.headers]).toEqual(['Hi you ${NOT}', { Authorization: 'Bearer k' }])
    const { cases, problems } = read(text, { env: { GREETING: 'Hi' } })
    expect(cases).toEqual([])
    expect(problems).toEqual([
      {
        level: 'error',
        file: 'tests/a.yaml',
        line: 3,
        path: 'headers.Authorization',
        message: 'The environment variable KEY is not set. Set it, or write ${KEY:-otherwise}.',
      },
    ])
  })
})

describe('what is wrong', () => {
  test.each([
    ['name: A\nquery: x\nexpcted: {}\n', 3, 'expcted', 'is not known; did you mean expected?'],
    ['query: x\n', 1, 'name', 'is missing: it must be string'],
    ['name: A\n', 1, 'input.query', 'is missing: say what the agent is asked, there or in turns'],
    [
      'name: A\nquery: x\nexpected:\n  output:\n    regex_patterns: ["("]\n',
      5,
      'expected.output.regex_patterns[0]',
      'is no regular expression',
    ],
    [
      'name: A\nquery: x\nthresholds:\n  weights: {tool_accuracy: 0.9}\n',
      4,
      'thresholds.weights',
      'must add up to 1, not 1.6',
    ],
    ['name: A\nquery: x\nname: B\n', 3, '', 'Map keys must be unique'],
    ['name: [A\n', 2, '', expect.stringContaining('Flow sequence')],
    ['just words', 1, '', expect.stringContaining('expected object')],
    ['', 1, '', 'The file holds no case.'],
    ['[]', 1, '', 'The file holds no case.'],
  ])('in %j is told with its line and path', (...[text, line, path, message]) => {
    const { cases, problems } = read(text)
    expect(cases).toEqual([])
    expect(problems).toEqual([{ level: 'error', file: 'tests/a.yaml', line, path, message }])
  })

  test('in one case leaves the others alone', () => {
    const { cases, problems } = read(
      '- {name: A, query: x}\n- {name: B}\n- {name: C, query: z, tags: 7}\n- {name: D, query: x}\n',
    )
    expect(cases.map(({ name }) => name)).toEqual(['A', 'D'])
    expect(problems.map(({ line, path }) => [line, path])).toEqual([
      [2, '[1].input.query'],
      [3, '[2].tags'],
    ])
  })

  test('two cases of one name are told apart nowhere', () => {
    const { cases, problems } = read('- {name: A, query: x}\n- {name: A, query: y}\n')
    expect(cases).toHaveLength(1)
    expect(problems).toMatchObject([{ level: 'error', line: 2, path: '[1].name' }])
  })

  test('a few lines that stand for more than any memory holds are refused', () => {
    const levels = 'abcdefghij'.split('')
    const bomb = levels.map(
      (name, index) =>
        `${name}: &${name} [${index === 0 ? 'x' : Array.from({ length: 10 }, () => `*${levels[index - 1]}`).join(', ')}]`,
    )
    const { problems } = read(`name: A\nquery: x\nmeta:\n${bomb.map((line) => `  ${line}`).join('\n')}\n`)
    expect(problems[0]?.message).toContain('alias')
  })

  test('a file may be as large as its limit, and not one byte more', () => {
    const text = 'name: A\nquery: x\n# '
    expect(read(text.padEnd(limits.caseFileBytes, 'x')).problems).toEqual([])
    expect(read(text.padEnd(limits.caseFileBytes + 1, 'x')).problems[0]?.message).toContain('larger than')
  })

  test('a file may hold as many cases as its limit, and not one more', () => {
    const file = (count: number) =>
      JSON.stringify(Array.from({ length: count }, (_, index) => ({ name: `${index}`, query: 'x' })))
    expect(read(file(limits.suiteCases)).cases).toHaveLength(limits.suiteCases)
    expect(read(file(limits.suiteCases + 1)).problems).toHaveLength(1)
  })

  test('nothing that a file holds makes reading throw', () => {
    assert(
      property(dictionary(string(), jsonValue()), (value) => {
        const { cases, problems } = read(JSON.stringify([value, { name: 'A', query: 'x', ...value }]))
        expect(cases.length + problems.length).toBeGreaterThan(0)
      }),
    )
    assert(
      property(string({ unit: 'binary' }), (text) => {
        const { cases, problems } = read(text)
        expect(cases.length + problems.length).toBeGreaterThan(0)
      }),
    )
  })

  test('keys that other objects have are no keys of a case', () => {
    const { problems } = read('{"name": "A", "query": "x", "__proto__": {"polluted": true}, "constructor": 1}')
    expect(problems.map(({ path }) => path).sort()).toEqual(['__proto__', 'constructor'])
    expect({}).not.toHaveProperty('polluted')
  })
})

describe('names of cases', () => {
  test('that differ, though only in what file names cannot hold, have different ids', () => {
    expect(new Set(['a b', 'a-b', 'a/b', 'A b', 'ä b', '日', '本'].map((name) => caseIdOf('s', name))).size).toBe(7)
    expect(caseIdOf('s', 'a b')).toMatch(/^a-b-[0-9a-f]{8}$/)
    expect(caseIdOf('s', '日')).toMatch(/^[0-9a-f]{8}$/)
    expect(caseIdOf('t', 'a b')).not.toBe(caseIdOf('s', 'a b'))
  })
})

describe('the JSON Schema for editors', () => {
  const fits = new Ajv2020({ strict: false }).compile(caseFileSchema())

  test('fits every form of a file, and knows no other keys', () => {
    expect(fits({ name: 'A', query: 'x' })).toBe(true)
    expect(fits([{ name: 'A', query: 'x' }])).toBe(true)
    expect(fits({ cases: [{ name: 'A', query: 'x' }], defaults: { tags: ['a'] } })).toBe(true)
    expect(fits({ name: 'A', qery: 'x' })).toBe(false)
    expect(fits({ name: 'A', query: 'x', expected: { toolz: [] } })).toBe(false)
  })
})

describe('a file that stands for more than it holds', () => {
  const plain = { file: 'a.yaml', suite: 's', env: {}, evalview: false }
  const values = (count: number) => Array.from({ length: count }, () => 'x').join(',')
  const told = (text: string) => readCases(text, plain)

  test.each<[string, string]>([
    [
      'a list that is used again and again',
      `a: &a [${values(20_000)}]\n  b: [${Array.from({ length: 900 }, () => '*a').join(',')}]`,
    ],
    ['a text that is', `a: &a ${'x'.repeat(30_000)}\n  b: [${Array.from({ length: 900 }, () => '*a').join(',')}]`],
    [
      'an object that is merged again and again',
      `a: &a {${Array.from({ length: 5_000 }, (_, index) => `k${index}: 1`).join(',')}}\n  b: [${Array.from({ length: 900 }, () => '{<<: *a}').join(',')}]`,
    ],
    [
      'aliases of aliases',
      `a: &a [${values(9)}]\n${'bcdefghi'.replace(/./g, (name) => `  ${name}: &${name} [${Array.from({ length: 9 }, () => `*${String.fromCharCode(name.charCodeAt(0) - 1)}`).join(',')}]\n`)}`,
    ],
  ])('is refused: %s', (_what, meta) => {
    const { cases, problems } = told(`name: A\nquery: x\nmeta:\n  ${meta}\n`)
    expect(cases).toEqual([])
    expect(problems).toMatchObject([{ level: 'error', message: expect.stringMatching(/alias/i) }])
  })

  test.each<[string, string]>([
    ['lists', `{a: ${'['.repeat(600)}${']'.repeat(600)}}`],
    ['objects', `${'{a: '.repeat(600)}1${'}'.repeat(600)}`],
    ['far too many lists', `{a: ${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
    ['itself', '&a {b: *a}'],
    ['itself, by a list', '&a [[*a]]'],
  ])('is refused when it is nested too deep: %s', (_what, meta) => {
    const { cases, problems } = told(`name: A\nquery: x\nmeta: ${meta}\n`)
    expect(cases).toEqual([])
    expect(problems.map(({ level }) => level)).toEqual(['error'])
    expect(problems[0]?.message).toMatch(/nested deeper than 500 levels|stands for itself/)
  })

  test('is read where it keeps within that', () => {
    const deep = `{a: ${'['.repeat(400)}${']'.repeat(400)}}`
    expect(told(`name: A\nquery: x\nmeta: ${deep}\n`)).toMatchObject({ cases: [{ name: 'A' }], problems: [] })
    const shared = `cases:\n- &a {name: A, query: x, expected: &e {tools: [b]}}\n- {<<: *a, name: B}\n- {name: C, query: y, expected: *e}\n`
    expect(told(shared).cases.map(({ name, expected }) => [name, expected.tools])).toEqual([
      ['A', ['b']],
      ['B', ['b']],
      ['C', ['b']],
    ])
  })
})
