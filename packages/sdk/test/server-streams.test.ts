import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LLMEvalClient, LLMEvalStreamClient, type StreamFrame } from '../src/index.ts'
import { type RealServer, startRealServer } from './real-server.ts'

const trace = (traceId: string, modelName = 'gpt-4') => ({ traceId, modelName, userQuery: 'q', aiResponse: 'a' })

/** Collects frames and resolves when enough of them fit. */
function watch() {
  const frames: StreamFrame[] = []
  let look = () => {}
  return {
    frames,
    callback: (frame: StreamFrame) => {
      frames.push(frame)
      look()
    },
    until: (met: (frames: StreamFrame[]) => boolean) =>
      new Promise<void>((resolve) => {
        look = () => {
          if (met(frames)) resolve()
        }
        look()
      }),
  }
}

const newTraces = (frames: StreamFrame[]) =>
  frames.flatMap((frame) =>
    frame.event === 'trace_updates' && frame.data.action === 'new_trace' ? [frame.data.trace_id] : [],
  )
const has = (event: StreamFrame['event']) => (frames: StreamFrame[]) => frames.some((frame) => frame.event === event)

describe('with the real server, a stream', () => {
  let server: RealServer
  let client: LLMEvalClient
  let streams: LLMEvalStreamClient

  beforeAll(async () => {
    server = await startRealServer()
    client = new LLMEvalClient(server.url)
    streams = new LLMEvalStreamClient(server.url)
  })
  afterAll(async () => {
    streams.closeAllStreams()
    await server[Symbol.asyncDispose]()
  })

  it('shows a trace that is sent, judged and deleted', async () => {
    const { frames, callback, until } = watch()
    const stop = streams.streamEvents(callback, { clientId: 'me', summaries: true })
    await until(has('connected'))
    await client.sendTrace(trace('seen'))
    await until(has('trace_updates'))
    expect(frames.at(-1)).toMatchObject({ data: { action: 'new_trace', trace_id: 'seen', trace: { user_query: 'q' } } })
    await client.evaluateTrace('seen', 'accepted', { reviewer: 'ada' })
    await until(has('evaluation_updates'))
    expect(frames.at(-1)).toMatchObject({
      data: { trace_id: 'seen', status: 'accepted', previous_status: 'pending', reviewer: 'ada' },
    })
    await client.deleteTrace('seen')
    await until((all) => all.some((frame) => frame.event === 'trace_updates' && frame.data.action === 'trace_deleted'))
    stop()
  })

  it('leaves out what its filter excludes', async () => {
    const { frames, callback, until } = watch()
    const stop = streams.streamEvents(callback, { modelName: 'wanted' })
    await until(has('connected'))
    await client.sendTrace(trace('f1', 'unwanted'))
    await client.sendTrace(trace('f2', 'wanted'))
    await until(has('trace_updates'))
    expect(newTraces(frames)).toEqual(['f2'])
    stop()
  })

  it('of traces begins with the newest, and of metrics with the counters', async () => {
    await client.sendTracesBatch(['n1', 'n2', 'n3'].map((id) => trace(id)))
    const traces = watch()
    const stopTraces = streams.streamTraces(traces.callback, 2)
    await traces.until(has('initial_traces'))
    const initial = traces.frames.find((frame) => frame.event === 'initial_traces')
    expect(initial).toMatchObject({ data: [{ id: 'n3' }, { id: 'n2' }] })
    const metrics = watch()
    const stopMetrics = streams.streamMetrics(metrics.callback, { interval: 1 })
    await metrics.until(has('metrics_update'))
    expect(metrics.frames.find((frame) => frame.event === 'metrics_update')).toMatchObject({
      data: { acceptance_rate: expect.any(Number) as number },
    })
    stopTraces()
    stopMetrics()
  })

  it('can be taken up again later from a saved cursor, by another client', async () => {
    const first = streams.follow()
    let cursor: string | undefined
    for await (const frame of first) {
      if (frame.event === 'connected') await client.sendTrace(trace('before'))
      if (newTraces([frame]).includes('before')) break
    }
    ;({ cursor } = first)
    await client.sendTracesBatch(['missed-1', 'missed-2'].map((id) => trace(id)))
    const later: (string | null)[] = []
    for await (const frame of new LLMEvalStreamClient(server.url).follow({ after: cursor })) {
      later.push(...newTraces([frame]))
      if (later.length === 2) break
    }
    expect(later).toEqual(['missed-1', 'missed-2'])
  })

  it('with a cursor of another journal is told to start over, and goes on', async () => {
    const { frames, callback, until } = watch()
    const stop = streams.streamEvents(callback, { after: 'anotherlife.5' })
    await until(has('resync_required'))
    await client.sendTrace(trace('after-resync'))
    await until((all) => newTraces(all).includes('after-resync'))
    expect(frames.find((frame) => frame.event === 'resync_required')).toMatchObject({ data: { reason: 'other_epoch' } })
    stop()
  })

  it('with a query that the server refuses ends with its explanation', async () => {
    const error = await new Promise((onError) => {
      new LLMEvalStreamClient(server.url, { onError }).streamMetrics(() => {}, 0)
    })
    expect(error).toMatchObject({
      code: 'failed',
      status: 400,
      failure: 'invalid_query',
      errors: [{ path: 'interval' }],
    })
  })
})

