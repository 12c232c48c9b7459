import { limits } from '@llm-eval/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { registerDatasets } from '../src/datasets/routes.ts'
import { registerKeys } from '../src/settings/keys.ts'
import { type Ground, noon, openShelf, type Sent, type Shelf, startGround, trace } from './ground.ts'
import { traceSlices } from './trace-slices.ts'

let shelf: Shelf
let server: Ground
beforeAll(async () => {
  shelf = await openShelf()
  server = await startGround({ shelf, slices: [registerDatasets, registerKeys, ...traceSlices] })
})
afterAll(async () => {
  await server.close()
  await shelf.close()
})
afterEach(async () => {
  const { items } = (await server.send({ path: '/api/v1/datasets' })).json as { items: { id: string }[] }
  for (const { id } of items) await remove(id)
})

const base = '/api/v1/datasets'
const send = (method: Sent['method'], path: string, body?: unknown) =>
  server.send({ ...(method ? { method } : {}), path: `${base}${path}`, ...(body === undefined ? {} : { body }) })
const remove = (key: string) => send('DELETE', `/${key}`)

async function make(fields: object = {}) {
  const body = { name: 'QA set', columns: [{ name: 'Question' }, { name: 'Score', type: 'number' }], ...fields }
  const answer = await send('POST', '', body)
  expect(answer.status, answer.text).toBe(201)
  return answer.json as { id: string; slug: string; columns: object[] }
}

const add = (...rows: object[]) => send('POST', '/qa-set/rows', { rows })

async function rows(query = '') {
  const answer = await send('GET', `/qa-set/rows${query}`)
  expect(answer.status, answer.text).toBe(200)
  return (answer.json as { items: { values: object }[] }).items.map((row) => row.values)
}

