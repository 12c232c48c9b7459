import { once } from 'node:events'
import { connect } from 'node:net'
import { deflateSync, gzipSync } from 'node:zlib'
import { limits } from '@llm-eval/protocol'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Ground, type Sent, startGround, trace } from './ground.ts'

const encoded = (encoding: string) => ({ 'content-encoding': encoding })
const typed = (type: string) => ({ 'content-type': type })
const megabytes = (count: number) => 'x'.repeat(count * 1024 * 1024)
/** A key's name that makes the whole body `bytes` long; too long as a name, so it is never made. */
const sized = (bytes: number) => JSON.stringify({ name: 'x'.repeat(bytes - JSON.stringify({ name: '' }).length) })
const bomb = gzipSync(JSON.stringify(trace({ ai_response: megabytes(64) })), { level: 9 })

const cases: { name: string; sent: Sent; status: number; code?: string; detail?: string }[] = [
  {
    name: 'a body in gzip',
    sent: { path: '/webhook/trace', body: gzipSync(JSON.stringify(trace())), headers: encoded('gzip') },
    status: 200,
  },
  {
    name: 'a body in x-gzip',
    sent: { path: '/webhook/trace', body: gzipSync(JSON.stringify(trace())), headers: encoded('X-GZIP') },
    status: 200,
  },
  {
    name: 'a body that says identity',
    sent: { path: '/webhook/trace', body: trace(), headers: encoded('identity') },
    status: 200,
  },
  {
    name: 'a content type with a charset',
    sent: { path: '/webhook/trace', body: trace(), headers: typed('Application/JSON; charset=utf-8') },
    status: 200,
  },
  {
    name: 'a gzip bomb',
    sent: { path: '/webhook/trace', body: bomb, headers: encoded('gzip') },
    status: 413,
    code: 'body_too_large',
  },
  {
    name: 'a gzip bomb on an ordinary route',
    sent: { path: '/api/v1/keys', body: bomb, headers: encoded('gzip') },
    status: 413,
    code: 'body_too_large',
  },
  {
    name: 'gzip data that was cut off',
    sent: { path: '/webhook/trace', body: gzipSync('{"a":1}').subarray(0, -6), headers: encoded('gzip') },
    status: 400,
    code: 'malformed_json',
    detail: 'cut off',
  },
  {
    name: 'gzip data that is none',
    sent: { path: '/webhook/trace', body: '{}', headers: encoded('gzip') },
    status: 400,
    code: 'malformed_json',
    detail: 'damaged',
  },
  {
    name: 'deflate',
    sent: { path: '/webhook/trace', body: deflateSync('{}'), headers: encoded('deflate') },
    status: 415,
    code: 'unsupported_encoding',
    detail: 'deflate',
  },
  {
    name: 'two encodings',
    sent: { path: '/webhook/trace', body: gzipSync('{}'), headers: encoded('gzip, gzip') },
    status: 415,
    code: 'unsupported_encoding',
  },
  {
    name: 'plain text',
    sent: { path: '/webhook/trace', body: '{}', headers: typed('text/plain') },
    status: 415,
    code: 'unsupported_media_type',
    detail: 'text/plain',
  },
  {
    name: 'a form',
    sent: { path: '/api/v1/keys', body: 'name=x', headers: typed('application/x-www-form-urlencoded') },
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'a content type that is none',
    sent: { path: '/api/v1/keys', body: '{}', headers: typed('nonsense') },
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'JSON of another name',
    sent: { path: '/api/v1/keys', body: '{}', headers: typed('application/json-patch+json') },
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'an empty body',
    sent: { path: '/api/v1/keys', body: '' },
    status: 400,
    code: 'malformed_json',
    detail: 'empty',
  },
  {
    name: 'an empty trace',
    sent: { path: '/webhook/trace', body: '' },
    status: 400,
    code: 'malformed_json',
    detail: 'empty',
  },
  {
    name: 'no body at all',
    sent: { method: 'POST', path: '/webhook/trace' },
    status: 400,
    code: 'malformed_json',
    detail: 'empty',
  },
  {
    name: 'half a document',
    sent: { path: '/api/v1/keys', body: '{"name":"x"' },
    status: 400,
    code: 'malformed_json',
    detail: 'position 11',
  },
  {
    name: 'bytes that are no UTF-8',
    sent: { path: '/api/v1/keys', body: Buffer.from([0x22, 0xff, 0x22]) },
    status: 400,
    code: 'malformed_json',
    detail: 'UTF-8',
  },
  {
    name: 'JSON that is 10,000 deep',
    sent: { path: '/api/v1/keys', body: '['.repeat(10_000) + ']'.repeat(10_000) },
    status: 422,
    code: 'too_deep',
  },
  {
    name: 'a body at the limit',
    sent: { path: '/api/v1/keys', body: sized(limits.bodyBytes) },
    status: 422,
    code: 'invalid_request',
  },
  {
    name: 'a body one byte past the limit',
    sent: { path: '/api/v1/keys', body: sized(limits.bodyBytes + 1) },
    status: 413,
    code: 'body_too_large',
    detail: '262144',
  },
  {
    name: 'a body of 10 MB',
    sent: { path: '/api/v1/keys', body: JSON.stringify({ name: megabytes(10) }) },
    status: 413,
    code: 'body_too_large',
  },
  {
    name: 'a trace of 10 MB',
    sent: { path: '/webhook/trace', body: JSON.stringify(trace({ ai_response: megabytes(10) })) },
    status: 413,
    code: 'body_too_large',
    detail: '4194304',
  },
  {
    name: 'a 10 MB body where none is expected',
    sent: { method: 'PUT', path: '/nowhere', body: megabytes(10) },
    status: 404,
    code: 'route_not_found',
  },
  {
    name: 'a 10 MB body for another method',
    sent: { method: 'PUT', path: '/webhook/trace', body: megabytes(10) },
    status: 405,
    code: 'method_not_allowed',
  },
  {
    name: 'a 10 MB body of another type',
    sent: { path: '/webhook/batch', body: megabytes(10), headers: typed('text/plain') },
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'a 10 MB body from a refused origin',
    sent: { path: '/webhook/trace', body: megabytes(10), headers: { origin: 'https://evil.example' } },
    status: 403,
    code: 'origin_refused',
  },
  {
    name: 'a DELETE that names a type and has no body',
    sent: { method: 'DELETE', path: '/api/v1/keys/none', headers: typed('application/json') },
    status: 404,
    code: 'key_not_found',
  },
]

