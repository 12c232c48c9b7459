import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { limits } from '@llm-eval/protocol'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestClock } from '../../test/clock.ts'
import { createEngine } from '../create-engine.ts'
import { definitionSchema } from '../definition.ts'
import type { Engine } from '../engine.ts'
import { createFromDefinition } from '../from-definition.ts'
import { systemClock } from '../models/clock.ts'
import { createAddressCheck } from './addresses.ts'
import { guardedFetch } from './guarded-fetch.ts'

interface Came {
  headers: IncomingHttpHeaders
  body: string
}
type Answer = (response: ServerResponse, came: Came) => unknown

const came: Came[] = []
let answer: Answer = () => undefined
let arrived = Promise.withResolvers<void>()
const server = createServer((request, response) => {
  void text(request).then((body) => {
    const one = { headers: request.headers, body }
    came.push(one)
    arrived.resolve()
    return answer(response, one)
  })
})
let port = 0
const clock = new TestClock({ short: 0 })
const allows = createAddressCheck(['127.0.0.1'])
let engine: Engine

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  engine = createEngine({ fromDefinition: createFromDefinition({ models: undefined, secret: 's', allows, clock }) })
})
afterAll(async () => {
  await engine.close()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

const json = (body: unknown, status = 200): Answer => raw(JSON.stringify(body), status)
const raw =
  (body: string, status = 200): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)

function definition(more: Record<string, unknown> = {}) {
  return definitionSchema.parse({
    kind: 'remote',
    url: `http://127.0.0.1:${port}/score`,
    input: [{ name: 'response' }],
    ...more,
  })
}

function evaluate(more: Record<string, unknown> = {}, judging = engine) {
  return judging.evaluate({ evaluator: { slug: 'mine', definition: definition(more) }, input: { response: 'Hi' } })
}

describe('a remote evaluator', () => {
  it('is sent the input and the configuration', async () => {
    answer = json({ score: 0.9, explanation: 'good', label: 'fine', output: { words: 1 } })
    expect(await evaluate()).toMatchObject({
      outcome: 'scored',
      value: 0.9,
      passed: true,
      label: 'fine',
      explanation: 'good',
      output: { words: 1 },
    })
    expect(JSON.parse(came.at(-1)?.body ?? '')).toEqual({ input: { response: 'Hi' }, config: { threshold: 0.5 } })
  })

  it.each([
    [{ score: 0.4 }, 0.4, false],
    [{ value: 0.4, passed: true }, 0.4, true],
    [{ score: true }, 1, true],
    [{ pass: false, reason: 'no' }, 0, false],
    [{ label: 'spam' }, null, null],
  ])('may answer %j', async (body, value, passed) => {
    answer = json(body)
    expect(await evaluate()).toMatchObject({ outcome: 'scored', value, passed })
  })

  it.each([
    ['{"score": "high"}', 'unparsable_answer'],
    ['{}', 'unparsable_answer'],
    ['[0.5]', 'unparsable_answer'],
    ['null', 'unparsable_answer'],
    ['it is good', 'unparsable_answer'],
    ['', 'unparsable_answer'],
    ['{"score": 7}', 'refused_value'],
    ['{"score": 1e999}', 'unparsable_answer'],
    ['{"score": 0.5, "passed": "yes"}', 'unparsable_answer'],
  ])('that answers %s gives no score', async (body, fault) => {
    answer = raw(body)
    expect(await evaluate()).toMatchObject({ outcome: 'errored', fault, value: null })
  })

  it('may have a range of its own', async () => {
    answer = json({ score: 250 })
    expect(await evaluate({ range: { min: 0, max: null }, threshold: 300 })).toMatchObject({
      value: 250,
      passed: false,
    })
  })

  it.each([400, 404, 500, 503])('that fails with %i gives no score', async (status) => {
    answer = json({ score: 1 }, status)
    expect(await evaluate()).toMatchObject({ fault: 'remote_error', explanation: expect.stringContaining(`${status}`) })
  })

  it('that goes on answering for ever is given up in its time', async () => {
    answer = (response) => {
      const drip = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(drip))
    }
    const patient = createEngine({
      fromDefinition: createFromDefinition({ models: undefined, secret: 's', allows, clock: systemClock }),
    })
    expect(await evaluate({ timeout_seconds: 0.3 }, patient)).toMatchObject({ outcome: 'errored', fault: 'timeout' })
    await patient.close()
  })

  it('that wants to speak another protocol gives no score', async () => {
    answer = (response) =>
      response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n')
    expect(await evaluate()).toMatchObject({ outcome: 'errored', fault: 'remote_error' })
  })

  it('that redirects is not followed', async () => {
    const before = came.length
    answer = (response) => response.writeHead(307, { location: `http://127.0.0.1:${port}/other` }).end()
    expect(await evaluate()).toMatchObject({
      fault: 'remote_error',
      explanation: expect.stringContaining('not followed'),
    })
    expect(came).toHaveLength(before + 1)
  })

  it('that breaks the connection gives no score', async () => {
    answer = (response) => response.socket?.resetAndDestroy()
    expect(await evaluate()).toMatchObject({ fault: 'remote_error' })
    answer = (response) => {
      response.writeHead(200, { 'content-length': '99' })
      response.write('{"sc', () => response.socket?.destroy())
    }
    expect(await evaluate()).toMatchObject({ fault: 'remote_error' })
  })

  it.each([
    ['never answers', () => undefined],
    ['never ends its answer', (response: ServerResponse) => response.writeHead(200).write('{"score":')],
  ])('that %s is given up', async (_what, does) => {
    answer = does
    arrived = Promise.withResolvers()
    const judging = evaluate({ timeout_seconds: 3 })
    await arrived.promise
    clock.advance(3_000)
    expect(await judging).toMatchObject({ fault: 'timeout', explanation: expect.stringContaining('3 seconds') })
  })

  it('may answer with as many bytes as are allowed, and not one more', async () => {
    const frame = '{"score":1,"label":null,"more":""}'.length
    const body = (bytes: number) => `{"score":1,"label":null,"more":"${'x'.repeat(bytes - frame)}"}`
    answer = raw(body(limits.remoteAnswerBytes))
    expect(await evaluate()).toMatchObject({ outcome: 'scored', value: 1 })
    answer = raw(body(limits.remoteAnswerBytes + 1))
    expect(await evaluate()).toMatchObject({ outcome: 'errored', fault: 'too_large' })
  })

  it.each(['a plain secret of mine', `whsec_${Buffer.from('a secret in base64, long').toString('base64')}`])(
    'can check who asks, with %s',
    async (secret) => {
      answer = json({ score: 1 })
      const now = createEngine({
        fromDefinition: createFromDefinition({ models: undefined, secret: 's', allows, clock: systemClock }),
      })
      await evaluate({ secret }, now)
      await now.close()
      const { headers, body } = came.at(-1) ?? { headers: {}, body: '' }
      const webhook = secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(secret, { format: 'raw' })
      const signed = {
        'webhook-id': String(headers['webhook-id']),
        'webhook-timestamp': String(headers['webhook-timestamp']),
        'webhook-signature': String(headers['webhook-signature']),
      }
      expect(webhook.verify(body, signed)).toMatchObject({ input: { response: 'Hi' } })
      expect(() => webhook.verify(`${body} `, signed)).toThrow()
    },
  )

  it.each([
    ['a user and a password', { url: 'https://bob:hunter2@example.com/' }, 'url'],
    ['a secret that holds no key', { secret: 'whsec_????????' }, 'secret'],
    ['a field that no object can hold', { input: [{ name: '__proto__' }] }, 'input.0.name'],
  ])('cannot be defined with %s', (_name, more, path) => {
    const read = definitionSchema.safeParse({ ...definition(), ...more })
    expect(read.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
  })

  it('is not signed for without a secret', async () => {
    answer = json({ score: 1 })
    await evaluate()
    expect(came.at(-1)?.headers['webhook-signature']).toBeUndefined()
  })

  it('is under a version when its owner says so', () => {
    const info = (more: Record<string, unknown>) => {
      const told = engine.inspect('mine', definition(more))
      return 'info' in told ? told.info : undefined
    }
    expect(info({})?.pinned).toBe(false)
    expect(info({ version: '1' })?.pinned).toBe(true)
    expect(info({ version: '1' })?.version).not.toBe(info({ version: '2' })?.version)
    expect(info({ secret: 'a long secret' })?.version).toBe(info({})?.version)
    // What one range refuses is a score in another.
    expect(info({ range: { min: 0, max: 10 } })?.version).not.toBe(info({})?.version)
  })
})

describe('a remote evaluator at an address that is not public', () => {
  const strict = createFromDefinition({ models: undefined, secret: 's', allows: createAddressCheck() })

  it('cannot be defined', () => {
    const made = strict('mine', definitionSchema.parse({ ...definition(), url: 'http://169.254.169.254/x' }) as never)
    expect(made).toEqual({ faults: [{ path: 'url', message: '169.254.169.254 is no public address' }] })
  })

  it.each([
    ['one that is private', [{ address: '10.0.0.1', family: 4 }]],
    [
      'a public and a private one',
      [
        { address: '1.1.1.1', family: 4 },
        { address: '::1', family: 6 },
      ],
    ],
    ['a mapped one', [{ address: '::ffff:127.0.0.1', family: 6 }]],
  ])('is not asked when its name turns out to have %s', async (_what, addresses) => {
    const before = came.length
    const fetch = guardedFetch({ allows: createAddressCheck(), resolve: async () => addresses })
    const judging = createEngine({
      fromDefinition: createFromDefinition({
        models: undefined,
        secret: 's',
        allows: createAddressCheck(),
        fetch,
        clock,
      }),
    })
    expect(await evaluate({ url: `http://judge.example.com:${port}/` }, judging)).toMatchObject({
      fault: 'remote_error',
      explanation: expect.stringContaining('no public address'),
    })
    expect(came).toHaveLength(before)
    await judging.close()
  })

  it('is connected to where it was when it was checked, whatever its name means later', async () => {
    answer = json({ score: 1 })
    let asked = 0
    const fetch = guardedFetch({
      allows,
      resolve: async () => [{ address: asked++ === 0 ? '127.0.0.1' : '169.254.169.254', family: 4 }],
    })
    const judging = createEngine({
      fromDefinition: createFromDefinition({ models: undefined, secret: 's', allows, fetch, clock }),
    })
    expect(await evaluate({ url: `http://judge.example.com:${port}/` }, judging)).toMatchObject({ value: 1 })
    expect(asked).toBe(1)
    expect(came.at(-1)?.headers.host).toBe(`judge.example.com:${port}`)
    await judging.close()
  })
})
