import { afterAll, describe, expect, it } from 'vitest'
import { createEngine } from '../create-engine.ts'

// Threads load parsers and tables of languages, which a slow machine takes its time for.
const engine = createEngine({ seconds: { code: 60, judge: 60 } })
afterAll(() => engine.close())

async function scoreOf(evaluator: string, input: Record<string, unknown>, config?: Record<string, unknown>) {
  return engine.evaluate({ evaluator, input, config })
}

describe('valid JSON', () => {
  it.each([
    ['{"a": [1, null, "x"]}', true],
    ['42', true],
    ['', false],
    ["{'a': 1}", false],
    ['{"a": 1,}', false],
    ['```json\n{}\n```', false],
  ])('%j is %j', async (text, valid) => {
    expect(await scoreOf('json-validator', { text })).toMatchObject({ passed: valid, output: { is_valid_json: valid } })
  })

  it('fits a schema only where that is asked for', async () => {
    const schema_string = '{"type": "object", "required": ["name"]}'
    const valid = async (text: string, enable_schema_validation: boolean) =>
      (await scoreOf('json-validator', { text }, { enable_schema_validation, schema_string })).output['is_valid_json']
    expect(await valid('{}', false)).toBe(true)
    expect(await valid('{}', true)).toBe(false)
    expect(await valid('{"name": 1}', true)).toBe(true)
  })
})

const draft2019 = 'https://json-schema.org/draft/2019-09/schema'

describe('a JSON Schema', () => {
  it.each([
    [{ type: 'object', properties: { day: { format: 'date' } } }, '{"day": "2026-02-30"}', 0],
    [{ type: 'object', properties: { day: { format: 'date' } } }, { day: '2026-02-28' }, 1],
    [{ $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{ type: 'string' }] }, [1], 0],
    [{ $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] }, ['a', 1], 1],
    // As the JSON Schema Test Suite has them for draft 2019-09, and jsonschema 4.26 of Python.
    [{ $schema: draft2019, items: [{ type: 'string' }], additionalItems: false }, ['a', 1], 0],
    [{ $schema: draft2019, items: [{ type: 'string' }] }, ['a', 1], 1],
    [{ $schema: draft2019, properties: { a: true }, unevaluatedProperties: false }, { b: 1 }, 0],
    [{ $schema: draft2019, dependentRequired: { a: ['b'] } }, { a: 1 }, 0],
    // What says no draft is read as the newest one, unless it lists items as only older ones do.
    [{ prefixItems: [{ type: 'string' }] }, [1], 0],
    [{ items: [{ type: 'string' }], additionalItems: false }, ['a', 1], 0],
    [{ properties: { a: { items: [{ type: 'string' }] } } }, { a: [1] }, 0],
    [{ dependentRequired: { a: ['b'] } }, { a: 1 }, 0],
    [{ dependencies: { a: ['b'] } }, { a: 1 }, 0],
    [{ definitions: { a: { type: 'string' } }, $ref: '#/definitions/a' }, 1, 0],
    [{ required: ['constructor'] }, {}, 0],
    [{ properties: { constructor: { type: 'number' } } }, {}, 1],
    ['{"minimum": 3}', 2, 0],
    [false, 1, 0],
    [true, 1, 1],
    [{}, 'no JSON', 0],
  ])('%j is fitted by %j: %i', async (schema, response, value) => {
    expect((await scoreOf('json-schema', { response }, { schema })).value).toBe(value)
  })

  it('may come with the input', async () => {
    expect((await scoreOf('json-schema', { response: '1', schema: { type: 'string' } })).value).toBe(0)
    expect(await scoreOf('json-schema', { response: '1' })).toMatchObject({ outcome: 'skipped' })
  })

  it.each([
    [{ type: 'objekt' }],
    [{ $ref: 'https://example.com/other.json' }],
    ['[]'],
    ['not JSON'],
    [{ pattern: '(' }],
  ])('%j is an error, and nothing is fetched', async (schema) => {
    expect(await scoreOf('json-schema', { response: '"a"' }, { schema })).toMatchObject({
      outcome: 'errored',
      fault: 'refused_value',
      value: null,
    })
  })

  it('that is a bomb is ended, and the next one is served', async () => {
    const own = createEngine({ threads: 1, seconds: { code: 2, judge: 2 } })
    const evaluate = (schema: unknown) =>
      own.evaluate({ evaluator: 'json-schema', input: { response: `"${'a'.repeat(60)}!"` }, config: { schema } })
    expect(['timeout', 'too_large']).toContain((await evaluate(doubling(40))).fault)
    expect((await evaluate({ pattern: '^(a+)+$' })).fault).toBe('timeout')
    // A slow machine may need more than the two seconds to load what checks schemas.
    await expect.poll(async () => (await evaluate({ type: 'string' })).value, { timeout: 60_000 }).toBe(1)
    await own.close()
  })
})

