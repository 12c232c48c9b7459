import { once } from 'node:events'
import { createSseDecoder, type ExecutionFrame, limits, type SseMessage } from '@llm-eval/protocol'
import { executionFrame } from '@llm-eval/protocol/evaluation-schemas'
import type { Store } from '@llm-eval/store'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { registerEvaluators } from '../src/evaluators/evaluators.ts'
import { registerExecutions } from '../src/executions/executions.ts'
import { registerTraces } from '../src/traces/traces.ts'
import { type TestEvaluators, testEvaluators } from './evaluators-of-tests.ts'
import { allSlices, firstKey, type Ground, startGround } from './ground.ts'
import { watched } from './watched-store.ts'

const slices = [...allSlices, registerEvaluators, registerExecutions, registerTraces]

let ground: Ground
let evaluators: TestEvaluators
let origin: string
beforeAll(async () => {
  evaluators = testEvaluators()
  ground = await startGround({ slices, engine: evaluators.engine })
  origin = await ground.origin()
})
afterAll(() => {
  ground.closing.abort()
  return ground.close()
})
beforeEach(() => evaluators.shut())

/** Starts one that waits at the gate, and resolves once it does. */
async function start(text: string): Promise<{ id: string; url: string }> {
  const answer = await ground.send({ path: '/api/v1/evaluators/gated/execute', body: { input: { text } } })
  expect(answer.status).toBe(202)
  return { id: answer.json.execution_id, url: answer.json.events_url }
}

interface Told extends SseMessage {
  frame: ExecutionFrame
}

/** Reads a stream to its end, or until the frame that is wanted. */
async function read(
  path: string,
  options: { until?: (frame: ExecutionFrame) => boolean; after?: string; from?: string } = {},
) {
  const leaving = new AbortController()
  const headers = options.after === undefined ? {} : { 'last-event-id': options.after }
  const answer = await fetch(`${options.from ?? origin}${path}`, { headers, signal: leaving.signal })
  const told: Told[] = []
  if (answer.status !== 200 || answer.body === null) return { status: answer.status, told, text: await answer.text() }
  const decoder = createSseDecoder({
    onMessage: (message) => told.push({ ...message, frame: executionFrame.parse(JSON.parse(message.data)) }),
  })
  const words = new TextDecoder()
  for await (const chunk of answer.body) {
    decoder.feed(words.decode(chunk, { stream: true }))
    if (told.some(({ frame }) => options.until?.(frame))) break
  }
  leaving.abort()
  return { status: answer.status, told, text: '' }
}

const isProgress = ({ event_type, data }: ExecutionFrame) =>
  event_type === 'progress' && 'done' in data && data.done === 1