describe.each([
  ['in memory', false],
  ['over a socket', true],
])('%s', (_where, overSocket) => {
  let ground: Ground
  beforeAll(async () => {
    ground = await startGround({ overSocket })
  })
  afterAll(() => ground.close())

  it.each(cases)('$name is answered $status $code', async ({ sent, status, code, detail }) => {
    const answer = await ground.send(sent)
    expect(answer.status, answer.text).toBe(status)
    if (code !== undefined) expect(answer.json.code).toBe(code)
    if (detail !== undefined) expect(answer.json.detail ?? answer.json.message).toContain(detail)
    expect(answer.headers['connection']).not.toBe('close')
  })

  it('memory that bodies claimed is given back', () => {
    expect(ground.app.bodyBudget.take(2 * limits.commitQueueBytes)).toBe(true)
    ground.app.bodyBudget.give(2 * limits.commitQueueBytes)
  })
})

describe('a connection', () => {
  let ground: Ground
  beforeAll(async () => {
    ground = await startGround({ overSocket: true })
    await ground.origin()
  })
  afterAll(() => ground.close())

  it('serves every case one after the other', async () => {
    await ground.send({ path: '/health' })
    const before = ground.connections()
    for (const { sent, status } of cases) expect((await ground.send(sent)).status).toBe(status)
    expect((await ground.send({ path: '/health' })).status).toBe(200)
    expect(ground.connections()).toBe(before)
  })

  it('is closed where a body is too large to be read for nothing', async () => {
    const headers = {
      'content-length': String(100 * 1024 * 1024),
      'content-type': 'application/json',
      connection: 'keep-alive',
    }
    const answer = await raw(ground, [head('POST /webhook/trace', headers), '{"trace_id":'])
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer.toLowerCase()).toContain('connection: close')
  })

  it('that carries no HTTP gets an answer that says so, and others go on', async () => {
    const answer = await raw(ground, ['\x16\x03\x01 this is no HTTP\r\n\r\n'])
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('application/problem+json')
    expect((await ground.send({ path: '/health' })).status).toBe(200)
  })

  it('with too long a header is told so', async () => {
    const answer = await raw(ground, [head('GET /health', { 'x-long': 'y'.repeat(40_000) })])
    expect(answer).toMatch(/^HTTP\/1\.1 431 /)
  })

  it('that ends in the middle of a body harms nobody', async () => {
    const headers = { 'content-length': '1000', 'content-type': 'application/json' }
    for (const path of ['POST /webhook/trace', 'POST /api/v1/keys']) {
      const socket = await dial(ground)
      socket.write(`${head(path, headers)}{"trace_id"`)
      socket.resetAndDestroy()
      await once(socket, 'close')
    }
    expect((await ground.send({ path: '/health' })).status).toBe(200)
    expect(ground.lines.filter((line) => line.includes('"level":50'))).toEqual([])
  })

  it('may send its body in pieces without saying how long it is, up to the same limit', async () => {
    const headers = { 'transfer-encoding': 'chunked', 'content-type': 'application/json', connection: 'close' }
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
    const send = (body: string) => {
      const half = Math.floor(body.length / 2)
      const parts = [chunk(body.slice(0, half)), chunk(body.slice(half)), '0\r\n\r\n']
      return raw(ground, [head('POST /api/v1/keys', headers), ...parts])
    }
    expect(await send(sized(limits.bodyBytes))).toMatch(/^HTTP\/1\.1 422 /)
    expect(await send(sized(limits.bodyBytes + 1))).toMatch(/^HTTP\/1\.1 413 /)
  })
})