describe('datasets', () => {
  it('are made with slugs of their names, listed, renamed, and deleted', async () => {
    const made = await make()
    expect(made).toEqual({
      id: expect.stringMatching(/^ds_[0-9a-f]{32}$/),
      slug: 'qa-set',
      name: 'QA set',
      description: null,
      columns: [
        { slug: 'question', name: 'Question', type: 'string', description: null },
        { slug: 'score', name: 'Score', type: 'number', description: null },
      ],
      total_rows: 0,
      last_version: null,
      changed: true,
      created_at: new Date(noon).toISOString(),
      updated_at: new Date(noon).toISOString(),
    })
    expect((await send('GET', '')).json).toEqual({ items: [made] })
    expect((await send('GET', `/${made.id}`)).json).toEqual(made)
    const renamed = await send('PATCH', '/qa-set', { name: 'New', description: 'why' })
    expect(renamed).toMatchObject({ status: 200, json: { slug: 'qa-set', name: 'New', description: 'why' } })
    expect((await send('PATCH', '/qa-set', { description: null })).json).toMatchObject({ description: null })
    expect(await remove('qa-set')).toMatchObject({ status: 204, text: '' })
    expect(await send('GET', '/qa-set')).toMatchObject({ status: 404, json: { code: 'dataset_not_found' } })
  })

  it.each([
    ['My  Data_set!', 'my-data-set'],
    ['a--b__c', 'a-b-c'],
    ['  Ünïcode 1 ', 'ncode-1'],
    ['日本', /^dataset-[0-9a-f]{8}$/],
  ])('a dataset named %j has the slug %s', async (name, slug) => {
    const made = await make({ name })
    if (typeof slug === 'string') expect(made.slug).toBe(slug)
    else expect(made.slug).toMatch(slug)
  })

  it('keep a slug as it was given, and two cannot have one', async () => {
    await make({ slug: 'Golden_Set.v2' })
    expect((await send('GET', '/Golden_Set.v2')).status).toBe(200)
    const again = await send('POST', '', { name: 'x', slug: 'Golden_Set.v2' })
    expect(again).toMatchObject({ status: 409, json: { code: 'slug_taken' } })
    for (const slug of ['', '../x', 'a b', '-a', 'a/b', 'x'.repeat(201)])
      expect((await send('POST', '', { name: 'x', slug })).status, slug).toBe(422)
  })

  it('cannot be made of what does not fit, with each fault told', async () => {
    const faulty = { name: 'a\u0000b', description: '\ud800', columns: [{ name: 'x', type: 'text' }], colour: 1 }
    const answer = await send('POST', '', faulty)
    expect(answer).toMatchObject({ status: 422, json: { code: 'invalid_request' } })
    const paths = (answer.json as { errors: { path: string }[] }).errors.map(({ path }) => path)
    expect(paths.toSorted()).toEqual(['colour', 'columns[0].type', 'description', 'name'])
    const twice = {
      name: 'x',
      columns: [
        { name: 'A', slug: 'a' },
        { name: 'B', slug: 'a' },
      ],
    }
    expect(await send('POST', '', twice)).toMatchObject({ status: 409, json: { code: 'slug_taken' } })
    const many = Array.from({ length: limits.datasetColumns + 1 }, (_, n) => ({ name: `c${n}` }))
    expect((await send('POST', '', { name: 'x', columns: many })).status).toBe(422)
    expect((await send('POST', '', { name: 'x', columns: many.slice(1) })).status).toBe(201)
    const one = await send('POST', '/x/columns', { name: 'one more' })
    expect(one).toMatchObject({ status: 409, json: { code: 'limit_reached' } })
  })

  it('that are not there are told by every route', async () => {
    const asked: [Sent['method'], string, unknown?][] = [
      ['GET', ''],
      ['PATCH', '', { name: 'x' }],
      ['DELETE', ''],
      ['POST', '/columns', { name: 'x' }],
      ['PATCH', '/columns/x', { name: 'x' }],
      ['DELETE', '/columns/x'],
      ['GET', '/rows'],
      ['POST', '/rows', { rows: [] }],
      ['POST', '/rows/from-trace', { trace_id: 't' }],
      ['PATCH', '/rows/x', { values: {} }],
      ['DELETE', '/rows/x'],
      ['POST', '/import?format=json', []],
      ['POST', '/publish', {}],
      ['GET', '/versions'],
      ['GET', '/export'],
    ]
    for (const [method, path, body] of asked) {
      const answer = await send(method, `/nobody${path}`, body)
      expect(answer, `${method} ${path}`).toMatchObject({ status: 404, json: { code: 'dataset_not_found' } })
    }
  })

  it('want a key with the scope that the route says', async () => {
    const own = await startGround({ slices: [registerDatasets, registerKeys] })
    const keyOf = async (scope: string, key?: string) => {
      const body = { name: scope, scopes: [scope] }
      const made = await own.send({ path: '/api/v1/keys', body, ...(key === undefined ? {} : { key }) })
      return (made.json as { key: string }).key
    }
    const admin = await keyOf('admin')
    const [reader, writer] = [await keyOf('read', admin), await keyOf('write', admin)]
    expect((await own.send({ path: base, key: reader })).status).toBe(200)
    expect((await own.send({ path: base, body: { name: 'x' }, key: reader })).status).toBe(403)
    expect((await own.send({ path: base, body: { name: 'x' }, key: writer })).status).toBe(201)
    expect((await own.send({ path: base })).status).toBe(401)
    await own.close()
  })
})

describe('columns', () => {
  it('are added, changed and taken away, found by any spelling', async () => {
    await make()
    const added = await send('POST', '/qa-set/columns', { name: 'userQuery', type: 'json', description: 'd' })
    expect(added.status).toBe(201)
    expect((added.json as { columns: object[] }).columns.at(-1)).toEqual({
      slug: 'user-query',
      name: 'userQuery',
      type: 'json',
      description: 'd',
    })
    // One of the same name has a slug of its own.
    const second = (await send('POST', '/qa-set/columns', { name: 'user_query' })).json as {
      columns: { slug: string }[]
    }
    expect(second.columns.at(-1)?.slug).toBe('user-query-2')
    const taken = await send('POST', '/qa-set/columns', { name: 'x', slug: 'user-query' })
    expect(taken).toMatchObject({ status: 409, json: { code: 'slug_taken' } })
    const changed = await send('PATCH', '/qa-set/columns/user_query', { type: 'string', name: 'Q' })
    expect((changed.json as { columns: object[] }).columns[2]).toMatchObject({ slug: 'user-query', type: 'string' })
    expect((await send('DELETE', '/qa-set/columns/userQuery')).status).toBe(200)
    const gone = await send('DELETE', '/qa-set/columns/user-query-9')
    expect(gone).toMatchObject({ status: 404, json: { code: 'column_not_found' } })
    expect((await send('PATCH', '/qa-set/columns/none', { name: 'x' })).status).toBe(404)
  })
})

