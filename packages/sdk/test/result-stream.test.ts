import { getEventListeners } from 'node:events'
import { encodeSse } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import { type EvaluatorResult, SSEResultClient } from '../src/experiments/index.ts'
import { broken, ended, execution, progress, running, withServer } from './execution-scene.ts'
import { hang, html, json, reset } from './fake-server.ts'
import { backoff, cut, end, stream } from './stream-scene.ts'

const url = '/executions/events/x1'
const done = stream([ended(9, execution('x1'))])
const completed = { execution_id: 'x1', status: 'completed', result: { is_correct: true, pass: true } }

const unbelievable = [
  ['is not JSON', encodeSse('<html>'), 'not JSON'],
  ['speaks of no execution', encodeSse('{"event":"connected"}'), 'says nothing of an execution'],
  ['ends an execution that is not over', ended(1, running('x1')).replace('"error"', '"ended"'), 'says nothing'],
  ['has no score', ended(1, execution('x1')).replace('"score":{', '"score":5,"other":{'), 'says nothing'],
  ['speaks of another execution', ended(1, execution('x2')), 'of another execution: x2'],
]

describe('a result', () => {
  it('that was there before anybody listened is handed out as any other', () =>
    withServer(async (server, reach) => {
      server.next(done)
      expect(await new SSEResultClient(reach).waitForResult('x1', url)).toMatchObject(completed)
    }))

  it('is put together from whatever pieces arrive', () =>
    withServer(async (server, reach) => {
      const one = execution('x1', { score: { ...(execution('x1').score ?? never()), output: { reason: '語 und 🙂' } } })
      server.next(async (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        for (const byte of Buffer.from(ended(1, one)))
          await new Promise((sent) => response.write(Buffer.of(byte), sent))
      })
      const result = await new SSEResultClient(reach).waitForResult('x1', url)
      expect(result.result).toEqual({ reason: '語 und 🙂', pass: true })
    }))

  it('is read from any stream of events, however its type is written', () =>
    withServer(async (server, reach) => {
      server.next((response) => {
        response.writeHead(200, { 'content-type': 'Text/Event-Stream; Charset=UTF-8' }).write(ended(1, execution('x1')))
      })
      expect(await new SSEResultClient(reach).waitForResult('x1', url)).toMatchObject(completed)
    }))

  it('comes over as many connections as it takes, each going on exactly where the one before broke off', () =>
    withServer(async (server, reach) => {
      server.next(
        stream([progress(1, 'x1'), progress(2, 'x1').slice(0, 30)], cut),
        reset,
        html(502),
        stream([progress(2, 'x1'), ended(3, execution('x1'))]),
      )
      const steps: (number | null)[] = []
      const errors: Error[] = []
      const waiting = new SSEResultClient(reach).waitForResult('x1', url, {
        onProgress: (one) => steps.push(one.done),
        onError: (error) => errors.push(error),
      })
      for (let tries = 0; tries < 3; tries++) reach.clock.advance(await reach.clock.timer(backoff))
      expect(await waiting).toMatchObject(completed)
      expect(steps).toEqual([1, 2])
      expect(server.received.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, 'e.1', 'e.1', 'e.1'])
      expect(errors).toMatchObject([{ code: 'interrupted' }, { code: 'unreachable' }, { code: 'failed', status: 502 }])
    }))

  it('without a result is an error with the reason the server gave, and the callback is told as well', () =>
    withServer(async (server, reach) => {
      server.next(stream([ended(1, broken('x1'))]))
      const seen: EvaluatorResult[] = []
      const waiting = new SSEResultClient(reach).waitForResult('x1', url, { callback: (one) => seen.push(one) })
      await expect(waiting).rejects.toMatchObject({
        code: 'failed',
        failure: 'timeout',
        message: 'The execution x1 failed: it took too long',
        body: { status: 'failed', error: 'it took too long', error_code: 'timeout', result: null },
      })
      expect(seen).toMatchObject([{ status: 'failed', error: 'it took too long' }])
    }))

  it('of a cancelled execution is an error, and of one that the server lost an interruption', () =>
    withServer(async (server, reach) => {
      const cancelled = execution('x1', { status: 'cancelled', score: null })
      server.next(stream([ended(1, cancelled)]), stream([ended(1, broken('x1', 'interrupted'))]))
      const client = new SSEResultClient(reach)
      const message = 'The execution x1 was cancelled: The execution was cancelled.'
      await expect(client.waitForResult('x1', url)).rejects.toMatchObject({
        code: 'failed',
        failure: 'cancelled',
        message,
      })
      await expect(client.waitForResult('x1', url)).rejects.toMatchObject({ code: 'interrupted' })
    }))

  it('is not taken from a stream that ends without one', () =>
    withServer(async (server, reach) => {
      server.next((response) => response.writeHead(204).end())
      await expect(new SSEResultClient(reach).waitForResult('x1', url)).rejects.toMatchObject({ code: 'interrupted' })
    }))

  it.each(unbelievable)('is not taken from a message that %s', (_, message, says) =>
    withServer(async (server, reach) => {
      server.next(stream([message]))
      const failure = await new SSEResultClient(reach).waitForResult('x1', url).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'protocol', message: expect.stringContaining(says) as string })
      expect(server.received).toHaveLength(1)
    }),
  )

  it.each([
    ['auth', json(401, { code: 'unauthenticated', detail: 'This server wants an API key.' })],
    ['not_found', json(404, { code: 'execution_not_found', detail: 'No execution has this id.' })],
    ['protocol', html(200)],
    ['failed', json(400, { code: 'invalid_query', detail: 'no' })],
  ] as const)('that the server does not hand out is an error with the code %s at once', (code, behaviour) =>
    withServer(async (server, reach) => {
      server.next(behaviour)
      await expect(new SSEResultClient(reach).waitForResult('x1', url)).rejects.toMatchObject({ code })
      expect(server.received).toHaveLength(1)
    }),
  )
})