describe('the stream of an execution', () => {
  it('tells how far it is, then its result, and ends', async () => {
    const { id, url } = await start('a')
    const first = await read(url, { until: isProgress })
    const whole = read(url)
    evaluators.open()
    const { told } = await whole
    expect(first.told.at(-1)?.frame.data).toEqual({ execution_id: id, status: 'running', done: 1, total: 2 })
    expect(told.map(({ frame }) => frame.event_type).slice(-1)).toEqual(['result'])
    expect(told.at(-1)?.frame.data).toMatchObject({ execution_id: id, status: 'completed', score: { value: 1 } })
    expect(told.every(({ event, id: cursor }) => event === 'message' && cursor !== '')).toBe(true)
  })

  it('goes on after the last frame that was seen, repeats nothing, and has nothing more for who saw the end', async () => {
    const { url } = await start('a')
    const { told: before } = await read(url, { until: isProgress })
    const after = before.at(-1)?.id ?? ''
    evaluators.open()
    const { told } = await read(url, { after })
    expect(told.map(({ frame }) => frame.event_type)).toEqual(['result'])
    const seen = told.at(-1)?.id ?? ''
    expect(await read(url, { after: seen })).toMatchObject({ status: 204, told: [] })
    expect((await read(`${url}?after=${seen}`)).status).toBe(204)
  })

  it('who comes late, or with a cursor of another life, gets the result at once', async () => {
    evaluators.open()
    const { id, url } = await start('a')
    await ground.send({ path: `/api/v1/executions/${id}?wait=60` })
    for (const options of [{}, { after: 'elsewhere.7' }, { after: 'nonsense' }]) {
      const { told } = await read(url, options)
      expect(told.map(({ frame }) => frame.event_type)).toEqual(['result'])
    }
  })

  it('ends with an error frame when the evaluator fails or somebody cancels', async () => {
    const { json: failed } = await ground.send({
      path: '/api/v1/evaluators/failing/execute',
      body: { input: { text: 'a' } },
    })
    const { told: failure } = await read(failed.events_url)
    expect(failure.at(-1)?.frame).toMatchObject({
      event_type: 'error',
      data: { status: 'failed', error: { code: 'provider_error' } },
    })
    const { id, url } = await start('a')
    const following = read(url)
    await read(url, { until: isProgress })
    await ground.send({ method: 'POST', path: `/api/v1/executions/${id}/cancel` })
    expect((await following).told.at(-1)?.frame).toMatchObject({ event_type: 'error', data: { status: 'cancelled' } })
  })

  it('an unknown execution, an unknown batch and a broken cursor are refused', async () => {
    const { url } = await start('a')
    expect((await read('/api/v1/executions/nobody/events')).status).toBe(404)
    expect((await read('/api/v1/executions/batches/nobody/events')).status).toBe(404)
    expect((await read(`${url}?after=nonsense`)).status).toBe(400)
  })

  it('of a batch carries each result once, also over a break, and ends after the last', async () => {
    const executions = ['a', 'b', 'c'].map((text) => ({ evaluator: 'gated', input: { text } }))
    executions.push({ evaluator: 'char-count', input: { text: 'now' } })
    const { json } = await ground.send({ path: '/api/v1/executions', body: { executions } })
    const first = await read(json.events_url, { until: ({ event_type }) => event_type === 'result' })
    const after = first.told.findLast(({ id }) => id !== '')?.id ?? ''
    evaluators.open()
    const rest = await read(json.events_url, { after })
    const ended = [...first.told, ...rest.told].flatMap(({ frame }) =>
      frame.event_type === 'result' ? frame.data.execution_id : [],
    )
    const ids = json.executions.map((one: { execution_id: string }) => one.execution_id)
    expect(ended.sort()).toEqual(ids.sort())
    const late = await read(json.events_url)
    expect(late.told.map(({ frame }) => frame.event_type)).toEqual(Array(4).fill('result'))
    expect((await read(json.events_url, { after: rest.told.at(-1)?.id ?? '' })).status).toBe(204)
  })
})

describe('a stream that is resumed at the moment in which an execution ends', () => {
  it('carries the result, though the journal was read before it and its news come after', async () => {
    const own = testEvaluators()
    let meanwhile: (() => Promise<void>) | undefined
    let news = Promise.resolve()
    const wrap = (store: Store): Store => ({
      ...watched(store, []),
      async read(project, query, args) {
        const answer = await store.read(project, query, args)
        const [happens] = query === 'facts' ? [meanwhile] : []
        if (happens) meanwhile = undefined
        await happens?.()
        return answer
      },
      async *follow(...args) {
        for await (const page of store.follow(...args)) {
          await news
          yield page
        }
      },
    })
    const other = await startGround({ slices, engine: own.engine, wrap })
    try {
      const path = '/api/v1/evaluators/gated/execute'
      const { json } = await other.send({ path, body: { input: { text: 'a' } } })
      const from = await other.origin()
      const first = await read(json.events_url, { until: isProgress, from })
      const stands = async () => (await other.send({ path: `/api/v1/executions/${json.execution_id}` })).json.status
      const told = Promise.withResolvers<void>()
      const ended = Promise.withResolvers<void>()
      meanwhile = async () => {
        news = told.promise
        own.open()
        await expect.poll(stands, { timeout: 20_000 }).toBe('completed')
        ended.resolve()
      }
      const rest = read(json.events_url, { after: first.told.findLast(({ id }) => id !== '')?.id ?? '', from })
      await ended.promise
      // By then the stream has looked at whatever it looks at before it waits for news.
      for (let looks = 0; looks < 5; looks++) await stands()
      told.resolve()
      expect((await rest).told.map(({ frame }) => frame.event_type).slice(-1)).toEqual(['result'])
    } finally {
      other.closing.abort()
      await other.close()
    }
  })
})