describe('rows', () => {
  it('are added by slug, by other spellings and by name; null is no value', async () => {
    await make({ columns: [{ name: 'User Query' }, { name: 'Wie viel?', slug: 'amount', type: 'number' }] })
    const answer = await add(
      { 'user-query': 'a', amount: 1 },
      { user_query: 'b', 'Wie viel?': 2 },
      { userQuery: 'c', amount: null },
      {},
    )
    expect(answer.status, answer.text).toBe(201)
    expect((answer.json as { items: object[] }).items[0]).toEqual({
      id: expect.stringMatching(/^row_/),
      row_index: 0,
      values: { 'user-query': 'a', amount: 1 },
      trace_id: null,
      created_at: new Date(noon).toISOString(),
      updated_at: new Date(noon).toISOString(),
    })
    expect(await rows()).toEqual([
      { 'user-query': 'a', amount: 1 },
      { 'user-query': 'b', amount: 2 },
      { 'user-query': 'c', amount: null },
      { 'user-query': null, amount: null },
    ])
  })

  it('of an unknown column or a wrong type are refused as a whole, with the column that was meant', async () => {
    await make()
    const answer = await add({ question: 'good' }, { qestion: 'x', score: '7' }, { question: 1, Question: 'twice' })
    expect(answer).toMatchObject({ status: 422, json: { code: 'invalid_request' } })
    expect((answer.json as { errors: object[] }).errors).toEqual([
      { path: 'rows[1].qestion', message: 'is no column of the dataset; did you mean question?' },
      { path: 'rows[1].score', message: 'takes a number, not "7"' },
      { path: 'rows[2].question', message: 'takes text, not 1' },
      { path: 'rows[2].Question', message: 'is the column question, which is given twice' },
    ])
    expect(await rows()).toEqual([])
  })

  it('hold what each type takes, and nothing else', async () => {
    const types = ['string', 'number', 'boolean', 'json', 'date', 'file']
    await make({ columns: types.map((type) => ({ name: type, type })) })
    const good: Record<string, unknown[]> = {
      string: ['', 'x', '\u0000', '\ud800'],
      number: [0, -1.5, 1e300],
      boolean: [true, false],
      json: [1, 'x', [1], { a: { b: null } }, false],
      date: ['2026-01-31', '2026-01-31T12:00:00Z', '2026-01-31T12:00:00.5+02:00'],
      file: ['https://example.com/a.png', { url: 'x' }],
    }
    const bad: Record<string, unknown[]> = {
      string: [1, true, {}, []],
      number: ['1', true, {}],
      boolean: ['true', 0],
      date: ['yesterday', '2026-13-01', 5, ''],
      file: [1, '', [], '{"a":1}'],
    }
    for (const [type, values] of Object.entries(good))
      for (const value of values) expect((await add({ [type]: value })).status, `${type} ${String(value)}`).toBe(201)
    for (const [type, values] of Object.entries(bad))
      for (const value of values) expect((await add({ [type]: value })).status, `${type} ${String(value)}`).toBe(422)
    const stored = await rows('?limit=200')
    expect(stored.map((values) => Object.values(values).find((value) => value !== null))).toEqual(
      Object.values(good).flat(),
    )
  })

  it('keep the digits of their numbers', async () => {
    await make()
    const answer = await send('POST', '/qa-set/rows', '{"rows":[{"score":12345678901234567890.10}]}')
    expect(answer.text).toContain('"score":12345678901234567890.10')
    expect((await send('GET', '/qa-set/rows')).text).toContain('"score":12345678901234567890.10')
  })

  it('are changed value by value, and taken out', async () => {
    await make()
    const made = (await add({ question: 'a', score: 1 })).json as { items: { id: string }[] }
    const id = made.items[0]?.id ?? ''
    server.clock.now = noon + 1_000
    const changed = await send('PATCH', `/qa-set/rows/${id}`, { values: { Score: null, question: 'b' } })
    expect(changed).toMatchObject({
      status: 200,
      json: { id, row_index: 0, values: { question: 'b', score: null }, updated_at: '2025-01-27T12:00:01.000Z' },
    })
    expect((await send('PATCH', `/qa-set/rows/${id}`, { values: { none: 1 } })).status).toBe(422)
    expect((await send('PATCH', `/qa-set/rows/${id}`, { Values: {} })).status).toBe(422)
    expect((await send('DELETE', `/qa-set/rows/${id}`)).status).toBe(204)
    for (const [method, body] of [
      ['PATCH', { values: {} }],
      ['DELETE', undefined],
    ] as const)
      expect(await send(method, `/qa-set/rows/${id}`, body)).toMatchObject({
        status: 404,
        json: { code: 'row_not_found' },
      })
    server.clock.now = noon
  })

  it('are paged by cursor', async () => {
    await make()
    await add(...Array.from({ length: 7 }, (_, n) => ({ score: n })))
    const first = (await send('GET', '/qa-set/rows?limit=5')).json as { next_cursor: string; items: object[] }
    expect(first).toMatchObject({ total: 7, items: { length: 5 } })
    const second = (await send('GET', `/qa-set/rows?limit=5&cursor=${first.next_cursor}`)).json as object
    expect(second).toMatchObject({ next_cursor: null, items: [{ row_index: 5 }, { row_index: 6 }] })
    for (const query of ['cursor=x', 'limit=0', `limit=${limits.pageRows + 1}`, 'offset=1'])
      expect(await send('GET', `/qa-set/rows?${query}`), query).toMatchObject({
        status: 400,
        json: { code: 'invalid_query' },
      })
    expect((await send('GET', '/qa-set/rows?version=v1')).json).toMatchObject({ code: 'version_not_found' })
  })

  it('may hold so many bytes and come so many at once, and not one more', async () => {
    await make()
    const frame = '{"question":""}'.length
    const text = (length: number) => 'x'.repeat(length - frame)
    expect((await add({ question: text(limits.rowBytes) })).status).toBe(201)
    const refused = await add({ question: text(limits.rowBytes + 1) })
    expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'rows[0]' }] } })
    const id = ((await send('GET', '/qa-set/rows')).json as { items: { id: string }[] }).items[0]?.id
    const grown = await send('PATCH', `/qa-set/rows/${id}`, { values: { score: 1 } })
    expect(grown).toMatchObject({ status: 422, json: { errors: [{ path: 'values' }] } })
    const many = Array.from({ length: limits.requestRows }, () => ({ score: 1 }))
    expect((await add(...many)).status).toBe(201)
    expect((await add(...many, { score: 1 })).status).toBe(422)
    const rest = limits.requestRowsBytes - '{"rows":[]}'.length
    expect((await send('POST', '/qa-set/rows', `{"rows":[]${' '.repeat(rest)}}`)).status).toBe(201)
    const large = await send('POST', '/qa-set/rows', `{"rows":[]${' '.repeat(rest + 1)}}`)
    expect(large).toMatchObject({ status: 413, json: { code: 'body_too_large' } })
  })

  it('may be nested as deep as any body, and not one level more', async () => {
    await make({ columns: [{ name: 'j', type: 'json' }] })
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
    const body = (levels: number) => `{"rows":[{"j":${nested(levels)}}]}`
    expect((await send('POST', '/qa-set/rows', body(limits.jsonDepth))).status).toBe(201)
    expect((await send('POST', '/qa-set/rows', body(limits.jsonDepth + 1))).status).toBe(422)
    expect((await send('POST', '/qa-set/rows', body(100_000))).json).toMatchObject({ code: 'too_deep' })
    expect((await send('POST', '/qa-set/rows', '{"rows":[{')).json).toMatchObject({ code: 'malformed_json' })
  })

  it('can replace the draft', async () => {
    await make()
    await add({ score: 1 }, { score: 2 })
    expect((await send('POST', '/qa-set/rows', { rows: [{ score: 3 }], mode: 'replace' })).status).toBe(201)
    expect(await rows()).toEqual([{ question: null, score: 3 }])
  })
})

