import { getEventListeners } from 'node:events'
import type { ServerResponse } from 'node:http'
import { encodeSse } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import type { LLMEvalError } from '../src/index.ts'
import { hang, html, json, reset } from './fake-server.ts'
import {
  backoff,
  collector,
  connected,
  cut,
  end,
  event,
  frame,
  heartbeat,
  scene,
  stream,
  timestamp,
} from './stream-scene.ts'

describe('a stream', () => {
  it('hands each frame to the callback as it was sent, with the cursor after it', () =>
    scene({}, async ({ server, streams }) => {
      server.next(stream([connected, event(1) + event(2)]))
      const { frames, cursors, callback, got } = collector()
      streams.streamEvents(callback)
      await got(3)
      expect(frames).toEqual([{ event: 'connected', client_id: 'c', timestamp }, frame(1), frame(2)])
      expect(cursors).toEqual(['e.0', 'e.1', 'e.2'])
      expect(server.received[0]).toMatchObject({
        method: 'GET',
        path: '/stream/events',
        headers: { accept: 'text/event-stream' },
      })
      expect(server.received[0]?.headers['last-event-id']).toBeUndefined()
    }))

  it('is put together from whatever pieces arrive, also in the middle of a character', () =>
    scene({}, async ({ server, streams }) => {
      const text = encodeSse(JSON.stringify({ event: 'system_updates', data: { text: '語 und 🙂' }, timestamp }), 'e.1')
      server.next(async (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        for (const byte of Buffer.from(text)) await new Promise((resolve) => response.write(Buffer.of(byte), resolve))
      })
      const { frames, callback, got } = collector()
      streams.streamEvents(callback)
      await got(1)
      expect(frames[0]).toMatchObject({ data: { text: '語 und 🙂' } })
    }))

  it('asks for what it was told to, in the words of the wire', () =>
    scene({ apiKey: 'k' }, async ({ server, streams }) => {
      streams.streamEvents(() => {}, {
        modelName: 'gpt-4',
        evaluationStatus: 'pending',
        clientId: 'me',
        summaries: true,
        metricsInterval: 2,
        after: 'e.7',
      })
      streams.streamTraces(() => {}, 25)
      streams.streamTraces(() => {}, { limit: 3, modelName: 'm' })
      streams.streamMetrics(() => {}, 10)
      streams.streamMetrics(() => {})
      await server.arrived(5)
      const asked = server.received.map((one) => `${one.path}?${one.query}`).sort()
      expect(asked).toEqual(
        [
          '/stream/events?model_name=gpt-4&evaluation_status=pending&client_id=me&summaries=true&metrics_interval=2',
          '/stream/metrics?',
          '/stream/metrics?interval=10',
          '/stream/traces?limit=25',
          '/stream/traces?limit=3&model_name=m',
        ].sort(),
      )
      expect(server.received.map((one) => one.headers.authorization)).toEqual(Array<string>(5).fill('Bearer k'))
      expect(server.received.find((one) => one.path === '/stream/events')?.headers['last-event-id']).toBe('e.7')
    }))

  it('stops when its function is called, and calls back no more', () =>
    scene({}, async ({ server, streams, phases, errors, reached }) => {
      const closed = Promise.withResolvers<void>()
      server.next(stream([connected], (response) => response.on('close', () => closed.resolve())))
      const { callback, got } = collector()
      const stop = streams.streamEvents(callback)
      await got(1)
      stop()
      stop()
      await closed.promise
      await reached('done')
      expect(phases).toEqual(['connecting', 'live', 'done'])
      expect(errors).toEqual([])
    }))

  it('that is stopped from within its callback hands out nothing more of what already came', () =>
    scene({}, async ({ server, streams, reached }) => {
      server.next(stream([connected + event(1) + event(2)]))
      const seen: string[] = []
      const stop = streams.streamEvents((one) => {
        seen.push(one.event)
        stop()
      })
      await reached('done')
      expect(seen).toEqual(['connected'])
    }))

  it('stops with all others of its client', () =>
    scene({}, async ({ server, clock, streams, phases }) => {
      server.next(stream([connected]), reset)
      streams.streamEvents(() => {})
      streams.streamMetrics(() => {})
      await server.arrived(2)
      await clock.timer(backoff)
      streams.closeAllStreams()
      expect(phases.filter((phase) => phase === 'done')).toHaveLength(2)
    }))

  it('stops when a signal is aborted, also one that was before', () =>
    scene({}, async ({ streams, reached, phases }) => {
      const controller = new AbortController()
      streams.streamEvents(() => {}, { signal: controller.signal })
      await reached('live')
      controller.abort()
      await reached('done')
      phases.length = 0
      streams.streamEvents(() => {}, { signal: AbortSignal.abort() })
      await reached('done')
      expect(phases).not.toContain('connecting')
    }))

  it('lets go of its signal when it ends otherwise', () =>
    scene({}, async ({ streams, reached }) => {
      const { signal } = new AbortController()
      const stop = streams.streamEvents(() => {}, { signal })
      await reached('live')
      expect(getEventListeners(signal, 'abort')).toHaveLength(1)
      stop()
      expect(getEventListeners(signal, 'abort')).toEqual([])
    }))
})

