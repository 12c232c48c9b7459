import type { ConversationEventInput } from '@llm-eval/protocol'
import { summarise } from '@llm-eval/formats/conversation'
import { conversationDetail } from '@llm-eval/protocol/conversation-answers'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createBridge } from '../src/bridge/create-bridge.ts'
import { registerConversations } from '../src/conversations/conversations.ts'
import { allSlices, type Ground, noon, openShelf, type Shelf, startGround } from './ground.ts'

let shelf: Shelf
let ground: Ground
beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())
beforeEach(async () => {
  await shelf.clear()
  ground = await startGround({ shelf, slices: [...allSlices, registerConversations(createBridge())] })
})
afterEach(() => ground.close())

/** One request as the bridge records it: steps of an agent of ADK, and an end. */
const request = fc.record({
  words: fc.constantFrom('Hello', 'How much?', 'And then?'),
  steps: fc.array(fc.constantFrom('delta', 'call', 'thought', 'text'), { maxLength: 5 }),
  end: fc.constantFrom('finished', 'failed', 'cancelled', 'truncated', null),
})
type Asked = typeof request extends fc.Arbitrary<infer T> ? T : never

const at = new Date(noon).toISOString()

function eventsOf({ words, steps, end }: Asked, number: number): ConversationEventInput[] {
  const run_id = `r${number}`
  const place = { at, run_id, invocation_id: null, event_id: null }
  const adk = (parts: object[], more: object = {}): ConversationEventInput => ({
    ...place,
    kind: 'adk_event',
    invocation_id: `e-${number}`,
    payload: {
      id: `x${number}`,
      invocationId: `e-${number}`,
      author: 'root',
      timestamp: noon / 1_000,
      modelVersion: 'gemini',
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, thoughtsTokenCount: 1, totalTokenCount: 6 },
      content: { role: 'model', parts },
      ...more,
    },
  })
  const made = {
    delta: () => [adk([{ text: 'a' }], { partial: true })],
    call: () => [
      adk([{ functionCall: { id: `c${number}`, name: 'f', args: {} } }]),
      adk([{ functionResponse: { id: `c${number}`, name: 'f', response: {} } }], { usageMetadata: undefined }),
    ],
    thought: () => [adk([{ text: 'hm', thought: true }])],
    text: () => [adk([{ text: 'answer' }])],
  }
  const ended =
    end === null ? [] : [{ ...place, kind: 'run_end' as const, payload: { status: end, code: null, message: null } }]
  return [
    { ...place, kind: 'run_start', payload: { parent_run_id: null, target: null } },
    { ...place, kind: 'user_message', payload: { id: null, text: words, files: [], author: null } },
    ...steps.flatMap((step) => made[step]()),
    ...ended,
  ]
}

describe('the numbers of a conversation', () => {
  it('are counted event by event as they are read from all of them', async () => {
    let made = 0
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 4 }), async (requests) => {
        const thread = `numbers-${++made}`
        const path = `/api/v1/conversations/${thread}`
        for (const events of requests.map(eventsOf)) {
          const told = await ground.send({ path: `${path}/events`, body: { events } })
          expect(told.status, told.text).toBe(200)
        }
        const counted = conversationDetail.parse((await ground.send({ path })).json)
        const { items } = (await ground.send({ path: `${path}/events?limit=1000` })).json
        const { state, error, ...read } = summarise(items)
        expect(counted).toMatchObject(read)
        expect([counted.state, counted.error]).toEqual([state, error])
      }),
      { numRuns: 15 },
    )
  })
})
