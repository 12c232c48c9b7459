import type { ConversationEventInput } from '@llm-eval/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShelf, type Shelf } from '../../test/ground.ts'
import { configSchema } from '../config/config.ts'
import { appendEvents, createRecording, type Recording } from './append.ts'

let shelf: Shelf
let recording: Recording
beforeAll(async () => {
  shelf = await openShelf()
  recording = createRecording({ store: shelf.store, now: () => shelf.clock.now, config: configSchema.parse({}) })
})
afterAll(() => shelf.close())

const place = { at: '2025-01-27T12:00:00.000Z', run_id: 'r1', invocation_id: null, event_id: null }
const hello: ConversationEventInput = {
  ...place,
  kind: 'user_message',
  payload: { id: null, text: 'Hello', files: [], author: null },
}
const origin = { projectId: 1, target: 'demo', appName: 'app', userId: 'user', replayOf: null }

describe('a thread that is recorded', () => {
  it.each(['', ' a', 'a ', '.', '..', 'a\0', 'a\n', '\ud800', 'x'.repeat(201), '漢'.repeat(171)])(
    'must be one that a path can name: not %j',
    async (threadId) => {
      await expect(appendEvents(recording, { ...origin, threadId }, [hello])).rejects.toMatchObject({
        code: 'invalid_request',
        errors: [{ path: 'threadId' }],
      })
    },
  )

  it.each(['a', 'a b', 'x'.repeat(200), 'ü/ö?&#', '漢'.repeat(170)])('may be %j', async (threadId) => {
    expect(await appendEvents(recording, { ...origin, threadId }, [hello, hello])).toEqual({
      first: 1,
      last: 2,
      duplicates: 0,
    })
  })

  it('cannot be one that was deleted', async () => {
    await appendEvents(recording, { ...origin, threadId: 'gone' }, [hello])
    await shelf.store.apply(1, { kind: 'deleteConversation', threadId: 'gone', at: 0, limit: 10 })
    await expect(appendEvents(recording, { ...origin, threadId: 'gone' }, [hello])).rejects.toMatchObject({
      code: 'conversation_deleted',
    })
  })
})
