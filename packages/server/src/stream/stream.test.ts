import { parseCursor } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type StreamReader, type StreamServer, startStreams } from '../../test/stream-server.ts'

let server: StreamServer
beforeEach(async () => {
  server = await startStreams()
})
afterEach(() => server.close())

const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `t-${from + i}`)
const lastId = (reader: StreamReader) => reader.messages.at(-1)?.id ?? ''
const seqs = (reader: StreamReader) =>
  reader.messages.flatMap(({ id, frame }) => (frame?.event === 'trace_updates' ? [parseCursor(id)?.seq] : []))

async function review(id: string, body: Record<string, unknown>): Promise<Response> {
  return fetch(`${server.origin}/api/v1/traces/${id}/review`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

describe('the frames of /stream/events', () => {
  test('a stream begins with connected, which carries the cursor it starts from', async () => {
    await server.sendTraces(['before'])
    const reader = await server.follow('/stream/events?client_id=me')
    await reader.until(() => reader.messages.length > 0)
    expect(reader.messages[0]?.frame).toMatchObject({ event: 'connected', client_id: 'me', project: 'default' })
    expect(parseCursor(reader.messages[0]?.id ?? '')?.seq).toBe(1)
  })

  test('its headers keep proxies from buffering and caching it', async () => {
    const reader = await server.follow('/stream/events')
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
    expect(reader.headers['x-request-id']).toBeTruthy()
  })

  test('no message is named, so that onmessage fires for each', async () => {
    const reader = await server.follow('/stream/events')
    await server.sendTraces(['a'])
    await reader.until(() => reader.newTraces().length === 1)
    expect(reader.raw).not.toMatch(/^event:/m)
    expect(reader.raw).toMatch(/^id: [0-9a-z]+\.1\ndata: \{"event":"trace_updates"/m)
  })

  test('a new trace, a verdict and a deletion are told as the seed writes them', async () => {
    const reader = await server.follow('/stream/events')
    await server.sendTraces(['abc123'])
    await review('abc123', { status: 'accepted', reviewer: 'ann' })
    await fetch(`${server.origin}/api/v1/traces/abc123`, { method: 'DELETE' })
    await reader.until(() => reader.frames('trace_updates').length === 2)
    const [created, deleted] = reader.frames('trace_updates')
    expect(created?.data).toMatchObject({ action: 'new_trace', model_name: 'gpt-4', evaluation_status: 'pending' })
    const [verdict] = reader.frames('evaluation_updates')
    expect(verdict?.data).toMatchObject({ status: 'accepted', previous_status: 'pending', version: 1 })
    expect(deleted?.data).toMatchObject({ action: 'trace_deleted', trace_id: null, ref: created?.data.ref })
  })

  test('summaries come only where they are asked for', async () => {
    const slim = await server.follow('/stream/events')
    const full = await server.follow('/stream/events?summaries=true')
    await server.sendTraces(['a'], { user_query: 'What is ML?', cost: 0.5 })
    await slim.until(() => slim.newTraces().length === 1)
    await full.until(() => full.newTraces().length === 1)
    expect(slim.frames('trace_updates')[0]?.data.trace).toBeUndefined()
    expect(full.frames('trace_updates')[0]?.data.trace).toMatchObject({
      trace_id: 'a',
      user_query: 'What is ML?',
      cost: 0.5,
      tokens_used: null,
    })
  })

  test('one stream can carry the counters too', async () => {
    const reader = await server.follow('/stream/events?metrics_interval=1')
    await reader.until(() => reader.frames('metrics_update').length > 0)
    expect(reader.messages.find(({ frame }) => frame?.event === 'metrics_update')?.id).toBe(reader.messages[0]?.id)
  })
})

describe('filters', () => {
  test('events of another model never reach the client', async () => {
    const reader = await server.follow('/stream/events?model_name=gpt-4')
    await server.sendTraces(['other'], { model_name: 'claude' })
    await review('other', { status: 'accepted' })
    await server.sendTraces(['mine'])
    await reader.until(() => reader.newTraces().length === 1)
    expect(reader.newTraces()).toEqual(['mine'])
    expect(reader.raw).not.toContain('claude')
  })

  test('a status filter shows the events that lead to that status', async () => {
    const reader = await server.follow('/stream/events?evaluation_status=rejected')
    await server.sendTraces(['a', 'b'])
    await review('a', { status: 'accepted' })
    await review('b', { status: 'rejected', reason: 'other' })
    await reader.until(() => reader.frames('evaluation_updates').length === 1)
    expect(reader.frames('evaluation_updates')[0]?.data).toMatchObject({ trace_id: 'b', reason: 'other' })
    expect(reader.newTraces()).toEqual([])
  })

  test('a heartbeat moves the cursor past what the filter left out', async () => {
    await server.close()
    server = await startStreams({ heartbeatMs: 50, stallMs: 1_000 })
    const reader = await server.follow('/stream/events?model_name=none')
    await server.sendTraces(ids(0, 5))
    await reader.until(() => parseCursor(lastId(reader))?.seq === 5)
    expect(reader.messages.at(-1)?.frame).toBeUndefined()
    const resumed = await server.follow('/stream/events', { 'last-event-id': lastId(reader) })
    await server.sendTraces(['next'])
    await resumed.until(() => resumed.newTraces().length === 1)
    expect(resumed.newTraces()).toEqual(['next'])
  })

  test.each(['model_nam=x', 'evaluation_status=great', 'summaries=maybe', 'metrics_interval=0', 'after=yesterday'])(
    'the query %s is refused with a clear error',
    async (query) => {
      await expect(server.follow(`/stream/events?${query}`)).rejects.toThrow(/^400 .*invalid_query/)
    },
  )
})

describe('/stream/traces', () => {
  test('sends the newest traces first, then every change with its summary', async () => {
    await server.sendTraces(ids(0, 12))
    const reader = await server.follow('/stream/traces')
    await reader.until(() => reader.frames('initial_traces').length === 1)
    const list = reader.frames('initial_traces')[0]?.data ?? []
    expect(list.map((trace) => trace.id)).toEqual(ids(2, 12).reverse())
    // Whoever is cut off between the two must get the list again.
    expect(reader.messages.map(({ id }) => parseCursor(id)?.seq)).toEqual([undefined, 12])
    await server.sendTraces(['new'])
    await reader.until(() => reader.newTraces().length === 1)
    expect(reader.frames('trace_updates')[0]?.data.trace?.trace_id).toBe('new')
  })

  test('does not send the list again to a client that resumes', async () => {
    await server.sendTraces(['a'])
    const first = await server.follow('/stream/traces?limit=5')
    await first.until(() => first.frames('initial_traces').length === 1)
    first.drop()
    await server.sendTraces(['b'])
    const second = await server.follow('/stream/traces?limit=5', { 'last-event-id': lastId(first) })
    await second.until(() => second.newTraces().length === 1)
    expect(second.frames('initial_traces')).toEqual([])
    expect(second.newTraces()).toEqual(['b'])
  })

  test.each([
    ['limit=0', 200],
    ['limit=100', 200],
    ['limit=101', 400],
    ['limit=-1', 400],
  ])('%s is answered %d', async (query, status) => {
    const answer = await fetch(`${server.origin}/stream/traces?${query}`)
    await answer.body?.cancel()
    expect(answer.status).toBe(status)
  })

  test('the list and the frames after it never overlap or leave a gap while traces pour in', async () => {
    const pouring = server.sendTraces(ids(0, 600))
    const readers = await Promise.all(Array.from({ length: 8 }, () => server.follow('/stream/traces?limit=100')))
    await pouring
    for (const reader of readers) {
      await reader.until(() => parseCursor(lastId(reader))?.seq === 600)
      const listed =
        parseCursor(reader.messages.find(({ frame }) => frame?.event === 'initial_traces')?.id ?? '')?.seq ?? -1
      expect(seqs(reader)).toEqual(Array.from({ length: 600 - listed }, (_, i) => listed + 1 + i))
    }
  })
})

describe('/stream/metrics', () => {
  test('sends the counters at once and then at each interval, as the seed writes them', async () => {
    await server.sendTraces(['a'], { cost: 0.0012, response_time_ms: 850 })
    const reader = await server.follow('/stream/metrics?interval=1')
    await reader.until(() => reader.frames('metrics_update').length === 2)
    expect(reader.frames('metrics_update')[0]?.data).toMatchObject({
      total_traces: 1,
      pending_traces: 1,
      avg_response_time: 850,
      total_cost: 0.0012,
    })
  })

  test('computes them once for all watchers of an interval', async () => {
    const readers = await Promise.all(Array.from({ length: 20 }, () => server.follow('/stream/metrics?interval=1')))
    for (const reader of readers) await reader.until(() => reader.frames('metrics_update').length === 3)
    expect(server.metricsReads()).toBeLessThanOrEqual(6)
  })
})

describe('resuming', () => {
  test('a client that comes back sees what it missed, once and in order, by header or by query', async () => {
    const first = await server.follow('/stream/events')
    await server.sendTraces(ids(0, 3))
    await first.until(() => first.newTraces().length === 3)
    first.drop()
    await server.sendTraces(ids(3, 250))
    const cursor = lastId(first)
    for (const back of [
      server.follow('/stream/events', { 'last-event-id': cursor }),
      server.follow(`/stream/events?after=${cursor}`),
    ]) {
      const reader = await back
      await reader.until(() => reader.newTraces().length === 247)
      expect(reader.newTraces()).toEqual(ids(3, 250))
    }
  })

  test('the header wins over the query, which a browser repeats unchanged', async () => {
    await server.sendTraces(ids(0, 4))
    const epoch = (await server.store.read(1, 'head', {})).epoch
    const reader = await server.follow(`/stream/events?after=${epoch}.0`, { 'last-event-id': `${epoch}.3` })
    await reader.until(() => reader.newTraces().length === 1)
    expect(reader.newTraces()).toEqual(['t-3'])
  })

  test('however often and whenever clients drop, together their connections show each event once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
        fc.uuid(),
        async (stops, run) => {
          const start = (await server.store.read(1, 'head', {})).seq
          let cursor = `${(await server.store.read(1, 'head', {})).epoch}.${start}`
          const writing = Promise.all(
            [0, 1, 2].map((w) => server.sendTraces(ids(0, 100).map((id) => `${run}-${w}-${id}`))),
          )
          const seen: (number | undefined)[] = []
          for (const stop of [...stops, Number.POSITIVE_INFINITY]) {
            const reader = await server.follow('/stream/events', { 'last-event-id': cursor })
            const left = 300 - seen.length
            await reader.until(() => seqs(reader).length >= Math.min(stop, left))
            reader.drop()
            seen.push(...seqs(reader))
            cursor = lastId(reader)
            if (seen.length >= 300) break
          }
          await writing
          expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => start + 1 + i))
        },
      ),
      { numRuns: 8 },
    )
  })

  test.each([
    ['another life of the journal', (epoch: string) => `x${epoch}.1`, 'other_epoch'],
    ['a place the journal never reached', (epoch: string) => `${epoch}.99`, 'ahead'],
    ['no cursor at all', () => 'garbage', 'other_epoch'],
  ])('a cursor of %s gets resync_required, and the stream goes on live', async (_, cursor, reason) => {
    await server.sendTraces(['old'])
    const { epoch } = await server.store.read(1, 'head', {})
    const reader = await server.follow('/stream/traces', { 'last-event-id': cursor(epoch) })
    await reader.until(() => reader.frames('initial_traces').length === 1)
    expect(reader.frames('resync_required')[0]?.data.reason).toBe(reason)
    expect(reader.messages.slice(0, 3).map(({ id }) => parseCursor(id)?.seq)).toEqual([undefined, undefined, 1])
    expect(reader.frames('initial_traces')[0]?.data.map((trace) => trace.trace_id)).toEqual(['old'])
    await server.sendTraces(['new'])
    await reader.until(() => reader.newTraces().length === 1)
    expect(reader.newTraces()).toEqual(['new'])
  })

  test('a cursor older than what is kept gets resync_required', async () => {
    await server.sendTraces(ids(0, 10))
    const { epoch } = await server.store.read(1, 'head', {})
    // Trimming never passes a consumer, so it goes only as far as the roll-ups have come.
    let firstSeq = 1
    while (firstSeq < 11)
      ({ firstSeq } = await server.store.apply(1, { kind: 'trimEvents', before: Date.now() + 1_000 }))
    const reader = await server.follow('/stream/events', { 'last-event-id': `${epoch}.3` })
    await reader.until(() => reader.frames('resync_required').length === 1)
    expect(reader.frames('resync_required')[0]?.data.reason).toBe('expired')
    const fresh = await server.follow('/stream/events', { 'last-event-id': `${epoch}.10` })
    await fresh.until(() => fresh.messages.length > 0)
    expect(fresh.frames('resync_required')).toEqual([])
  })
})

