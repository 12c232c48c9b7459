import { capturedParts, Failure, limits } from '@llm-eval/protocol'
import type { TraceBody } from '@llm-eval/store'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openBatch, prepareBatch, readSingle } from './requests.ts'

const at = Date.parse('2025-01-27T12:00:00Z')
const good = { trace_id: 't-1', model_name: 'gpt-4', user_query: 'q', ai_response: 'r' }

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const single = (value: unknown) => readSingle(bytes(value), at)
const batch = (value: unknown) => {
  const opened = openBatch(bytes(value))
  const { source, batchId, warnings } = opened
  return { source, batchId, warnings, items: prepareBatch(opened, { at, source, batchId }) }
}
const bodyOf = (value: unknown) => JSON.parse(single(value).trace.body) as TraceBody
const hashOf = (value: unknown) => single(value).trace.hash

function failureOf(act: () => unknown): Failure {
  try {
    act()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** Text of an object with `good`'s fields and one more, given as JSON text. */
const withText = (field: string, json: string) =>
  `${JSON.stringify(good).slice(0, -1)},${JSON.stringify(field)}:${json}}`

describe('reading one trace', () => {
  it('fills every column from the fields of the source document', () => {
    const { trace, warnings } = single({
      trace_id: 'unique_trace_id',
      timestamp: '2025-01-27T13:00:00+01:00',
      model_name: ' gpt-4 ',
      user_query: 'What is machine learning?',
      system_prompt: 'You are a helpful AI assistant',
      ai_response: 'Machine learning is a subset of artificial intelligence...',
      functions_called: [
        { name: 'search_knowledge_base', parameters: { query: 'machine learning' }, result: 'Found 15' },
      ],
      metadata: { temperature: 0.7, max_tokens: 1000, user_id: 'user_123' },
      tokens_used: 245,
      response_time_ms: 850,
      cost: 0.0012,
    })
    expect(warnings).toEqual([])
    expect(trace).toMatchObject({
      traceId: 'unique_trace_id',
      timestamp: at,
      receivedAt: at,
      model: 'gpt-4',
      source: null,
      sessionId: null,
      userId: 'user_123',
      batchId: null,
      latencyMs: 850,
      costNano: 1_200_000,
      tokens: 245,
      queryPreview: 'What is machine learning?',
    })
    expect(JSON.parse(trace.body)).toEqual({
      user_query: 'What is machine learning?',
      ai_response: 'Machine learning is a subset of artificial intelligence...',
      system_prompt: 'You are a helpful AI assistant',
      functions_called: [
        { name: 'search_knowledge_base', parameters: { query: 'machine learning' }, result: 'Found 15' },
      ],
      metadata: { temperature: 0.7, max_tokens: 1000, user_id: 'user_123' },
      extra: {},
    })
  })

  it('takes the time of arrival when there is no timestamp, and leaves what is unknown null', () => {
    expect(single(good).trace).toMatchObject({
      timestamp: at,
      latencyMs: null,
      costNano: null,
      tokens: null,
      source: null,
    })
    expect(bodyOf(good)).toEqual({
      user_query: 'q',
      ai_response: 'r',
      system_prompt: '',
      functions_called: [],
      metadata: {},
      extra: {},
    })
  })

  it('reads camelCase for every field and leaves user data as it is', () => {
    const nested = { someKey: 1, some_key: 2, parameters: { maxTokens: 1 } }
    const snake = {
      ...good,
      timestamp: '2025-01-27T12:00:00Z',
      system_prompt: 's',
      functions_called: [{ name: 'f', parameters: nested, result: nested }],
      metadata: nested,
      tokens_used: 1,
      response_time_ms: 2,
      cost: 3,
      session_id: 's',
      user_id: 'u',
      source: 'src',
    }
    const camel = Object.fromEntries(
      Object.entries(snake).map(([key, value]) => [
        key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
        value,
      ]),
    )
    expect(Object.keys(camel)).toContain('responseTimeMs')
    expect(single(camel)).toEqual(single(snake))
    expect(bodyOf(camel).metadata).toEqual(nested)
  })

  it('compares the spellings of a field once, however often it occurs', () => {
    const calls = JSON.stringify(Array.from({ length: 1_000 }, () => ({ name: 'f', parameters: [{}, {}, {}, {}] })))
    const again = '"functionsCalled":0,"functions_called":0,'.repeat(20_000)
    const text = `${JSON.stringify(good).slice(0, -1)},${again}"functionsCalled":${calls},"functions_called":${calls}}`
    expect(bodyOf(text).functions_called).toHaveLength(1_000)
  })

  it('accepts a field in both spellings only when they agree', () => {
    expect(single({ ...good, traceId: 't-1' }).trace.traceId).toBe('t-1')
    expect(single({ ...good, metadata: { a: 1, b: 2 }, Metadata: 1 }).warnings).toHaveLength(1)
    const failure = failureOf(() => single({ ...good, traceId: 'other' }))
    expect(failure).toMatchObject({ code: 'invalid_request', errors: [{ path: 'trace_id' }] })
    expect(failure.errors[0]?.message).toContain('traceId')
  })

  it('takes the last of a key that occurs twice, as JSON.parse does', () => {
    const text = `${JSON.stringify(good).slice(0, -1)},"metadata":{"a":1},"user_query":"later","metadata":{"b":2}}`
    expect(bodyOf(text)).toMatchObject({ user_query: 'later', metadata: { b: 2 } })
    expect(single(text).trace.queryPreview).toBe('later')
  })

  it('keeps unknown fields under extra and says so, with what was probably meant', () => {
    const { trace, warnings } = single({ ...good, respone_time_ms: 5, temperature: 1 })
    expect((JSON.parse(trace.body) as TraceBody).extra).toEqual({ respone_time_ms: 5, temperature: 1 })
    expect(warnings).toEqual([
      'unknown field "respone_time_ms" is kept under extra; did you mean response_time_ms?',
      'unknown field "temperature" is kept under extra',
    ])
    expect(trace.latencyMs).toBeNull()
  })

  it('keeps a thousand unknown fields, and refuses one more', () => {
    const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, at]))
    const { extra } = bodyOf({ ...good, ...fields(limits.unknownFields) })
    expect(Object.keys(extra)).toHaveLength(1_000)
    const failure = failureOf(() => single({ ...good, ...fields(limits.unknownFields + 1) }))
    expect(failure.errors[0]?.message).toContain('at most 1000 fields that are not documented')
  })

  it('names the first ten unknown fields and counts the rest', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`field-number-${index}`, index]))
    const { warnings } = single({ ...good, ...many })
    expect(warnings).toHaveLength(11)
    expect(warnings[10]).toBe('990 more unknown fields are kept under extra')
  })

  it.each([
    [{ metadata: { user_id: 'u', session_id: 's' } }, { userId: 'u', sessionId: 's' }],
    [{ metadata: { userId: ' u ', sessionId: 7 } }, { userId: 'u', sessionId: '7' }],
    [
      { metadata: { user_id: 'm' }, user_id: 'top' },
      { userId: 'top', sessionId: null },
    ],
    [{ metadata: { user_id: '', session_id: { a: 1 } } }, { userId: null, sessionId: null }],
    [{ metadata: { user_id: 'x'.repeat(201), session_id: 1.5 } }, { userId: null, sessionId: null }],
  ])('finds the ids of %j', (fields, ids) => {
    expect(single({ ...good, ...fields }).trace).toMatchObject(ids)
    expect(bodyOf({ ...good, ...fields }).metadata).toEqual(fields.metadata)
  })

  it('tells what the source could observe from what it did not send', () => {
    const parts = (fields: object) =>
      capturedParts.filter((_, index) => single({ ...good, ...fields }).trace.captured & (1 << index))
    expect(parts({})).toEqual(['response'])
    expect(parts({ functions_called: null, cost: null, tokens_used: null, system_prompt: null })).toEqual(['response'])
    expect(parts({ functions_called: [], cost: 0, system_prompt: '' })).toEqual([
      'response',
      'system_prompt',
      'tools',
      'cost',
    ])
    expect(parts({ tokens_used: 0, response_time_ms: 0, session_id: 's', metadata: { user_id: 'u' } })).toEqual([
      'response',
      'tokens',
      'latency',
      'session',
      'user',
    ])
  })

  it('keeps big numbers, key order and escapes of user data exactly', () => {
    const json = '{"b":12345678901234567890,"1":0.10000000000000000001,"a":[1e400,-0,1.0],"s":"\\ud800\\u0000"}'
    for (const field of ['metadata', 'unknown']) {
      expect(single(withText(field, json)).trace.body).toContain(`:${json}`)
    }
    const calls = `[{"name":"f","result":${json}}]`
    expect(single(withText('functions_called', calls)).trace.body).toContain(`"functions_called":${calls}`)
  })

  it('refuses numbers beyond a double in its own fields', () => {
    for (const field of ['cost', 'tokens_used', 'response_time_ms']) {
      expect(failureOf(() => single(withText(field, '1e400')))).toMatchObject({
        code: 'invalid_request',
        errors: [{ path: field }],
      })
    }
  })

  it('treats __proto__, constructor and the like as ordinary data', () => {
    const json = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1}'
    const text = `${JSON.stringify(good).slice(0, -1)},"__proto__":{"polluted":1},"constructor":1,"hasOwnProperty":2,"metadata":${json}}`
    const { trace } = single(text)
    expect(trace.body).toContain(`"metadata":${json}`)
    expect(trace.body).toContain('"extra":{"__proto__":{"polluted":1},"constructor":1,"hasOwnProperty":2}')
    expect(Object.prototype).not.toHaveProperty('polluted')
    expect(hashOf(text)).not.toBe(hashOf(text.replaceAll('"polluted":1', '"polluted":2')))
  })

  it('keeps NUL and lone surrogates of texts in the body and out of the previews', () => {
    const { trace } = single({ ...good, user_query: 'a\0b', ai_response: 'c\ud800d' })
    expect(trace).toMatchObject({ queryPreview: 'a\ufffdb', responsePreview: 'c\ufffdd' })
    expect(trace.body.isWellFormed()).toBe(true)
    expect(trace.body).not.toContain('\0')
    expect(JSON.parse(trace.body)).toMatchObject({ user_query: 'a\0b', ai_response: 'c\ud800d' })
  })

  it('accepts a byte order mark and refuses what is not UTF-8', () => {
    expect(single(`\ufeff${JSON.stringify(good)}`).trace.traceId).toBe('t-1')
    const latin1 = Buffer.from(JSON.stringify({ ...good, user_query: 'é' }), 'latin1')
    expect(failureOf(() => readSingle(latin1, at)).code).toBe('malformed_json')
    const utf16 = Buffer.from(JSON.stringify(good), 'utf16le')
    expect(failureOf(() => readSingle(utf16, at)).code).toBe('malformed_json')
  })

  it.each(['', '{', '{"trace_id":"a"', '{"a":NaN}', '{"a":01}', "{'a':1}", '{"a":1}}', '{"a":"\n"}', 'undefined'])(
    'calls %j malformed',
    (text) => {
      expect(failureOf(() => single(text)).code).toBe('malformed_json')
    },
  )

  it.each(['null', '5', '"text"', '[]', 'true'])('refuses %s, which is no object', (text) => {
    expect(failureOf(() => single(text)).code).toBe('invalid_request')
  })

  it('accepts JSON as deep as the limit and refuses one level more, however deep', () => {
    const deep = (levels: number) => withText('metadata', `{"a":${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}}`)
    expect(single(deep(limits.jsonDepth)).trace.traceId).toBe('t-1')
    for (const levels of [limits.jsonDepth + 1, 10_000, 1_000_000]) {
      expect(failureOf(() => single(deep(levels))).code).toBe('too_deep')
    }
  })
})