describe('bodies that are in memory at one moment', () => {
  it('are bounded over all requests together', async () => {
    const ground = await startGround()
    try {
      const all = 2 * limits.commitQueueBytes
      expect(ground.app.bodyBudget.take(all - 100)).toBe(true)
      const refused = await ground.send({ path: '/webhook/trace', body: trace({ ai_response: 'x'.repeat(200) }) })
      expect(refused.status).toBe(503)
      expect(refused.json.code).toBe('overloaded')
      expect(refused.headers['retry-after']).toBe('1')
      ground.app.bodyBudget.give(all - 100)
      expect((await ground.send({ path: '/webhook/trace', body: trace() })).status).toBe(200)
    } finally {
      await ground.close()
    }
  })
})

describe('memory that a body claimed', () => {
  let ground: Ground
  const all = 2 * limits.commitQueueBytes
  const headers = { 'content-length': '2000000', 'content-type': 'application/json' }
  const batch = JSON.stringify({ source: 'test', traces: [trace()] })

  /** Whether all of it is there again. */
  function isFree(): boolean {
    if (!ground.app.bodyBudget.take(all)) return false
    ground.app.bodyBudget.give(all)
    return true
  }
  beforeAll(async () => {
    ground = await startGround({ overSocket: true })
  })
  afterAll(() => ground.close())

  it('is given back when its sender goes away in the middle', async () => {
    const socket = await dial(ground)
    socket.write(head('POST /webhook/batch', headers) + 'x'.repeat(1_000_000))
    await vi.waitFor(() => expect(isFree()).toBe(false), { timeout: 20_000 })
    socket.destroy()
    await vi.waitFor(() => expect(isFree()).toBe(true), { timeout: 20_000 })
  })

  it('is given back when the answer has to wait behind another one, and is never sent', async () => {
    const socket = await dial(ground)
    const never = Promise.withResolvers<void>()
    const ping = vi.spyOn(ground.store, 'ping').mockReturnValueOnce(never.promise)
    socket.write(head('GET /webhook/health', {}))
    socket.write(head('POST /webhook/batch', { ...headers, 'content-length': String(batch.length) }) + batch)
    await vi.waitFor(async () => expect((await ground.send({ path: '/webhook/stats' })).json.total_traces).toBe(1), {
      timeout: 20_000,
    })
    await vi.waitFor(() => expect(isFree()).toBe(true), { timeout: 20_000 })
    socket.destroy()
    never.resolve()
    ping.mockRestore()
  })
})

function head(start: string, headers: Record<string, string>): string {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`)
  return `${start} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

async function dial(ground: Ground) {
  const { port } = new URL(await ground.origin())
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** Writes bytes to a connection and reads until the server closes it. */
async function raw(ground: Ground, parts: string[]): Promise<string> {
  const socket = await dial(ground)
  let answer = ''
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString()
  })
  const closed = once(socket, 'close')
  for (const part of parts) socket.write(part)
  await closed
  return answer
}
