import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type Cassette, type Exchange, normalised } from './cassette.ts'

/** A proxy that keeps what goes through it. */
export interface Recorder extends AsyncDisposable {
  url: string
  /** What was kept, with ids and times normalised. */
  kept(): Exchange[]
}

/** Writes a cassette. Format the file before it is committed. */
export async function write(path: URL, cassette: Cassette): Promise<void> {
  await mkdir(new URL('.', path), { recursive: true })
  await writeFile(path, `${JSON.stringify(cassette, null, 2)}\n`)
}

/** Without those of several equal questions in a row that were asked before the answer was the one waited for. */
function settled(exchanges: readonly Exchange[]): Exchange[] {
  return exchanges.filter(({ request: { method, path } }, at) => {
    const next = exchanges[at + 1]?.request
    return method !== 'GET' || next?.method !== 'GET' || next.path !== path
  })
}

/** What of a request decides about its answer. */
const keptHeaders = ['accept', 'content-type', 'user-agent', 'x-traceloop-sdk-version'] as const

/** Puts a recorder before a server. Requests are kept in the order in which they came. */
export async function startRecorder(target: string): Promise<Recorder> {
  const exchanges: Exchange[] = []
  const server = createServer((request, response) => {
    pass(target, { request, response, exchanges }).catch((error: unknown) => response.destroy(error as Error))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    kept: () => normalised(settled(exchanges)),
    async [Symbol.asyncDispose]() {
      const closed = once(server.close(), 'close')
      server.closeAllConnections()
      await closed
    },
  }
}

interface Passing {
  request: IncomingMessage
  response: ServerResponse
  exchanges: Exchange[]
}

async function pass(target: string, { request, response, exchanges }: Passing): Promise<void> {
  const { method = 'GET', url: path = '/', headers } = request
  const exchange: Exchange = {
    request: { method, path, headers: some(headers), body: parsed(await text(request)) },
    response: { status: 0, type: '', body: null },
  }
  exchanges.push(exchange)
  const { body } = exchange.request
  const answer = await fetch(`${target}${path}`, {
    method,
    headers: { ...exchange.request.headers, authorization: headers.authorization ?? '' },
    ...(body === null ? {} : { body: JSON.stringify(body) }),
  })
  const type = answer.headers.get('content-type') ?? ''
  const bytes = await answer.text()
  exchange.response = { status: answer.status, type, body: parsed(bytes) }
  response.writeHead(answer.status, type === '' ? {} : { 'content-type': type }).end(bytes)
}

function some(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    keptHeaders.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value] as const] : []
    }),
  )
}

/** JSON as a value, other text as it is, nothing as null. */
function parsed(body: string): unknown {
  if (body === '') return null
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}
