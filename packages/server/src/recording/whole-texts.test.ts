import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WholeTexts } from './whole-texts.ts'

const piece = (messageId: string, delta: string) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId, delta })
const args = (toolCallId: string, delta: string) => ({ type: 'TOOL_CALL_ARGS', toolCallId, delta })

function all(events: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const whole = new WholeTexts()
  return [...events.flatMap((event) => whole.push(event)), ...whole.rest()]
}

describe('texts that come in pieces', () => {
  it('are wholes before the event that ends them, each for itself', () => {
    const start = { type: 'TEXT_MESSAGE_START', messageId: 'a' }
    const end = { type: 'TEXT_MESSAGE_END', messageId: 'a' }
    const called = { type: 'TOOL_CALL_END', toolCallId: 'c' }
    const said = [
      start,
      piece('a', 'bob@exa'),
      args('c', '{"q":'),
      piece('a', 'mple.com'),
      args('c', '1}'),
      called,
      end,
    ]
    expect(all(said)).toEqual([start, args('c', '{"q":1}'), called, piece('a', 'bob@example.com'), end])
  })

  it('are as much as came, where a run ends or breaks off', () => {
    const error = { type: 'RUN_ERROR', message: 'x' }
    expect(all([piece('a', '1'), piece('a', '2'), error])).toEqual([piece('a', '12'), error])
    expect(all([piece('a', '1'), piece('b', '2')])).toEqual([piece('a', '1'), piece('b', '2')])
  })

  it('may be chunks, which name themselves once', () => {
    const first = { type: 'TEXT_MESSAGE_CHUNK', messageId: 'a', role: 'assistant', delta: 'x' }
    expect(all([first, { type: 'TEXT_MESSAGE_CHUNK', delta: 'y' }])).toEqual([{ ...first, delta: 'xy' }])
  })

  it('are held back up to a million characters', () => {
    const whole = new WholeTexts()
    expect(whole.push(piece('a', 'x'.repeat(2 ** 20 - 1)))).toEqual([])
    expect(whole.push(piece('b', 'y')).map(({ delta }) => String(delta).length)).toEqual([2 ** 20 - 1, 1])
    expect(whole.push(piece('b', 'z'))).toEqual([])
    expect(whole.rest()).toEqual([piece('b', 'z')])
  })

  it('are held back up to ten thousand of them', () => {
    const whole = new WholeTexts()
    const ids = Array.from({ length: 10_000 }, (_, at) => `m${at}`)
    const given = ids.map((id) => whole.push(piece(id, '')))
    expect(given.slice(0, -1).flat()).toEqual([])
    expect(given.at(-1)).toEqual(ids.map((id) => piece(id, '')))
    expect([...whole.push(piece('m0', 'x')), ...whole.rest()]).toEqual([piece('m0', 'x')])
  })

  it('that are many are not all looked at where one ends, which would be minutes', () => {
    const whole = new WholeTexts()
    for (let at = 0; at < 9_999; at++) whole.push(piece(`m${at}`, 'x'))
    const end = { type: 'TOOL_CALL_END', toolCallId: 'c' }
    let given = 0
    for (let at = 0; at < 500_000; at++) given += whole.push(end).length
    expect(given).toBe(500_000)
    expect(whole.rest()).toHaveLength(9_999)
  }, 90_000)

  it('lose nothing, in whichever order they come', () => {
    const events = fc.array(
      fc.oneof(
        fc.record({
          type: fc.constant('TEXT_MESSAGE_CONTENT'),
          messageId: fc.constantFrom('a', 'b'),
          delta: fc.string(),
        }),
        fc.record({
          type: fc.constantFrom('TEXT_MESSAGE_END', 'TEXT_MESSAGE_START'),
          messageId: fc.constantFrom('a', 'b'),
        }),
        fc.record({ type: fc.constant('RUN_ERROR'), message: fc.string() }),
      ),
    )
    const textOf = (some: readonly Record<string, unknown>[], id: string) =>
      some.map(({ delta, messageId }) => (messageId === id && typeof delta === 'string' ? delta : '')).join('')
    const others = (some: readonly Record<string, unknown>[]) => some.filter(({ delta }) => delta === undefined)
    fc.assert(
      fc.property(events, (given) => {
        const whole = all(given)
        for (const id of ['a', 'b']) expect(textOf(whole, id)).toBe(textOf(given, id))
        expect(others(whole)).toEqual(others(given))
      }),
    )
  })
})
