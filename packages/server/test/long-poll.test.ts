import { request as httpRequest } from 'node:http'
import { Failure, traceloopRoutes } from '@llm-eval/protocol'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mount } from '../src/http/mount.ts'
import { type Awaited, createLongPoll } from '../src/traceloop/long-poll.ts'
import { until } from './faults/audit.ts'
import { allSlices, type Ground, startGround } from './ground.ts'

let ground: Ground
/** What the next request waits for. */
let document: Awaited['document']
const lines: string[] = []
/** How many waited, each time it changed. */
let counts: number[] = []

beforeAll(async () => {
  const log = pino({ level: 'error' }, { write: (line) => void lines.push(line) })
  const quick = createLongPoll({ log, quietMs: 20, heartbeatMs: 5, onWaiting: (waiting) => void counts.push(waiting) })
  const patient = createLongPoll({ log, quietMs: 60_000 })
  ground = await startGround({
    slices: [
      ...allSlices,
      (app) => {
        mount(app, traceloopRoutes.awaitExecution, {
          handler: (request, reply) =>
            (request.url.endsWith('quick') ? quick : patient)(reply, { id: 'e-1', document }),
        })
      },
    ],
  })
})
afterAll(() => ground.close())

const path = { quick: '/v2/executions/events/quick', patient: '/v2/executions/events/patient' }

interface Open {
  status: number
  /** All that came; resolves when the connection ends. */
  whole: Promise<string>
  /** Resolves with the first bytes. */
  first: Promise<string>
  leave: () => void
}

/** Opens the document and does not wait for its end. */
async function open(at: string): Promise<Open> {
  const url = `${await ground.origin()}${at}`
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, (answer) => {
      let text = ''
      const first = Promise.withResolvers<string>()
      const whole = Promise.withResolvers<string>()
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        first.resolve(text)
      })
      answer.on('end', () => whole.resolve(text))
      answer.on('error', () => whole.resolve(`${text} (cut)`))
      const leave = () => request.destroy()
      resolve({ status: answer.statusCode ?? 0, whole: whole.promise, first: first.promise, leave })
    })
    request.on('error', reject)
    request.end()
  })
}

describe('a document that is waited for', () => {
  it('is sent with its length and nothing before it when it is there soon', async () => {
    document = async () => ({ execution_id: 'e-1', result: {} })
    const answer = await ground.send({ path: path.patient })
    expect(answer.text).toBe('{"execution_id":"e-1","result":{}}')
    expect(answer.headers['content-length']).toBe(String(answer.bytes.length))
  })

  it('comes after white space when it takes longer, and is one JSON document all the same', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    document = () => promise
    const opened = await open(path.quick)
    expect(opened.status).toBe(200)
    expect(await opened.first).toMatch(/^[ \n]+$/)
    resolve({ execution_id: 'e-1', result: { evaluator_result: { pass: true } } })
    const whole = await opened.whole
    expect(whole).toMatch(/^[ \n]+\{/)
    expect(JSON.parse(whole)).toEqual({ execution_id: 'e-1', result: { evaluator_result: { pass: true } } })
  })

  it('is counted while somebody waits for it', async () => {
    counts = []
    const gate = Promise.withResolvers<object>()
    document = () => gate.promise
    const [one, other] = await Promise.all([open(path.quick), open(path.quick)])
    expect(counts).toEqual([1, 2])
    gate.resolve({ execution_id: 'e-1' })
    await Promise.all([one.whole, other.whole])
    await until(
      async () => counts,
      (all) => all.length === 4,
    )
    expect(counts).toEqual([1, 2, 1, 0])
  })

  it('that will never be is told by the status while nothing was sent', async () => {
    document = () => Promise.reject(new Failure('execution_failed', { values: { message: 'The model refused.' } }))
    const answer = await ground.send({ path: path.patient })
    expect(answer.status).toBe(500)
    expect(answer.json).toMatchObject({ error: 'The model refused.', code: 'execution_failed' })
  })

  it('that fails later is left unclosed, so that nobody takes it for a result', async () => {
    for (const [failure, message] of [
      [new Failure('execution_failed', { values: { message: 'The model refused.' } }), 'The model refused.'],
      [new Error('secret detail'), 'Something went wrong on the server.'],
    ] as const) {
      const { promise, reject } = Promise.withResolvers<unknown>()
      document = () => promise
      const opened = await open(path.quick)
      await opened.first
      reject(failure)
      const whole = await opened.whole
      expect(() => JSON.parse(whole) as unknown).toThrow(SyntaxError)
      expect(JSON.parse(`${whole}}`)).toEqual({ execution_id: 'e-1', error: message })
    }
    expect(lines.join()).toContain('secret detail')
  })

  it('is not waited for any longer when its client has left', async () => {
    const { promise: left, resolve } = Promise.withResolvers<void>()
    document = (signal) => {
      signal.addEventListener('abort', () => resolve())
      return new Promise(() => undefined)
    }
    const opened = await open(path.quick)
    await opened.first
    opened.leave()
    await left
  })
})
