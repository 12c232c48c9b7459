import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { limits } from '@llm-eval/protocol'
import type { Store } from '@llm-eval/store'
import { afterEach, describe, expect, it } from 'vitest'
import { newItem } from '../../store/src/contract/running.contract.ts'
import { registerRunSocketsWith } from '../src/run-sockets/run-sockets.ts'
import type { SocketSettings } from '../src/run-sockets/sockets.ts'
import { allSlices, type Ground, openShelf, type Shelf, startGround } from './ground.ts'
import { type Frame, Watcher, WrittenRun } from './run-watcher.ts'

const grounds: Ground[] = []
const shelves: Shelf[] = []
afterEach(async () => {
  for (const ground of grounds.splice(0)) {
    ground.closing.abort()
    await ground.close()
  }
  for (const shelf of shelves.splice(0)) await shelf.close()
})

const patient: SocketSettings = { heartbeatMs: 60_000, stallMs: 120_000, flushMs: 5, authMs: 60_000, most: 1_000 }

async function start(
  changed: Partial<SocketSettings> = {},
  shelf?: Shelf,
  wrap?: (store: Store) => Store,
): Promise<{ ground: Ground; origin: string }> {
  const ground = await startGround({
    slices: [...allSlices, (app, deps) => registerRunSocketsWith(app, deps, { ...patient, ...changed })],
    ...(shelf ? { shelf } : {}),
    ...(wrap ? { wrap } : {}),
  })
  grounds.push(ground)
  const open = new Set<Socket>()
  connections.set(ground, open)
  ground.app.server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return { ground, origin: await ground.origin() }
}

const make = (ground: Ground) =>
  WrittenRun.make({ store: ground.store, projectId: ground.access.home, at: () => ground.clock.now })

/** A client that opens a WebSocket and then reads nothing. */
async function deaf(origin: string, path: string): Promise<Socket> {
  const { hostname, port, host } = new URL(origin)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  )
  await once(socket, 'readable')
  return socket
}

describe('what a client should not send', () => {
  it('is answered when it is no message, and closes the socket when it goes on', async () => {
    const { origin } = await start()
    using watcher = await new Watcher(`${origin}/ws`).opened()
    const nonsense = ['garbage', '{"type":"dance"}', '[]', 'null', '{"type":"subscribe"}']
    for (const text of nonsense) watcher.say(text)
    await watcher.until(() => watcher.frames.length === 1 + nonsense.length)
    const refused = watcher.frames.slice(1)
    expect(refused.map(({ type, code }) => [type, code])).toEqual([
      ['refused', 'malformed_json'],
      ...nonsense.slice(1).map(() => ['refused', 'invalid_message']),
    ])
    expect(refused[0]).toMatchObject({ error: 'Invalid JSON format' })
    watcher.say({ type: 'ping' })
    await watcher.frame('pong')
    for (let i = nonsense.length; i < limits.socketFaults; i++) watcher.say('garbage')
    expect(await watcher.end()).toEqual({ code: 1008, reason: 'too_many_faults' })
  })

  it('closes the socket with 1003 when it is binary, and with 1009 when it is too large', async () => {
    const { origin } = await start()
    using binary = await new Watcher(`${origin}/ws`).opened()
    binary.socket.send(Buffer.from('{"type":"ping"}'))
    expect((await binary.end()).code).toBe(1003)
    using large = await new Watcher(`${origin}/ws`).opened()
    const padded = (length: number) => `{"type":"ping"}${' '.repeat(length - 15)}`
    large.say(padded(limits.socketMessageBytes))
    await large.frame('pong')
    large.say(padded(limits.socketMessageBytes + 1))
    expect((await large.end()).code).toBe(1009)
  })

  it('ends the connection when it is no WebSocket frame, and others stay', async () => {
    const { ground, origin } = await start()
    const run = await make(ground)
    using other = new Watcher(`${origin}/ws/runs/${run.id}/progress`)
    await other.frame('connected')
    const socket = await deaf(origin, '/ws')
    socket.resume()
    socket.write(Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff))
    await once(socket, 'close')
    await run.addAll([0])
    await other.frame('result')
  })
})

describe('too many sockets', () => {
  it('the 1,001st is closed with 1013, and has a place when another one leaves', async () => {
    const { ground, origin } = await start({ most: 3 })
    const run = await make(ground)
    const path = `${origin}/ws/runs/${run.id}/progress`
    const open = await Promise.all([0, 1, 2].map(() => new Watcher(path).opened()))
    await Promise.all(open.map((one) => one.frame('connected')))
    using refused = new Watcher(path)
    expect(await refused.end()).toEqual({ code: 1013, reason: 'too_many_streams' })
    open[0]?.socket.close()
    await open[0]?.end()
    using later = new Watcher(path)
    await later.frame('connected')
    await run.addAll([0])
    for (const watcher of [...open.slice(1), later]) {
      await watcher.frame('result')
      watcher.drop()
    }
    expect(limits.runSockets).toBe(1_000)
  })
})

