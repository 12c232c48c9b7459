import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { type Column, type ImportReport, limits } from '@llm-eval/protocol'
import { importReport } from '@llm-eval/protocol/dataset-schemas'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { registerDatasets } from '../src/datasets/routes.ts'
import { importRows } from '../src/datasets/import.ts'
import { type Ground, openShelf, type Shelf, startGround } from './ground.ts'

let shelf: Shelf
let server: Ground
beforeAll(async () => {
  shelf = await openShelf()
  server = await startGround({ shelf, slices: [registerDatasets], overSocket: true })
})
afterAll(async () => {
  await server.close()
  await shelf.close()
})
afterEach(async () => {
  const { items } = (await server.send({ path: '/api/v1/datasets' })).json as { items: { id: string }[] }
  for (const { id } of items) await server.send({ method: 'DELETE', path: `/api/v1/datasets/${id}` })
})

async function make(columns: object[] = [], name = 'set'): Promise<void> {
  const answer = await server.send({ path: '/api/v1/datasets', body: { name, columns } })
  expect(answer.status, answer.text).toBe(201)
}

const csv = { 'content-type': 'text/csv' }
const jsonl = { 'content-type': 'application/jsonl' }
const send = (body: string | Buffer, headers: Record<string, string> = csv, query = '') =>
  server.send({ path: `/api/v1/datasets/set/import${query}`, body: Buffer.from(body), headers })

async function load(body: string | Buffer, headers: Record<string, string> = csv): Promise<ImportReport> {
  const answer = await send(body, headers)
  expect(answer.status, answer.text).toBe(200)
  return importReport.parse(answer.json)
}

async function rows(name = 'set'): Promise<object[]> {
  const { text } = await server.send({ path: `/api/v1/datasets/${name}/export` })
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as object)
}

const columns = async () => {
  const { json } = await server.send({ path: '/api/v1/datasets/set' })
  return (json as { columns: Column[] }).columns.map(({ slug, type }) => `${slug}:${type}`)
}