describe('a wait', () => {
  it('ends when its time is up, and names what it suffered from', () =>
    withServer(async (server, reach) => {
      server.usually(reset)
      const failure = new SSEResultClient(reach)
        .waitForResult('x1', url, { timeoutMs: 1_000 })
        .catch((error: unknown) => error)
      reach.clock.advance(await reach.clock.timer(backoff))
      await server.arrived(2)
      await reach.clock.timer(backoff)
      reach.clock.advance(750)
      expect(await failure).toMatchObject({
        code: 'timeout',
        message: expect.stringMatching(
          /^No result from http:\S+x1\/events within 1000 ms. Last trouble: Cannot reach/,
        ) as string,
        cause: { code: 'unreachable' },
      })
      expect(reach.clock.timers()).toEqual([])
    }))

  it('that is slow but within its time is no trouble', () =>
    withServer(async (server, reach) => {
      const open = Promise.withResolvers<void>()
      server.next(
        stream([progress(1, 'x1')], async (response) => {
          await open.promise
          response.write(ended(2, execution('x1')))
        }),
      )
      const told = Promise.withResolvers<void>()
      const waiting = new SSEResultClient(reach).waitForResult('x1', url, { onProgress: () => told.resolve() })
      await told.promise
      await reach.clock.timer((ms) => ms === 45_000)
      reach.clock.advance(44_000)
      open.resolve()
      expect(await waiting).toMatchObject(completed)
    }))

  it('lasts as long as TRACELOOP_STREAM_TIMEOUT says, 300 seconds if it says nothing', () =>
    withServer(async (server, reach) => {
      server.usually(hang)
      const client = new SSEResultClient(reach)
      const signal = AbortSignal.abort()
      for (const [seconds, ms] of [
        [undefined, 300_000],
        ['7.5', 7_500],
      ] as const) {
        if (seconds !== undefined) process.env['TRACELOOP_STREAM_TIMEOUT'] = seconds
        const stop = new AbortController()
        const waiting = client.waitForResult('x1', url, { signal: stop.signal }).catch(() => 'ended')
        await reach.clock.timer((one) => one === ms)
        stop.abort()
        expect(await waiting).toBe('ended')
      }
      process.env['TRACELOOP_STREAM_TIMEOUT'] = 'soon'
      await expect(client.waitForResult('x1', url, { signal })).rejects.toThrow(
        'TRACELOOP_STREAM_TIMEOUT must be a number of seconds above 0, not soon',
      )
      delete process.env['TRACELOOP_STREAM_TIMEOUT']
    }))

  it('ends with the reason of its signal, and lets go of it', () =>
    withServer(async (server, reach) => {
      server.next(stream([progress(1, 'x1')]), done)
      const client = new SSEResultClient(reach)
      const controller = new AbortController()
      const told = Promise.withResolvers<void>()
      const waiting = client.waitForResult('x1', url, { signal: controller.signal, onProgress: () => told.resolve() })
      await told.promise
      controller.abort(new Error('enough'))
      await expect(waiting).rejects.toThrow('enough')
      const { signal } = new AbortController()
      await client.waitForResult('x1', url, { signal })
      expect(getEventListeners(signal, 'abort')).toEqual([])
      const aborted = client.waitForResult('x1', url, { signal: AbortSignal.abort(new Error('before')) })
      await expect(aborted).rejects.toThrow('before')
      expect(server.received).toHaveLength(2)
    }))

  it('that is stopped is interrupted, with every other wait for that execution and no more', () =>
    withServer(async (server, reach) => {
      const release = Promise.withResolvers<void>()
      server.usually(async (response, received) => {
        if (received.path.includes('x1')) return
        await release.promise
        return stream([ended(1, execution('x2'))])(response, received)
      })
      const client = new SSEResultClient(reach)
      const waits = [client.waitForResult('x1', url), client.waitForResult('x1', url)]
      const other = client.waitForResult('x2', '/executions/events/x2')
      await server.arrived(3)
      expect(client.activeStreams).toEqual(['x1', 'x2'])
      client.stopStream('x1')
      client.stopStream('nobody')
      for (const wait of waits) await expect(wait).rejects.toMatchObject({ code: 'interrupted', failure: 'stopped' })
      expect(client.activeStreams).toEqual(['x2'])
      release.resolve()
      expect(await other).toMatchObject({ execution_id: 'x2' })
      expect(client.activeStreams).toEqual([])
    }))
})

