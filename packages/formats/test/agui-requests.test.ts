import { type KnownThread, readRunAgentInput, runAgentInputSchema, toAdkRequest } from '@llm-eval/formats/agui'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const known: KnownThread = { isSeen: () => false, state: {} }

function asked(given: object, thread = known) {
  const read = readRunAgentInput({ threadId: 't', runId: 'r', messages: [], ...given })
  if ('faults' in read) throw new Error(JSON.stringify(read.faults))
  return toAdkRequest(read.input, thread)
}

const user = (id: string, content: unknown) => ({ id, role: 'user', content })
const assistant = (id: string, more: object = {}) => ({ id, role: 'assistant', content: 'said', ...more })
const calls = [{ id: 'c', type: 'function', function: { name: 'approve', arguments: '{}' } }]

describe('a request of AG-UI', () => {
  it('holds the whole thread, and what is said to the agent is what it has not heard (trap 18)', () => {
    const messages = [user('1', 'one'), assistant('2'), user('3', 'two'), user('4', 'three')]
    expect(asked({ messages }).newMessage).toEqual({ role: 'user', parts: [{ text: 'two' }, { text: 'three' }] })
    const seen = { ...known, isSeen: (id: string) => id === '3' }
    expect(asked({ messages }, seen).newMessage?.parts).toEqual([{ text: 'three' }])
    expect(asked({ messages }, seen).users).toEqual([{ id: '4', text: 'three', files: [] }])
  })

  it('with an edited message says the new one, and with nothing new the last one again', () => {
    const isSeen = (id: string) => id === '1'
    expect(asked({ messages: [user('1b', 'one, better')] }, { ...known, isSeen }).newMessage?.parts).toEqual([
      { text: 'one, better' },
    ])
    const again = asked({ messages: [user('1', 'one')] }, { ...known, isSeen })
    expect(again.newMessage?.parts).toEqual([{ text: 'one' }])
    expect(again.warnings).toEqual(['The last message was sent before: it is said again.'])
  })

  it('without anything to say is none', () => {
    expect(asked({}).newMessage).toBeNull()
    expect(asked({ messages: [user('1', 'one'), assistant('2')] }).newMessage).toBeNull()
  })

  it('may hold files, in the words of 1.0 and of before', () => {
    const content = [
      { type: 'text', text: 'Look:' },
      { type: 'image', source: { type: 'data', value: 'AAAA', mimeType: 'image/png' } },
      { type: 'document', source: { type: 'url', value: 'https://x.example/a.pdf', mimeType: 'application/pdf' } },
      { type: 'binary', mimeType: 'audio/wav', data: 'BBBB', filename: 'a.wav' },
      { type: 'binary', mimeType: 'audio/wav', url: 'https://x.example/a.wav' },
    ]
    const { newMessage, users } = asked({ messages: [user('1', content)] })
    expect(newMessage?.parts).toEqual([
      { text: 'Look:' },
      { inlineData: { data: 'AAAA', mimeType: 'image/png' } },
      { fileData: { fileUri: 'https://x.example/a.pdf', mimeType: 'application/pdf' } },
      { inlineData: { data: 'BBBB', mimeType: 'audio/wav', displayName: 'a.wav' } },
      { fileData: { fileUri: 'https://x.example/a.wav', mimeType: 'audio/wav' } },
    ])
    expect(users[0]?.files).toEqual([
      { mime_type: 'image/png', data: 'AAAA', uri: null },
      { mime_type: 'application/pdf', data: null, uri: 'https://x.example/a.pdf' },
      { mime_type: 'audio/wav', data: 'BBBB', uri: null },
      { mime_type: 'audio/wav', data: null, uri: 'https://x.example/a.wav' },
    ])
  })

  it.each([
    ['{"ok":true}', { ok: true }],
    ['[1,2]', { result: [1, 2] }],
    ['7', { result: 7 }],
    ['null', { result: null }],
    ['plain words', { result: 'plain words' }],
    ['', { result: '' }],
  ])('brings the result %j of a tool as the object that ADK wants (trap 10)', (content, response) => {
    const messages = [
      user('1', 'go'),
      assistant('2', { toolCalls: calls }),
      { id: '3', role: 'tool', toolCallId: 'c', content },
    ]
    expect(asked({ messages }).newMessage?.parts).toEqual([
      { functionResponse: { id: 'c', name: 'approve', response } },
    ])
  })

  it('brings the errors of tools, and no results that the agent gave itself', () => {
    const before = [user('1', 'go'), assistant('2', { toolCalls: calls })]
    const failed = { id: '3', role: 'tool', toolCallId: 'c', content: '', error: 'It burns.' }
    expect(asked({ messages: [...before, failed] }).results).toEqual([
      { id: 'c', name: 'approve', result: { error: 'It burns.' } },
    ])
    const own = { id: 'result:c', role: 'tool', toolCallId: 'c', content: '{}' }
    expect(asked({ messages: [...before, own, user('4', 'and?')] }).newMessage?.parts).toEqual([{ text: 'and?' }])
  })

  it('may resume what was interrupted', () => {
    const messages = [user('1', 'go'), assistant('2', { toolCalls: calls })]
    const resume = [
      { interruptId: 'c', status: 'resolved', payload: { approved: true } },
      { interruptId: 'unknown', status: 'cancelled' },
    ]
    const { results, warnings } = asked({ messages, resume })
    expect(results).toEqual([
      { id: 'c', name: 'approve', result: { approved: true } },
      { id: 'unknown', name: null, result: { status: 'cancelled' } },
    ])
    expect(warnings).toEqual(['No call unknown is known, so its result has no name of a tool.'])
  })

  it('tells what changed of the state, without what is for one turn alone', () => {
    const thread = { ...known, state: { a: 1, b: [1], gone: true } }
    expect(asked({ state: { a: 1, b: [1, 2], 'temp:x': 1, 'user:c': {} } }, thread).stateDelta).toEqual({
      b: [1, 2],
      'user:c': {},
    })
    for (const state of [{ a: 1 }, null, [], 'x', undefined]) expect(asked({ state }, thread).stateDelta).toBeNull()
  })

  it('is refused with the place of what is wrong', () => {
    for (const json of [null, [], {}, { threadId: 't', runId: 'r' }])
      expect(readRunAgentInput(json)).toHaveProperty('faults')
    const read = readRunAgentInput({ threadId: 't', runId: 'r', messages: [{ id: '1', role: 'king', content: 'x' }] })
    expect(read).toEqual({ faults: [{ path: 'messages.0.role', message: expect.any(String) }] })
  })

  it('is accepted by pages, which have no schema, exactly where the server accepts it', () => {
    const told = { accepted: 0, refused: 0 }
    fc.assert(
      fc.property(requests, (json) => {
        const { success } = runAgentInputSchema.safeParse(json)
        const read = readRunAgentInput(json)
        expect('input' in read).toBe(success)
        if ('input' in read) expect(read.input).toEqual(json)
        told[success ? 'accepted' : 'refused']++
      }),
      { numRuns: 500 },
    )
    expect(told.accepted).toBeGreaterThan(20)
    expect(told.refused).toBeGreaterThan(20)
  })
})

