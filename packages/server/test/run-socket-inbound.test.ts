import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { limits } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { registerRunSocketsWith } from '../src/run-sockets/run-sockets.ts'
import type { SocketSettings } from '../src/run-sockets/sockets.ts'
import { allSlices, firstKey, type Ground, startGround } from './ground.ts'
import { Watcher, WrittenRun } from './run-watcher.ts'

const patient: SocketSettings = { heartbeatMs: 60_000, stallMs: 120_000, flushMs: 5, authMs: 60_000, most: 1_000 }
const unlimited = { traces_per_minute: 0, reads_per_minute: 0, streams_per_minute: 0 }

async function start(changed: Partial<SocketSettings> = {}): Promise<{ ground: Ground; origin: string }> {
  const ground = await startGround({
    slices: [...allSlices, (app, deps) => registerRunSocketsWith(app, deps, { ...patient, ...changed })],
    config: { rate_limits: unlimited },
  })
  return { ground, origin: await ground.origin() }
}

let ground: Ground
let origin: string
const carriers: Socket[] = []
/** Somebody who behaves, and has to be told whatever the others do. */
let witness: Watcher
let run: WrittenRun
beforeAll(async () => {
  ;({ ground, origin } = await start())
  ground.app.server.on('connection', (socket: Socket) => carriers.push(socket))
  run = await WrittenRun.make({ store: ground.store, projectId: ground.access.home, at: () => ground.clock.now })
  witness = new Watcher(`${origin}/ws/runs/${run.id}/progress`)
  await witness.frame('connected')
})
afterAll(async () => {
  witness.drop()
  ground.closing.abort()
  await ground.close()
})

let items = 0
async function isTold(): Promise<void> {
  const from = witness.frames.length
  await run.addAll([items])
  expect(await witness.frame('result', from)).toMatchObject({ data: { item_index: items++ } })
}