/** What a socket told, and how it was closed. */
async function listen(path: string, options: { headers?: Record<string, string> } = {}) {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}${path}`, options)
  const frames: (ExecutionFrame & { seq?: string })[] = []
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString())))
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  return { frames, code, reason: reason.toString() }
}

describe('the socket of an execution', () => {
  it('carries the frames of its stream with their cursors, and closes after the result', async () => {
    const { id, url } = await start('a')
    const listening = listen(`/ws/executions/${id}`)
    await read(url, { until: isProgress })
    evaluators.open()
    const { frames, code } = await listening
    expect(code).toBe(1000)
    expect(frames.at(-1)).toMatchObject({ event_type: 'result', data: { execution_id: id }, seq: expect.any(String) })
    const seen = frames.at(-1)?.seq ?? ''
    expect(await listen(`/api/v1/ws/executions/${id}?after=${seen}`)).toMatchObject({ frames: [], code: 1000 })
    expect((await listen(`/ws/executions/${id}`)).frames).toHaveLength(1)
  })

  it('tells by the close code what is wrong', async () => {
    expect(await listen('/ws/executions/nobody')).toMatchObject({ code: 4404, reason: 'execution_not_found' })
    const { id } = await start('a')
    expect(await listen(`/ws/executions/${id}?after=nonsense`)).toMatchObject({ code: 4400, reason: 'invalid_query' })
  })

  it('is a socket and nothing else, and takes no large messages', async () => {
    const { id } = await start('a')
    const answer = await ground.send({ path: `/ws/executions/${id}` })
    expect([answer.status, answer.json.code]).toEqual([426, 'upgrade_required'])
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/ws/executions/${id}`)
    const closed = once(socket, 'close')
    await once(socket, 'open')
    socket.on('error', () => undefined)
    socket.send('x'.repeat(limits.socketMessageBytes))
    socket.send('x'.repeat(limits.socketMessageBytes + 1))
    expect((await closed)[0]).not.toBe(1000)
  })

  it('wants a key where one is needed: in a header, a cookie or by ticket, and from no other site', async () => {
    const closed = await startGround({ slices, engine: testEvaluators().engine })
    origin = await closed.origin()
    try {
      const key = await firstKey(closed)
      const { json } = await closed.send({
        path: '/api/v1/evaluators/char-count/execute',
        body: { input: { text: 'a' }, wait: 30 },
        key,
      })
      const path = `/ws/executions/${json.execution_id}`
      expect(await listen(path)).toMatchObject({ code: 4401, reason: 'unauthenticated' })
      expect(await listen(`${path}?ticket=nonsense`)).toMatchObject({ code: 4401 })
      expect(await listen(path, { headers: { authorization: `Bearer ${key}` } })).toMatchObject({ code: 1000 })
      const { json: ticket } = await closed.send({ path: '/stream/ticket', method: 'POST', key })
      if (ticket) expect(await listen(`${path}?ticket=${ticket.ticket}`)).toMatchObject({ code: 1000 })
      const session = await closed.send({ path: '/api/v1/session', body: { key } })
      const cookie = String(session.headers['set-cookie']).split(';', 1)[0] ?? ''
      expect(await listen(path, { headers: { cookie, origin } })).toMatchObject({ code: 1000 })
      expect(await listen(path, { headers: { cookie, origin: 'https://elsewhere.example' } })).toMatchObject({
        code: 4403,
        reason: 'origin_refused',
      })
    } finally {
      origin = await ground.origin()
      await closed.close()
    }
  })
})
