import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { decodeJsonLines, limits, type TraceDetail } from '@llm-eval/protocol'
import type { Queries, Store } from '@llm-eval/store'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Register } from '../src/http/app.ts'
import { type Ground, openShelf, type Shelf, startGround, trace } from './ground.ts'
import { removeTraces, traceSlices } from './trace-slices.ts'

let shelf: Shelf
let server: Ground
beforeAll(async () => {
  shelf = await openShelf()
})
afterEach(async () => {
  await server.close()
  await removeTraces(shelf.store)
})
afterAll(async () => shelf.close())

const start = async (wrap?: (store: Store) => Store) => {
  server = await startGround({ shelf, slices: traceSlices, ...(wrap ? { wrap } : {}) })
}

async function fill(count: number, fields: (n: number) => Record<string, unknown> = () => ({})): Promise<void> {
  // Few enough at once that large ones fit into a request.
  const batch = Math.min(
    limits.batchTraces,
    Math.floor(limits.batchBytes / 2 / JSON.stringify(trace(fields(0))).length),
  )
  for (let from = 0; from < count; from += batch) {
    const size = Math.min(batch, count - from)
    const traces = Array.from({ length: size }, (_, i) => trace({ trace_id: `t-${from + i}`, ...fields(from + i) }))
    const answer = await server.send({ path: '/webhook/batch', body: { traces, source: 'app' } })
    expect(answer.status).toBe(200)
  }
}

async function readLines(text: string): Promise<TraceDetail[]> {
  const lines: TraceDetail[] = []
  async function* chunks() {
    yield text
  }
  for await (const line of decodeJsonLines(chunks())) lines.push(line.value as TraceDetail)
  return lines
}

/** Reads CSV as RFC 4180 says. */
function readCsv(text: string): Record<string, string>[] {
  const records: string[][] = [[]]
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/y
  while (cell.lastIndex < text.length) {
    const [, quoted, plain = '', end] = cell.exec(text) ?? []
    if (end === undefined) throw new Error('not CSV')
    records.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === '\r\n') records.push([])
  }
  const [header = [], ...rows] = records
  return rows
    .filter((row) => row.length > 0)
    .map((row) => Object.fromEntries(header.map((name, i) => [name, row[i] ?? '?'])))
}

/** A store whose export pages can be counted, and made to fail. */
function watched(onPage: (count: number, page: Queries['pageTraces']['in']) => void) {
  let pages = 0
  return (store: Store): Store =>
    new Proxy(store, {
      get(target, property) {
        if (property !== 'read') {
          const value: unknown = Reflect.get(target, property)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        }
        return async (project: number, query: 'pageTraces', args: Queries['pageTraces']['in']) => {
          if (query === 'pageTraces') onPage(++pages, args)
          return target.read(project, query, args)
        }
      },
    })
}

async function open(path: string): Promise<IncomingMessage> {
  const url = `${await server.origin()}${path}`
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, resolve).on('error', reject)
  })
}

