import { mkdtemp, rm } from 'node:fs/promises'
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSseDecoder, type StreamFrame } from '@llm-eval/protocol'
import { createEngine } from '@llm-eval/engine'
import { openStore, type Store, type StoreOptions } from '@llm-eval/store'
import { pino } from 'pino'
import { createAccess } from '../src/access/access.ts'
import { configSchema } from '../src/config/config.ts'
import { createJudge } from '../src/judging/create-judge.ts'
import { createMeters, type Meters } from '../src/meters/meters.ts'
import { registerAgentTests } from '../src/agent-tests/agent-tests.ts'
import { createBridge } from '../src/bridge/create-bridge.ts'
import { registerConversations } from '../src/conversations/conversations.ts'
import { createApp } from '../src/http/create-app.ts'
import { registerIngest } from '../src/ingest/ingest.ts'
import { registerKeys } from '../src/settings/keys.ts'
import { registerStreamWith, type StreamSettings } from '../src/stream/stream.ts'
import { registerTraces } from '../src/traces/traces.ts'

/** One message of a stream: its cursor, and its frame (absent for a heartbeat). */
export interface Message {
  id: string
  frame: StreamFrame | undefined
}

/** A stream as a client reads it. */
export class StreamReader {
  readonly messages: Message[] = []
  readonly headers: IncomingMessage['headers']
  readonly #request: ClientRequest
  readonly #response: IncomingMessage
  #raw = ''
  #ended = false
  #wake: () => void = () => undefined

  constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request
    this.#response = response
    this.headers = response.headers
    const decoder = createSseDecoder({
      onMessage: ({ id, data }) => this.messages.push({ id, frame: JSON.parse(data) as StreamFrame }),
      onId: (id) => this.messages.push({ id, frame: undefined }),
    })
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      this.#raw += text
      decoder.feed(text)
      this.#wake()
    })
    response.on('error', () => undefined)
    response.on('close', () => {
      this.#ended = true
      this.#wake()
    })
  }

  /** The bytes as they came. */
  get raw(): string {
    return this.#raw
  }

  /** Frames of one kind, in order. */
  frames<E extends StreamFrame['event']>(event: E): Extract<StreamFrame, { event: E }>[] {
    return this.messages.flatMap(({ frame }) =>
      frame?.event === event ? [frame as Extract<StreamFrame, { event: E }>] : [],
    )
  }

  /** Ids of new traces, in the order of their frames. */
  newTraces(): (string | null)[] {
    return this.frames('trace_updates').flatMap(({ data }) => (data.action === 'new_trace' ? [data.trace_id] : []))
  }

  /** Resolves when `condition` holds; rejects when the stream ends before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#ended) throw new Error(`the stream ended early; it carried ${this.messages.length} messages`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async ended(): Promise<void> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Stops taking bytes off the socket, or goes on. */
  pause(): void {
    this.#response.pause()
  }
  resume(): void {
    this.#response.resume()
  }

  drop(): void {
    this.#request.destroy()
  }
}

export interface StreamServer {
  store: Store
  meters: Meters
  origin: string
  /** How often the counters were read from the store. */
  metricsReads: () => number
  follow(path: string, headers?: Record<string, string>): Promise<StreamReader>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  /** Any request; its status, once the whole answer came. */
  statusOf(method: string, path: string, body?: object): Promise<number>
  sendTraces(ids: readonly string[], fields?: Record<string, unknown>): Promise<void>
  /** Begins to shut down. */
  drain(): void
  close(): Promise<void>
}

const settings: StreamSettings = { heartbeatMs: 15_000, stallMs: 30_000, flushMs: 5, most: 100 }

/** Streams, ingest, reviews and keys on a real store, listening on loopback. */
export async function startStreams(
  changed: Partial<StreamSettings> = {},
  where: Pick<StoreOptions, 'databaseUrl'> = {},
): Promise<StreamServer> {
  const directory = await mkdtemp(join(tmpdir(), 'llm-eval-streams-'))
  const opened = await openStore({ directory, synchronous: 'normal', ...where })
  let metricsReads = 0
  const store: Store = Object.create(opened, {
    read: {
      value: (...args: Parameters<Store['read']>) => {
        if (args[1] === 'metrics') metricsReads++
        return opened.read(...args)
      },
    },
    ...Object.fromEntries(
      (['ingest', 'apply', 'follow', 'onCommit', 'stats', 'ping'] as const).map((name) => [
        name,
        { value: opened[name].bind(opened) },
      ]),
    ),
  }) as Store
  const config = configSchema.parse({ data: directory, log_level: 'silent' })
  const log = pino({ level: 'silent' })
  const meters = createMeters()
  const access = await createAccess({ store: opened, config, now: Date.now, log })
  const closing = new AbortController()
  const judge = await createJudge({
    store: opened,
    now: Date.now,
    log,
    home: access.home,
    closing: closing.signal,
    engine: createEngine(),
    meters: meters.judge,
    judgeConcurrency: 4,
  })
  const deps = { store, access, judge, config, now: Date.now, log, meters, version: '0.0.0', closing: closing.signal }
  const app = createApp(deps, [
    registerIngest,
    registerTraces,
    registerKeys,
    registerAgentTests,
    registerConversations(createBridge()),
    (a, d) => registerStreamWith(a, d, { ...settings, ...changed }),
  ])
  await app.listen({ host: '127.0.0.1', port: 0 })
  const origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const post = (path: string, body: unknown, headers = {}) =>
    fetch(`${origin}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  return {
    store: opened,
    meters,
    origin,
    metricsReads: () => metricsReads,
    follow: (path, headers = {}) => follow(`${origin}${path}`, headers),
    post,
    async statusOf(method, path, body) {
      const answer = await fetch(`${origin}${path}`, {
        method,
        ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      })
      await answer.arrayBuffer()
      return answer.status
    },
    async sendTraces(ids, fields = {}) {
      const traces = ids.map((id) => ({
        trace_id: id,
        model_name: 'gpt-4',
        user_query: 'q',
        ai_response: 'a',
        ...fields,
      }))
      for (let i = 0; i < traces.length; i += 100) {
        const answer = await post('/webhook/batch', { traces: traces.slice(i, i + 100), source: 'test' })
        if (answer.status !== 200) throw new Error(`the batch was answered ${answer.status}: ${await answer.text()}`)
        await answer.arrayBuffer()
      }
    },
    drain: () => closing.abort(),
    async close() {
      closing.abort()
      app.server.closeAllConnections()
      await app.close()
      await judge.close()
      await opened.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function follow(url: string, headers: Record<string, string>): Promise<StreamReader> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers, agent: false }, (response) => {
      if (response.statusCode === 200) return resolve(new StreamReader(request, response))
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('end', () => reject(new Error(`${response.statusCode} ${body}`)))
    })
    request.on('error', reject)
    request.end()
  })
}
