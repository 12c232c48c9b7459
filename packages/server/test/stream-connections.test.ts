import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type StreamServer, startStreams } from './stream-server.ts'

let server: StreamServer
beforeEach(async () => {
  server = await startStreams({ heartbeatMs: 50 })
})
afterEach(() => server.close())

const get = (path: string, version = '1.1') => `GET ${path} HTTP/${version}\r\nHost: localhost\r\n\r\n`
const openStreams = async () => (await server.meters.streams.get()).values.reduce((sum, { value }) => sum + value, 0)

/** A connection that shows the bytes as they come. */
async function dial(options: { allowHalfOpen?: boolean } = {}) {
  const socket = connect({ port: Number(new URL(server.origin).port), host: '127.0.0.1', ...options })
  let text = ''
  let wake = () => {}
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString()
    wake()
  })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return {
    socket,
    text: () => text,
    async until(part: string): Promise<void> {
      while (!text.includes(part)) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}

describe('a stream', () => {
  it('waits for the answers to earlier requests of its connection, and does not cut in', async () => {
    const reader = await dial()
    const [counted, slow] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const read = server.store.read.bind(server.store)
    const reading = async (...args: Parameters<typeof read>) => {
      const answer = await read(...args)
      if (args[1] === 'metrics') {
        counted.resolve()
        await slow.promise
      }
      return answer
    }
    vi.spyOn(server.store, 'read').mockImplementation(reading)
    reader.socket.write(get('/webhook/stats') + get('/stream/events'))
    await counted.promise
    // Another stream that is opened now is ready later than this one would be.
    await server.follow('/stream/events').then((other) => other.until(() => other.messages.length > 2))
    expect(reader.text()).toBe('')
    slow.resolve()
    await server.sendTraces(['after'])
    await reader.until('new_trace')
    const [stats = '', stream = ''] = reader.text().split(/(?<=})(?=HTTP\/1\.1 200)/)
    expect(stats).toMatch(/^HTTP\/1\.1 200 OK[^]*"total_traces":0[^]*}$/)
    expect(stream).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*text\/event-stream[^]*\r\n\r\n[0-9a-f]+\r\nid: [^]*"connected"/)
    reader.socket.destroy()
  })

  it('has its connection for itself: a request behind it ends both', async () => {
    const reader = await dial()
    const closed = once(reader.socket, 'close')
    reader.socket.write(get('/stream/events'))
    await reader.until('connected')
    reader.socket.write(get('/webhook/stats'))
    await closed
    expect(reader.text()).not.toContain('total_traces')
    await vi.waitFor(async () => expect(await openStreams()).toBe(0), { timeout: 20_000 })
  })

  it('is cut when bytes that are no HTTP follow its request, and carries no second answer', async () => {
    const reader = await dial()
    const closed = once(reader.socket, 'close')
    reader.socket.write(get('/stream/events'))
    await reader.until('connected')
    reader.socket.write('no HTTP\r\n\r\n')
    await closed
    expect(reader.text().match(/HTTP\/1\.1 /g)).toEqual(['HTTP/1.1 '])
  })

  it('goes to a client of HTTP/1.0 without chunks, up to the end of the connection', async () => {
    await server.sendTraces(['before'])
    const reader = await dial()
    const closed = once(reader.socket, 'close')
    reader.socket.write(get('/stream/traces', '1.0'))
    await reader.until('initial_traces')
    await server.sendTraces(['later'])
    await reader.until('"later"')
    server.drain()
    await closed
    const [head = '', ...rest] = reader.text().split('\r\n\r\n')
    expect(head.toLowerCase()).not.toContain('transfer-encoding')
    expect(head.toLowerCase()).toContain('connection: close')
    expect(rest).toHaveLength(1)
    for (const line of rest.join('').split('\n')) expect(line).toMatch(/^($|id: |data: \{|retry: |: )/)
  })

  it('that was ended is over, although its reader does not go', async () => {
    const reader = await dial({ allowHalfOpen: true })
    reader.socket.write(get('/stream/events'))
    await reader.until('connected')
    const ended = once(reader.socket, 'end')
    server.drain()
    await ended
    expect(reader.text()).toMatch(/\r\n0\r\n\r\n$/)
    await vi.waitFor(async () => expect(await openStreams()).toBe(0), { timeout: 20_000 })
    reader.socket.destroy()
  })
})
