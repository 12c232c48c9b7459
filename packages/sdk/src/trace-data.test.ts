import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AnyTrace, toParcel, toQuery, toWire, type TraceData, type TraceDataSnake } from './trace-data.ts'

/** Any UTF-16 at all, lone surrogates too. */
const anyText = fc.array(fc.nat({ max: 0xffff })).map((codes) => String.fromCharCode(...codes))

const names = {
  traceId: 'trace_id',
  timestamp: 'timestamp',
  modelName: 'model_name',
  userQuery: 'user_query',
  aiResponse: 'ai_response',
  systemPrompt: 'system_prompt',
  functionsCalled: 'functions_called',
  metadata: 'metadata',
  tokensUsed: 'tokens_used',
  responseTimeMs: 'response_time_ms',
  cost: 'cost',
  sessionId: 'session_id',
  userId: 'user_id',
  source: 'source',
} as const satisfies Record<keyof TraceData, keyof TraceDataSnake>

/** Does not compile when a field of the wire has no camelCase spelling. */
const complete: Exclude<keyof TraceDataSnake, (typeof names)[keyof TraceData]> extends never ? true : false = true

const snakeNames = Object.values(names)

/** Any JSON value; its keys look like the ones that must not be touched. */
const userData = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom(...Object.keys(names), ...snakeNames, '__proto__'), fc.string()),
      tie('value'),
      { maxKeys: 4 },
    ),
  ),
})).value

const camelTrace = fc.record(
  Object.fromEntries(Object.keys(names).map((name) => [name, userData])) as Record<keyof TraceData, typeof userData>,
  { requiredKeys: [] },
)

describe('a trace on the wire', () => {
  it('has every field of the wire in camelCase too', () => {
    expect(complete).toBe(true)
    for (const [camel, snake] of Object.entries(names)) expect(toWire({ [camel]: 1 })).toEqual({ [snake]: 1 })
  })

  it('has every documented field in snake_case and every value untouched, at any depth', () => {
    fc.assert(
      fc.property(camelTrace, (trace) => {
        const wire = toWire(trace)
        const expected = Object.fromEntries(
          Object.entries(trace).map(([key, value]) => [names[key as keyof TraceData], value]),
        )
        expect(wire).toEqual(expected)
        for (const [key, value] of Object.entries(trace)) expect(wire[names[key as keyof TraceData]]).toBe(value)
      }),
    )
  })

  it('does not change when it is spelled as on the wire already', () => {
    fc.assert(
      fc.property(camelTrace, (trace) => {
        expect(toWire(toWire(trace))).toEqual(toWire(trace))
      }),
    )
  })

  it('reads back from JSON as what was handed in, with the names changed and nothing else', () => {
    fc.assert(
      fc.property(camelTrace, (trace) => {
        const text = JSON.stringify({ traceId: 'x', ...trace })
        const given = Object.entries(JSON.parse(text) as Record<string, unknown>)
        const expected = Object.fromEntries(given.map(([key, value]) => [names[key as keyof TraceData], value]))
        expect(JSON.parse(toParcel({ traceId: 'x', ...trace }).json)).toEqual(expected)
      }),
    )
  })

  it('keeps fields that nobody knows as they are, also one named __proto__', () => {
    const trace = JSON.parse('{"traceId":"t","customField":1,"__proto__":{"x":1},"Trace_Id":2}') as object
    expect(JSON.stringify(toWire(trace))).toBe('{"trace_id":"t","customField":1,"__proto__":{"x":1},"Trace_Id":2}')
  })

  it('keeps both spellings when both are given, for the server to decide', () => {
    expect(toWire({ traceId: 'a', trace_id: 'b' })).toEqual({ traceId: 'a', trace_id: 'b' })
  })

  it('takes an undefined field for absent, in whatever order', () => {
    expect(toWire({ traceId: 'a', trace_id: undefined })).toEqual({ trace_id: 'a' })
    expect(toWire({ trace_id: undefined, traceId: 'a' })).toEqual({ trace_id: 'a' })
    expect(toWire({ traceId: undefined, trace_id: 'a' })).toEqual({ trace_id: 'a' })
  })

  it('is not taken over by a function named toJSON', () => {
    expect(toParcel({ traceId: 'a', toJSON: () => undefined }).json).toBe('{"trace_id":"a"}')
  })

  it('counts its bytes as UTF-8', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { json, bytes } = toParcel({ traceId: 't', aiResponse: text })
        expect(bytes).toBe(Buffer.byteLength(json))
      }),
    )
  })

  it.each([[undefined], [null], ['text'], [5], [[{ traceId: 'a' }]], [() => 1]])('cannot be made of %j', (value) => {
    expect(() => toParcel(value)).toThrow(/cannot be written as JSON/)
  })

  it('cannot be made of an object whose getter throws', () => {
    const trap = {
      get traceId(): string {
        throw new Error('trap')
      },
    }
    expect(() => toParcel(trap, 'traces[2]')).toThrow('traces[2] cannot be written as JSON: trap')
  })

  it('can be typed in either spelling', () => {
    const both: AnyTrace[] = [
      { traceId: 't', modelName: 'm', userQuery: 'q', aiResponse: 'a', cost: null, tokensUsed: undefined },
      { trace_id: 't', model_name: 'm', user_query: 'q', ai_response: 'a', cost: null, tokens_used: undefined },
    ]
    expect(toWire(both[0] ?? {})).toEqual(toWire(both[1] ?? {}))
    // @ts-expect-error: a mistyped field is found by the compiler
    const mistyped: AnyTrace = { traceId: 't', modelName: 'm', userQuery: 'q', aiResponse: 'a', tokenUsed: 5 }
    expect(mistyped).toBeDefined()
  })
})

describe('query parameters', () => {
  it('are spelled as on the wire, and absent ones are left out', () => {
    const query = { modelName: 'a', min_latency: 0, from: new Date(0), summaries: true, q: undefined, cursor: null }
    expect(toQuery(query)).toEqual({
      model_name: 'a',
      min_latency: '0',
      from: '1970-01-01T00:00:00.000Z',
      summaries: 'true',
    })
  })
})