/** Each definition asks for the next one twice. */
function doubling(depth: number) {
  const $defs = Object.fromEntries(
    Array.from({ length: depth }, (_, i) => {
      const next = { $ref: `#/$defs/d${i + 1}` }
      return [`d${i}`, i === depth - 1 ? { type: 'number' } : { anyOf: [next, next] }]
    }),
  )
  return { $defs, $ref: '#/$defs/d0' }
}

describe('a regular expression', () => {
  it('that is larger than the engine can do is refused, in few words', async () => {
    const score = await scoreOf('placeholder-regex', { placeholder_value: 'a'.repeat(600_000), text: 'b' })
    expect(score).toMatchObject({ outcome: 'errored', fault: 'refused_value' })
    expect(score.explanation).toBe('The regular expression is too large.')
  })
})

// braintrustdata/autoevals, js/json.test.ts (MIT)
describe('a JSON difference', () => {
  it.each([
    [{ a: 1 }, { a: 1 }, 1],
    [{ a: 1 }, { a: 2 }, 2 / 3],
    [{ a: 1 }, ['a', 1], 0.5714285714285714],
    [{ a: 1 }, { b: { a: 1 } }, 0],
    [{ mapping: { a: 'foo', b: 'bar' } }, { mapping: { a: 'Foo', b: 'Bar' }, Extra: 5 }, 1 / 3],
    ['{"a": 1}', { a: 1 }, 1],
    [[], [], 1],
    [[1, 2], [1], 0.5],
    [{ a: null }, {}, 1],
  ])('of %j and %j is that of autoevals', async (response, reference, value) => {
    expect((await scoreOf('json-diff', { response, reference })).value).toBeCloseTo(value, 12)
  })

  it('does not look into texts, if told so', async () => {
    const input = { response: '{"a":1,"b":2}', reference: '{"b":2,"a":1}' }
    expect((await scoreOf('json-diff', input)).value).toBe(1)
    expect((await scoreOf('json-diff', input, { preserve_strings: true })).value).toBeLessThan(1)
  })

  it('of what is nested too deeply is an error', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    expect(await scoreOf('json-diff', { response: deep, reference: deep })).toMatchObject({ outcome: 'errored' })
  })
})

describe('valid SQL', () => {
  it.each([
    ['SELECT a, count(*) FROM t GROUP BY a ORDER BY 2 DESC LIMIT 5;', 'postgresql'],
    ['-- all of them\nselect 1', 'postgresql'],
    ['SELECT `a` FROM `b` LIMIT 5, 10', 'mysql'],
    ['SELECT TOP 5 [a] FROM [b]', 'transactsql'],
    ['INSERT INTO t (a) VALUES (1); DELETE FROM t', 'postgresql'],
  ])('%j parses as %s', async (text, dialect) => {
    expect(await scoreOf('sql-validator', { text })).toMatchObject({
      passed: true,
      output: { is_valid_sql: true, dialect },
    })
  })

  it.each([
    '',
    'hello world',
    'SELECT * FROM t WHERE',
    'SELEC 1',
    "SELECT 'a",
    'Show me the money',
    'Insert coin',
    'Select the best option from the list',
    'DELETE FROM',
  ])('%j does not', async (text) => {
    const score = await scoreOf('sql-validator', { text })
    expect(score).toMatchObject({ passed: false, value: 0, output: { is_valid_sql: false, dialect: null } })
    expect(score.explanation).toMatch(/^It does not/)
  })

  it('may have to be of one dialect', async () => {
    const valid = async (dialect: string) =>
      (await scoreOf('sql', { text: 'SELECT TOP 5 a FROM b' }, { dialect })).passed
    expect([await valid('transactsql'), await valid('mysql')]).toEqual([true, false])
  })
})

