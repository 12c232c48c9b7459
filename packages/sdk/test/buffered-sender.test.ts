import { describe, expect, it } from 'vitest'
import { type BufferOptions, type Drop, LLMEvalClient, type LLMEvalError, type Receipt } from '../src/index.ts'
import { type Behaviour, type FakeServer, html, json, reset, startFakeServer, store } from './fake-server.ts'
import { ManualClock } from './manual-clock.ts'

const trace = (id: number, text = 'a') => ({ traceId: `t${id}`, modelName: 'm', userQuery: 'q', aiResponse: text })
const none: Receipt = { sent: 0, duplicates: 0, conflicts: 0, invalid: 0, dropped: 0, pending: 0 }

interface Scene {
  server: FakeServer
  clock: ManualClock
  sender: ReturnType<LLMEvalClient['buffered']>
  errors: LLMEvalError[]
  drops: Drop[]
}

async function scene(options: BufferOptions, test: (scene: Scene) => Promise<void>): Promise<void> {
  await using server = await startFakeServer(store)
  const clock = new ManualClock()
  const errors: LLMEvalError[] = []
  const drops: Drop[] = []
  const client = new LLMEvalClient(server.url, { clock, random: () => 0.5 })
  const sender = client.buffered({
    onError: (error) => errors.push(error),
    onDrop: (drop) => drops.push(drop),
    ...options,
  })
  await test({ server, clock, sender, errors, drops })
}

function idsOf(server: FakeServer): string[][] {
  return server.received.map((one) =>
    (JSON.parse(one.body) as { traces: { trace_id: string }[] }).traces.map(({ trace_id }) => trace_id),
  )
}