describe('in the background', () => {
  it('a result goes to the callback, and what ends the wait to onError', () =>
    withServer(async (server, reach) => {
      server.next(done, json(401, { code: 'unauthenticated', detail: 'no' }))
      const client = new SSEResultClient(reach)
      const result = await new Promise((callback) => client.startAsyncStream('x1', url, callback))
      expect(result).toMatchObject(completed)
      const error = await new Promise((onError) => client.startAsyncStream('x1', url, { onError }))
      expect(error).toMatchObject({ code: 'auth' })
    }))

  it('a failed execution is a result like others', () =>
    withServer(async (server, reach) => {
      server.next(stream([ended(1, broken('x1'))]))
      const result = await new Promise((callback) => new SSEResultClient(reach).startAsyncStream('x1', url, callback))
      expect(result).toMatchObject({ status: 'failed', error_code: 'timeout' })
    }))

  it('whoever stops a stream hears nothing more of it', () =>
    withServer(async (server, reach) => {
      server.usually(hang)
      const heard: unknown[] = []
      const client = new SSEResultClient({ ...reach, telemetry: { onStream: ({ error }) => heard.push(error) } })
      const tell = (what: unknown) => heard.push(what)
      client.startAsyncStream('x1', url, { callback: tell, onError: tell })
      await server.arrived(1)
      client.stopStream('x1')
      await until(() => client.activeStreams.length === 0)
      expect(heard).toEqual(['interrupted'])
    }))
})

const throwing: [string, () => unknown][] = [
  [
    'at once',
    () => {
      throw new Error('mine')
    },
  ],
  ['later', () => Promise.reject(new Error('mine'))],
]

describe('a callback that throws', () => {
  it.each(throwing)('%s is reported and breaks nothing', (_, callback) =>
    withServer(async (server, reach) => {
      server.next(stream([progress(1, 'x1'), ended(2, execution('x1'))]))
      const errors: string[] = []
      const options = { callback, onProgress: callback, onError: (error: Error) => errors.push(error.message) }
      expect(await new SSEResultClient(reach).waitForResult('x1', url, options)).toMatchObject(completed)
      await until(() => errors.length === 2)
      expect(errors).toEqual(['mine', 'mine'])
    }),
  )

  it('breaks nothing when onError throws too', () =>
    withServer(async (server, reach) => {
      server.next(stream([ended(2, execution('x1'))], end))
      const fail = () => {
        throw new Error('mine')
      }
      const options = { callback: fail, onError: fail }
      expect(await new SSEResultClient(reach).waitForResult('x1', url, options)).toMatchObject(completed)
    }))
})

function never(): never {
  throw new Error('cannot be')
}

/** Resolves once it is so. */
async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise((resolve) => setImmediate(resolve))
}
