import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSseDecoder } from '@llm-eval/protocol'
import { pino } from 'pino'
import { expect } from 'vitest'
import * as z from 'zod'
import { type Provider, says, startProvider } from '../../../engine/test/provider.ts'
import { type Config, configSchema } from '../../src/config/config.ts'
import { type RunningServer, startServer } from '../../src/main.ts'

const media = z.object({ schema: z.record(z.string(), z.unknown()) })
const operation = z.object({
  operationId: z.string(),
  parameters: z.array(z.object({ in: z.string(), name: z.string() })).default([]),
  requestBody: z.object({ content: z.record(z.string(), media) }).optional(),
  responses: z.record(
    z.string(),
    z.object({ description: z.string(), content: z.record(z.string(), media).optional() }),
  ),
})
const description = z.object({ paths: z.record(z.string(), z.record(z.string(), operation)) })
type Operation = z.infer<typeof operation>

/** One request, and what it is one of. */
export interface Call {
  /** As the description writes it: `GET /api/v1/traces/{trace_id}`. */
  of: string
  /** The path to ask, where it has places or a query. */
  at?: string
  /** JSON, unless it is a text of a content type. */
  body?: unknown
  status?: number
  headers?: Record<string, string>
}

/** A stream, and where to stop reading it: at the first frame of a kind, or at its end. */
export interface Followed {
  of: string
  at: string
  until?: string
  /** What a client says once a WebSocket is open. */
  said?: object[]
}

/** A real server, and what it says of itself. */
export interface Described extends AsyncDisposable {
  server: RunningServer
  /** The models that its judges ask: they find everything right unless they are told otherwise. */
  provider: Provider
  /** Every operation there is. */
  operations: string[]
  /** The operations that did what they are for, and answered as they are described. */
  seen: Set<string>
  /** Asks, and holds the status, the media type and the body to what the description says. */
  ask: (call: Call) => Promise<unknown>
  /** The kinds of a stream's frames; each fits its description. */
  frames: (followed: Followed) => Promise<string[]>
  /** The same over a WebSocket. */
  messages: (followed: Followed) => Promise<string[]>
}