describe('a buffered sender', () => {
  it('collects traces for a while and sends them in one request, with its source', () =>
    scene({ source: 'prod', flushIntervalMs: 200 }, async ({ server, clock, sender }) => {
      for (let id = 0; id < 3; id++) sender.send(trace(id))
      clock.advance(199)
      expect(server.received).toHaveLength(0)
      expect(sender.receipt()).toEqual({ ...none, pending: 3 })
      clock.advance(1)
      await server.arrived(1)
      expect(idsOf(server)).toEqual([['t0', 't1', 't2']])
      expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({ source: 'prod' })
      expect(await sender.flush()).toEqual({ ...none, sent: 3 })
    }))

  it('sends a full batch at once, and counts a batch by traces and by bytes', () =>
    scene({ maxBatchTraces: 2, maxBatchBytes: 1_000, concurrency: 9 }, async ({ server, clock, sender }) => {
      sender.send(trace(0))
      expect(clock.timers()).toEqual([1_000])
      sender.send(trace(1))
      expect(clock.timers()).toEqual([0])
      clock.advance(0)
      sender.send(trace(2, 'x'.repeat(950)))
      clock.advance(0)
      await server.arrived(2)
      expect(idsOf(server)).toEqual([['t0', 't1'], ['t2']])
    }))

  it('never asks for more than the server takes in one request', () =>
    scene({ maxBatchTraces: 5_000 }, async ({ server, clock, sender }) => {
      for (let id = 0; id < 150; id++) sender.send(trace(id))
      const flushed = sender.flush()
      clock.advance(0)
      await flushed
      expect(new Set(idsOf(server).map((ids) => ids.length))).toEqual(new Set([100, 50]))
    }))

  it('does not begin a request before the caller goes on', () =>
    scene({ maxBatchTraces: 1 }, async ({ server, sender }) => {
      sender.send(trace(0))
      expect(sender.receipt()).toEqual({ ...none, pending: 1 })
      expect(server.received).toHaveLength(0)
    }))

  it('has no more requests under way than it may', () =>
    scene({ maxBatchTraces: 1, concurrency: 2 }, async ({ server, clock, sender }) => {
      const held: (() => void)[] = []
      let most = 0
      server.usually(async (response, received) => {
        most = Math.max(most, held.length + 1)
        await new Promise<void>((resolve) => held.push(resolve))
        await store(response, received)
      })
      clock.fireDueTimers()
      for (let id = 0; id < 6; id++) sender.send(trace(id))
      const flushed = sender.flush()
      for (let served = 0; served < 6; served += 2) {
        await server.arrived(served + 2)
        for (const release of held.splice(0)) release()
      }
      expect(await flushed).toEqual({ ...none, sent: 6 })
      expect(most).toBe(2)
    }))

  it('counts each trace by what became of it', () =>
    scene({}, async ({ server, clock, sender, errors }) => {
      const statuses = ['created', 'duplicate', 'conflict', 'invalid', 'created']
      const results = statuses.map((status, id) => ({ trace_id: `t${id}`, status }))
      server.next(
        json(207, {
          success: true,
          message: 'Processed 3 of 5 traces',
          processed_count: 3,
          errors: ['t2: …', 't3: …'],
          trace_ids: ['t0', 't1', 't4'],
          results,
        }),
      )
      for (let id = 0; id < 5; id++) sender.send(trace(id))
      const flushed = sender.flush()
      clock.advance(0)
      expect(await flushed).toEqual({ ...none, sent: 2, duplicates: 1, conflicts: 1, invalid: 1 })
      expect(errors[0]).toMatchObject({
        message: 'Processed 3 of 5 traces',
        errors: [{ message: 't2: …' }, { message: 't3: …' }],
      })
      expect(errors[0]?.answer?.results).toEqual(results)
    }))

  it('counts traces of which nothing could be stored', () =>
    scene({}, async ({ server, clock, sender, errors }) => {
      const results = [
        { trace_id: 't0', status: 'conflict' },
        { trace_id: 't1', status: 'conflict' },
      ]
      server.next(
        json(409, {
          success: false,
          message: 'no',
          processed_count: 0,
          errors: ['a', 'b'],
          trace_ids: [],
          results,
          code: 'trace_conflict',
        }),
      )
      sender.send(trace(0))
      sender.send(trace(1))
      const flushed = sender.flush()
      clock.advance(0)
      expect(await flushed).toEqual({ ...none, conflicts: 2 })
      expect(errors).toHaveLength(1)
    }))

  it('counts a trace that cannot be written as invalid, and never throws', () =>
    scene(
      {
        onError: () => {
          throw new Error('careless')
        },
      },
      async ({ sender }) => {
        const circular: Record<string, unknown> = {}
        circular['self'] = circular
        sender.send({ ...trace(0), metadata: circular })
        sender.send({ ...trace(1), metadata: { big: 1n } })
        sender.send(undefined as never)
        sender.send('text' as never)
        expect(await sender.flush()).toEqual({ ...none, invalid: 4 })
      },
    ))

  it('keeps what was handed in, even if it is changed afterwards', () =>
    scene({}, async ({ server, clock, sender }) => {
      const mutable = trace(0)
      sender.send(mutable)
      mutable.traceId = 'changed'
      const flushed = sender.flush()
      clock.advance(0)
      await flushed
      expect(idsOf(server)).toEqual([['t0']])
    }))
})

