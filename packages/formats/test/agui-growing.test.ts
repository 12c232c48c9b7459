import type { AdkEvent, AdkPart } from '@llm-eval/formats/adk'
import { AdkToAgui, type AguiEvent } from '@llm-eval/formats/agui'
import { limits } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import { readBy, versions } from './agui-clients.ts'
import { back, normal, told } from './agui-told.ts'

let number = 0
const event = (parts: AdkPart[], more: Partial<AdkEvent> = {}): AdkEvent => {
  const id = `event-${++number}`
  return { id, invocationId: 'i', author: 'a', timestamp: 1, content: { role: 'model', parts }, ...more }
}
const call = (id: string, args: Record<string, unknown>): AdkPart => ({ functionCall: { id, name: 'write', args } })
const grow = (id: string, stringValue: string, jsonPath = '$.text'): AdkEvent => {
  const functionCall = { id, name: 'write', partialArgs: [{ jsonPath, stringValue }], willContinue: true }
  return event([{ functionCall }], { partial: true })
}
const answer = (id: string): AdkEvent => event([{ functionResponse: { id, name: 'write', response: { done: true } } }])
const begun = (events: readonly AguiEvent[]) =>
  events.flatMap((one) => (one.type === 'TOOL_CALL_START' ? one.toolCallId : []))
const ended = (events: readonly AguiEvent[]) =>
  events.flatMap((one) => (one.type === 'TOOL_CALL_END' ? one.toolCallId : []))
const argumentsOf = (events: readonly AguiEvent[], id: string) =>
  events.flatMap((one) => (one.type === 'TOOL_CALL_ARGS' && one.toolCallId === id ? one.delta : [])).join('')

/** What both front ends hold of the calls in the end. */
async function held(events: readonly AdkEvent[]) {
  const found = []
  for (const version of versions) {
    const { error, failed, messages, warnings } = await readBy(version, told(events, { version }))
    expect({ error, warnings }).toEqual({ error: undefined, warnings: [] })
    const calls = messages.flatMap(
      ({ toolCalls }) => (toolCalls ?? []) as { id: string; function: { arguments: string } }[],
    )
    found.push({ failed, calls: calls.map(({ id, function: made }) => [id, made.arguments]) })
  }
  return found
}

describe('calls that grow side by side', () => {
  const wholes = [event([call('B', { text: 'two' })]), event([call('A', { text: 'one' })])]
  const last = event([{ text: 'Written.' }])

  it('begin once each, though their wholes come in events of their own', async () => {
    const events = [grow('A', 'o'), grow('B', 'tw'), ...wholes, answer('A'), answer('B'), last]
    const made = told(events)
    expect(begun(made)).toEqual(['A', 'B'])
    expect(ended(made)).toEqual(['B', 'A'])
    const calls = [
      ['A', '{"text":"one"}'],
      ['B', '{"text":"two"}'],
    ]
    expect(await held(events)).toEqual(versions.map(() => ({ failed: null, calls })))
    expect(back(made).map(normal)).toEqual(events.slice(2).map(normal))
  })

  it('grow on after the whole of another, from where they were', () => {
    for (const id of ['A', 'adk-A']) {
      const whole = event([call(id, { text: 'one' })])
      const made = told([grow(id, 'o'), event([call('B', {})]), grow(id, 'n'), grow(id, 'e'), whole, last])
      expect(begun(made).filter((one) => one === id)).toHaveLength(1)
      expect(argumentsOf(made, id)).toBe('{"text":"one"}')
    }
  })

  it('end with an error of who writes them, and do not begin again where their wholes come nevertheless', async () => {
    const failed = event([], { errorCode: 'MALFORMED_FUNCTION_CALL' })
    const whole = event([call('A', { text: 'one' })])
    const untold = event([call('adk-A', { text: 'one' })])
    const events = [
      grow('A', 'o'),
      grow('adk-A', 'o'),
      failed,
      grow('A', 'n'),
      grow('adk-A', 'n'),
      grow('adk-A', 'e'),
      whole,
      untold,
      answer('A'),
      answer('adk-A'),
      last,
    ]
    const made = told(events)
    expect(begun(made)).toEqual(['A', 'adk-A'])
    expect(ended(made)).toEqual(['A', 'adk-A'])
    expect(argumentsOf(made, 'adk-A')).toBe('{"text":"one"}')
    const calls = [
      ['A', '{"text":"o'],
      ['adk-A', '{"text":"one"}'],
    ]
    expect(await held(events)).toEqual(versions.map(() => ({ failed: null, calls })))
    expect(back(made).map(normal)).toEqual([failed, ...events.slice(6)].map(normal))
  })

  it('stay open until the run ends where they never become whole, while others speak and other tools are called', async () => {
    const events = [
      grow('A', 'o'),
      event([call('B', {})]),
      answer('B'),
      event([{ text: 'Well, ' }], { partial: true }),
      event([{ text: 'Well, no.' }]),
      event([{ text: 'Done.' }], { author: 'b' }),
    ]
    const made = told(events)
    expect(ended(made)).toEqual(['B', 'A'])
    expect(made.at(-1)?.type).toBe('RUN_FINISHED')
    const calls = [
      ['A', '{"text":"o'],
      ['B', ''],
    ]
    expect(await held(events)).toEqual(versions.map(() => ({ failed: null, calls })))
  })
})