describe('the export', () => {
  it('holds every trace as one line of JSON, whole and exact, newest first', async () => {
    await start()
    await fill(450, (n) => ({ timestamp: new Date(Date.UTC(2025, 0, 1) + n * 1_000).toISOString(), metadata: { n } }))
    const answer = await server.send({ path: '/api/v1/exports/traces' })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('application/jsonl; charset=utf-8')
    expect(answer.headers['content-disposition']).toBe('attachment; filename="traces-2025-01-27.jsonl"')
    const traces = await readLines(answer.text)
    expect(traces.map((item) => item.trace_id)).toEqual(Array.from({ length: 450 }, (_, n) => `t-${449 - n}`))
    expect(traces[7]).toEqual((await server.send({ path: '/api/v1/traces/t-442' })).json)
  })

  it('holds only what the filters let through', async () => {
    await start()
    await fill(30, (n) => ({ model_name: n % 3 ? 'a' : 'b', cost: n }))
    const answer = await server.send({ path: '/api/v1/exports/traces?model_name=b&min_cost=20' })
    expect((await readLines(answer.text)).map((item) => item.trace_id).sort()).toEqual(['t-21', 't-24', 't-27'])
    expect((await server.send({ path: '/api/v1/exports/traces?model_name=never' })).text).toBe('')
    expect(await server.send({ path: '/api/v1/exports/traces?format=xlsx' })).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'format' }] },
    })
  })

  it('is CSV when asked, with nested values as JSON and unknown ones empty', async () => {
    await start()
    const query = 'say "hi", then\r\nleave\ta tab'
    await fill(1, () => ({
      user_query: query,
      functions_called: [{ name: 'f', result: 'x,"y"' }],
      metadata: { a: [1, '2'] },
      cost: 0.0012,
      session_id: 's',
    }))
    const answer = await server.send({ path: '/api/v1/exports/traces?format=csv' })
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8; header=present')
    expect(answer.headers['content-disposition']).toBe('attachment; filename="traces-2025-01-27.csv"')
    const [row] = readCsv(answer.text)
    expect(row).toMatchObject({
      trace_id: 't-0',
      user_query: query,
      functions_called: '[{"name":"f","result":"x,\\"y\\""}]',
      metadata: '{"a":[1,"2"]}',
      cost: '0.0012',
      session_id: 's',
      user_id: '',
      tokens_used: '',
      evaluation_status: 'pending',
    })
  })

  it('leaves a spreadsheet no formulas in CSV, and keeps them exact in JSON Lines', async () => {
    await start()
    const risky = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx']
    await fill(risky.length, (n) => ({ user_query: risky[n], ai_response: 'a=b', cost: 1, session_id: '-s' }))
    const rows = readCsv((await server.send({ path: '/api/v1/exports/traces?format=csv' })).text)
    expect(new Set(rows.map((row) => row.user_query))).toEqual(new Set(risky.map((text) => `'${text}`)))
    expect(rows[0]).toMatchObject({ ai_response: 'a=b', cost: '1', session_id: "'-s" })
    const lines = await readLines((await server.send({ path: '/api/v1/exports/traces' })).text)
    expect(lines.map((item) => item.user_query).sort()).toEqual(risky.toSorted())
  })

  it('begins no cell with a formula where semicolons or tabs part them', async () => {
    await start()
    await fill(2, (n) => ({ user_query: ['a;=1+1', 'a\t=1+1'][n] }))
    const { text } = await server.send({ path: '/api/v1/exports/traces?format=csv' })
    for (const cell of ['"a;=1+1"', '"a\t=1+1"']) expect(text).toContain(`,${cell},`)
  })

  it('is only a header when there is nothing, and only its head when that is asked for', async () => {
    let pages = 0
    await start(watched(() => pages++))
    expect(readCsv((await server.send({ path: '/api/v1/exports/traces?format=csv' })).text)).toEqual([])
    pages = 0
    const head = await server.send({ method: 'HEAD', path: '/api/v1/exports/traces?format=csv' })
    expect(head).toMatchObject({ status: 200, text: '' })
    expect(head.headers['content-type']).toContain('text/csv')
    expect(pages).toBe(0)
  })

  it('fails with a status when it cannot begin', async () => {
    await start(
      watched(() => {
        throw new Error('the database is gone')
      }),
    )
    for (const format of ['csv', 'jsonl']) {
      const answer = await server.send({ path: `/api/v1/exports/traces?format=${format}` })
      expect(answer).toMatchObject({ status: 500, json: { code: 'internal' } })
    }
  })

  it('cuts the connection when it fails in the middle, so that a part is not taken for the whole', async () => {
    const text = 'x'.repeat(100_000)
    await start(
      watched((count) => {
        if (count === 3) throw new Error('the database is gone')
      }),
    )
    await fill(200, () => ({ ai_response: text }))
    const answer = await open('/api/v1/exports/traces')
    expect(answer.statusCode).toBe(200)
    let received = 0
    const reading = (async () => {
      for await (const chunk of answer) received += (chunk as Buffer).length
    })()
    await expect(reading).rejects.toThrow()
    expect(received).toBeGreaterThan(0)
    expect(answer.complete).toBe(false)
    expect((await server.send({ path: '/api/v1/traces?limit=1' })).status).toBe(200)
  })

  it('reads no further than the receiver drains, and stops when the receiver goes away', async () => {
    let pages = 0
    const second = Promise.withResolvers<void>()
    const payload = Promise.withResolvers<Readable>()
    const watchPayloads: Register = (app) => {
      app.addHook('onSend', async (_request, _reply, sent) => {
        if (sent instanceof Readable) payload.resolve(sent)
        return sent
      })
    }
    const wrap = watched((count) => {
      pages = count
      if (count === 2) second.resolve()
    })
    server = await startGround({ shelf, slices: [watchPayloads, ...traceSlices], wrap })
    const text = 'x'.repeat(400_000)
    await fill(300, () => ({ ai_response: text }))
    const answer = await open('/api/v1/exports/traces')
    const stream = await payload.promise
    // Nobody reads: what fits into the buffers on the way is read from the store, and no more.
    await second.promise
    const closed = once(stream, 'close')
    answer.destroy()
    await closed
    expect(stream.destroyed).toBe(true)
    expect(pages).toBeLessThan(20)
    const stoppedAt = pages
    expect((await server.send({ path: '/api/v1/traces?limit=1' })).status).toBe(200)
    expect(pages).toBe(stoppedAt)
  })

  it('asks for smaller pages when traces are large, and for larger ones when they are small', async () => {
    const sizes: number[] = []
    await start(watched((_count, page) => sizes.push(page.limit)))
    await fill(700)
    await server.send({ path: '/api/v1/exports/traces' })
    expect(Math.max(...sizes)).toBe(200)
    sizes.length = 0
    await removeTraces(shelf.store)
    await fill(60, () => ({ ai_response: 'x'.repeat(900_000) }))
    const answer = await server.send({ path: '/api/v1/exports/traces' })
    expect(await readLines(answer.text)).toHaveLength(60)
    expect(sizes.at(-1)).toBeLessThan(20)
  })
})

it('whose reader stopped taking it is cut after minutes, not kept for ever', async () => {
  await start()
  await fill(16, () => ({ ai_response: 'x'.repeat(1_000_000) }))
  const origin = await server.origin()
  expect(server.app.server.timeout).toBe(300_000)
  const connected = once(server.app.server, 'connection')
  const request = get(`${origin}/api/v1/exports/traces`, { agent: false })
  const [socket] = (await connected) as [Socket]
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  answer.on('error', () => undefined).pause()
  // Its minutes, made short.
  expect(socket.timeout).toBe(300_000)
  socket.setTimeout(200)
  await once(socket, 'close')
  request.destroy()
})
