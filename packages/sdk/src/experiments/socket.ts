import { encodeSse, evaluationRoutes, routes } from '@llm-eval/protocol'
import { isObject } from '../answer.ts'
import type { Connection, Opening } from '../connection.ts'
import { LLMEvalError } from '../error.ts'

/** The part of `WebSocket` that is used. */
export interface SocketLike {
  close(): void
  addEventListener(type: 'open' | 'message' | 'error' | 'close', listener: (event: object) => void): void
}

/** `WebSocket`, or another class that does as it does. */
export type SocketConstructor = new (url: string) => SocketLike

/** The class that sockets are made of: the one that was handed in, or that of the run time. */
export function socketOf(given: SocketConstructor | undefined): SocketConstructor {
  const Socket = given ?? (globalThis as { WebSocket?: SocketConstructor }).WebSocket
  if (Socket) return Socket
  throw new TypeError('This run time has no WebSocket: hand one in as the option WebSocket, or use the transport sse')
}

/**
 * Opens the WebSocket of an execution, and hands out its messages as an event stream, so that everything that is known
 * about streams (places, silence, waits between tries) holds for it too.
 */
export function openSocket(connection: Connection, executionId: string, Socket: SocketConstructor) {
  const call = { route: evaluationRoutes.executionSocket, values: { execution_id: executionId } }
  return async ({ signal, lastEventId }: Opening): Promise<Response> => {
    // A socket carries no header and tells no status; who may not listen, or asks for nothing, hears it here.
    const seen = await connection.open({ ...call, route: evaluationRoutes.getExecution, signal })
    if (!seen.ok) return seen
    await seen.body?.cancel()
    const query: Record<string, string> = lastEventId === undefined ? {} : { after: lastEventId }
    if (connection.hasKey) query['ticket'] = await askForTicket(connection, signal)
    const url = new URL(connection.url({ ...call, query }), pageUrl())
    url.protocol = url.protocol.replace('http', 'ws')
    return await opened(new Socket(url.href), { url: url.origin + url.pathname, signal })
  }
}

async function askForTicket(connection: Connection, signal: AbortSignal): Promise<string> {
  const answer = await connection.attempt({ route: routes.createTicket, signal })
  const ticket = isObject(answer) ? answer['ticket'] : undefined
  if (typeof ticket === 'string') return ticket
  throw new LLMEvalError('protocol', 'The server did not answer with a ticket for a WebSocket.', { body: answer })
}

/** Resolves once the socket is open, with its messages as the body. */
function opened(socket: SocketLike, { url, signal }: { url: string; signal: AbortSignal }): Promise<Response> {
  const bytes = new TextEncoder()
  return new Promise((resolve, reject) => {
    const stop = () => socket.close()
    signal.addEventListener('abort', stop, { once: true })
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        socket.addEventListener('message', (event) => controller.enqueue(bytes.encode(toSse(event))))
        socket.addEventListener('close', () => {
          signal.removeEventListener('abort', stop)
          reject(new LLMEvalError('unreachable', `The WebSocket to ${url} was closed before it opened.`))
          // Whoever has gone already has cancelled the body.
          if (!signal.aborted) controller.close()
        })
      },
    })
    socket.addEventListener('open', () =>
      resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } })),
    )
    socket.addEventListener('error', () =>
      reject(new LLMEvalError('unreachable', `Cannot open a WebSocket to ${url}.`)),
    )
  })
}

/** A message of the socket as one of an event stream: its `seq` is the place after it. */
function toSse(event: object): string {
  const text: unknown = 'data' in event ? event.data : undefined
  const message = parse(text)
  const seq = isObject(message) ? message['seq'] : undefined
  return encodeSse(JSON.stringify(message), typeof seq === 'string' || typeof seq === 'number' ? `${seq}` : undefined)
}

/** What is no JSON becomes a string, which the reader of the stream refuses. */
function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text)) as unknown
  } catch {
    return String(text)
  }
}

function pageUrl(): string | undefined {
  return (globalThis as { location?: { href?: string } }).location?.href
}