describe('a stream that breaks off', () => {
  it('goes on exactly after the last frame that was whole', () =>
    scene({}, async ({ server, clock, streams, phases, errors }) => {
      server.next(stream([connected, event(1), event(2), event(3).slice(0, 25)], cut), stream([event(3) + event(4)]))
      const { frames, callback, got } = collector()
      streams.streamEvents(callback)
      clock.advance(await clock.timer(backoff))
      await got(5)
      expect(frames.slice(1)).toEqual([frame(1), frame(2), frame(3), frame(4)])
      expect(server.received[1]?.headers['last-event-id']).toBe('e.2')
      expect(phases).toEqual(['connecting', 'live', 'waiting', 'connecting', 'live'])
      expect(errors).toMatchObject([{ name: 'LLMEvalError', code: 'interrupted' }])
    }))

  it('goes on after a heartbeat that moved the cursor', () =>
    scene({}, async ({ server, clock, streams }) => {
      server.next(stream([event(1), heartbeat(40)], end), stream([event(41)]))
      const { frames, callback, got } = collector()
      streams.streamEvents(callback)
      clock.advance(await clock.timer(backoff))
      await got(2)
      expect(server.received[1]?.headers['last-event-id']).toBe('e.40')
      expect(frames).toEqual([frame(1), frame(41)])
    }))

  it('many times, between any two bytes, loses no frame and repeats none', () =>
    scene({}, async ({ server, clock, streams }) => {
      const total = 40
      let cuts = 0
      server.usually((response, received) => {
        const after = Number(received.headers['last-event-id']?.slice(2) ?? 0)
        const rest = Array.from({ length: total - after }, (_, index) => event(after + 1 + index)).join('')
        // Each connection gets a little further than the one before.
        const bytes = Buffer.from(rest).subarray(0, 150 + 37 * cuts++)
        return stream([bytes.toString('latin1')], cut)(response, received)
      })
      const { frames, callback, got } = collector()
      streams.streamEvents(callback)
      const all = got(total).then(() => true)
      while (!(await Promise.race([all, clock.timer(backoff).then(() => false)]))) clock.advance(250)
      expect(frames).toEqual(Array.from({ length: total }, (_, index) => frame(index + 1)))
      expect(cuts).toBeGreaterThan(3)
    }))

  it('is opened again after a reset, an overload with Retry-After, and a page of a proxy', () =>
    scene({}, async ({ server, clock, streams, errors, reached }) => {
      server.next(reset, json(503, { code: 'too_many_streams', detail: 'full' }, { 'retry-after': '7' }), html(502))
      streams.streamEvents(() => {})
      clock.advance(await clock.timer(backoff))
      clock.advance(await clock.timer((ms) => ms === 7_250))
      clock.advance(await clock.timer(backoff))
      await reached('live')
      expect(errors.map((error) => (error as LLMEvalError).code)).toEqual(['unreachable', 'failed', 'failed'])
      expect(errors[1]).toMatchObject({ failure: 'too_many_streams', retryAfter: 7 })
    }))

  it('waits as long as the server asked with retry:', () =>
    scene({}, async ({ server, clock, streams, reached }) => {
      server.next(stream([connected, 'retry: 4000\n\n'], end))
      streams.streamEvents(() => {})
      clock.advance(await clock.timer((ms) => ms === 4_000))
      await server.arrived(2)
      await reached('live')
    }))

  it('in silence is noticed when not even a heartbeat comes, and heartbeats keep it', () =>
    scene({}, async ({ server, clock, streams, errors, reached }) => {
      const open = Promise.withResolvers<ServerResponse>()
      server.next(stream([connected], open.resolve), stream([event(1)]))
      const { callback, got } = collector()
      streams.streamEvents(callback)
      const response = await open.promise
      await got(1)
      for (let beat = 0; beat < 4; beat++) {
        await clock.timer((ms) => ms === 45_000)
        clock.advance(44_000)
        response.write(heartbeat(0))
      }
      await clock.timer((ms) => ms === 45_000)
      expect(errors).toEqual([])
      clock.advance(45_000)
      expect(errors[0]?.message).toMatch(/45000 ms, not even a heartbeat/)
      clock.advance(await clock.timer(backoff))
      await got(2)
      await reached('live')
    }))

  it('is opened again when a server takes the request and never answers', () =>
    scene({}, async ({ server, clock, streams, errors, reached }) => {
      server.next(hang)
      streams.streamEvents(() => {})
      await server.arrived(1)
      clock.advance(await clock.timer((ms) => ms === 30_000))
      clock.advance(await clock.timer(backoff))
      await reached('live')
      expect(errors).toMatchObject([{ code: 'timeout' }])
    }))

  it('can be stopped while it waits', () =>
    scene({}, async ({ server, clock, streams, phases, reached }) => {
      server.next(reset)
      const stop = streams.streamEvents(() => {})
      await clock.timer(backoff)
      stop()
      await reached('done')
      expect(phases).toEqual(['connecting', 'waiting', 'done'])
      expect(clock.timers()).toEqual([])
    }))
})