describe('readers of every speed', () => {
  test('a reader that stops reading gets everything, once and in order, when it goes on', async () => {
    const slow = await server.follow('/stream/events?summaries=true')
    const quick = await server.follow('/stream/events?summaries=true')
    await slow.until(() => slow.messages.length > 0)
    slow.pause()
    // Far more than the sockets between them can hold.
    const response = 'x'.repeat(90)
    for (let i = 0; i < 12_000; i += 1_000)
      await server.sendTraces(ids(i, i + 1_000), { user_query: response, ai_response: response })
    await quick.until(() => quick.newTraces().length === 12_000)
    slow.resume()
    await slow.until(() => slow.newTraces().length === 12_000)
    expect(seqs(slow)).toEqual(Array.from({ length: 12_000 }, (_, i) => i + 1))
    expect(seqs(quick)).toEqual(seqs(slow))
  })

  test('a reader that drains nothing for the stall time is cut', async () => {
    await server.close()
    server = await startStreams({ heartbeatMs: 100, stallMs: 400 })
    const stalled = await server.follow('/stream/events?summaries=true')
    await stalled.until(() => stalled.messages.length > 0)
    stalled.pause()
    const response = 'x'.repeat(90)
    const open = async () =>
      (await server.meters.streams.get()).values.find(({ labels }) => labels.kind === 'events')?.value
    expect(await open()).toBe(1)
    let sent = 0
    while ((await open()) !== 0) {
      await server.sendTraces(ids(sent, sent + 100), { user_query: response, ai_response: response })
      sent += 100
    }
    expect(sent).toBeGreaterThan(100)
  })

  test('an idle but healthy reader is never cut, for its heartbeats drain', async () => {
    await server.close()
    server = await startStreams({ heartbeatMs: 50, stallMs: 150 })
    const reader = await server.follow('/stream/events')
    await reader.until(() => reader.messages.length > 20)
    await server.sendTraces(['a'])
    await reader.until(() => reader.newTraces().length === 1)
    expect(reader.newTraces()).toEqual(['a'])
  })
})

