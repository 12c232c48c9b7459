import { limits } from '@llm-eval/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registerDatasets } from '../src/datasets/routes.ts'
import { registerTraceloop } from '../src/traceloop/traceloop.ts'
import { allSlices, type Ground, type Sent, startGround } from './ground.ts'

// What the real clients never send, or send only when something is wrong: it must leave no traces.

let ground: Ground
beforeAll(async () => {
  ground = await startGround({ slices: [...allSlices, registerDatasets, registerTraceloop] })
})
afterAll(() => ground.close())

const send = (method: Sent['method'] & string, path: string, body?: object) =>
  ground.send({ method, path: `/v2/datasets${path}`, ...(body ? { body } : {}) })

describe('a dataset of a foreign client', () => {
  it('whose rows do not fit is not made, so that the next try can make it', async () => {
    const wish = { name: 'Try', slug: 'try', columns: [{ name: 'Question' }] }
    expect(await send('POST', '', { ...wish, rows: [{ question: 'a' }, { nothing: 1 }] })).toMatchObject({
      status: 422,
      json: { error: expect.stringContaining('rows[1].nothing') },
    })
    expect((await send('GET', '/try')).status).toBe(404)
    expect((await send('POST', '', { ...wish, rows: [{ question: 'a' }] })).status).toBe(201)
  })

  it('keeps its columns and values when it is to be overridden with rows that do not fit', async () => {
    const made = { name: 'Keep', columns: [{ name: 'Question' }], rows: [{ question: 'a' }] }
    expect((await send('POST', '', made)).status).toBe(201)
    const override = { columns: [{ name: 'New' }], rows: [{ question: 'b' }] }
    expect((await send('POST', '/keep/override', override)).status).toBe(422)
    expect((await send('GET', '/keep')).json).toMatchObject({
      columns: { question: { name: 'Question' } },
      rows: [{ values: { question: 'a' } }],
    })
    expect((await send('POST', '/keep/override', { ...override, rows: [{ new: 'c' }] })).json).toMatchObject({
      columns: { new: {} },
      rows: [{ values: { new: 'c' } }],
    })
  })

  it('has as many columns as the limit says, and none more, however they come', async () => {
    const columns = Array.from({ length: limits.datasetColumns + 1 }, (_, n) => ({ name: `c${n}` }))
    expect((await send('POST', '', { name: 'wide', columns })).status).toBe(409)
    expect((await send('GET', '/wide')).status).toBe(404)
    expect((await send('POST', '', { name: 'wide', columns: columns.slice(1) })).status).toBe(201)
    expect((await send('POST', '/wide/override', { columns })).status).toBe(409)
    expect((await send('POST', '/wide/columns', { name: 'more' })).status).toBe(409)
    expect((await send('POST', '/wide/override', { columns: columns.slice(1) })).status).toBe(200)
  })

  it('and its columns have names and descriptions as long as any, without NUL', async () => {
    const [long, longer] = ['x'.repeat(limits.nameChars), 'x'.repeat(limits.nameChars + 1)]
    const [much, more] = ['y'.repeat(limits.noteChars), 'y'.repeat(limits.noteChars + 1)]
    const good = { name: 'words', description: much, columns: [{ name: long, description: much }] }
    expect((await send('POST', '', good)).status).toBe(201)
    for (const bad of [{ description: more }, { description: 'a\0b' }]) {
      expect((await send('POST', '', { name: 'bad', ...bad })).status).toBe(422)
      expect((await send('PUT', '/words', bad)).status).toBe(422)
      expect((await send('POST', '/words/override', bad)).status).toBe(422)
    }
    for (const bad of [{ name: longer }, { name: 'a\0b' }, { name: 'a', description: more }]) {
      expect((await send('POST', '', { name: 'bad', columns: [bad] })).status).toBe(422)
      expect((await send('POST', '/words/columns', bad)).status).toBe(422)
      expect((await send('PUT', `/words/columns/${long.slice(0, 100)}`, bad)).status).toBe(422)
      expect((await send('POST', '/words/override', { columns: [bad] })).status).toBe(422)
    }
    expect((await send('GET', '/bad')).status).toBe(404)
  })
})

describe('a version that a foreign client named', () => {
  it.each(['版本 1', 'a"b', 'a;b', 'é', '🙂', 'x\u2028y'])(
    '%j is exported, as a file whose name any system takes',
    async (version) => {
      await send('POST', '', { name: 'named', columns: [{ name: 'q' }], rows: [{ q: 'a' }] })
      expect((await send('POST', '/named/publish', { version })).status).toBe(200)
      const at = `/api/v1/datasets/named/export?format=csv&version=${encodeURIComponent(version)}`
      const file = await ground.send({ path: at })
      expect(file, file.text).toMatchObject({ status: 200, text: 'q\r\na\r\n' })
      expect(file.headers['content-disposition']).toMatch(/^attachment; filename="named-[\w.-]*\.csv"$/)
      await send('DELETE', '/named')
    },
  )
})