describe('when the server is in trouble, a buffered sender', () => {
  it('waits as long as Retry-After says, and sends the same traces again, in order', () =>
    scene({}, async ({ server, clock, sender, errors }) => {
      server.next(
        json(503, { success: false, message: 'full', trace_ids: [], code: 'overloaded' }, { 'retry-after': '3' }),
      )
      sender.send(trace(0))
      clock.advance(1_000)
      const wait = await clock.timer((ms) => ms > 1_000 && ms < 30_000)
      expect(wait).toBe(3_250)
      sender.send(trace(1))
      const flushed = sender.flush()
      clock.advance(3_249)
      expect(server.received).toHaveLength(1)
      clock.advance(1)
      expect(await flushed).toEqual({ ...none, sent: 2 })
      expect(idsOf(server)).toEqual([['t0'], ['t0', 't1']])
      expect(errors).toMatchObject([{ failure: 'overloaded', retryAfter: 3 }])
    }))

  it.each<[string, Behaviour]>([
    ['a connection that is reset', reset],
    ['a page of a proxy', html(502)],
    ['an internal error', json(500, { success: false, message: 'oops', trace_ids: [] })],
    ['a rate limit', json(429, { success: false, message: 'slow down', trace_ids: [] })],
  ])('goes on trying after %s, with longer and longer waits, and loses nothing', (_, trouble) =>
    scene({}, async ({ server, clock, sender }) => {
      server.next(trouble, trouble, trouble)
      sender.send(trace(0))
      clock.advance(1_000)
      for (const wait of [250, 500, 1_000]) clock.advance(await clock.timer((ms) => ms === wait))
      await server.arrived(4)
      expect(await sender.flush()).toEqual({ ...none, sent: 1 })
    }),
  )

  it('finds the one trace for which a whole request is refused, and lets the others pass', () =>
    scene({}, async ({ server, clock, sender, errors }) => {
      server.usually((response, received) =>
        received.body.includes('poison')
          ? json(422, { success: false, message: 'too deep', trace_ids: [], code: 'too_deep' })(response, received)
          : store(response, received),
      )
      for (let id = 0; id < 9; id++) sender.send(trace(id, id === 5 ? 'poison' : 'a'))
      const flushed = sender.flush()
      clock.advance(0)
      expect(await flushed).toEqual({ ...none, sent: 8, invalid: 1 })
      expect(errors).toMatchObject([{ failure: 'too_deep' }])
    }))

  it('halves what a proxy finds too large, and counts what is too large alone as invalid', () =>
    scene({}, async ({ server, clock, sender }) => {
      server.usually((response, received) => (received.body.length > 700 ? html(413) : store)(response, received))
      for (let id = 0; id < 20; id++) sender.send(trace(id))
      sender.send(trace(20, 'x'.repeat(1_000)))
      const flushed = sender.flush()
      clock.advance(0)
      expect(await flushed).toEqual({ ...none, sent: 20, invalid: 1 })
    }))

  it('keeps nobody waiting for a wrong key, keeps the traces, and says why', () =>
    scene({}, async ({ server, clock, sender, errors }) => {
      server.next(json(401, { success: false, message: 'no key', trace_ids: [], code: 'unauthenticated' }))
      sender.send(trace(0))
      const flushed = sender.flush()
      clock.advance(0)
      expect(await flushed).toEqual({ ...none, pending: 1 })
      expect(errors).toMatchObject([{ code: 'auth', failure: 'unauthenticated' }])
      clock.advance(await clock.timer((ms) => ms === 250))
      await server.arrived(2)
      expect(await sender.flush()).toEqual({ ...none, sent: 1 })
    }))
})