describe('the idempotency hash', () => {
  const item = fc.record(
    {
      metadata: fc.dictionary(fc.string(), fc.jsonValue()),
      functions_called: fc.array(fc.jsonValue().map((result) => ({ name: 'f', result }))),
      unknown: fc.jsonValue(),
      cost: fc.constantFrom(0, 0.1, null),
    },
    { requiredKeys: [] },
  )

  function shuffled(value: unknown, seed: number): unknown {
    if (Array.isArray(value)) return value.map((child) => shuffled(child, seed))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, child]) => [key, shuffled(child, seed)] as const)
    const turned =
      seed % 2 === 0
        ? entries.toReversed()
        : [...entries.slice(seed % (entries.length + 1)), ...entries.slice(0, seed % (entries.length + 1))]
    return Object.fromEntries(turned)
  }

  it('does not depend on key order, white space or the spelling of numbers', () => {
    fc.assert(
      fc.property(item, fc.nat(9), (fields, seed) => {
        const trace = { ...good, ...fields }
        const hash = hashOf(trace)
        expect(hash).toMatch(/^[0-9a-f]{32}$/)
        expect(hashOf(JSON.stringify(shuffled(trace, seed), undefined, 3))).toBe(hash)
      }),
    )
    expect(hashOf(withText('metadata', '{"a":1.0,"b":[1e2]}'))).toBe(hashOf(withText('metadata', '{"b":[100],"a":1}')))
    expect(hashOf(withText('metadata', '{"a":1e400}'))).toBe(hashOf(withText('metadata', '{"a":10e399}')))
  })

  it('changes with any content', () => {
    const base = { ...good, metadata: { a: 1 } }
    const others: (object | string)[] = [
      { ...base, cost: 0 },
      { ...base, cost: null },
      { ...base, metadata: { a: '1' } },
      { ...base, metadata: { a: [1] } },
      { ...base, metadata: { b: 1 } },
      { ...base, extra: 1 },
      { ...base, ai_response: 'r ' },
      { ...base, ai_response: '\ud800' },
      { ...base, ai_response: '\ud801' },
      { ...base, ai_response: '\ufffd' },
      { ...base, functions_called: [] },
      withText('metadata', '{"a":12345678901234567890}'),
      withText('metadata', '{"a":12345678901234567891}'),
      withText('metadata', '{"__proto__":1}'),
      withText('metadata', '{"__proto__":2}'),
      withText('extra', '1e400'),
      withText('extra', '1e401'),
    ]
    expect(new Set([base, ...others].map(hashOf)).size).toBe(others.length + 1)
  })

  it('is the same for a trace sent alone and in a batch, whatever the batch says of its source', () => {
    const [item0] = batch({ traces: [good], source: 'app', batch_id: 'b' }).items
    expect(item0).toMatchObject({ trace: { hash: hashOf(good), source: 'app', batchId: 'b' } })
  })
})