describe('an import of CSV', () => {
  it('makes the columns of its header, with types that lose nothing', async () => {
    await make()
    const text =
      'User Query,score,ok,tags,code,version\nWhat?,1.5,true,"[""a""]",007,1\n"Two\nlines",-2,FALSE,{},12,x\n,,,,,\n'
    expect(await load(text)).toEqual({
      dataset: 'set',
      imported: 3,
      columns: ['user-query', 'score', 'ok', 'tags', 'code', 'version'],
      refused: 0,
      errors: [],
      complete: true,
    })
    expect(await columns()).toEqual([
      'user-query:string',
      'score:number',
      'ok:boolean',
      'tags:json',
      'code:string',
      'version:string',
    ])
    expect(await rows()).toEqual([
      { 'user-query': 'What?', score: 1.5, ok: true, tags: ['a'], code: '007', version: '1' },
      { 'user-query': 'Two\nlines', score: -2, ok: false, tags: {}, code: '12', version: 'x' },
      { 'user-query': null, score: null, ok: null, tags: null, code: null, version: null },
    ])
  })

  it('tells bad rows by their lines, and keeps the good ones', async () => {
    await make([{ name: 'q' }, { name: 'n', type: 'number' }])
    const lines = ['n,Q', '1,a', 'x,b', '2,"c\nd"', '3', '4,"e\nf",g', '5,h"i', '6,j', '']
    const report = await load(lines.join('\r\n'))
    expect(report).toMatchObject({ imported: 3, refused: 4, complete: true, columns: [] })
    expect(report.errors).toEqual([
      { line: 3, message: 'n takes a number, not "x"' },
      { line: 6, message: 'it has 1 cells, and the header names 2 columns' },
      { line: 7, message: 'it has 3 cells, and the header names 2 columns' },
      { line: 9, message: expect.stringContaining('a quote stands inside a cell') },
    ])
    expect(await rows()).toEqual([
      { q: 'a', n: 1 },
      { q: 'c\nd', n: 2 },
      { q: 'j', n: 6 },
    ])
  })

  it.each(['\n', '\r\n', '\r'])('reads line ends %j, a byte order mark and blank lines', async (end) => {
    await make()
    const report = await load(['\ufeffa,b', '1,"x"', '', '2,""', ''].join(end))
    expect(report).toMatchObject({ imported: 2, refused: 0, columns: ['a', 'b'] })
    // A quoted empty cell is an empty text, an unquoted one is no value.
    expect(await rows()).toEqual([
      { a: 1, b: 'x' },
      { a: 2, b: '' },
    ])
  })

  it('of a header that does not fit is refused before anything is stored', async () => {
    await make([{ name: 'question' }, { name: 'b' }])
    expect((await send('qestion,b\n1,2\n')).json).toMatchObject({
      code: 'invalid_request',
      errors: [{ path: 'header.qestion', message: 'is no column of the dataset; did you mean question?' }],
    })
    expect((await send('question,Question\n1,2\n')).json).toMatchObject({
      errors: [{ path: 'header.Question', message: 'is the column question, which is named twice' }],
    })
    expect((await send('b,b\n1,2\n')).json).toMatchObject({ errors: [{ path: 'header' }] })
    expect(await rows()).toEqual([])
  })

  it('that breaks off keeps what came before, and says where', async () => {
    await make([{ name: 'a' }])
    const unclosed = await load('a\nx\ny\n"never closed\n1\n2\n')
    expect(unclosed).toEqual({
      dataset: 'set',
      imported: 2,
      columns: [],
      refused: 1,
      errors: [{ line: 4, message: 'a quote is opened in this record and never closed' }],
      complete: false,
    })
    const wrong = await load('a\nz\n"x"y\nmore\n')
    expect(wrong).toMatchObject({ imported: 1, complete: false, errors: [{ line: 3 }] })
    const latin = await load(Buffer.concat([Buffer.from('a\nok\ncaf'), Buffer.from([0xe9]), Buffer.from('\nx\n')]))
    expect(latin).toMatchObject({ imported: 1, complete: false, errors: [{ line: 3 }] })
    expect(latin.errors[0]?.message).toContain('UTF-8')
    expect((await load(Buffer.from('\ufeffa\nb\n', 'utf16le'))).errors[0]?.message).toContain('UTF-16')
    expect((await rows()).map((row) => (row as { a: string }).a)).toEqual(['x', 'y', 'z', 'ok'])
  })

  it('of nothing, or of a header alone, imports nothing', async () => {
    await make()
    expect(await load('')).toMatchObject({ imported: 0, columns: [], complete: true })
    expect(await load('a,b\n')).toMatchObject({ imported: 0, columns: ['a', 'b'] })
    expect(await columns()).toEqual(['a:string', 'b:string'])
  })

  it('a record without end does not fill the memory', async () => {
    await make([{ name: 'a' }])
    const report = await load(`a\nx\n"${'y\n'.repeat(3_000_000)}`)
    expect(report).toMatchObject({ imported: 1, complete: false, errors: [{ line: 3 }] })
    expect(report.errors[0]?.message).toContain('is a quote not closed?')
  })
})

