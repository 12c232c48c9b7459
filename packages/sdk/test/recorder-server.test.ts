import { HttpAgent } from '@ag-ui/client'
import type { ConversationEventInput } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import type { LLMEvalError } from '../src/index.ts'
import { ConversationRecorder, type RecorderServer } from '../src/recorder/index.ts'
import { primes, startAguiServer } from './agui-server.ts'
import { type Behaviour, type FakeServer, json, reset, startFakeServer } from './fake-server.ts'
import { ManualClock } from './manual-clock.ts'

interface Scene {
  server: FakeServer
  clock: ManualClock
  recorder: ConversationRecorder
  errors: LLMEvalError[]
}

const stored: Behaviour = json(200, { first: 1, last: 1, duplicates: 0 })

async function scene(settings: Partial<RecorderServer>, test: (scene: Scene) => Promise<void>): Promise<void> {
  await using server = await startFakeServer(stored)
  const clock = new ManualClock()
  const errors: LLMEvalError[] = []
  const recorder = new ConversationRecorder({
    threadId: 'thread/1',
    appName: 'agent1',
    userId: 'user',
    server: { url: server.url, clock, random: () => 0.5, onError: (error) => errors.push(error), ...settings },
  })
  await test({ server, clock, recorder, errors })
}

interface Body {
  app_name: string
  user_id: string
  events: ConversationEventInput[]
}
const bodies = (server: FakeServer) => server.received.map(({ body }) => JSON.parse(body) as Body)
const textsOf = (server: FakeServer) =>
  bodies(server).map(({ events }) => events.map(({ payload }) => ('text' in payload ? payload.text : null)))

/** Lets time pass whenever something waits for it. */
function passing(clock: ManualClock): ManualClock {
  clock.fireDueTimers()
  return clock
}