describe('valid HTML', () => {
  it.each([
    ['<p>ok</p>', []],
    ['plain text & more', []],
    ['<ul><li>a<li>b</ul><br><img src=x>', []],
    ['<svg><path d="M0 0"/></svg>', []],
    ['<script>if (a</b/.exec(c)) {}</script><style></p></style><title></b></title>', []],
    ['<!doctype html><html><head><title>x</title></head><body>y</body></html>', []],
    ['<p>Hello <b>world</p>', ['b is not closed, at line 1, column 10']],
    ['<div>\n</div></div>', ['div is closed and not open, at line 2, column 7']],
    ['<div id=a id=b></div>', ['duplicate-attribute at line 1, column 13']],
    ['<div', ['eof-in-tag at line 1, column 5']],
    // The standard moves what no table may hold to before it, and calls that an error.
    ['<p>a</p><table><p>x</p></table>', ['table holds what no table may, at line 1, column 9']],
    ['<table>x<tr><td>y</td></tr></table>', ['table holds what no table may, at line 1, column 1']],
    ['x<table>y<tr><td>z</td></tr></table>', ['table holds what no table may, at line 1, column 2']],
    ['x<table> <tr><td><table><caption>a</caption><tr><td>y</table></td></tr> </table>z', []],
  ])('%j has the faults %j', async (text, errors) => {
    expect((await scoreOf('html-valid', { text })).output).toEqual({ is_valid_html: errors.length === 0, errors })
  })

  it('may have to be a whole document', async () => {
    const valid = async (text: string) => (await scoreOf('html-valid', { text }, { document: true })).passed
    expect(await valid('<!doctype html><title>x</title>y')).toBe(true)
    expect(await valid('<p>x</p>')).toBe(false)
  })
})

describe('the comparison of HTML', () => {
  it.each([
    ['', '', 1],
    ['<p>a</p>', '', 0],
    ['<p>a b</p>', '<p>a c</p>', 0.75],
    ['<template><p>a</p></template>', '<template><p>b</p></template>', 4 / 5],
    ['<p class="x  y">a</p>', '<p class="x y">a</p>', 1],
  ])('of %j and %j is %f', async (html1, html2, value) => {
    expect((await scoreOf('html-comparison', { html1, html2 })).output['similarity_score']).toBeCloseTo(value, 12)
  })
})

describe('regular expressions', () => {
  it.each([
    ['a.c', {}, 'abc', true],
    ['^b', {}, 'a\nb', false],
    ['^b', { multi_line: true }, 'a\nb', true],
    ['a.b', {}, 'a\nb', false],
    ['a.b', { dot_include_nl: true }, 'a\nb', true],
    ['ABC', {}, 'abc', false],
    ['ABC', { case_sensitive: false }, 'abc', true],
    ['abc', { should_match: false }, 'abc', false],
    ['abc', { should_match: false }, 'xyz', true],
    [String.raw`^\p{Lu}.$`, {}, 'É😀', true],
    // Not valid with the flag u, and fine without it.
    [String.raw`\-\_`, {}, '-_', true],
  ])('%j with %j fits %j: %j', async (...[regex, flags, text, fits]) => {
    expect((await scoreOf('regex-validator', { text }, { regex, ...flags })).output['is_valid_regex']).toBe(fits)
    const input = { text, placeholder_value: regex }
    expect((await scoreOf('placeholder-regex', input, flags)).output['is_valid_regex']).toBe(fits)
  })

  it('that are none are errors', async () => {
    expect(await scoreOf('regex', { text: 'a' }, { regex: '(' })).toMatchObject({
      outcome: 'errored',
      fault: 'refused_value',
    })
    await expect(scoreOf('regex', { text: 'a' })).rejects.toMatchObject({ code: 'invalid_request' })
  })

  it('take nulls for what was not said, as foreign clients send them', async () => {
    const config = { case_sensitive: null, dot_include_nl: null, multi_line: null, regex: 'a', should_match: null }
    expect((await scoreOf('regex-validator', { text: 'a' }, config)).passed).toBe(true)
  })
})

describe('languages', () => {
  it.each([
    ['Where is the next station, please?', 'en'],
    ['Où est la prochaine gare, s’il vous plaît ?', 'fr'],
    ['次の駅はどこですか。', 'ja'],
  ])('%j is %s', async (text, code) => {
    expect(await scoreOf('language', { text }, { expected: [code] })).toMatchObject({
      value: 1,
      label: code,
      output: { language: code },
    })
    expect((await scoreOf('language', { text }, { expected: ['de', 'es'] })).value).toBe(0)
  })

  it('are told without an expectation, and numbers have none', async () => {
    expect(await scoreOf('language', { text: '12345' })).toMatchObject({ value: null, label: null, passed: null })
  })
})
