import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket as OtherWebSocket, type WebSocket as ServerSocket, WebSocketServer } from 'ws'
import { SSEResultClient, type StreamEvent } from '../src/experiments/index.ts'
import { execution } from './execution-scene.ts'
import { ManualClock } from './manual-clock.ts'
import { backoff } from './stream-scene.ts'

type Script = (socket: ServerSocket) => unknown

const url = '/executions/events/x1'
const frame = (seq: number, event_type: string, data: object) =>
  JSON.stringify({ event_type, data, timestamp: '2025-01-27T12:00:00Z', seq: `e.${seq}` }, null, 1)
const progress = (seq: number) => frame(seq, 'progress', { execution_id: 'x1', status: 'running', done: seq, total: 3 })
const result = frame(9, 'result', execution('x1'))

let asked: string[]
let scripts: Script[]
let close: () => Promise<void>
let reach: { baseUrl: string; clock: ManualClock; random: () => number; transport: 'websocket' }

/** A real server that does with each socket what the test says, and hands out a ticket to whoever has the key k. */
beforeEach(async () => {
  asked = []
  scripts = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const mayCome = request.headers.authorization === 'Bearer k'
    response.writeHead(mayCome ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(mayCome ? { ticket: 'once' } : { code: 'invalid_key', detail: 'no' }))
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, request) => {
    asked.push(`socket ${request.url}`)
    scripts.shift()?.(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  reach = { baseUrl: `http://127.0.0.1:${port}`, clock: new ManualClock(), random: () => 0, transport: 'websocket' }
  close = async () => {
    for (const socket of sockets.clients) socket.terminate()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})

afterEach(async () => {
  vi.unstubAllGlobals()
  await close()
})

describe('over a WebSocket', () => {
  it.each([
    ['of the run time', undefined],
    ['that was handed in', OtherWebSocket],
  ])('%s a result comes as over an event stream', async (_, WebSocket) => {
    scripts.push((socket) => [progress(1), progress(2), result].forEach((text) => socket.send(text)))
    const steps: (number | null)[] = []
    const streams: StreamEvent[] = []
    const telemetry = { onStream: (event: StreamEvent) => streams.push(event) }
    const client = new SSEResultClient({ ...reach, WebSocket, telemetry })
    const answer = await client.waitForResult('x1', url, { onProgress: ({ done }) => steps.push(done) })
    expect(answer).toMatchObject({ status: 'completed', result: { is_correct: true, pass: true } })
    expect(steps).toEqual([1, 2])
    expect(asked).toEqual(['socket /ws/executions/x1'])
    expect(streams).toMatchObject([{ transport: 'websocket', frames: 3, reconnects: 0, error: null }])
  })

  it('a lost connection is opened again, with a new ticket, after the last message', async () => {
    scripts.push(
      (socket) => socket.send(progress(1), () => socket.terminate()),
      (socket) => socket.send(result),
    )
    const waiting = new SSEResultClient({ ...reach, apiKey: 'k' }).waitForResult('x1', url)
    reach.clock.advance(await reach.clock.timer(backoff))
    expect(await waiting).toMatchObject({ status: 'completed' })
    expect(asked).toEqual([
      'POST /stream/ticket',
      'socket /ws/executions/x1?ticket=once',
      'POST /stream/ticket',
      'socket /ws/executions/x1?after=e.1&ticket=once',
    ])
  })

  it.each([
    [4401, 'invalid_key', 'auth'],
    [4404, 'execution_not_found', 'not_found'],
    [4400, 'invalid_query', 'failed'],
  ])('the close code %i (%s) ends the wait', async (closeCode, failure, code) => {
    scripts.push((socket) => socket.close(closeCode, failure))
    const waiting = new SSEResultClient(reach).waitForResult('x1', url)
    await expect(waiting).rejects.toMatchObject({ code, failure, status: closeCode - 4000 })
  })

  it('a ticket that is refused ends the wait', async () => {
    const waiting = new SSEResultClient({ ...reach, apiKey: 'wrong' }).waitForResult('x1', url)
    await expect(waiting).rejects.toMatchObject({ code: 'auth', failure: 'invalid_key' })
  })

  it('what is no message of an execution ends the wait', async () => {
    scripts.push((socket) => socket.send('hello'))
    await expect(new SSEResultClient(reach).waitForResult('x1', url)).rejects.toMatchObject({ code: 'protocol' })
  })

  it('a server that is not there is tried until the time is up', async () => {
    await close()
    const waiting = new SSEResultClient(reach).waitForResult('x1', url, { timeoutMs: 600 })
    const failure = waiting.catch((error: unknown) => error)
    reach.clock.advance(await reach.clock.timer(backoff))
    await reach.clock.timer(backoff)
    reach.clock.advance(350)
    expect(await failure).toMatchObject({ code: 'timeout', cause: { code: 'unreachable' } })
    close = () => Promise.resolve()
  })

  it('a stop closes the socket', async () => {
    const closed = Promise.withResolvers<void>()
    const open = Promise.withResolvers<void>()
    scripts.push((socket) => {
      socket.once('close', () => closed.resolve())
      open.resolve()
    })
    const client = new SSEResultClient(reach)
    const waiting = client.waitForResult('x1', url).catch((error: unknown) => error)
    await open.promise
    client.stopStream('x1')
    expect(await waiting).toMatchObject({ code: 'interrupted' })
    await closed.promise
  })

  it('a run time without WebSocket has to be given one', () => {
    vi.stubGlobal('WebSocket', undefined)
    expect(() => new SSEResultClient(reach)).toThrow(TypeError)
  })
})
