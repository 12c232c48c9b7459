import { limits } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AdkEvent, decodeBytes, encodeBytes, isFinalResponse, readAdkEvent, readJson } from '../src/adk/index.ts'
import { jsonOf } from './generated-json.ts'

function read(json: unknown): { event: AdkEvent; lost: string[] } {
  const told = readAdkEvent(json)
  if ('fault' in told) throw new Error(told.fault)
  return told
}

/** An event that is read without any loss. */
function clean(json: unknown): AdkEvent {
  const { event, lost } = read(json)
  expect(lost).toEqual([])
  return event
}

const head = { id: 'e1', invocationId: 'e-1', author: 'root_agent', timestamp: 1763829465.4 }
const final = (more: Partial<AdkEvent>): boolean => isFinalResponse({ ...head, ...more })

describe('an event of ADK', () => {
  it('is the same whether it is written in camel or in snake case, key by key', () => {
    const camel = {
      ...head,
      content: {
        role: 'model',
        parts: [{ functionCall: { id: 'c', name: 'f', args: { n: 1 } }, thoughtSignature: 'CrQC' }],
      },
      usageMetadata: { promptTokenCount: 3, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 3 }] },
      longRunningToolIds: ['c'],
      actions: { stateDelta: { a: 1 }, skipSummarization: true },
      modelVersion: 'm',
    }
    const snake = {
      id: 'e1',
      invocation_id: 'e-1',
      author: 'root_agent',
      timestamp: 1763829465.4,
      content: {
        role: 'model',
        parts: [{ function_call: { id: 'c', name: 'f', args: { n: 1 } }, thought_signature: 'CrQC' }],
      },
      usage_metadata: { prompt_token_count: 3, prompt_tokens_details: [{ modality: 'TEXT', token_count: 3 }] },
      long_running_tool_ids: ['c'],
      actions: { state_delta: { a: 1 }, skip_summarization: true },
      model_version: 'm',
    }
    const mixed = {
      ...snake,
      invocationId: 'e-1',
      invocation_id: undefined,
      usageMetadata: camel.usageMetadata,
      usage_metadata: null,
    }
    expect(clean(camel)).toEqual(camel)
    expect(clean(snake)).toEqual(camel)
    expect(clean(mixed)).toEqual(camel)
  })

  it('that gives a field in two spellings is told so', () => {
    const { event, lost } = read({ ...head, invocation_id: 'other' })
    expect(event.invocationId).toBe('e-1')
    expect(lost).toEqual(['invocation_id is given as invocationId too, which counts'])
  })

  it('of ADK for JavaScript has milliseconds, which become seconds (trap 19)', () => {
    expect(clean({ ...head, timestamp: 1763829465399 }).timestamp).toBe(1763829465.399)
    expect(clean({ ...head, timestamp: 1763829465.399381 }).timestamp).toBe(1763829465.399381)
    expect(clean({ ...head, timestamp: '2025-11-22T16:37:45.399Z' }).timestamp).toBe(1763829465.399)
  })

  it('without a time says so, and is not of 1970', () => {
    const { event, lost } = read({ author: 'a' })
    expect(event).toEqual({ id: '', invocationId: '', author: 'a', timestamp: 0 })
    expect(lost).toEqual(['timestamp is missing'])
    expect(read({ ...head, timestamp: -5 }).lost).toEqual(['timestamp is no time', 'timestamp is missing'])
  })

  it('has no empty collections, which Python takes for nothing and JavaScript does not (trap 27)', () => {
    const event = clean({
      ...head,
      longRunningToolIds: [],
      actions: { stateDelta: {}, artifactDelta: {}, requestedAuthConfigs: {}, requestedToolConfirmations: {} },
    })
    expect(event).toEqual(head)
    expect(
      isFinalResponse({ ...head, longRunningToolIds: [], content: { parts: [{ functionCall: { name: 'f' } }] } }),
    ).toBe(false)
  })

  it('keeps arguments that are empty apart from arguments that are absent (trap 9)', () => {
    const parts = [{ functionCall: { name: 'f', args: {} } }, { functionCall: { name: 'f' } }]
    expect(clean({ ...head, content: { parts } }).content?.parts).toEqual(parts)
  })

  it('never re-cases what belongs to users: arguments, responses, state, metadata (trap 20)', () => {
    const own = { userId: 1, user_id: 2, __a: [{ Some_Key: 1, camelCase: { a_b: 1 } }] }
    const json = {
      ...head,
      custom_metadata: own,
      actions: { state_delta: own, agent_state: own, requested_tool_confirmations: { 'call-1': own } },
      content: {
        parts: [{ function_call: { name: 'f', args: own } }, { function_response: { name: 'f', response: own } }],
      },
    }
    const event = clean(json)
    expect(event['customMetadata']).toEqual(own)
    expect(event.actions).toEqual({ stateDelta: own, agentState: own, requestedToolConfirmations: { 'call-1': own } })
    expect(event.content?.parts?.[0]?.functionCall?.args).toEqual(own)
    expect(event.content?.parts?.[1]?.functionResponse?.response).toEqual(own)
  })

  it('has keys of state with their prefixes (trap 23)', () => {
    const stateDelta = { 'temp:a': 1, 'user:b': 2, 'app:c_d': 3 }
    expect(clean({ ...head, actions: { state_delta: stateDelta } }).actions?.stateDelta).toEqual(stateDelta)
  })

  it('has signatures in one alphabet, with padding, whoever wrote them (trap 8)', () => {
    const signature = (thought_signature: unknown) =>
      read({ ...head, content: { parts: [{ text: 'a', thought_signature }] } })
    for (const spelling of ['-_-_EIM=', '+/+/EIM=', '-_-_EIM', '+/+/EIM', ' +/+/\nEIM= '])
      expect(signature(spelling).event.content?.parts?.[0]?.thoughtSignature).toBe('-_-_EIM=')
    for (const wrong of ['a', 'a=b=', 'äöü', 5, 'AAAA=', 'AA=AA']) {
      const { event, lost } = signature(wrong)
      expect(event.content?.parts).toEqual([{ text: 'a' }])
      expect(lost).toEqual(['content.parts[0].thought_signature is no base64'])
    }
    expect(signature(undefined)).toEqual(signature(null))
  })

  it('has objects for results that are none, as ADK makes them (trap 10)', () => {
    const response = (value: unknown) =>
      read({ ...head, content: { parts: [{ functionResponse: { name: 'f', response: value } }] } })
    expect(response('sunny').event.content?.parts?.[0]?.functionResponse?.response).toEqual({ result: 'sunny' })
    expect(response([1, 2]).event.content?.parts?.[0]?.functionResponse?.response).toEqual({ result: [1, 2] })
    expect(response(0).lost).toEqual([
      'content.parts[0].functionResponse.response is no object: it is kept as {"result": …}',
    ])
  })

  it('cannot give any object another prototype (trap 30)', () => {
    const json: unknown = JSON.parse(
      '{"author":"a","timestamp":1,"__proto__":{"polluted":1},"actions":{"stateDelta":{"__proto__":{"polluted":1},"b":{"__proto__":1,"c":2}},"artifactDelta":{"__proto__":1,"x":1}},"content":{"parts":[{"__proto__":{"text":"x"},"text":"y"}]}}',
    )
    const { event, lost } = read(json)
    expect(Object.hasOwn(event, '__proto__')).toBe(false)
    expect(event).toEqual({
      id: '',
      invocationId: '',
      author: 'a',
      timestamp: 1,
      actions: { stateDelta: { b: { c: 2 } }, artifactDelta: { x: 1 } },
      content: { parts: [{ text: 'y' }] },
    })
    expect(Object.hasOwn({}, 'polluted')).toBe(false)
    expect(lost).toHaveLength(5)
  })

  it('keeps what newer versions say, and tells what is of another kind than it should be', () => {
    const { event, lost } = read({
      ...head,
      some_new_field: { inner_key: 1 },
      partial: 'yes',
      content: { parts: [{ text: {} }] },
    })
    expect(event).toEqual({ ...head, someNewField: { inner_key: 1 }, content: { parts: [{}] } })
    expect(lost).toEqual(['partial is neither true nor false', 'content.parts[0].text is no text'])
  })

  it('has keys named like members of all objects', () => {
    const parts = [{ text: 'a', toString: 1, constructor: { x: 1 } }]
    expect(clean({ ...head, content: { parts } }).content?.parts).toEqual(parts)
  })

  it('is read as deep as opaque data may nest, and one deeper is cut and told', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) })
    expect(read({ ...head, output: nested(limits.agentJsonDepth) }).lost).toEqual([])
    const { event, lost } = read({ ...head, output: nested(limits.agentJsonDepth + 1) })
    expect(lost).toHaveLength(1)
    expect(lost[0]).toContain(`is nested deeper than ${limits.agentJsonDepth} levels`)
    expect(JSON.stringify(event.output)).toContain('null')
  })

  it('is none where nothing says so, and why is told', () => {
    for (const json of [null, 1, 'a', [], {}, { id: 'x' }]) expect(readAdkEvent(json)).toHaveProperty('fault')
  })

  it('is read from any JSON at all, and once more it is the same', () => {
    const json = jsonOf(
      'id',
      'author',
      'content',
      'parts',
      'actions',
      'invocation_id',
      'timestamp',
      'functionCall',
      'args',
      'state_delta',
      'thought_signature',
      'usageMetadata',
      'long_running_tool_ids',
      '__proto__',
      'constructor',
      'inline_data',
      'data',
    )
    fc.assert(
      fc.property(json, (value) => {
        const first = readAdkEvent(value)
        if ('fault' in first) return
        const again = readAdkEvent(JSON.parse(JSON.stringify(first.event)))
        expect('event' in again && JSON.stringify(again.event)).toBe(JSON.stringify(first.event))
      }),
      { numRuns: 500 },
    )
  })
})

