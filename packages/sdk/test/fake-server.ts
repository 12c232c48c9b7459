import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A request as it arrived. */
export interface Received {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: string
}

/** What the server does with one request. */
export type Behaviour = (response: ServerResponse, received: Received) => unknown

/** A real HTTP server on a free port that does what the test says, one behaviour per request, then the usual one. */
export interface FakeServer extends AsyncDisposable {
  readonly url: string
  readonly received: Received[]
  /** The behaviours of the next requests. */
  next(...behaviours: Behaviour[]): void
  /** The behaviour of all further requests. */
  usually(behaviour: Behaviour): void
  /** Resolves when so many requests have arrived in all. */
  arrived(count: number): Promise<void>
}

/** Starts one. */
export async function startFakeServer(usual: Behaviour = json(200, {})): Promise<FakeServer> {
  const received: Received[] = []
  const behaviours: Behaviour[] = []
  const waiting = new Set<() => void>()
  let fallback = usual
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://localhost')
      const { method = '', headers } = request
      const one = { method, path: url.pathname, query: url.searchParams, headers, body: await text(request) }
      const behaviour = behaviours.shift() ?? fallback
      received.push(one)
      for (const look of waiting) look()
      await behaviour(response, one)
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    next: (...more) => void behaviours.push(...more),
    usually: (behaviour) => void (fallback = behaviour),
    arrived: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (received.length < count) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Answers with JSON. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Behaviour {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** Answers as a proxy does whose server is gone. */
export function html(status: number): Behaviour {
  return (response) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end('<html>\n  <h1>Bad gateway</h1>\n</html>')
}

/** Closes the connection with a TCP reset, without an answer. */
export const reset: Behaviour = (response) => response.socket?.resetAndDestroy()

/** Begins an answer and then closes the connection. */
export const cutOff: Behaviour = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
  response.write('{"success":tr', () => response.socket?.destroy())
}

/** Never answers. */
export const hang: Behaviour = () => undefined

/** Answers a send as llm-eval does when it stores everything. */
export const store: Behaviour = (response, received) => {
  const body = JSON.parse(received.body) as { trace_id?: string; traces?: { trace_id: string }[]; batch_id?: string }
  const ids = body.traces ? body.traces.map((trace) => trace.trace_id) : [body.trace_id]
  return json(200, {
    success: true,
    message: body.traces
      ? `Processed ${ids.length} of ${ids.length} traces`
      : 'Trace received and processed successfully',
    processed_count: body.traces ? ids.length : null,
    errors: null,
    trace_ids: ids,
    results: ids.map((id) => ({ trace_id: id, status: 'created' })),
    ...(body.batch_id ? { batch_id: body.batch_id } : {}),
  })(response, received)
}
