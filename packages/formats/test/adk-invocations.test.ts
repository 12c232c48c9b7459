import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AdkContent,
  type AdkEvent,
  type AdkPart,
  type Invocation,
  type InvocationOptions,
  readAdkText,
  toInvocations,
  writeEvalSet,
} from '../src/adk/index.ts'

let number = 0
/** An event of an agent. */
function event(parts: AdkPart[], more: Partial<AdkEvent> = {}): AdkEvent {
  number++
  const isResult = parts.some((part) => part.functionResponse)
  const content = parts.length === 0 ? {} : { content: { role: isResult ? 'user' : 'model', parts } }
  return { id: `e${number}`, invocationId: 'e-1', author: 'root_agent', timestamp: 100 + number, ...content, ...more }
}
const user = (text: string, more: Partial<AdkEvent> = {}): AdkEvent =>
  event([{ text }], { author: 'user', content: { role: 'user', parts: [{ text }] }, ...more })
const call = (id: string, name = 'f', args: Record<string, unknown> = {}): AdkPart => ({
  functionCall: { id, name, args },
})
const result = (id: string, name = 'f', response: Record<string, unknown> = { ok: 1 }): AdkPart => ({
  functionResponse: { id, name, response },
})

/** The one turn of events of one invocation. */
function only(events: AdkEvent[], options?: InvocationOptions): Invocation & { warnings: string[] } {
  const { invocations, warnings } = toInvocations(events, options)
  expect(invocations).toHaveLength(1)
  const [one] = invocations
  if (!one) throw new Error('no turn')
  return { ...one, warnings }
}

function partsIn({ intermediateData }: Invocation): AdkPart[][] {
  if (!intermediateData || !('invocationEvents' in intermediateData)) throw new Error('no events')
  return intermediateData.invocationEvents.map(({ content }) => content?.parts ?? [])
}

const textOf = (content: AdkContent | undefined): string | undefined =>
  content?.parts?.map((part) => part.text ?? '').join('|')

const recorded = (name: string): string => readFileSync(new URL(`fixtures/adk/${name}`, import.meta.url), 'utf8')

function eventsOf(name: string): AdkEvent[] {
  return [...readAdkText(recorded(name))].flatMap((item) => (item.kind === 'event' ? [item.event] : []))
}

const scenes = ['prime', 'both', 'approve', 'move', 'file', 'fail', 'note']