/** A connection that was upgraded, and what the server answered. */
async function upgraded(at: string, extra = ''): Promise<{ socket: Socket; head: string; rest: Buffer }> {
  const { hostname, port, host } = new URL(at)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  const key = randomBytes(16).toString('base64')
  const asked = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${extra}`
  socket.write(`GET /ws HTTP/1.1\r\nHost: ${host}\r\n${asked}\r\n`)
  const [first] = (await once(socket, 'data')) as [Buffer]
  const end = first.indexOf('\r\n\r\n')
  return { socket, head: first.toString('latin1', 0, end), rest: first.subarray(end + 4) }
}

/** The server's end of a connection. */
function carrierOf(socket: Socket): Socket {
  const found = carriers.find(({ remotePort }) => remotePort === socket.localPort)
  if (!found) throw new Error('nobody carries it')
  return found
}

/** A masked frame of a client; its mask is 0, so that its payload is as it was. */
function frame(payload: string | Buffer, first = 0x81): Buffer {
  const body = Buffer.from(payload)
  const head = body.length < 126 ? [0x80 | body.length] : [0x80 | 126, body.length >> 8, body.length & 0xff]
  return Buffer.concat([Buffer.of(first, ...head, 0, 0, 0, 0), body])
}

/** Resolves with the next event of a name, or when the connection is over, however it ended. */
function next(socket: Socket, name: 'close' | 'data' | 'drain'): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve()
    const done = () => {
      for (const event of [name, 'close']) socket.off(event, done)
      resolve()
    }
    for (const event of [name, 'close']) socket.on(event, done)
  })
}

/** Collects what comes; resolves with the close code, or 1006 where the connection just ends. */
async function goodbye(socket: Socket): Promise<number> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    if (chunk.includes(0x88)) socket.end()
  })
  socket.resume()
  await next(socket, 'close')
  const bytes = Buffer.concat(chunks)
  // The last frame of a server that says goodbye: 0x88, two to so many bytes, the code.
  const at = bytes.lastIndexOf(0x88)
  return at < 0 || at + 4 > bytes.length ? 1006 : bytes.readUInt16BE(at + 2)
}

describe('compression', () => {
  it('is not agreed to, and a message that is compressed all the same ends the socket', async () => {
    const asked = new WebSocket(`${origin.replace('http', 'ws')}/ws`, { perMessageDeflate: true })
    const [answer] = (await once(asked, 'upgrade')) as [{ headers: Record<string, string> }]
    expect(answer.headers).not.toHaveProperty('sec-websocket-extensions')
    asked.terminate()
    const offer = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n'
    const { socket, head } = await upgraded(origin, offer)
    expect(head).toMatch(/^HTTP\/1.1 101 /)
    expect(head).not.toMatch(/sec-websocket-extensions/i)
    socket.write(frame('{"type":"ping"}', 0xc1))
    expect(await goodbye(socket)).toBe(1002)
    await isTold()
  })
})

describe('a message in pieces', () => {
  it('is heard as one, and may be no longer than one that comes whole', async () => {
    using watcher = await new Watcher(`${origin}/ws`).opened()
    const send = (text: string, fin: boolean) => watcher.socket.send(text, { fin })
    send('{"type":', false)
    watcher.socket.ping()
    send('"pi', false)
    send('ng"}', true)
    await watcher.frame('pong')
    for (let i = 0; i < limits.socketMessageBytes; i++) send(' ', false)
    send(' ', true)
    expect((await watcher.end()).code).toBe(1009)
    await isTold()
  })

  it('of nothing, again and again, does not go on for ever', async () => {
    const { socket } = await upgraded(origin)
    const ended = goodbye(socket)
    socket.write(frame('', 0x01))
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => frame('', 0x00)))
    for (let i = 0; i < 100 && !socket.closed; i++) {
      if (!socket.write(many)) await next(socket, 'drain')
    }
    expect(await ended).toBe(1008)
    await isTold()
  })
})

describe('a flood', () => {
  it('of small messages is answered one after the other, and others are told meanwhile', async () => {
    using watcher = await new Watcher(`${origin}/ws`).opened()
    const many = 20_000
    for (let i = 0; i < many; i++) watcher.say({ type: 'ping' })
    await isTold()
    await watcher.until(() => watcher.frames.length === 1 + many)
    expect(watcher.closed).toBeUndefined()
  })

  it('of messages whose answers nobody reads ends the socket with 1013', async () => {
    const { socket } = await upgraded(origin)
    socket.pause()
    const server = carrierOf(socket)
    const many = Buffer.concat(Array.from({ length: 5_000 }, () => frame('{"type":"ping"}')))
    let most = 0
    // What lies between both ends takes some megabytes first.
    for (let i = 0; i < 1_000 && server.writableLength === 0; i++) if (!socket.write(many)) await next(socket, 'drain')
    for (let i = 0; i < 20; i++) {
      socket.write(many)
      await isTold()
      most = Math.max(most, server.writableLength)
    }
    expect(most).toBeLessThan(2 * 1024 * 1024)
    expect(await goodbye(socket)).toBe(1013)
  })

  it('of pings is answered as long as the answers are taken, and ends the socket when they are not', async () => {
    const { socket } = await upgraded(origin)
    const seen = { pongs: 0 }
    socket.on('data', (chunk: Buffer) => (seen.pongs += chunk.filter((byte) => byte === 0x8a).length))
    for (let i = 1; i <= 50; i++) {
      socket.write(frame('', 0x89))
      while (seen.pongs < i && !socket.closed) await next(socket, 'data')
    }
    socket.pause()
    const many = Buffer.concat(Array.from({ length: 10_000 }, () => frame('x'.repeat(125), 0x89)))
    for (let i = 0; i < 1_000 && !socket.closed; i++) if (!socket.write(many)) await next(socket, 'drain')
    socket.resume()
    await next(socket, 'close')
    await isTold()
  })
})

describe('a client that takes its time', () => {
  it('to finish a message, and answers no ping, is cut like one that is gone', async () => {
    const { ground: strict, origin: at } = await start({ heartbeatMs: 100 })
    const { socket } = await upgraded(at)
    const whole = frame('{"type":"ping"}')
    socket.write(whole.subarray(0, 9))
    socket.resume()
    await next(socket, 'close')
    strict.closing.abort()
    await strict.close()
  })

  it('to say who they are is cut when the time is up, however much of it they have said', async () => {
    const { ground: strict, origin: at } = await start({ authMs: 300 })
    await firstKey(strict)
    const { socket, rest } = await upgraded(at)
    // It may have had its time before this end comes to say anything.
    const chunks = [rest]
    socket.write(frame('{"type":"auth","token":"').subarray(0, 20))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    while (!Buffer.concat(chunks).includes('auth_timeout') && !socket.closed) await next(socket, 'data')
    const bytes = Buffer.concat(chunks)
    expect(bytes.readUInt16BE(bytes.indexOf('auth_timeout') - 2)).toBe(4408)
    socket.destroy()
    strict.closing.abort()
    await strict.close()
  })
})

describe('any bytes at all', () => {
  it('after the upgrade harm nobody else', { timeout: 120_000 }, async () => {
    const kinds = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ maxLength: 200 }).map((text) => frame(text)),
      fc.json({ maxDepth: 3 }).map((text) => frame(text.slice(0, 4_000))),
      fc
        .constantFrom('subscribe', 'unsubscribe', 'get_current_status', 'auth', 'pong')
        .map((type) =>
          frame(JSON.stringify({ type, run_id: run.id, after_seq: '0.0', token: 'x', filter: { failed: true } })),
        ),
      fc
        .tuple(fc.integer({ min: 0, max: 255 }), fc.string({ maxLength: 20 }))
        .map(([first, text]) => frame(text, first)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(kinds, { minLength: 1, maxLength: 12 }), async (chunks) => {
        const { socket } = await upgraded(origin)
        socket.resume()
        for (const chunk of chunks) if (socket.writable) socket.write(chunk)
        // Half of them wait for what the server makes of it.
        if (chunks.length % 2 === 0 && socket.writable) socket.end()
        else socket.destroy()
        await next(socket, 'close')
      }),
      { numRuns: 100 },
    )
    await isTold()
  })
})
