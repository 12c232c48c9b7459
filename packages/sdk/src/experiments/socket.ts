import { encodeSse, evaluationRoutes, routes } from '@llm-eval/protocol'
import { errorOf, isObject } from '../answer.ts'
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
    const query: Record<string, string> = lastEventId === undefined ? {} : { after: lastEventId }
    // A socket carries no header.
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
        socket.addEventListener('close', (event) => {
          signal.removeEventListener('abort', stop)
          reject(new LLMEvalError('unreachable', `The WebSocket to ${url} was closed before it opened.`))
          if (signal.aborted) return
          const refusal = refusalOf(event, url)
          if (refusal) controller.error(refusal)
          else controller.close()
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

/** The server says by the close code what it would say by a status: 4000 and that. The reason is the code of the failure. */
function refusalOf(event: object, url: string): LLMEvalError | undefined {
  const [code, reason]: unknown[] = [Reflect.get(event, 'code'), Reflect.get(event, 'reason')]
  const status = typeof code === 'number' ? code - 4000 : 0
  if (status < 400 || status > 599) return undefined
  const text = JSON.stringify({ code: reason, detail: `The WebSocket to ${url} was refused: ${String(reason)}.` })
  return errorOf({ url, status, headers: new Headers(), text }, 0)
}

/** A message of the socket as one of an event stream: its `seq` is the place after it. */
function toSse(event: object): string {
  const message = parse(Reflect.get(event, 'data'))
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