describe('ends', () => {
  test('a server that shuts down ends its streams and tells clients to spread their return', async () => {
    const readers = await Promise.all(['events', 'traces', 'metrics'].map((name) => server.follow(`/stream/${name}`)))
    for (const reader of readers) await reader.until(() => reader.messages.length > 0)
    server.drain()
    for (const reader of readers) {
      await reader.ended()
      expect(reader.raw).toMatch(/retry: \d+\n\n$/)
    }
  })

  test('the stream of a revoked key ends at the next heartbeat', async () => {
    await server.close()
    server = await startStreams({ heartbeatMs: 50, stallMs: 1_000 })
    const admin = (await (await server.post('/api/v1/keys', { name: 'admin', scopes: ['admin'] })).json()) as {
      key: string
    }
    const asAdmin = { authorization: `Bearer ${admin.key}` }
    const made = (await (await server.post('/api/v1/keys', { name: 'reader', scopes: ['read'] }, asAdmin)).json()) as {
      id: string
      key: string
    }
    const reader = await server.follow('/stream/events', { authorization: `Bearer ${made.key}` })
    const other = await server.follow('/stream/events', asAdmin)
    await reader.until(() => reader.messages.length > 2)
    const revoked = await fetch(`${server.origin}/api/v1/keys/${made.id}`, { method: 'DELETE', headers: asAdmin })
    expect(revoked.ok).toBe(true)
    await reader.ended()
    const before = other.messages.length
    await other.until(() => other.messages.length > before + 2)
  })

  test('one stream more than the server may hold is refused with Retry-After, and a place that becomes free is given away', async () => {
    await server.close()
    server = await startStreams({ most: 2 })
    const first = await server.follow('/stream/events')
    await server.follow('/stream/metrics')
    const refused = await fetch(`${server.origin}/stream/events`)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(await refused.json()).toMatchObject({ code: 'too_many_streams' })
    first.drop()
    let answer = await fetch(`${server.origin}/stream/events`)
    while (answer.status === 503) {
      await answer.arrayBuffer()
      answer = await fetch(`${server.origin}/stream/events`)
    }
    await answer.body?.cancel()
    expect(answer.status).toBe(200)
  })
})