describe('a recorder with a server', () => {
  it('tells it what happened in one request, after a while, with key, thread, application and user', () =>
    scene({ flushIntervalMs: 200, apiKey: 'a-key' }, async ({ server, clock, recorder }) => {
      recorder.recordUserMessage('What is the 10th prime?')
      recorder.recordToolCall('find_nth_prime', { n: 10 }, 'c1')
      clock.advance(199)
      expect(server.received).toHaveLength(0)
      clock.advance(1)
      await server.arrived(1)
      const [request] = server.received
      expect(request).toMatchObject({ method: 'POST', path: '/api/v1/conversations/thread%2F1/events' })
      expect(request?.headers.authorization).toBe('Bearer a-key')
      const [body] = bodies(server)
      expect(body).toMatchObject({ app_name: 'agent1', user_id: 'user' })
      expect(body?.events.map(({ kind }) => kind)).toEqual(['user_message', 'tool_call'])
      expect(Object.keys(body?.events[0] ?? {}).sort()).toEqual(
        ['at', 'event_id', 'invocation_id', 'kind', 'payload', 'run_id'].sort(),
      )
    }))

  it('sends what was not answered again with the same ids, and what came meanwhile after it', () =>
    scene({}, async ({ server, clock, recorder, errors }) => {
      server.next(reset)
      recorder.recordUserMessage('one')
      const flushed = recorder.flush({ timeoutMs: 600_000 })
      clock.advance(0)
      await clock.timer((ms) => ms > 0 && ms < 1_000)
      recorder.recordUserMessage('two')
      clock.advance(30_000)
      await server.arrived(2)
      passing(clock)
      expect(await flushed).toEqual({ sent: 2, refused: 0, pending: 0 })
      expect(textsOf(server)).toEqual([['one'], ['one', 'two']])
      const [first, second] = bodies(server)
      expect(second?.events[0]?.event_id).toBe(first?.events[0]?.event_id)
      expect(errors.map(({ code }) => code)).toEqual(['unreachable'])
    }))

  it('goes on recording while the server is away, and never throws', () =>
    scene({}, async ({ server, clock, recorder }) => {
      server.usually(json(503, {}, { 'retry-after': '7' }))
      for (let n = 0; n < 3; n++) recorder.recordUserMessage(`message ${n}`)
      const flushed = recorder.flush({ timeoutMs: 5_000 })
      clock.advance(0)
      await clock.timer((ms) => ms >= 7_000)
      clock.advance(5_000)
      expect(await flushed).toEqual({ sent: 0, refused: 0, pending: 3 })
      expect(recorder.events).toHaveLength(3)
    }))

  it('finds the event that the server does not take, and tells the others', () =>
    scene({}, async ({ server, clock, recorder, errors }) => {
      server.usually((response, received) =>
        (received.body.includes('poison') ? json(422, { detail: 'no' }) : stored)(response, received),
      )
      for (const text of ['one', 'two', 'poison', 'four']) recorder.recordUserMessage(text)
      const flushed = recorder.flush()
      passing(clock).advance(0)
      expect(await flushed).toEqual({ sent: 3, refused: 1, pending: 0 })
      expect(errors.length).toBeGreaterThan(1)
    }))

  it('does not wait for a server that it cannot speak to', () =>
    scene({}, async ({ server, clock, recorder }) => {
      server.usually(json(401, { detail: 'a key, please' }))
      recorder.recordUserMessage('one')
      const flushed = recorder.flush()
      clock.advance(0)
      expect(await flushed).toEqual({ sent: 0, refused: 0, pending: 1 })
    }))

  it('stops when the thread was deleted', () =>
    scene({}, async ({ server, clock, recorder }) => {
      server.usually(json(410, { detail: 'deleted' }))
      recorder.recordUserMessage('one')
      const flushed = recorder.flush()
      clock.advance(0)
      await flushed
      recorder.recordUserMessage('two')
      clock.advance(600_000)
      expect(server.received).toHaveLength(1)
    }))

  it('tells nothing after it was closed, and keeps what it has', () =>
    scene({}, async ({ server, clock, recorder }) => {
      recorder.recordUserMessage('one')
      const closed = recorder.close()
      clock.advance(0)
      expect(await closed).toEqual({ sent: 1, refused: 0, pending: 0 })
      recorder.recordUserMessage('two')
      clock.advance(600_000)
      expect(server.received).toHaveLength(1)
      expect(recorder.events).toHaveLength(2)
    }))

  it('splits what is too much for one request', () =>
    scene({}, async ({ server, clock, recorder }) => {
      for (let n = 0; n < 3; n++) recorder.recordUserMessage(`${n}`.repeat(400_000))
      const flushed = recorder.flush()
      passing(clock).advance(0)
      expect(await flushed).toEqual({ sent: 3, refused: 0, pending: 0 })
      expect(bodies(server).map(({ events }) => events.length)).toEqual([2, 1])
    }))

  it('tells all of a conversation with an agent whose bridge does not record', () =>
    scene({}, async ({ server, clock, recorder }) => {
      await using agui = await startAguiServer(primes())
      const agent = new HttpAgent({ url: agui.url, threadId: 'thread/1' })
      recorder.attach(agent)
      agent.addMessage({ id: 'u1', role: 'user', content: 'What is the 10th prime?' })
      await agent.runAgent()
      const flushed = recorder.flush()
      passing(clock).advance(0)
      expect(await flushed).toEqual({ sent: recorder.events.length, refused: 0, pending: 0 })
      const told = bodies(server).flatMap(({ events }) => events)
      expect(told.map((event, index) => ({ seq: index + 1, ...event }))).toEqual(recorder.events)
    }))

  it('tells nothing of a conversation that its bridge records, but what was told by hand', () =>
    scene({}, async ({ server, clock, recorder }) => {
      await using agui = await startAguiServer(primes({ llm_eval: {} }))
      const agent = new HttpAgent({ url: agui.url, threadId: 'thread/1' })
      recorder.attach(agent)
      agent.addMessage({ id: 'u1', role: 'user', content: 'What is the 10th prime?' })
      await agent.runAgent()
      recorder.recordThinking(86)
      const flushed = recorder.flush()
      passing(clock).advance(0)
      expect(await flushed).toEqual({ sent: 1, refused: 0, pending: 0 })
      expect(bodies(server).flatMap(({ events }) => events.map(({ kind }) => kind))).toEqual(['thinking'])
    }))

  it('wants the URL of a server', () => {
    expect(() => new ConversationRecorder({ threadId: 't', server: { url: 'nowhere' } })).toThrow(TypeError)
  })
})

it('a recorder without a server has nothing to tell', async () => {
  const recorder = new ConversationRecorder({ threadId: 't' })
  recorder.recordUserMessage('one')
  expect([await recorder.flush(), await recorder.close()]).toEqual([null, null])
})
