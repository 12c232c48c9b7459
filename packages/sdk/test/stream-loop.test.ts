import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { LLMEvalStreamClient } from '../src/index.ts'
import { json, reset } from './fake-server.ts'
import { collector, connected, event, scene, stream } from './stream-scene.ts'

describe('onError', () => {
  it('may be set after the stream was started, as a property', () =>
    scene({ onError: undefined }, async ({ server, streams }) => {
      server.next(reset)
      streams.streamEvents(() => {}, { modelName: 'gpt-4' })
      const error = await new Promise<Error>((resolve) => (streams.onError = resolve))
      expect(error).toMatchObject({ name: 'LLMEvalError', code: 'unreachable' })
    }))

  it('hears what a callback throws, now or later, and the stream goes on', () =>
    scene({}, async ({ server, streams, errors }) => {
      server.next(stream([event(1) + event(2) + event(3)]))
      let calls = 0
      const done = Promise.withResolvers<void>()
      streams.streamEvents(() => {
        calls++
        if (calls === 1) throw new Error('at once')
        if (calls === 2) return Promise.reject(new Error('later'))
        done.resolve()
      })
      await done.promise
      expect(errors.map((error) => error.message)).toEqual(['at once', 'later'])
    }))

  it('may throw itself, and so may onStatus', () =>
    scene(
      {
        onError: () => {
          throw new Error('careless')
        },
        onStatus: () => {
          throw new Error('careless')
        },
      },
      async ({ server, streams }) => {
        server.next(stream([event(1) + event(2)]))
        const { callback, got } = collector()
        streams.streamEvents((one, cursor) => {
          callback(one, cursor)
          throw new Error('careless')
        })
        await got(2)
      },
    ))
})

describe('follow', () => {
  it('gives the same frames to a loop, and leaving the loop closes the connection', () =>
    scene({}, async ({ server, streams }) => {
      const closed = Promise.withResolvers<void>()
      server.next(stream([connected, event(1), event(2)], (response) => response.on('close', () => closed.resolve())))
      const follower = streams.follow({ modelName: 'm' })
      const events: string[] = []
      for await (const one of follower) {
        events.push(one.event)
        if (follower.cursor === 'e.1') break
      }
      expect(events).toEqual(['connected', 'trace_updates'])
      expect(follower.cursor).toBe('e.1')
      expect(follower.phase).toBe('done')
      await closed.promise
    }))

  it('chooses the stream', () =>
    scene({}, async ({ server, streams }) => {
      for (const follower of [
        streams.follow(),
        streams.follow({ stream: 'traces', limit: 1 }),
        streams.follow({ stream: 'metrics', interval: 2 }),
      ]) {
        for await (const _ of follower) break
      }
      expect(server.received.map((one) => `${one.path}?${one.query}`)).toEqual([
        '/stream/events?',
        '/stream/traces?limit=1',
        '/stream/metrics?interval=2',
      ])
    }))

  it('throws when the stream ends with an error, and reports it nowhere else', () =>
    scene({}, async ({ server, streams, errors }) => {
      server.next(json(403, { code: 'forbidden', detail: 'no' }))
      const reading = (async () => {
        for await (const _ of streams.follow());
      })()
      await expect(reading).rejects.toMatchObject({ code: 'auth', failure: 'forbidden' })
      expect(errors).toEqual([])
    }))

  it('reads no faster than its loop', async () => {
    let pulls = 0
    const body = new ReadableStream<Uint8Array>(
      { pull: (controller) => controller.enqueue(new TextEncoder().encode(event(++pulls))) },
      { highWaterMark: 0 },
    )
    const response = new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    const streams = new LLMEvalStreamClient('http://localhost:8000', { fetch: () => Promise.resolve(response) })
    const follower = streams.follow()
    for await (const _ of follower) {
      await new Promise((resolve) => setImmediate(resolve))
      expect(follower.cursor).toBe(`e.${pulls}`)
      if (pulls === 5) break
    }
    expect(pulls).toBe(5)
  })

  it('does not take its own slowness for a dead connection', () =>
    scene({}, async ({ server, clock, streams, errors }) => {
      const open = Promise.withResolvers<ServerResponse>()
      server.next(stream([event(1)], open.resolve))
      const seen: (string | undefined)[] = []
      const follower = streams.follow()
      for await (const _ of follower) {
        seen.push(follower.cursor)
        if (seen.length === 2) break
        clock.advance(10 * 60_000)
        ;(await open.promise).write(event(2))
      }
      expect(seen).toEqual(['e.1', 'e.2'])
      expect(errors).toEqual([])
      expect(server.received).toHaveLength(1)
    }))
})