describe('reading a batch', () => {
  it('applies source and batch_id to traces that do not name their own', () => {
    const read = batch({
      traces: [good, { ...good, trace_id: 't-2', source: 'mine' }, { ...good, source: null }],
      source: ' app ',
      batchId: 'b-1',
    })
    expect(read).toMatchObject({
      source: 'app',
      batchId: 'b-1',
      items: [
        { trace: { source: 'app', batchId: 'b-1' } },
        { trace: { source: 'mine' } },
        { trace: { source: 'app' } },
      ],
    })
    expect(batch({ traces: [good], source: 'app' }).batchId).toBeNull()
  })

  it('tells each item its own faults and keeps the others', () => {
    const deep = JSON.parse(`${'['.repeat(limits.jsonDepth)}${']'.repeat(limits.jsonDepth)}`) as unknown
    const { items } = batch({
      traces: [
        good,
        { ...good, trace_id: ' bad ', cost: -1 },
        null,
        [],
        { ...good, metadata: { deep } },
        { ...good, trace_id: 'last' },
      ],
      source: 'app',
    })
    expect(items).toMatchObject([
      { trace: { traceId: 't-1' } },
      { traceId: 'bad', faults: [{ path: 'traces[1].cost', message: 'must not be negative' }] },
      { traceId: null, faults: [{ path: 'traces[2]' }] },
      { traceId: null, faults: [{ path: 'traces[3]' }] },
      { traceId: 't-1', faults: [{ path: 'traces[4]' }] },
      { trace: { traceId: 'last' } },
    ])
  })

  it('refuses only the item that is too deep, however deep', () => {
    for (const levels of [limits.jsonDepth - 1, limits.jsonDepth, 10_000, 1_000_000]) {
      const item = `{"trace_id":"deep","metadata":{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}}`
      const { items } = batch(`{"traces":[${JSON.stringify(good)},${item},${JSON.stringify(good)}],"source":"app"}`)
      expect(items[0]).toHaveProperty('trace')
      expect(items[2]).toHaveProperty('trace')
      const messages = items[1] && 'faults' in items[1] ? items[1].faults.map((fault) => fault.message).join() : ''
      expect(messages.includes('nested more than')).toBe(levels >= limits.jsonDepth)
    }
  })

  it('keeps big numbers of each item exactly', () => {
    const text = `{"source":"app","traces":[ ${JSON.stringify(good)} , ${withText('metadata', '{"n":12345678901234567890}')} ]}`
    const bodies = batch(text).items.map((item) => ('trace' in item ? item.trace.body : ''))
    expect(bodies[0]).toContain('"metadata":{}')
    expect(bodies[1]).toContain('"metadata":{"n":12345678901234567890}')
  })

  it('accepts as many traces as the limit and refuses one more', () => {
    const traces = (count: number) => Array.from({ length: count }, (_, index) => ({ ...good, trace_id: `t-${index}` }))
    expect(batch({ traces: traces(limits.batchTraces), source: 'app' }).items).toHaveLength(limits.batchTraces)
    expect(failureOf(() => batch({ traces: traces(limits.batchTraces + 1), source: 'app' }))).toMatchObject({
      code: 'batch_too_large',
    })
    expect(failureOf(() => batch(`{"traces":[${'0,'.repeat(1_000_000)}0],"source":"app"}`))).toMatchObject({
      code: 'batch_too_large',
    })
  })

  it.each([
    [{ traces: [good] }, 'source'],
    [{ traces: [good], source: '' }, 'source'],
    [{ source: 'app' }, 'traces'],
    [{ traces: [], source: 'app' }, 'traces'],
    [{ traces: { 0: good }, source: 'app' }, 'traces'],
    [{ traces: [good], source: 'app', batch_id: 'x'.repeat(201) }, 'batch_id'],
    [{ traces: [good], source: 'app', batch_id: 'a', batchId: 'b' }, 'batch_id'],
    [[good], ''],
    [null, ''],
  ])('refuses %j, naming %s', (value, path) => {
    expect(failureOf(() => batch(value))).toMatchObject({ code: 'invalid_request', errors: [{ path }] })
  })

  it('says which fields around the traces it does not know', () => {
    expect(batch({ traces: [good], source: 'app', bacth_id: 'b' }).warnings).toEqual([
      'unknown field "bacth_id" is ignored; did you mean batch_id?',
    ])
  })
})