describe('a reader that does not read', () => {
  it('holds up nobody, takes no more memory than a page, and gets all of it when it reads again', async () => {
    const { ground, origin } = await start()
    const run = await make(ground)
    const path = `/ws/runs/${run.id}/progress`
    using slow = new Watcher(`${origin}${path}`)
    await slow.frame('connected')
    const [carrier] = socketsOf(ground)
    const held = () => carrier?.writableLength ?? 0
    slow.socket.pause()
    using quick = new Watcher(`${origin}${path}`)
    await quick.frame('connected')
    const preview = 'x'.repeat(2_000)
    const add = (at: number) => run.add(...Array.from({ length: 500 }, (_, i) => newItem(at + i, { preview })))
    // What lies between both ends takes some megabytes first.
    let count = 0
    for (; count < 50_000 && held() === 0; count += 500) await add(count)
    for (const end = count + 2_000; count < end; count += 500) await add(count)
    await run.end()
    await quick.frame('completed')
    expect(quick.lasting.filter(({ type }) => type === 'result')).toHaveLength(count)
    expect(held()).toBeLessThanOrEqual(2 * limits.streamPageBytes)
    expect(slow.lasting.length).toBeLessThan(count)
    slow.socket.resume()
    await slow.frame('completed')
    expect(slow.lasting).toEqual(quick.lasting)
    const progress = (watcher: Watcher) => watcher.frames.filter(({ type }) => type === 'progress').length
    expect(progress(slow)).toBeLessThan(count / 10)
  })

  it('is cut when it drains nothing for long', async () => {
    const { ground, origin } = await start({ stallMs: 200 })
    const run = await make(ground)
    const socket = await deaf(origin, `/ws/runs/${run.id}/progress`)
    const preview = 'x'.repeat(2_000)
    for (let at = 0; at < 6_000; at += 500)
      await run.add(...Array.from({ length: 500 }, (_, i) => newItem(at + i, { preview })))
    for (const one of socketsOf(ground)) if (!one.destroyed) await once(one, 'close')
    socket.destroy()
  })
})

describe('a client that is not there any more', () => {
  it('is cut when it answers no ping, and one that answers stays', async () => {
    const { origin } = await start({ heartbeatMs: 1_000 })
    using gone = new Watcher(`${origin}/ws`, { autoPong: false })
    using there = new Watcher(`${origin}/ws`)
    let pings = 0
    there.socket.on('message', (data: Buffer) => (pings += data.toString().includes('"ping"') ? 1 : 0))
    expect((await gone.end()).code).toBe(1006)
    there.say({ type: 'ping' })
    await there.frame('pong')
    expect(pings).toBeGreaterThan(0)
  })
})

describe('a store that does not answer', () => {
  it('closes the sockets with 1013, and who comes back later goes on', async () => {
    let broken = false
    const shelf = await openShelf()
    shelves.push(shelf)
    const wrap = (store: Store): Store =>
      new Proxy(store, {
        get: (target, name) => {
          if (name === 'read')
            return (...args: Parameters<Store['read']>) =>
              broken && args[1] === 'runEvents' ? Promise.reject(new Error('broken')) : target.read(...args)
          const value: unknown = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    const { ground, origin } = await start({}, shelf, wrap)
    const run = await make(ground)
    const path = `${origin}/ws/runs/${run.id}/progress`
    using watcher = new Watcher(path)
    await watcher.frame('progress')
    await run.addAll([0])
    const { seq } = await watcher.frame('result')
    broken = true
    await run.addAll([1])
    expect(await watcher.end()).toEqual({ code: 1013, reason: 'storage_unavailable' })
    using early = new Watcher(`${path}?after_seq=${seq}`)
    expect(await early.end()).toEqual({ code: 1013, reason: 'storage_unavailable' })
    broken = false
    using back = new Watcher(`${path}?after_seq=${seq}`)
    await run.addAll([2])
    await back.until(() => back.lasting.length === 2)
    expect(back.lasting.map(({ data }) => data.item_index)).toEqual([1, 2])
  })
})

describe('a server that goes away', () => {
  it('tells its watchers to come back, with 1012, and another one goes on where they were', async () => {
    const shelf = await openShelf()
    shelves.push(shelf)
    const first = await start({}, shelf)
    const run = await make(first.ground)
    const before = new Watcher(`${first.origin}/ws/runs/${run.id}/progress`)
    await before.frame('connected')
    await run.addAll([0, 1, 2])
    await before.until(() => before.lasting.length === 3)
    first.ground.closing.abort()
    expect(await before.end()).toEqual({ code: 1012, reason: 'shutting_down' })
    await run.addAll([3])
    const second = await start({}, shelf)
    using after = new Watcher(`${second.origin}/ws/runs/${run.id}/progress?after_seq=${before.lasting[1]?.seq}`)
    await run.addAll([4])
    await run.end()
    await after.frame('completed')
    const items = after.lasting.flatMap(({ data }: Frame) => data.item_index ?? [])
    expect(items).toEqual([2, 3, 4])
  })
})

/** The connections of each server. */
const connections = new WeakMap<Ground, Set<Socket>>()

function socketsOf(ground: Ground): Set<Socket> {
  return connections.get(ground) ?? new Set()
}
