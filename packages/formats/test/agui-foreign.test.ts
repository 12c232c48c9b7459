import type { AdkEvent } from '@llm-eval/formats/adk'
import { AguiToAdk, readAguiEvent } from '@llm-eval/formats/agui'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

function read(events: readonly object[], author?: string): { events: AdkEvent[]; warnings: string[] } {
  const reader = new AguiToAdk({ author })
  const parsed = events.map((event) => readAguiEvent(event))
  const done = parsed.flatMap((one) => ('event' in one ? reader.push(one.event) : []))
  return { events: [...done, ...reader.end()], warnings: reader.warnings }
}

const started = { type: 'RUN_STARTED', threadId: 't', runId: 'run-7' }
const finished = { type: 'RUN_FINISHED', threadId: 't', runId: 'run-7' }
const contentsOf = (events: readonly AdkEvent[]) => events.map(({ content }) => content)

describe('what agents of AG-UI say that know nothing of ADK', () => {
  it('takes time by how much it is, and not by the square of it, which would be minutes', () => {
    const thoughts = Array.from({ length: 150_000 }, (_, at) => ({
      type: 'REASONING_MESSAGE_CONTENT',
      messageId: `r${at}`,
      delta: 'Hm.',
    }))
    const changes = Array.from({ length: 40_000 }, (_, at) => ({
      type: 'STATE_DELTA',
      delta: [{ op: 'add', path: `/key-${at}`, value: at }],
    }))
    const begun = thoughts.map(({ messageId }) => ({ type: 'REASONING_MESSAGE_START', messageId, role: 'reasoning' }))
    const { events } = read([started, ...begun, ...thoughts, ...changes, finished])
    expect(events).toHaveLength(1)
    expect(events[0]?.content?.parts).toHaveLength(150_000)
    expect(Object.keys(events[0]?.actions?.stateDelta ?? {})).toHaveLength(40_000)
  }, 90_000)

  it('becomes events: thoughts, text and calls of one answer in one, results in another; what was made up is told', () => {
    const { events, warnings } = read([
      started,
      { type: 'REASONING_START', messageId: 'r' },
      { type: 'REASONING_MESSAGE_START', messageId: 'r', role: 'reasoning' },
      { type: 'REASONING_MESSAGE_CONTENT', messageId: 'r', delta: 'Hm.' },
      { type: 'REASONING_MESSAGE_END', messageId: 'r' },
      { type: 'REASONING_END', messageId: 'r' },
      { type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant', timestamp: 1_700_000_000_500 },
      { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'I ' },
      { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'look.' },
      { type: 'TEXT_MESSAGE_END', messageId: 'm' },
      { type: 'TOOL_CALL_START', toolCallId: 'c1', toolCallName: 'find', parentMessageId: 'm' },
      { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: '{"city":' },
      { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: '"Rome"}' },
      { type: 'TOOL_CALL_END', toolCallId: 'c1' },
      { type: 'TOOL_CALL_START', toolCallId: 'c2', toolCallName: 'now' },
      { type: 'TOOL_CALL_END', toolCallId: 'c2' },
      { type: 'REASONING_ENCRYPTED_VALUE', subtype: 'tool-call', entityId: 'c1', encryptedValue: 'AAAA' },
      { type: 'TOOL_CALL_RESULT', messageId: 'x2', toolCallId: 'c2', content: 'noon' },
      { type: 'TOOL_CALL_RESULT', messageId: 'x1', toolCallId: 'c1', content: '[1]' },
      { type: 'TEXT_MESSAGE_START', messageId: 'n', role: 'assistant', name: 'guide' },
      { type: 'TEXT_MESSAGE_CONTENT', messageId: 'n', delta: 'Done.' },
      { type: 'TEXT_MESSAGE_END', messageId: 'n' },
      { ...finished, usage: [{ model: 'm-1', inputTokens: 9, outputTokens: 5, reasoningTokens: 2, totalTokens: 14 }] },
    ])
    expect(contentsOf(events)).toEqual([
      {
        role: 'model',
        parts: [
          { text: 'Hm.', thought: true },
          { text: 'I look.' },
          { functionCall: { id: 'c1', name: 'find', args: { city: 'Rome' } }, thoughtSignature: 'AAAA' },
          { functionCall: { id: 'c2', name: 'now', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'c2', name: 'now', response: { result: 'noon' } } },
          { functionResponse: { id: 'c1', name: 'find', response: { result: [1] } } },
        ],
      },
      { role: 'model', parts: [{ text: 'Done.' }] },
    ])
    expect(events.map(({ author, invocationId }) => [author, invocationId])).toEqual([
      ['root_agent', 'run-7'],
      ['root_agent', 'run-7'],
      ['guide', 'run-7'],
    ])
    expect(events.at(-1)).toMatchObject({
      modelVersion: 'm-1',
      usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 3, thoughtsTokenCount: 2, totalTokenCount: 14 },
    })
    expect(warnings).toEqual([
      'Nobody says who spoke: root_agent is taken to be the one.',
      'No invocations are told: turns are called by their runs.',
    ])
  })

  it('may come in chunks', () => {
    const { events } = read([
      started,
      { type: 'TEXT_MESSAGE_CHUNK', messageId: 'm', role: 'assistant', delta: 'One ' },
      { type: 'TEXT_MESSAGE_CHUNK', delta: 'moment.' },
      { type: 'TOOL_CALL_CHUNK', toolCallId: 'c', toolCallName: 'find', delta: '{"n":' },
      { type: 'TOOL_CALL_CHUNK', delta: '1}' },
      finished,
    ])
    expect(contentsOf(events)).toEqual([
      {
        role: 'model',
        parts: [{ text: 'One moment.' }, { functionCall: { id: 'c', name: 'find', args: { n: 1 } } }],
      },
    ])
  })

  it('thinks without ids, as clients before 1.0 did', () => {
    const { events } = read([
      started,
      { type: 'THINKING_START' },
      { type: 'THINKING_TEXT_MESSAGE_START' },
      { type: 'THINKING_TEXT_MESSAGE_CONTENT', delta: 'So ' },
      { type: 'THINKING_TEXT_MESSAGE_CONTENT', delta: 'be it.' },
      { type: 'THINKING_TEXT_MESSAGE_END' },
      { type: 'THINKING_END' },
      finished,
    ])
    expect(contentsOf(events)).toEqual([{ role: 'model', parts: [{ text: 'So be it.', thought: true }] }])
  })

  it('may be told by a snapshot of messages, of which only what is new counts', () => {
    const { events } = read([
      started,
      { type: 'TEXT_MESSAGE_START', messageId: 'a2', role: 'assistant' },
      { type: 'TEXT_MESSAGE_CONTENT', messageId: 'a2', delta: 'Known.' },
      { type: 'TEXT_MESSAGE_END', messageId: 'a2' },
      {
        type: 'MESSAGES_SNAPSHOT',
        messages: [
          { id: 'u1', role: 'user', content: 'one' },
          { id: 'a1', role: 'assistant', content: 'Of an earlier run.' },
          { id: 'u2', role: 'user', content: 'two' },
          { id: 'a2', role: 'assistant', content: 'Known.' },
          {
            id: 'a3',
            role: 'assistant',
            toolCalls: [{ id: 'c', type: 'function', function: { name: 'find', arguments: '{"n":1}' } }],
          },
          { id: 't', role: 'tool', toolCallId: 'c', content: '{"ok":true}' },
          { id: 'a4', role: 'assistant', content: 'New.' },
        ],
      },
      finished,
    ])
    expect(contentsOf(events).flatMap((content) => content?.parts ?? [])).toEqual([
      { text: 'Known.' },
      { functionCall: { id: 'c', name: 'find', args: { n: 1 } } },
      { functionResponse: { id: 'c', name: 'find', response: { ok: true } } },
      { text: 'New.' },
    ])
  })

  it('waits for what takes long: calls that the end of the run names', () => {
    const call = [
      { type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'approve' },
      { type: 'TOOL_CALL_END', toolCallId: 'c' },
    ]
    const pending = { ...finished, outcome: { type: 'success', pendingToolCallIds: ['c'] } }
    const interrupt = { ...finished, outcome: { type: 'interrupt', interrupts: [{ id: 'i', toolCallId: 'c' }] } }
    for (const end of [pending, interrupt])
      expect(read([started, ...call, end]).events).toMatchObject([{ longRunningToolIds: ['c'] }])
  })

  it('changes state, and fails', () => {
    const { events } = read(
      [
        started,
        { type: 'STATE_SNAPSHOT', snapshot: { a: 1 } },
        { type: 'STATE_DELTA', delta: [{ op: 'replace', path: '/b~1c', value: 2 }] },
        { type: 'RUN_ERROR', message: 'Gone.', code: 'X' },
      ],
      'mine',
    )
    expect(events).toMatchObject([
      { author: 'mine', actions: { stateDelta: { a: 1, 'b/c': 2 } } },
      { author: 'mine', errorCode: 'X', errorMessage: 'Gone.' },
    ])
  })

  it('arguments that break off are kept as text, and what belongs nowhere is told', () => {
    const { events, warnings } = read([
      started,
      { type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'find' },
      { type: 'TOOL_CALL_ARGS', toolCallId: 'c', delta: '{"city": "Ro' },
      { type: 'TEXT_MESSAGE_CONTENT', messageId: 'nobody', delta: 'x' },
      { type: 'REASONING_ENCRYPTED_VALUE', subtype: 'message', entityId: 'nobody', encryptedValue: 'x' },
      { type: 'CUSTOM', name: 'adk.event', value: 'no event' },
      finished,
    ])
    expect(contentsOf(events)[0]?.parts).toEqual([
      { functionCall: { id: 'c', name: 'find', args: { arguments: '{"city": "Ro' } } },
    ])
    expect(warnings).toEqual(
      expect.arrayContaining([
        'Text came for a message that had not begun.',
        'A signature came for something that had not begun.',
        expect.stringContaining('An event of ADK cannot be read'),
      ]),
    )
  })

  it('throws for no events, whatever their order', () => {
    const id = fc.constantFrom('a', 'b')
    const event = fc.oneof(
      fc.record({
        type: fc.constantFrom(
          'TEXT_MESSAGE_START',
          'TEXT_MESSAGE_END',
          'REASONING_MESSAGE_START',
          'REASONING_MESSAGE_END',
        ),
        messageId: id,
        metadata: fc.option(
          fc.jsonValue().map((adk) => ({ adk })),
          { nil: undefined },
        ),
      }),
      fc.record({
        type: fc.constantFrom('TEXT_MESSAGE_CONTENT', 'TEXT_MESSAGE_CHUNK', 'REASONING_MESSAGE_CHUNK'),
        messageId: id,
        delta: fc.string(),
      }),
      fc.record({ type: fc.constantFrom('TOOL_CALL_START'), toolCallId: id, toolCallName: id }),
      fc.record({ type: fc.constantFrom('TOOL_CALL_ARGS', 'TOOL_CALL_CHUNK'), toolCallId: id, delta: fc.string() }),
      fc.record({ type: fc.constantFrom('TOOL_CALL_RESULT'), messageId: id, toolCallId: id, content: fc.string() }),
      fc.record({
        type: fc.constantFrom('STATE_SNAPSHOT', 'CUSTOM'),
        name: id,
        value: fc.jsonValue(),
        snapshot: fc.jsonValue(),
      }),
      fc.record({
        type: fc.constantFrom('MESSAGES_SNAPSHOT'),
        messages: fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
      }),
      fc.constantFrom(started, finished, { type: 'RUN_ERROR', message: 'x' }),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        const { events: made } = read(events)
        for (const one of made) expect(one.id).not.toBe('')
      }),
    )
  })
})