describe('a final response', () => {
  it('has no calls, no results, is whole and does not end with the output of code', () => {
    expect(final({ content: { parts: [{ text: 'a' }] } })).toBe(true)
    expect(final({})).toBe(true)
    expect(final({ partial: true, content: { parts: [{ text: 'a' }] } })).toBe(false)
    expect(final({ content: { parts: [{ functionCall: { name: 'f' } }] } })).toBe(false)
    expect(final({ content: { parts: [{ functionResponse: { name: 'f' } }] } })).toBe(false)
    expect(final({ content: { parts: [{ text: 'a' }, { codeExecutionResult: { output: '1' } }] } })).toBe(false)
  })

  it('is also what is not summed up, what takes long, and what failed', () => {
    const response = { content: { parts: [{ functionResponse: { name: 'f' } }] } }
    expect(final({ ...response, actions: { skipSummarization: true } })).toBe(true)
    expect(final({ content: { parts: [{ functionCall: { id: 'c' } }] }, longRunningToolIds: ['c'] })).toBe(true)
    expect(final({ ...response, errorCode: 'STOP' })).toBe(true)
  })
})

describe('base64 of ADK', () => {
  it('comes back as the bytes that it was made of, of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = encodeBytes(bytes)
        expect(text).toBe(
          Buffer.from(bytes)
            .toString('base64url')
            .padEnd(Math.ceil(bytes.length / 3) * 4, '='),
        )
        expect(decodeBytes(text)).toEqual(bytes)
        expect(decodeBytes(Buffer.from(bytes).toString('base64'))).toEqual(bytes)
        expect(decodeBytes(text.replaceAll('=', ''))).toEqual(bytes)
      }),
    )
    const large = new Uint8Array(200_000).fill(251)
    expect(decodeBytes(encodeBytes(large))).toEqual(large)
  })

  it('that is none is null', () => {
    for (const text of ['a', 'ab$d', 'ab=c', '====', 'abcde', 'é']) expect(decodeBytes(text)).toBeNull()
  })

  it('with bits that mean nothing loses those, which strict readers would refuse', () => {
    const { event } = read({ ...head, content: { parts: [{ inlineData: { data: 'QR==', mimeType: 'x/y' } }] } })
    expect(event.content?.parts?.[0]?.inlineData?.data).toBe('QQ==')
  })
})