describe('an import of JSON', () => {
  it('reads one object a line; a bad line spoils no other', async () => {
    await make()
    const text = '\ufeff{"q":"a","n":1,"x":[1]}\r\n\n{"q":\n[1]\n{"q":"b","n":12345678901234567890,"x":"y"}\n{"q":null}'
    const report = await load(text, jsonl)
    expect(report).toMatchObject({ imported: 3, refused: 2, columns: ['q', 'n', 'x'], complete: true })
    expect(report.errors.map(({ line }) => line)).toEqual([3, 4])
    expect(await columns()).toEqual(['q:string', 'n:number', 'x:json'])
    const { text: out } = await server.send({ path: '/api/v1/datasets/set/export' })
    expect(out).toBe(
      '{"q":"a","n":1,"x":[1]}\n{"q":"b","n":12345678901234567890,"x":"y"}\n{"q":null,"n":null,"x":null}\n',
    )
  })

  it('reads an array over any lines, and keeps what came before it was cut off', async () => {
    await make()
    const json = { 'content-type': 'application/json; charset=utf-8' }
    const whole = await load('\ufeff[\n {"a": "]}\\"",\n "b": [1, {"c": 2}]}\n, {"a":"2"},3, {"a" 4}]\n', json)
    expect(whole).toMatchObject({ imported: 2, refused: 2, complete: true, columns: ['a', 'b'] })
    expect(whole.errors.map(({ line }) => line)).toEqual([4, 4])
    expect(await load('[{"a":"3"},\n{"a":"4', json)).toMatchObject({
      imported: 1,
      complete: false,
      errors: [{ line: 2, message: 'the file ends in the middle of it' }],
    })
    expect(await load('[{"a":"5"}', json)).toMatchObject({ imported: 1, complete: false })
    expect(await load('[{"a":"6"}]x', json)).toMatchObject({ imported: 1, complete: false })
    expect((await load('{"a":"7"}', json)).errors[0]?.message).toContain('jsonl')
    expect(await load('', json)).toMatchObject({ imported: 0, complete: false })
    expect((await rows()).map((row) => (row as { a: string }).a)).toEqual([']}"', '2', '3', '5', '6'])
  })

  it('refuses rows that are nested too deep or too long, one by one', async () => {
    await make([{ name: 'j', type: 'json' }])
    const nested = (levels: number) => `{"j":${'['.repeat(levels)}${']'.repeat(levels)}}`
    const long = (length: number) => `{"j":"${'x'.repeat(length - '{"j":""}'.length)}"}`
    const deep = [nested(limits.jsonDepth), nested(limits.jsonDepth + 1), nested(200_000)]
    const lines = [...deep, long(limits.rowBytes), long(limits.rowBytes + 1), long(9 * limits.rowBytes), '{"j":1}']
    for (const [headers, text] of [
      [jsonl, lines.join('\n')],
      [{ 'content-type': 'application/json' }, `[${lines.join(',\n')}]`],
    ] as const) {
      const report = await load(text, headers)
      expect(report).toMatchObject({ imported: 3, refused: 4, complete: true })
      expect(report.errors.map(({ line }) => line)).toEqual([2, 3, 5, 6])
    }
  })

  it('is the same however the bytes are cut', async () => {
    await make([{ name: 'a', type: 'json' }])
    const place = { store: shelf.store, projectId: 1, now: () => 0 }
    const values = fc.array(fc.jsonValue({ maxDepth: 2 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(values, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (list, size, asArray) => {
        const objects = list.map((a) => ({ a }))
        const text = asArray ? JSON.stringify(objects, null, 1) : objects.map((one) => JSON.stringify(one)).join('\n')
        const bytes = Buffer.from(text)
        async function* chunks() {
          for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
        }
        await server.send({ path: '/api/v1/datasets/set/rows', body: { rows: [], mode: 'replace' } })
        const format = asArray ? 'json' : 'jsonl'
        expect(await importRows(place, 'set', { chunks: chunks(), format })).toMatchObject({
          imported: list.length,
          complete: true,
        })
        expect(await rows()).toEqual(JSON.parse(JSON.stringify(objects)))
      }),
      { numRuns: 60 },
    )
  })
})

describe('an import', () => {
  it('takes the format from the query before the content type, and asks for it where neither says', async () => {
    await make([{ name: 'a' }])
    expect((await send('{"a":"1"}\n', csv, '?format=jsonl')).json).toMatchObject({ imported: 1 })
    expect((await send('a\n2\n', { 'content-type': 'application/octet-stream' }, '?format=csv')).json).toMatchObject({
      imported: 1,
    })
    const refused = await send('a\n2\n', { 'content-type': 'application/octet-stream' })
    expect(refused).toMatchObject({ status: 400, json: { code: 'invalid_query', errors: [{ path: 'format' }] } })
    expect((await send('a', csv, '?format=xml')).status).toBe(400)
  })

  it('reads gzip, and keeps what came before damage', async () => {
    await make([{ name: 'a' }])
    const gzip = { ...csv, 'content-encoding': 'gzip' }
    const packed = gzipSync(`a\n${Array.from({ length: 50_000 }, (_, n) => `row ${n} ${Math.random()}`).join('\n')}\n`)
    expect(await load(packed, gzip)).toMatchObject({ imported: 50_000, complete: true })
    const cut = await load(packed.subarray(0, packed.length >> 1), gzip)
    expect(cut.complete).toBe(false)
    expect(cut.errors.at(-1)?.message).toContain('gzip')
    expect(cut.imported).toBeGreaterThan(1_000)
    const odd = await send('a\n', { ...csv, 'content-encoding': 'br' })
    expect(odd).toMatchObject({ status: 415, json: { code: 'unsupported_encoding' } })
  })

  it('tells at most so many bad rows, and counts all; what ended it is always told', async () => {
    await make([{ name: 'n', type: 'number' }])
    const bad = (count: number) => `n\n${'x\n'.repeat(count)}`
    expect(await load(bad(limits.importErrors))).toMatchObject({
      refused: limits.importErrors,
      errors: { length: limits.importErrors },
    })
    const more = await load(`${bad(limits.importErrors + 1)}"open`)
    expect(more).toMatchObject({ refused: limits.importErrors + 2, errors: { length: limits.importErrors } })
    expect(more.errors.at(-1)?.line).toBe(limits.importErrors + 3)
  })

  it('of a file that is too large is refused at once when it says so', async () => {
    await make([{ name: 'a' }])
    const declared = async (length: number) => {
      const request = httpRequest(`${await server.origin()}/api/v1/datasets/set/import?format=csv`, {
        method: 'POST',
        agent: false,
        headers: { 'content-length': length },
      })
      request.on('error', () => undefined)
      request.write('a\nb\n')
      return request
    }
    const large = await declared(limits.importBytes + 1)
    const [answer] = (await once(large, 'response')) as [IncomingMessage]
    expect([answer.statusCode, answer.headers.connection]).toEqual([413, 'close'])
    large.destroy()
    const fitting = await declared(limits.importBytes)
    // It is read, and waited for: nothing comes until the sender goes away.
    fitting.destroy()
    expect((await send('a\nc\n')).status).toBe(200)
  })

  it('whose rows do not all fit says which was the first that did not', async () => {
    await make([{ name: 'a' }])
    const full = { ...shelf.store, apply: shelf.store.apply.bind(shelf.store) }
    let calls = 0
    full.apply = async (...[project, change]) => {
      calls++
      if (calls === 1) return { result: 'full', room: 2 } as never
      return shelf.store.apply(project, change)
    }
    const place = { store: { ...full, read: shelf.store.read.bind(shelf.store) }, projectId: 1, now: () => 0 }
    const chunks = Readable.from([Buffer.from('a\nb\nc\nd\ne\n')])
    expect(await importRows(place, 'set', { chunks, format: 'csv' })).toMatchObject({
      imported: 2,
      complete: false,
      refused: 1,
      errors: [{ line: 4, message: expect.stringContaining('full') }],
    })
  })

  it('that is refused is read to its end, so that its sender reads why', async () => {
    const text = `a\n${'row\n'.repeat(2_000_000)}`
    const answer = await server.send({ path: '/api/v1/datasets/nobody/import', body: Buffer.from(text), headers: csv })
    expect(answer).toMatchObject({ status: 404, json: { code: 'dataset_not_found' } })
    const before = server.connections()
    expect((await server.send({ path: '/api/v1/datasets' })).status).toBe(200)
    expect(server.connections()).toBe(before)
  })

  it('whose sender goes away keeps what was stored, and the next one is served', async () => {
    await make([{ name: 'a' }])
    const request = httpRequest(`${await server.origin()}/api/v1/datasets/set/import?format=csv`, {
      method: 'POST',
      agent: false,
    })
    request.on('error', () => undefined)
    request.write(`a\n${'row\n'.repeat(20_000)}`)
    const stored = async () => {
      const { json } = await server.send({ path: '/api/v1/datasets/set' })
      return (json as { total_rows: number }).total_rows
    }
    await expect.poll(stored, { timeout: 20_000 }).toBeGreaterThan(10_000)
    request.destroy()
    expect(await load('a\nlast\n')).toMatchObject({ imported: 1 })
  })
})

describe('an export', () => {
  const types = ['string', 'number', 'boolean', 'json', 'date', 'file'] as const
  const value = {
    string: fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('', '=1+1', "'=1", "''-x", '"', 'a,b', 'x\r\ny', '\r', ' a ', '-1', '@', '\t', 'null', '\u0000'),
    ),
    number: fc.oneof(
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
    ),
    boolean: fc.boolean(),
    json: fc.jsonValue({ maxDepth: 2 }).filter((json) => json !== null),
    date: fc.constantFrom('2026-01-31', '2026-01-31T12:00:00Z'),
    file: fc.oneof(fc.constantFrom('https://example.com/a', '=x', '-'), fc.record({ url: fc.string() })),
  }
  const row = fc.record(
    Object.fromEntries(types.map((type) => [type, fc.option(value[type], { nil: null })])) as Record<
      string,
      fc.Arbitrary<unknown>
    >,
  )

  it.each(['csv', 'jsonl', 'json'] as const)('as %s, imported again, gives the same rows', async (format) => {
    const given = types.map((type) => ({ name: type, type }))
    await make(given)
    await make(given, 'copy')
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 5 }), async (list) => {
        for (const name of ['set', 'copy']) {
          const body = { rows: name === 'set' ? list : [], mode: 'replace' }
          const answer = await server.send({ path: `/api/v1/datasets/${name}/rows`, body })
          expect(answer.status, answer.text).toBe(201)
        }
        const file = await server.send({ path: `/api/v1/datasets/set/export?format=${format}` })
        const headers = { 'content-type': 'application/octet-stream' }
        const path = `/api/v1/datasets/copy/import?format=${format}`
        const report = await server.send({ path, body: file.bytes, headers })
        expect(report.json).toMatchObject({ imported: list.length, refused: 0, complete: true })
        expect(await rows('copy')).toEqual(await rows('set'))
        expect(await rows('copy')).toEqual(JSON.parse(JSON.stringify(list)))
        const again = await server.send({ path: `/api/v1/datasets/copy/export?format=${format}` })
        expect(again.text).toBe(file.text)
      }),
      { numRuns: 60 },
    )
  })

  it('of any size is streamed, of the draft and of a version, with a name of its own', async () => {
    await make([{ name: 'n', type: 'number' }, { name: 'text' }])
    const line = (n: number) => `{"n":${n},"text":"${'x'.repeat(200)}"}`
    const text = Array.from({ length: 30_000 }, (_, n) => line(n)).join('\n')
    expect(await load(text, jsonl)).toMatchObject({ imported: 30_000 })
    await server.send({ path: '/api/v1/datasets/set/publish', body: {} })
    await server.send({ path: '/api/v1/datasets/set/rows', body: { rows: [{ n: -1 }] } })
    const version = await server.send({ path: '/api/v1/datasets/set/export?version=v1' })
    expect(version.text).toBe(`${text}\n`)
    expect(version.headers['content-disposition']).toBe('attachment; filename="set-v1.jsonl"')
    const draft = await server.send({ path: '/api/v1/datasets/set/export?format=json' })
    expect(draft.headers['content-disposition']).toBe('attachment; filename="set-draft.json"')
    expect(draft.json).toHaveLength(30_001)
    const table = await server.send({ path: '/api/v1/datasets/set/export?format=csv' })
    expect(table.headers['content-type']).toBe('text/csv; charset=utf-8; header=present')
    expect(table.text.slice(0, 12)).toBe('n,text\r\n0,xx')
    expect(table.text.endsWith('\r\n-1,\r\n')).toBe(true)
    const head = await server.send({ method: 'HEAD', path: '/api/v1/datasets/set/export' })
    expect([head.status, head.text]).toEqual([200, ''])
    const missing = await server.send({ path: '/api/v1/datasets/set/export?version=v9' })
    expect(missing).toMatchObject({ status: 404, json: { code: 'version_not_found' } })
  })

  it('of no rows is empty, a header, or an empty array', async () => {
    await make([{ name: 'a' }, { name: '=b' }])
    const text = async (format: string) =>
      (await server.send({ path: `/api/v1/datasets/set/export?format=${format}` })).text
    expect(await text('jsonl')).toBe('')
    expect(await text('csv')).toBe('a,b\r\n')
    expect(JSON.parse(await text('json'))).toEqual([])
  })
})
