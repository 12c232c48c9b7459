import { type Column, type ImportReport, limits } from '@llm-eval/protocol'
import { importReport } from '@llm-eval/protocol/dataset-schemas'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { exportPages } from '../src/datasets/export.ts'
import { pagedBody } from '../src/http/paged-body.ts'
import { registerDatasets } from '../src/datasets/routes.ts'
import { type Ground, openShelf, type Shelf, startGround, trace } from './ground.ts'
import { traceSlices } from './trace-slices.ts'

// Which columns files and traces bring, whatever they call them and whoever comes at the same time.

let shelf: Shelf
let server: Ground
beforeAll(async () => {
  shelf = await openShelf()
  server = await startGround({ shelf, slices: [registerDatasets, ...traceSlices] })
})
afterAll(async () => {
  await server.close()
  await shelf.close()
})
afterEach(async () => {
  const { items } = (await server.send({ path: '/api/v1/datasets' })).json as { items: { id: string }[] }
  for (const { id } of items) await server.send({ method: 'DELETE', path: `/api/v1/datasets/${id}` })
})

const at = '/api/v1/datasets/set'
const make = (columns: object[] = []) => server.send({ path: '/api/v1/datasets', body: { name: 'set', columns } })
const send = (body: string, format = 'csv') =>
  server.send({ path: `${at}/import?format=${format}`, body, headers: { 'content-type': 'application/octet-stream' } })

async function load(body: string, format = 'csv'): Promise<ImportReport> {
  const answer = await send(body, format)
  expect(answer.status, answer.text).toBe(200)
  return importReport.parse(answer.json)
}

async function rows(): Promise<object[]> {
  const { text } = await server.send({ path: `${at}/export` })
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as object)
}

async function columns(): Promise<Column[]> {
  return ((await server.send({ path: at })).json as { columns: Column[] }).columns
}

describe('the columns of a file', () => {
  it.each([
    ['csv', 'userQuery,user_query,A,a\nx,y,z,w\n'],
    ['jsonl', '{"userQuery":"x","user_query":"y","A":"z","a":"w"}\n'],
  ])('in %s are each one of its own, also when their names differ little', async (format, text) => {
    await make()
    expect(await load(text, format)).toMatchObject({
      imported: 1,
      refused: 0,
      columns: ['user-query', 'user-query-2', 'a', 'a-2'],
    })
    expect(await rows()).toEqual([{ 'user-query': 'x', 'user-query-2': 'y', a: 'z', 'a-2': 'w' }])
  })

  it('are found again by their names when it is imported again', async () => {
    await make()
    for (const line of ['x,y', 'z,w']) await load(`userQuery,user_query\n${line}\n`)
    expect(await rows()).toEqual([
      { 'user-query': 'x', 'user-query-2': 'y' },
      { 'user-query': 'z', 'user-query-2': 'w' },
    ])
  })

  it('have types of their own values, whatever objects inherit', async () => {
    await make()
    expect(await load('{"__proto__":"a","constructor":"b","toString":true}\n{"x":1}\n', 'jsonl')).toMatchObject({
      imported: 2,
      columns: ['proto', 'constructor', 'to-string', 'x'],
    })
    expect((await columns()).map(({ type }) => type)).toEqual(['string', 'string', 'boolean', 'number'])
  })

  it('have names that may be as long as any, and not one character more', async () => {
    await make()
    const [longest, longer] = ['x'.repeat(limits.nameChars), 'y'.repeat(limits.nameChars + 1)]
    const refused = await send(`${longest},${longer}\n1,2\n`)
    expect(refused).toMatchObject({
      status: 422,
      json: { errors: [{ path: `header.${longer.slice(0, 100)}`, message: expect.stringContaining('characters') }] },
    })
    expect(await columns()).toEqual([])
    const lines = [{ [longest]: 1 }, { [longer]: 2 }, { '': 3 }, { 'nul\u0000': 4 }]
    const report = await load(lines.map((line) => JSON.stringify(line)).join('\n'), 'jsonl')
    expect(report).toMatchObject({ imported: 1, refused: 3, errors: [{ line: 2 }, { line: 3 }, { line: 4 }] })
    expect((await columns()).map(({ name }) => name)).toEqual([longest])
  })

  it('are named in the first line that is not blank, and get a name of their own where they have none', async () => {
    await make()
    expect(await load('\n\r\n"Two\nlines",,column-2,\n1,2,3,4\n')).toMatchObject({ imported: 1, refused: 0 })
    expect((await columns()).map(({ name }) => name)).toEqual(['Two lines', 'column-2-2', 'column-2', 'column-4'])
  })

  it.each([
    ['semicolons', 'name;"a;b, c";age\n"Bob; Jr";x,y;5\n'],
    ['tabs', '\ufeffname\t"a;b, c"\tage\r\n"Bob; Jr"\tx,y\t5\r\n'],
    ['semicolons after blank lines', '\n\n"name";"a;b, c";age\n"Bob; Jr";x,y;5\n'],
  ])('are parted by %s where the first line has no comma', async (_what, text) => {
    await make()
    expect(await load(text)).toMatchObject({ imported: 1, refused: 0, complete: true })
    expect(await rows()).toEqual([{ name: 'Bob; Jr', 'ab-c': 'x,y', age: 5 }])
  })

  it('are those of the first of many files that fill an empty dataset at once', async () => {
    await make()
    const file = (n: number) => `question,answer\n${`q${n},a\n`.repeat(20)}`
    const reports = await Promise.all(Array.from({ length: 6 }, (_, n) => load(file(n))))
    expect(reports.map(({ imported }) => imported)).toEqual([20, 20, 20, 20, 20, 20])
    expect(reports.filter((report) => report.columns.length > 0)).toHaveLength(1)
    expect((await columns()).map(({ slug }) => slug)).toEqual(['question', 'answer'])
    expect(await rows()).toHaveLength(120)
  })
})