describe('a stream that the server ends', () => {
  it('with 204 is over', () =>
    scene({}, async ({ server, streams, phases, errors, reached }) => {
      server.next((response) => response.writeHead(204).end())
      streams.streamEvents(() => {})
      await reached('done')
      expect([phases, errors]).toEqual([['connecting', 'done'], []])
    }))

  it('with a done frame is over after that frame', () =>
    scene({}, async ({ server, streams, reached }) => {
      server.next(stream([event(1) + encodeSse('{"event":"done","data":{"count":1}}', 'e.2') + event(3)]))
      const { frames, callback } = collector()
      streams.streamEvents(callback)
      await reached('done')
      expect(frames.map((one) => one.event)).toEqual(['trace_updates', 'done'])
      expect(server.received).toHaveLength(1)
    }))

  it('with a failed frame is over with that error', () =>
    scene({}, async ({ server, streams, errors, reported }) => {
      server.next(stream([encodeSse('{"event":"failed","data":{"code":"internal","message":"lost it"}}')]))
      streams.streamEvents(() => {})
      await reported(1)
      expect(errors).toMatchObject([{ code: 'failed', failure: 'internal', message: 'lost it' }])
    }))

  it.each([
    [400, 'failed'],
    [401, 'auth'],
    [403, 'auth'],
    [404, 'not_found'],
    [501, 'failed'],
  ] as const)('with status %d is not tried again', (status, code) =>
    scene({}, async ({ server, clock, streams, phases, errors, reported }) => {
      server.next(json(status, { code: 'x', detail: 'no' }))
      streams.streamEvents(() => {})
      await reported(1)
      expect(errors).toMatchObject([{ code, status }])
      expect(phases).toEqual(['connecting', 'failed'])
      expect(clock.timers()).toEqual([])
    }),
  )

  it.each([
    ['is no event stream', html(200)],
    ['sends messages that are not JSON', stream(['data: hello\n\n'])],
    ['sends messages that do not say which event they are', stream(['data: {"a":1}\n\n'])],
  ] as const)('by answering what %s is not tried again', (_, behaviour) =>
    scene({}, async ({ server, streams, errors, reported }) => {
      server.next(behaviour)
      streams.streamEvents(() => {})
      await reported(1)
      expect(errors).toMatchObject([{ code: 'protocol' }])
    }),
  )

  it('resync_required is handed out and the stream goes on', () =>
    scene({}, async ({ server, streams }) => {
      const resync = { event: 'resync_required', data: { reason: 'expired', message: 'm' }, timestamp }
      server.next(stream([encodeSse(JSON.stringify(resync), 'e.100'), event(101)]))
      const { frames, callback, got } = collector()
      streams.streamEvents(callback, { after: 'e.1' })
      await got(2)
      expect(frames).toEqual([resync, frame(101)])
    }))
})