describe('versions', () => {
  it('show what was published, whatever becomes of the draft', async () => {
    await make()
    await add({ score: 1 })
    const published = await send('POST', '/qa-set/publish')
    expect(published).toMatchObject({
      status: 201,
      json: { version: 'v1', created: true, dataset: { last_version: 'v1', changed: false } },
    })
    expect(await send('POST', '/qa-set/publish', {})).toMatchObject({ status: 200, json: { created: false } })
    await add({ score: 2 })
    expect((await send('POST', '/qa-set/publish', { version: 'golden' })).status).toBe(201)
    await add({ score: 3 })
    expect((await send('POST', '/qa-set/publish', { version: 'v1' })).json).toMatchObject({ code: 'slug_taken' })
    expect((await send('POST', '/qa-set/publish', { version: 'a b' })).status).toBe(422)
    const scores = async (query: string) => (await rows(query)).map((row) => (row as { score: number }).score)
    expect(await Promise.all(['', '?version=golden', '?version=v1'].map(scores))).toEqual([[1, 2, 3], [1, 2], [1]])
    expect((await send('GET', '/qa-set/versions')).json).toEqual({
      items: [
        { version: 'golden', rows: 2, erased: 0, published_by: null, published_at: new Date(noon).toISOString() },
        { version: 'v1', rows: 1, erased: 0, published_by: null, published_at: new Date(noon).toISOString() },
      ],
    })
  })
})