describe('the columns of a trace', () => {
  it('are made once, however many traces come at the same time', async () => {
    await make()
    const ids = Array.from({ length: 8 }, (_, n) => `crowd-${n}`)
    for (const id of ids) await server.send({ path: '/webhook/trace', body: trace({ trace_id: id }) })
    const path = `${at}/rows/from-trace`
    const answers = await Promise.all(ids.map((id) => server.send({ path, body: { trace_id: id } })))
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 201))
    expect((await columns()).map(({ slug }) => slug)).toEqual(['input', 'output'])
    expect(await rows()).toHaveLength(8)
  })

  it('are not made for a row that is refused', async () => {
    await make()
    await server.send({ path: '/webhook/trace', body: trace({ trace_id: 'refused' }) })
    const body = { trace_id: 'refused', values: { nothing: 1 } }
    expect((await server.send({ path: `${at}/rows/from-trace`, body })).status).toBe(422)
    expect(await columns()).toEqual([])
  })
})

describe('an export', () => {
  it('keeps texts with formulas in one cell, whatever parts the cells of the spreadsheet that opens it', async () => {
    await make([{ name: 'a' }])
    const values = ['=1', 'x;=1', 'x\t=1', 'x,=1', '+1;-1']
    await server.send({ path: `${at}/rows`, body: { rows: values.map((a) => ({ a })) } })
    const { text } = await server.send({ path: `${at}/export?format=csv` })
    expect(text).toBe(`a\r\n'=1\r\n"x;=1"\r\n"x\t=1"\r\n"x,=1"\r\n"'+1;-1"\r\n`)
    await server.send({ path: `${at}/rows`, body: { rows: [], mode: 'replace' } })
    await load(text)
    expect(await rows()).toEqual(values.map((a) => ({ a })))
  })

  it('keeps the columns that it began with, though the draft gets others meanwhile', async () => {
    await make([{ name: 'n', type: 'number' }, { name: 'text' }])
    await load(Array.from({ length: 2_500 }, (_, n) => `{"n":${n},"text":"x"}`).join('\n'), 'jsonl')
    const place = { store: shelf.store, projectId: 1, now: () => 0 }
    const file = await pagedBody(exportPages(place, 'set', { version: null, format: 'csv' }))
    await server.send({ path: `${at}/columns`, body: { name: 'late' } })
    const lines = (await file.setEncoding('utf8').toArray()).join('').trimEnd().split('\r\n')
    expect(lines).toHaveLength(2_501)
    expect(lines[0]).toBe('n,text')
    expect(lines.filter((line) => line.split(',').length !== 2)).toEqual([])
  })
})