describe('an event of AG-UI', () => {
  it('is read with what is not known of it, and one of a kind that is not known is told as such', () => {
    const event = { type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant', newer: { a: 1 }, rawEvent: null }
    expect(readAguiEvent(event)).toEqual({ event })
    expect(readAguiEvent({ type: 'ACTIVITY_SNAPSHOT', messageId: 'm' })).toEqual({ unknown: 'ACTIVITY_SNAPSHOT' })
    expect(readAguiEvent({ type: 'TEXT_MESSAGE_START' })).toHaveProperty('fault')
    for (const json of [null, 1, 'x', [], {}]) expect(readAguiEvent(json)).toHaveProperty('fault')
  })

  it('that cannot be used is told with the place of what is wrong', () => {
    const faults = [
      [{ type: 'TEXT_MESSAGE_START' }, 'TEXT_MESSAGE_START: messageId is missing'],
      [{ type: 'TEXT_MESSAGE_END', messageId: 'm', timestamp: 'now' }, 'TEXT_MESSAGE_END: timestamp is no number'],
      [{ type: 'RUN_STARTED', threadId: 1, runId: 'r' }, 'RUN_STARTED: threadId is no text'],
      [{ type: 'STATE_DELTA', delta: [{ op: 'add' }] }, 'STATE_DELTA: delta.0.path is missing'],
      [{ type: 'MESSAGES_SNAPSHOT', messages: 'x' }, 'MESSAGES_SNAPSHOT: messages is no list'],
      [{ type: 'STEP_STARTED', stepName: 's', metadata: [] }, 'STEP_STARTED: metadata is no object'],
      [
        { type: 'RUN_FINISHED', threadId: 't', runId: 'r', usage: [{}, { inputTokens: '1' }] },
        'RUN_FINISHED: usage.1.inputTokens is no number',
      ],
    ] as const
    for (const [event, fault] of faults) expect(readAguiEvent(event)).toEqual({ fault })
    for (const type of ['toString', '__proto__', 'constructor'])
      expect(readAguiEvent(JSON.parse(`{"type":"${type}"}`))).toEqual({ unknown: type })
  })
})
