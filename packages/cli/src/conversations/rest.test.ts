import type { ConversationEventInput } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { advanced, noProgress, restAfter } from './rest.ts'

const place = { at: '2025-11-22T16:37:45.000Z', run_id: 'r-1', invocation_id: 'e-1', event_id: null }
const piece = (text: string): ConversationEventInput => ({
  ...place,
  kind: 'adk_event',
  payload: { author: 'a', invocationId: 'e-1', partial: true, content: { role: 'model', parts: [{ text }] } },
})
const delta = (text: string): ConversationEventInput => ({
  ...place,
  kind: 'agui_event',
  payload: { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: text },
})
const whole = (n: number): ConversationEventInput => ({
  ...place,
  kind: 'adk_event',
  payload: { author: 'a', invocationId: 'e-1', id: `e-1-${n}`, content: { parts: [{ text: 'whole' }] } },
})
const progress = (events: ConversationEventInput[]) => events.reduce(advanced, noProgress)

test('the rest of a text begins where the recording broke off, in the middle of a piece too', () => {
  for (const told of [piece, delta]) {
    const log = [told('One '), told('at the '), told('Tiber.')]
    // Neighbours are recorded as one.
    expect(restAfter(log, progress([told('One at')]))).toEqual([told(' the '), told('Tiber.')])
    expect(restAfter(log, progress([told('One at the Tiber.')]))).toEqual([])
    expect(restAfter(log, noProgress)).toEqual(log)
  }
})

test('what is whole ends a text that was under way', () => {
  expect(restAfter([piece('One '), whole(1), piece('Two')], progress([piece('On')]))).toEqual([
    piece('e '),
    whole(1),
    piece('Two'),
  ])
  expect(restAfter([piece('One'), whole(1), piece('Two')], progress([piece('One'), whole(1)]))).toEqual([piece('Two')])
})

test('a recording that broke off anywhere and its rest are all that was logged', () => {
  const event = fc.oneof(
    fc.string({ minLength: 1 }).map(piece),
    fc.nat(9).map((n) => whole(n)),
  )
  fc.assert(
    fc.property(fc.array(event), fc.nat(30), (log, cut) => {
      const recorded = log.slice(0, cut)
      expect([...recorded, ...restAfter(log, progress(recorded))]).toEqual(log)
    }),
  )
})