describe('over restarts of the server', () => {
  it('a stream sees every trace once and in order, and a buffered sender loses none', async () => {
    await using server = await startRealServer()
    const client = new LLMEvalClient(server.url)
    const streams = new LLMEvalStreamClient(server.url, { onError: () => undefined })
    const { frames, callback, until } = watch()
    streams.streamEvents(callback)
    await until(has('connected'))
    const sender = client.buffered({ maxBatchTraces: 20, flushIntervalMs: 10 })
    const ids: string[] = []
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 100; index++) {
        ids.push(`r${round}-${index}`)
        sender.send(trace(`r${round}-${index}`))
      }
      await server.restart()
    }
    const receipt = await sender.close({ timeoutMs: 30_000 })
    expect(receipt).toMatchObject({ conflicts: 0, invalid: 0, dropped: 0, pending: 0 })
    expect(receipt.sent + receipt.duplicates).toBe(300)
    await until((all) => newTraces(all).length >= 300)
    expect(newTraces(frames)).toHaveLength(300)
    expect(new Set(newTraces(frames))).toEqual(new Set(ids))
    streams.closeAllStreams()
  })
})

describe('over kill -9 of the server', () => {
  async function start(data: string, port: number): Promise<ChildProcess> {
    const argv = [
      '--conditions=llm-eval-source',
      '--no-warnings',
      join(import.meta.dirname, 'server-process.ts'),
      data,
      `${port}`,
    ]
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    return child
  }

  it('what was acknowledged arrives on a stream once and in order', async () => {
    const data = await mkdtemp(join(tmpdir(), 'llm-eval-sdk-kill-'))
    const reserved = createServer().listen(0, '127.0.0.1')
    await once(reserved, 'listening')
    const { port } = reserved.address() as AddressInfo
    reserved.close()
    await once(reserved, 'close')

    let child = await start(data, port)
    const url = `http://127.0.0.1:${port}`
    const client = new LLMEvalClient(url, { retries: 0 })
    const streams = new LLMEvalStreamClient(url, { onError: () => undefined })
    const { frames, callback, until } = watch()
    streams.streamEvents(callback)
    await until(has('connected'))

    const acknowledged: string[] = []
    const sent: string[] = []
    for (let round = 0; round < 3; round++) {
      const posting = Array.from({ length: 200 }, async (_, index) => {
        const id = `k${round}-${index}`
        sent.push(id)
        await client.sendTrace(trace(id)).then(
          () => acknowledged.push(id),
          () => undefined,
        )
      })
      // Some are answered, some are under way, when it dies.
      await Promise.race(posting)
      child.kill('SIGKILL')
      await once(child, 'exit')
      await Promise.all(posting)
      child = await start(data, port)
    }
    await client.sendTrace(trace('last'))
    await until((all) => newTraces(all).includes('last'))

    const seen = newTraces(frames)
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toEqual(expect.arrayContaining(acknowledged))
    for (const id of seen) expect([...sent, 'last']).toContain(id)
    streams.closeAllStreams()
    child.kill('SIGKILL')
    await once(child, 'exit')
    await rm(data, { recursive: true, force: true })
  }, 60_000)
})