/** Starts the server that is to be held to its description. */
export async function startDescribed(): Promise<Described> {
  const stack = new AsyncDisposableStack()
  const data = await mkdtemp(join(tmpdir(), 'llm-eval-description-'))
  stack.defer(() => rm(data, { recursive: true, force: true }))
  const provider = stack.use(await startProvider({ answer: () => says({ pass: true, reason: 'fine' }) }))
  const openai = { api: 'openai', base_url: provider.base('openai'), api_key: 'test' }
  // Nobody listens there: what is told of an agent that is gone is described, too.
  const targets = { gone: { url: 'http://127.0.0.1:9', app_name: 'gone' } }
  const settings = { port: 0, data, synchronous: 'normal', providers: { openai }, targets }
  const config: Config = configSchema.parse(settings)
  const server = await startServer({ config, log: pino({ level: 'silent' }) })
  stack.defer(() => server.close())
  const told: unknown = await (await fetch(`${server.url}/openapi.json`)).json()
  const { paths } = description.parse(told)
  const operations = new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) => [`${method.toUpperCase()} ${path}`, described] as const),
    ),
  )
  const asker = new Asker(server.url, operations)
  return {
    server,
    provider,
    operations: [...operations.keys()],
    seen: asker.seen,
    ask: (call) => asker.ask(call),
    frames: (followed) => asker.frames(followed),
    messages: (followed) => asker.messages(followed),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

interface Sent {
  url: URL
  payload: string | undefined
  type: string | undefined
}

class Asker {
  readonly #url: string
  readonly #operations: ReadonlyMap<string, Operation>
  readonly seen = new Set<string>()

  constructor(url: string, operations: ReadonlyMap<string, Operation>) {
    this.#url = url
    this.#operations = operations
  }

  async ask({ of, at, body, status = 200, headers = {} }: Call): Promise<unknown> {
    const [method = '', path = ''] = of.split(' ')
    const url = new URL(at ?? path, this.#url)
    const payload = typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await fetch(url, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: payload }),
    })
    const text = await answer.text()
    expect(answer.status, `${of}\n${text}`).toBe(status)
    // Nothing more can be had of what is not here yet.
    if (answer.ok || status === 501) this.#did(of, { url, payload, type: headers['content-type'] })
    const shape = this.#shapeOf(of, { status, type: answer.headers.get('content-type') })
    if (shape === undefined) return expect(text).toBe('')
    const values = valuesOf(text, answer.headers.get('content-type') ?? '')
    for (const value of values) expect(fault(shape, value), of).toBe('')
    return values[0]
  }

  /** What is taken has to be described as well. */
  #did(of: string, { url, payload, type = 'application/json' }: Sent): void {
    this.seen.add(of)
    const { parameters = [], requestBody } = this.#operations.get(of) ?? {}
    const known = parameters.filter((one) => one.in === 'query').map(({ name }) => name)
    expect(known, of).toEqual(expect.arrayContaining([...url.searchParams.keys()]))
    if (payload === undefined) return
    const schema = requestBody?.content[type]?.schema
    if (schema === undefined) throw new Error(`${of} took ${type}, of which the description says nothing`)
    const shape = z.fromJSONSchema(schema)
    for (const value of valuesOf(payload, type)) expect(fault(shape, value), of).toBe('')
  }

  async frames({ of, at, until }: Followed): Promise<string[]> {
    const leaving = new AbortController()
    const answer = await fetch(`${this.#url}${at}`, { signal: leaving.signal })
    expect(answer.status).toBe(200)
    this.seen.add(of)
    const shape = this.#shapeOf(of, { status: 200, type: answer.headers.get('content-type') })
    if (shape === undefined || answer.body === null) throw new Error(`${of} has no body`)
    const kinds: string[] = []
    const decoder = createSseDecoder({ onMessage: ({ data }) => kinds.push(kindOf(shape, data)) })
    const words = new TextDecoder()
    for await (const chunk of answer.body) {
      decoder.feed(words.decode(chunk, { stream: true }))
      if (until !== undefined && kinds.includes(until)) break
    }
    leaving.abort()
    return kinds
  }

  async messages({ of, at, until, said }: Followed): Promise<string[]> {
    const shape = this.#shapeOf(of, { status: 101, type: 'application/json' })
    if (shape === undefined) throw new Error(`${of} has no messages`)
    const socket = new WebSocket(`${this.#url.replace('http', 'ws')}${at}`)
    const texts: string[] = []
    socket.addEventListener('open', () => said?.forEach((message) => socket.send(JSON.stringify(message))))
    socket.addEventListener('message', ({ data }) => {
      texts.push(String(data))
      if (until !== undefined && kindOf(shape, String(data)) === until) socket.close(1000)
    })
    const closed = await new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve))
    expect(closed.code, closed.reason).toBe(1000)
    this.seen.add(of)
    return texts.map((text) => kindOf(shape, text))
  }

  /** The described shape of an answer; undefined when it has no body. */
  #shapeOf(of: string, answer: { status: number; type: string | null }): z.ZodType | undefined {
    const { status } = answer
    const responses = this.#operations.get(of)?.responses ?? {}
    const { content = {} } = responses[String(status)] ?? (status >= 400 ? responses['default'] : undefined) ?? {}
    const type = (answer.type ?? '').split(';', 1)[0] ?? ''
    if (type === '' && Object.keys(content).length === 0 && responses[String(status)]) return undefined
    const schema = content[type]?.schema
    if (schema === undefined)
      throw new Error(`${of} answers ${status} with ${type}, of which the description says nothing`)
    return z.fromJSONSchema(schema)
  }
}

/** The values of a body: one, or one in each line. */
function valuesOf(text: string, type: string): unknown[] {
  const lines = /[/-](jsonl|ndjson)\b/.test(type) ? text.trimEnd().split('\n') : [text]
  return /(json|jsonl)\b/.test(type) ? lines.map((line): unknown => JSON.parse(line)) : lines
}

const frame = z.union([
  z.object({ event: z.string() }).transform(({ event }) => event),
  z.object({ event_type: z.string() }).transform(({ event_type }) => event_type),
])

/** The kind of a frame that fits its shape. */
function kindOf(shape: z.ZodType, text: string): string {
  const value: unknown = JSON.parse(text)
  expect(fault(shape, value)).toBe('')
  return frame.parse(value)
}

/** What is wrong with a value; nothing when it fits, and no field is left undescribed. */
function fault(shape: z.ZodType, value: unknown): string {
  const { error } = shape.safeParse(value)
  return error === undefined ? '' : `${z.prettifyError(error)}\n${JSON.stringify(value)}`
}