describe('turns of events', () => {
  it.each(scenes)('of the recorded scene "%s" are those that ADK itself makes of them', (scene) => {
    const { invocations } = toInvocations(eventsOf(`${scene}.session.json`), { thoughts: 'kept', usage: 'included' })
    const set = { evalSetId: 's', evalCases: [{ evalId: 'c', conversation: invocations }] }
    const expected: unknown = JSON.parse(recorded(`${scene}.invocations.json`))
    expect(writeEvalSet(set)).toEqual({
      lost: [],
      json: { eval_set_id: 's', eval_cases: [{ eval_id: 'c', conversation: expected }] },
    })
  })

  it.each(scenes)(
    'of the recorded scene "%s" are the same from its stream, but for the user (traps 1, 18)',
    (scene) => {
      const stored = only(eventsOf(`${scene}.session.json`))
      const streamed = only(eventsOf(`${scene}.sse`))
      expect(streamed.finalResponse).toEqual(stored.finalResponse)
      expect(streamed.intermediateData).toEqual(stored.intermediateData)
      expect(streamed.userContent).toEqual({ role: 'user', parts: [] })
      expect(streamed.warnings[0]).toMatch(/: no message of the user is known$/)
    },
  )

  it('count text and tokens once, though partial events said them before (trap 1)', () => {
    const usageMetadata = { totalTokenCount: 5 }
    const one = only(
      [
        user('hi'),
        event([{ text: 'Hel' }], { partial: true }),
        event([{ text: 'lo!' }], { partial: true, usageMetadata }),
        event([{ text: 'Hello!' }], { usageMetadata }),
      ],
      { usage: 'included' },
    )
    expect(textOf(one.finalResponse)).toBe('Hello!')
    expect(one.intermediateData).toEqual({ invocationEvents: [{ author: 'root_agent', usageMetadata }] })
    expect(one.warnings).toEqual([])
  })

  it('are put together of partial events where nothing whole came, and say so (trap 1)', () => {
    const one = only([
      user('hi'),
      event([{ text: 'They', thought: true }], { partial: true }),
      event([{ text: ' ask', thought: true }], { partial: true }),
      event([{ text: 'Hel' }], { partial: true }),
      event([{ text: 'lo' }], { partial: true }),
    ])
    expect(textOf(one.finalResponse)).toBe('Hello')
    expect(partsIn(one)).toEqual([[{ text: 'They ask', thought: true }]])
    expect(one.warnings).toEqual(['e-1: what root_agent said broke off: it is put together of 4 partial events'])
  })

  it('take what other agents said for what they said: partial events of one are not whole by another', () => {
    const one = only([event([{ text: 'Wait' }], { partial: true }), event([{ text: 'Roses' }], { author: 'poet' })])
    expect(partsIn(one)).toEqual([[{ text: 'Wait' }]])
    expect(textOf(one.finalResponse)).toBe('Roses')
  })

  it('have no calls of partial events, whose ids change (trap 2)', () => {
    const one = only([
      event([{ functionCall: { id: 'x1', name: 'f', partialArgs: [{ jsonPath: '$.a' }], willContinue: true } }], {
        partial: true,
      }),
      event([{ functionCall: { id: 'x2', name: 'f', args: { a: 1 } } }], { partial: true }),
      event([call('x3', 'f', { a: 1 })]),
      event([result('x3')]),
      event([{ functionCall: { id: 'x4', name: 'g' } }], { partial: true }),
    ])
    expect(partsIn(one)).toEqual([[call('x3', 'f', { a: 1 })], [result('x3')]])
  })

  it('have an event that came in two frames of one id once, and one that came twice once (trap 3)', () => {
    const content = event([{ text: 'Here.' }], { id: 'same' })
    const artifact = event([], { id: 'same', actions: { artifactDelta: { 'a.png': 0 } } })
    const one = only([user('draw'), content, artifact, content])
    expect(textOf(one.finalResponse)).toBe('Here.')
    expect(partsIn(one)).toEqual([])
    const both = only([event([call('c')], { id: 'x' }), event([call('c')], { id: 'x', timestamp: 101 })])
    expect(partsIn(both)).toHaveLength(2)
  })

  it('keep parallel calls in one event with the one signature, and their results as they came (trap 4)', () => {
    const calls = [{ ...call('a', 'weather'), thoughtSignature: 'CrQC' }, call('b', 'prime')]
    const results = [result('b', 'prime'), result('a', 'weather')]
    const one = only([user('both'), event(calls), event(results), event([{ text: 'Done' }])])
    expect(partsIn(one)).toEqual([calls, results])
  })

  it('begin with what users said, told by author and never by role (trap 5)', () => {
    const one = only([user('hi'), event([call('a')]), event([result('a')]), event([{ text: 'Bye' }])])
    expect(textOf(one.userContent)).toBe('hi')
    expect(partsIn(one)).toHaveLength(2)
    const loud = only([user('hi', { author: 'User' }), event([{ text: 'Bye' }])])
    expect(textOf(loud.userContent)).toBe('hi')
  })

  it('keep text and calls of one event in their order (trap 6)', () => {
    const parts = [{ text: 'First' }, call('a'), { text: 'then' }, call('b')]
    expect(partsIn(only([event(parts), event([{ text: 'Done' }])]))).toEqual([parts])
  })

  it('have no thoughts in the final response, but before it (trap 7)', () => {
    const parts = [
      { text: 'Hm', thought: true },
      { text: 'Yes', thoughtSignature: 'CrQC' },
    ]
    const events = [user('?'), event(parts)]
    const apart = only(events)
    expect(apart.finalResponse?.parts).toEqual([{ text: 'Yes', thoughtSignature: 'CrQC' }])
    expect(partsIn(apart)).toEqual([[{ text: 'Hm', thought: true }]])
    const kept = only(events, { thoughts: 'kept' })
    expect(kept.finalResponse?.parts).toEqual(parts)
    expect(partsIn(kept)).toEqual([])
    const nothingElse = only([user('?'), event([{ text: 'Hm', thought: true }])])
    expect(nothingElse.finalResponse).toBeUndefined()
    expect(partsIn(nothingElse)).toEqual([[{ text: 'Hm', thought: true }]])
  })

  it('keep who spoke, and that one agent handed over to another (trap 11)', () => {
    const one = only([
      user('verse'),
      event([call('a', 'transfer_to_agent', { agent_name: 'poet' })]),
      event([result('a', 'transfer_to_agent', { result: null })], { actions: { transferToAgent: 'poet' } }),
      event([{ text: 'Roses' }], { author: 'poet', branch: 'root_agent.poet' }),
    ])
    expect(one.intermediateData).toMatchObject({
      invocationEvents: [{ author: 'root_agent' }, { author: 'root_agent' }],
    })
    expect(textOf(one.finalResponse)).toBe('Roses')
  })

  it('of several final responses have the last one with text, and keep the others (trap 12)', () => {
    const one = only([
      user('go'),
      event([{ text: 'One' }], { author: 'a' }),
      event([{ text: 'Two' }], { author: 'b' }),
      event([{ inlineData: { data: 'CrQC', mimeType: 'audio/pcm' } }], { author: 'b' }),
    ])
    expect(textOf(one.finalResponse)).toBe('Two')
    expect(partsIn(one)).toEqual([[{ text: 'One' }], [{ inlineData: { data: 'CrQC', mimeType: 'audio/pcm' } }]])
  })

  it('of a tool that takes long keep its call, also as the final response (trap 13)', () => {
    const events = [
      user('pay'),
      event([call('a', 'ask')], { longRunningToolIds: ['a'] }),
      event([result('a', 'ask', { status: 'pending' })]),
    ]
    const waiting = only(events)
    expect(waiting.finalResponse?.parts).toEqual([call('a', 'ask')])
    expect(partsIn(waiting)).toEqual([[call('a', 'ask')], [result('a', 'ask', { status: 'pending' })]])
    expect(textOf(only([...events, event([{ text: 'I asked.' }])]).finalResponse)).toBe('I asked.')
  })

  it('that begin with the result of a tool say that nobody can say that again (trap 13)', () => {
    const late = event([result('a', 'ask')], { author: 'user', invocationId: 'e-2' })
    const { invocations, warnings } = toInvocations([
      user('pay'),
      event([{ text: 'Asked.' }]),
      late,
      event([{ text: 'Paid.' }], { invocationId: 'e-2' }),
    ])
    expect(invocations.map(({ userContent }) => userContent.parts)).toEqual([[{ text: 'pay' }], [result('a', 'ask')]])
    expect(warnings).toEqual([
      'e-2: begins with the result of a tool: adk eval cannot say that again, as calls get new ids',
    ])
  })

  it('that go on in the same invocation keep what the user said first, and the result as an event (trap 13)', () => {
    const one = only([
      user('pay'),
      event([call('a', 'ask')]),
      event([result('a', 'ask')], { author: 'user' }),
      event([{ text: 'Paid.' }]),
    ])
    expect(textOf(one.userContent)).toBe('pay')
    expect(partsIn(one)).toEqual([[call('a', 'ask')], [result('a', 'ask')]])
  })

  it('that are not summed up end with the result itself (trap 14)', () => {
    const one = only([user('go'), event([call('a')]), event([result('a')], { actions: { skipSummarization: true } })])
    expect(one.finalResponse?.parts).toEqual([result('a')])
    expect(partsIn(one)).toEqual([[call('a')]])
  })

  it('can be without the calls by which ADK asks people (trap 15)', () => {
    const events = [
      user('go'),
      event([call('a')]),
      event([call('b', 'adk_request_credential')], { longRunningToolIds: ['b'] }),
      event([result('c', 'adk_request_confirmation'), result('a')]),
      event([{ text: 'Done' }]),
    ]
    expect(partsIn(only(events))).toHaveLength(3)
    expect(partsIn(only(events, { requests: 'dropped' }))).toEqual([[call('a')], [result('a')]])
  })

  it('of several messages of the user have the last one, as ADK has it, and say so (trap 18)', () => {
    const one = only([user('first'), user('second'), event([{ text: 'Yes' }])])
    expect(textOf(one.userContent)).toBe('second')
    expect(one.warnings).toEqual(['e-1: has 2 messages of the user: the last one counts'])
  })

  it('keep code and what it put out (trap 28)', () => {
    const code = { executableCode: { code: 'print(1)', language: 'PYTHON' } }
    const output = { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } }
    const one = only([user('run'), event([code]), event([output]), event([{ text: 'It is 1.' }])])
    expect(partsIn(one)).toEqual([[code], [output]])
    expect(textOf(one.finalResponse)).toBe('It is 1.')
  })

  it('that were spoken have what was understood of them (trap 29)', () => {
    const heard = event([], { author: 'user', inputTranscription: { text: 'how are', finished: false }, partial: true })
    const understood = event([], { author: 'user', inputTranscription: { text: 'how are you', finished: true } })
    const answer = event([], { outputTranscription: { text: 'Fine.', finished: true } })
    const one = only([heard, understood, answer])
    expect(textOf(one.userContent)).toBe('how are you')
    expect(textOf(one.finalResponse)).toBe('Fine.')
  })

  it('without ids of invocations begin where the user speaks', () => {
    const none = { invocationId: '' }
    const { invocations } = toInvocations([
      user('one', none),
      event([{ text: 'A' }], none),
      user('two', none),
      event([call('c')], none),
      event([result('c')], { invocationId: '' }),
      event([{ text: 'B' }], none),
    ])
    expect(invocations.map(({ userContent, finalResponse }) => [textOf(userContent), textOf(finalResponse)])).toEqual([
      ['one', 'A'],
      ['two', 'B'],
    ])
  })

  it('come in the order in which they began, though their events are mixed', () => {
    const { invocations } = toInvocations([
      user('a', { invocationId: 'A' }),
      user('b', { invocationId: 'B' }),
      event([{ text: 'to b' }], { invocationId: 'B' }),
      event([{ text: 'to a' }], { invocationId: 'A' }),
    ])
    expect(invocations.map(({ invocationId, finalResponse }) => [invocationId, textOf(finalResponse)])).toEqual([
      ['A', 'to a'],
      ['B', 'to b'],
    ])
  })

  it('have each whole call and each whole result once, whatever happened', () => {
    const part = fc.oneof(
      fc.string().map((text): AdkPart => ({ text })),
      fc.string().map((text): AdkPart => ({ text, thought: true })),
      fc.nat(9).map((id) => call(`c${id}`)),
      fc.nat(9).map((id) => result(`c${id}`)),
    )
    const events = fc.array(
      fc.record({
        parts: fc.array(part, { maxLength: 3 }),
        author: fc.constantFrom('user', 'a', 'b'),
        invocationId: fc.constantFrom('', 'e-1', 'e-2'),
        partial: fc.constantFrom(undefined, true, false),
      }),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(events, (told) => {
        const all = told.map(({ parts, ...more }) => event(parts, more))
        const { invocations } = toInvocations(all)
        const calls = all
          .filter(({ author, partial }) => author !== 'user' && partial !== true)
          .flatMap(({ content }) => (content?.parts ?? []).filter((one) => one.functionCall))
        const found = invocations.flatMap((one) => partsIn(one).flat()).filter((one) => one.functionCall)
        const idsOf = (parts: AdkPart[]): string =>
          parts
            .map(({ functionCall }) => functionCall?.id ?? '')
            .sort()
            .join()
        expect(idsOf(found)).toBe(idsOf(calls))
      }),
      { numRuns: 300 },
    )
  })
})