describe("Python's JSON", () => {
  it('has numbers that JavaScript has not: they are kept as text, and told (trap 21)', () => {
    const text =
      '{"a": NaN, "b": [-Infinity, Infinity], "c": 12345678901234567890, "d": "NaN 12345678901234567890 \\" Infinity", "e": 1e999}'
    expect(readJson(text)).toEqual({
      value: {
        a: 'NaN',
        b: ['-Infinity', 'Infinity'],
        c: '12345678901234567890',
        d: 'NaN 12345678901234567890 " Infinity',
        e: '1e999',
      },
      lost: [
        'NaN is no number that JSON has: it is kept as text',
        '-Infinity is no number that JSON has: it is kept as text',
        'Infinity is no number that JSON has: it is kept as text',
        '12345678901234567890 has more digits than a number holds: it is kept as text',
        '1e999 is too large for a number: it is kept as text',
      ],
    })
  })

  it('keeps as numbers what a number holds, also beyond the safe ones (trap 21)', () => {
    const text = '[9007199254740993, 9007199254740992, 10, 10.0, 0.1234567890123456, -1000000000000000000000]'
    expect(readJson(text)).toEqual({
      value: ['9007199254740993', 9007199254740992, 10, 10, 0.1234567890123456, -1e21],
      lost: ['9007199254740993 has more digits than a number holds: it is kept as text'],
    })
  })

  it('is otherwise JSON, and what is none is told', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const read = readJson(text)
        expect(read).toHaveProperty('value')
        const isSame = 'value' in read && JSON.stringify(read.value) === JSON.stringify(JSON.parse(text))
        expect(isSame).toBe('lost' in read && read.lost.length === 0)
      }),
    )
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => readJson(text)).not.toThrow()
      }),
    )
    expect(readJson('{')).toHaveProperty('fault')
    expect(readJson("{'a': NaN}")).toHaveProperty('fault')
  })
})