describe('the memory of a buffered sender', () => {
  it('holds as many traces as it may; one more drops the oldest, and says so', () =>
    scene({ maxQueueTraces: 3 }, async ({ server, clock, sender, drops }) => {
      for (let id = 0; id < 3; id++) sender.send(trace(id))
      expect(drops).toEqual([])
      sender.send(trace(3))
      sender.send(trace(4))
      expect(drops).toEqual([
        { reason: 'full', count: 1 },
        { reason: 'full', count: 1 },
      ])
      expect(sender.receipt()).toEqual({ ...none, dropped: 2, pending: 3 })
      const flushed = sender.flush()
      clock.advance(0)
      expect(await flushed).toEqual({ ...none, sent: 3, dropped: 2 })
      expect(idsOf(server)).toEqual([['t2', 't3', 't4']])
    }))

  it('holds as many bytes as it may; a large trace makes room for itself, one that is too large does not', () => {
    const size = Buffer.byteLength(
      JSON.stringify({ trace_id: 't0', model_name: 'm', user_query: 'q', ai_response: 'a' }),
    )
    return scene({ maxQueueBytes: 4 * size }, async ({ server, clock, sender, drops }) => {
      for (let id = 0; id < 4; id++) sender.send(trace(id))
      sender.send(trace(4, 'x'.repeat(1 + size)))
      expect(drops).toEqual([{ reason: 'full', count: 2 }])
      sender.send(trace(5, 'x'.repeat(4 * size)))
      expect(drops.slice(1)).toEqual([{ reason: 'full', count: 1 }])
      const flushed = sender.flush()
      clock.advance(0)
      await flushed
      expect(idsOf(server)).toEqual([['t2', 't3', 't4']])
    })
  })

  it('counts what is under way too, and never drops that for something newer', () =>
    scene({ maxQueueTraces: 2, maxBatchTraces: 2 }, async ({ server, clock, sender, drops }) => {
      const gate = Promise.withResolvers<void>()
      server.next(async (response, received) => {
        await gate.promise
        await store(response, received)
      })
      sender.send(trace(0))
      sender.send(trace(1))
      clock.advance(0)
      await server.arrived(1)
      sender.send(trace(2))
      expect(drops).toEqual([{ reason: 'full', count: 1 }])
      const flushed = sender.flush()
      gate.resolve()
      expect(await flushed).toEqual({ ...none, sent: 2, dropped: 1 })
    }))

  it('does not suffer from a callback that throws', () =>
    scene(
      {
        maxQueueTraces: 1,
        onDrop: () => {
          throw new Error('careless')
        },
      },
      async ({ sender }) => {
        sender.send(trace(0))
        sender.send(trace(1))
        expect(sender.receipt()).toEqual({ ...none, dropped: 1, pending: 1 })
        await Promise.resolve()
      },
    ))
})

describe('flush and close', () => {
  it('have nothing to wait for when nothing is pending', () =>
    scene({}, async ({ clock, sender }) => {
      expect(await sender.flush()).toEqual(none)
      expect(await sender.close()).toEqual(none)
      expect(clock.timers()).toEqual([])
    }))

  it('flush waits for what was handed in before, not for what comes later', () =>
    scene({ maxBatchTraces: 1, concurrency: 1 }, async ({ server, clock, sender }) => {
      const gate = Promise.withResolvers<void>()
      server.next(store, async (response, received) => {
        await gate.promise
        await store(response, received)
      })
      sender.send(trace(0))
      const flushed = sender.flush()
      sender.send(trace(1))
      clock.advance(0)
      expect(await flushed).toEqual({ ...none, sent: 1, pending: 1 })
      const rest = sender.flush()
      clock.advance(0)
      gate.resolve()
      expect(await rest).toEqual({ ...none, sent: 2 })
    }))

  it('flush returns when its time is up and says what is still pending', () =>
    scene({}, async ({ server, clock, sender }) => {
      server.usually(reset)
      sender.send(trace(0))
      const flushed = sender.flush({ timeoutMs: 100 })
      clock.advance(100)
      expect(await flushed).toEqual({ ...none, pending: 1 })
    }))

  it('close sends the rest; what it cannot send in time is dropped, also what is under way', () =>
    scene({ maxBatchTraces: 1, concurrency: 1 }, async ({ server, clock, sender, drops }) => {
      server.usually(() => undefined)
      sender.send(trace(0))
      sender.send(trace(1))
      const closed = sender.close({ timeoutMs: 50 })
      expect(sender.close()).toBe(closed)
      clock.advance(0)
      await server.arrived(1)
      clock.advance(50)
      expect(await closed).toEqual({ ...none, dropped: 2 })
      expect(drops).toEqual([{ reason: 'closed', count: 2 }])
      sender.send(trace(2))
      expect(sender.receipt()).toEqual({ ...none, dropped: 3 })
      expect(clock.timers()).toEqual([])
    }))

  it('await using closes', async () => {
    await using server = await startFakeServer(store)
    let receipt = none
    {
      await using sender = new LLMEvalClient(server.url).buffered()
      for (let id = 0; id < 250; id++) sender.send(trace(id))
      receipt = sender.receipt()
    }
    expect(receipt).toEqual({ ...none, pending: 250 })
    expect(idsOf(server).flat()).toHaveLength(250)
  })
})