describe('what an agent says in very many pieces', () => {
  const time = 90_000

  /** Pushes without keeping what comes of it. */
  function reduce(events: Iterable<AdkEvent>): { chars: number; reducer: AdkToAgui } {
    const reducer = new AdkToAgui({ now: () => 5 })
    reducer.start({ threadId: 't', runId: 'r' })
    let chars = 0
    for (const one of events)
      for (const made of reducer.push(one)) if (made.type === 'TOOL_CALL_ARGS') chars += made.delta.length
    return { chars, reducer }
  }

  it(
    'as a call takes time by its length, and not by its square, which would be minutes',
    () => {
      const many = 340_000
      function* pieces() {
        const piece = grow('A', 'xyz')
        for (let at = 0; at < many; at++) yield piece
      }
      const { chars, reducer } = reduce(pieces())
      expect(chars).toBe('{"text":"'.length + 3 * many)
      const rest = reducer.push(event([call('A', { text: 'xyz'.repeat(many) })]))
      expect(argumentsOf(rest, 'A')).toBe('"}')
    },
    time,
  )

  it(
    'as messages, thoughts and words in turn, takes time by their number, and not by its square, which would be minutes',
    () => {
      const thought: AdkPart = { text: 'a', thought: true }
      const parts = Array.from({ length: 100_000 }, (_, at): AdkPart => (at % 2 === 0 ? thought : { text: 'b' }))
      const made = told([event(parts, { partial: true })])
      const ids = made.flatMap((one) => (one.type === 'TEXT_MESSAGE_START' ? one.messageId : []))
      expect(new Set(ids).size).toBe(50_000)
    },
    time,
  )

  const most = 1024 * 1024

  it('as calls grows to a million characters in all: the rest comes with the wholes', () => {
    const text = 'x'.repeat(300_000)
    const ids = ['A', 'B', 'C', 'D', 'E']
    const { chars, reducer } = reduce(ids.flatMap((id) => [grow(id, text), grow(id, text)]))
    // The piece with which it is too much is told, and nothing after it.
    expect(chars).toBe(2 * ('{"text":"'.length + 600_000))
    expect(chars).toBeGreaterThan(most)
    for (const id of ids) {
      const made = reducer.push(event([call(id, { text: text + text })]))
      expect(argumentsOf(made, id).length).toBe(id < 'C' ? 2 : '{"text":""}'.length + 600_000)
      expect(ended(made)).toEqual([id])
    }
    // What became whole counts no longer.
    expect(argumentsOf(reducer.push(grow('F', text)), 'F')).toHaveLength('{"text":"'.length + 300_000)
  })

  it('as calls are a thousand at once at most: others are told when they are whole', () => {
    const ids = Array.from({ length: 1_001 }, (_, at) => `call-${at}`)
    const growing = ids.map((id) => grow(id, 'o'))
    const wholes = ids.map((id) => event([call(id, { text: 'one' })]))
    expect(begun(told(growing))).toHaveLength(1_000)
    const made = told([...growing, ...wholes, ...growing])
    expect(begun(made)).toHaveLength(1_001)
    for (const id of ids) expect(argumentsOf(made, id)).toBe('{"text":"one"}')
  })

  it('in a place deeper than any value may be is told with the whole', () => {
    const deep = (levels: number) => told([grow('A', 'o', `$${'.a'.repeat(levels)}`)])
    expect(argumentsOf(deep(limits.agentJsonDepth), 'A')).not.toBe('')
    expect(argumentsOf(deep(limits.agentJsonDepth + 1), 'A')).toBe('')
    expect(argumentsOf(deep(100_000), 'A')).toBe('')
  })
})