/** Mostly what a request has at a place; now and then something else, or nothing. */
function mostly(right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const wrong = fc.constantFrom<unknown>(undefined, null, '', 1, true, [], {}, ['x'], 'x'.repeat(1_001))
  return fc.oneof({ weight: 40, arbitrary: right }, { weight: 1, arbitrary: wrong })
}

const object = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, mostly(value)])))

const word = fc.constantFrom('a', 'x y', 'x'.repeat(1_000))
const part = fc.oneof(
  object({ type: fc.constant('text'), text: word }),
  object({
    type: fc.constantFrom('image', 'audio', 'video', 'document', 'fax'),
    source: object({ type: fc.constantFrom('data', 'url'), value: word, mimeType: word }),
  }),
  object({ type: fc.constant('binary'), mimeType: word, data: word, url: word, id: word, filename: word, more: word }),
)
const content = fc.oneof(word, fc.array(part, { maxLength: 2 }))
const toolCalls = fc.array(object({ id: word, function: object({ name: word, arguments: word }) }), { maxLength: 2 })
const message = fc.oneof(
  object({ id: word, name: word, role: fc.constant('user'), content }),
  object({ id: word, role: fc.constant('assistant'), content, toolCalls }),
  object({ id: word, role: fc.constant('tool'), toolCallId: word, content, error: word }),
  object({ id: word, role: fc.constantFrom('developer', 'system', 'activity', 'reasoning', 'king'), content }),
)
const requests = object({
  threadId: word,
  runId: word,
  parentRunId: word,
  protocolVersion: word,
  state: fc.jsonValue(),
  messages: fc.array(message, { maxLength: 2 }),
  tools: fc.array(fc.jsonValue(), { maxLength: 2 }),
  context: fc.array(object({ description: word, value: fc.jsonValue() }), { maxLength: 1 }),
  forwardedProps: fc.jsonValue(),
  resume: fc.array(object({ interruptId: word, status: word, payload: fc.jsonValue() }), { maxLength: 1 }),
  newer: word,
})