describe('a trace as a row', () => {
  it('makes the columns it needs, is there once, and goes with its trace', async () => {
    await make({ columns: [] })
    const calls = [{ name: 'search', parameters: { q: 1 }, result: 'x' }]
    const metadata = { tier: 'gold' }
    await server.send({ path: '/webhook/trace', body: trace({ functions_called: calls, metadata }) })
    const path = '/qa-set/rows/from-trace'
    const added = await send('POST', path, { trace_id: 't-1' })
    expect(added, added.text).toMatchObject({
      status: 201,
      json: {
        trace_id: 't-1',
        values: { input: 'What is ML?', output: 'A subset of AI.', 'tool-calls': calls, metadata },
      },
    })
    expect(((await send('GET', '/qa-set')).json as { columns: { slug: string }[] }).columns).toHaveLength(4)
    const again = await send('POST', path, { trace_id: 't-1', values: { output: 'other' } })
    expect(again).toMatchObject({ status: 200, json: added.json as object })
    await send('POST', '/qa-set/publish')
    await server.send({ method: 'DELETE', path: '/api/v1/traces/t-1' })
    expect([await rows(), await rows('?version=v1')]).toEqual([[], []])
    expect((await send('GET', '/qa-set/versions')).json).toMatchObject({ items: [{ rows: 0, erased: 1 }] })
    expect(await send('POST', path, { trace_id: 't-1' })).toMatchObject({
      status: 404,
      json: { code: 'trace_not_found' },
    })
  })

  it('takes the values that are given before its own, by any spelling, and refuses what does not fit', async () => {
    await make({ columns: [{ name: 'Output' }, { name: 'expected' }] })
    await server.send({ path: '/webhook/trace', body: trace({ trace_id: 't-2' }) })
    const path = '/qa-set/rows/from-trace'
    const wrong = await send('POST', path, { trace_id: 't-2', values: { expectd: 'x' } })
    expect(wrong).toMatchObject({ status: 422, json: { errors: [{ path: 'values.expectd' }] } })
    const values = { Output: 'mine', expected: 'A field.' }
    expect((await send('POST', path, { trace_id: 't-2', values })).json).toMatchObject({
      values: { input: 'What is ML?', output: 'mine', expected: 'A field.' },
    })
  })
})
