import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Config,
  createLog,
  defaultConfig,
  type RunningServer,
  type ServerOptions,
  startServer,
} from '../src/main.ts'
import { trace } from './ground.ts'

let data: string
let lines: string[]
let running: RunningServer[]

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'llm-eval-server-'))
  lines = []
  running = []
})
afterEach(async () => {
  for (const server of running) await server.close()
  await rm(data, { recursive: true, force: true })
})

async function start(config: Partial<Config> = {}, options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const server = await startServer({
    config: { ...defaultConfig(), port: 0, data, synchronous: 'normal', ...config },
    log: pino({ level: 'info' }, { write: (line) => void lines.push(line) }),
    ...options,
  })
  running.push(server)
  return server
}

const post = (server: RunningServer, id: string) =>
  fetch(`${server.url}/webhook/trace`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(trace({ trace_id: id })),
  })

const total = async (server: RunningServer) =>
  ((await (await fetch(`${server.url}/webhook/stats`)).json()) as { total_traces: number }).total_traces

/** A connection on which the first half of a POST was sent, and the server has begun to take it in. */
async function halfSent(
  server: RunningServer,
  id: string,
): Promise<{ socket: Socket; rest: string; answer: () => string }> {
  const body = JSON.stringify(trace({ trace_id: id }))
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString()
  })
  const seen = once(server.app.server, 'request')
  socket.write(
    `POST /webhook/trace HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`,
  )
  socket.write(body.slice(0, 20))
  await seen
  return { socket, rest: body.slice(20), answer: () => answer }
}

describe('a server', () => {
  it('listens, says where in its data directory, and finds everything again after a restart', async () => {
    const first = await start()
    expect(first).toMatchObject({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) })
    expect(first.signInUrl).toBeUndefined()
    expect(JSON.parse(await readFile(join(data, 'owner.json'), 'utf8'))).toEqual({ pid: process.pid, url: first.url })
    expect((await post(first, 'kept')).status).toBe(200)
    await first.close()
    const second = await start()
    expect(await total(second)).toBe(1)
    expect((await fetch(`${second.url}/api/v1/traces/kept`)).status).toBe(200)
  })

  it('serves every route of the table', async () => {
    const server = await start()
    const { routes } = await import('@llm-eval/protocol')
    const mounted = server.app.mounted.map(({ method, path }) => `${method} ${path}`)
    expect(mounted).toEqual(
      expect.arrayContaining(Object.values(routes).map(({ method, path }) => `${method} ${path}`)),
    )
  })

  it('that cannot have its port lets go of its data', async () => {
    const first = await start()
    const other = await mkdtemp(join(tmpdir(), 'llm-eval-server-'))
    const port = Number(new URL(first.url).port)
    await expect(start({ data: other, port })).rejects.toThrow('EADDRINUSE')
    const second = await start({ data: other })
    expect((await fetch(`${second.url}/ready`)).status).toBe(200)
    await second.close()
    await rm(other, { recursive: true, force: true })
  })

  it('whose data directory another one holds does not start', async () => {
    await start()
    await expect(start()).rejects.toThrow('is in use by')
  })

  it('that others can reach makes a key and a link that signs in once', async () => {
    // Another way to write 127.0.0.1: to the server it is no name of loopback.
    const server = await start({ host: '0x7f000001' })
    if (server.signInUrl === undefined || server.adminKeyPath === undefined) throw new Error('nothing was made')
    const link = new URL(server.signInUrl)
    expect(`${link.origin}${link.pathname}`).toBe(`${server.url}/signin`)
    const signIn = () =>
      fetch(`${server.url}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token: link.searchParams.get('token') }),
      })
    expect((await post(server, 'refused')).status).toBe(401)
    expect((await signIn()).status).toBe(200)
    expect((await signIn()).status).toBe(401)
    const key = (await readFile(server.adminKeyPath, 'utf8')).trim()
    const listed = await fetch(`${server.url}/api/v1/keys`, { headers: { authorization: `Bearer ${key}` } })
    expect(listed.status).toBe(200)
    for (const secret of [key, String(link.searchParams.get('token'))]) expect(lines.join('')).not.toContain(secret)
    await server.close()
    const again = await start({ host: '0x7f000001' })
    expect(again.signInUrl).toBeUndefined()
  })

  it('points its sign-in link at its public URL', async () => {
    const server = await start({ host: '0x7f000001', public_url: 'https://eval.example' })
    expect(server.signInUrl).toMatch(/^https:\/\/eval\.example\/signin\?token=[\w-]{43}$/)
  })

  it('writes one line when it starts, and none for a request that went well', async () => {
    const server = await start()
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ msg: 'listening', url: server.url }),
    ])
    const before = lines.length
    for (let i = 0; i < 5; i++) await (await post(server, `quiet-${i}`)).arrayBuffer()
    expect(lines.slice(before)).toEqual([])
  })
})

describe('closing', () => {
  it('lets a request finish that is under way, and what it stored is there', async () => {
    const server = await start()
    const { socket, rest, answer } = await halfSent(server, 'under way')
    const closed = server.close()
    socket.write(rest)
    await once(socket, 'close')
    await closed
    expect(answer()).toMatch(/^HTTP\/1\.1 200 /)
    expect(await total(await start())).toBe(1)
  })

  it('ends streams, so that their clients reconnect', async () => {
    const server = await start()
    const stream = await fetch(`${server.url}/stream/events`)
    const reader = stream.body?.getReader()
    await reader?.read()
    const closed = server.close()
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read());
    await closed
  })

  it('takes no new connection, and no new request on an old one', async () => {
    const server = await start()
    const { socket, rest, answer } = await halfSent(server, 'first')
    const closed = server.close()
    await expect(fetch(`${server.url}/health`)).rejects.toThrow('fetch failed')
    socket.write(`${rest}GET /api/v1/keys HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    await once(socket, 'close')
    await closed
    expect(answer()).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer()).not.toMatch(/HTTP\/1\.1 200 [^]*HTTP\/1\.1 200 /)
  })

  it('cuts a client that never finishes its request', async () => {
    const server = await start({}, { patience: { answersMs: 50, closeMs: 5_000 } })
    const { socket } = await halfSent(server, 'never')
    await Promise.all([once(socket, 'close'), server.close()])
    expect(lines.join('')).not.toContain('closing took too long')
    expect(await total(await start())).toBe(0)
  })

  it('ends even when something hangs, and says so', async () => {
    const server = await start({}, { patience: { answersMs: 60_000, closeMs: 50 } })
    const { socket } = await halfSent(server, 'never')
    await server.close()
    expect(lines.join('')).toContain('closing took too long')
    socket.destroy()
  })

  it('can be asked for twice', async () => {
    const server = await start()
    await Promise.all([server.close(), server.close()])
    await server.close()
  })
})

describe('the log', () => {
  it('shows no secret that an object carries', () => {
    const written: string[] = []
    const log = createLog({ ...defaultConfig(), log_level: 'info' }, { write: (line) => void written.push(line) })
    log.info(
      { req: { authorization: 'Bearer topsecret', cookie: 'a=topsecret' }, config: { admin_key: 'topsecret' } },
      'x',
    )
    expect(written).toHaveLength(1)
    expect(written.join('')).not.toContain('topsecret')
  })
})
