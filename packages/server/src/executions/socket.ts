/** Follows an execution over WebSocket: the frames of its event stream, each with its cursor as `seq`. */
import { evaluationRoutes, Failure, limits } from '@llm-eval/protocol'
import { executionFrame, executionStreamQuery } from '@llm-eval/protocol/evaluation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { FastifyRequest } from 'fastify'
import * as z from 'zod'
import type { WebSocket } from 'ws'
import { isSameOrigin } from '../access/origins.ts'
import type { App, Deps } from '../http/app.ts'
import { described } from '../http/mount.ts'
import { mountSocket } from '../http/sockets.ts'
import { ExecutionStream, type FollowParts, type Sink } from './follow.ts'
import { resolveFollowed } from './resolve.ts'

const route = evaluationRoutes.executionSocket
const params = z.object({ execution_id: name })
const response = {
  101: described('A WebSocket. Each of its messages is such a JSON text; `seq` is a cursor to resume `after`.', {
    'application/json': executionFrame.extend({ seq: z.string().exactOptional() }),
  }),
}

interface Serving {
  parts: FollowParts
  heartbeatMs: number
}

/** Serves the socket of an execution. Refusals are told by the close code, since browsers do not show the status of an upgrade. */
export function registerExecutionSocket(app: App, deps: Deps, serving: Serving): void {
  const sockets = new Sockets(deps, serving)
  mountSocket(app, route, {
    schema: { params, querystring: executionStreamQuery, response },
    admit: async (request, reply) => {
      request.principal = await app.access.admit(request, route)
      await app.access.charge(request, reply, { kind: 'stream', cost: 1 })
      refuseOtherSites(deps, request)
    },
    serve: (socket, request, refusal) => sockets.serve(socket, { request, refusal }),
  })
}

/** Browsers let any page open a socket and send the cookie along: the server has to look where it comes from. */
function refuseOtherSites({ access, config }: Deps, { headers, host }: FastifyRequest): void {
  const { origin } = headers
  if (!access.required() || origin === undefined || access.allowsOrigin(origin)) return
  if (!isSameOrigin(host, headers, config)) throw new Failure('origin_refused')
}

/** The open sockets of this process. */
class Sockets {
  readonly #deps: Deps
  readonly #serving: Serving
  #open = 0

  constructor(deps: Deps, serving: Serving) {
    this.#deps = deps
    this.#serving = serving
  }

  async serve(socket: WebSocket, { request, refusal }: { request: FastifyRequest; refusal: unknown }): Promise<void> {
    const { meters } = this.#deps
    try {
      if (refusal !== undefined) throw refusal
      if (this.#open >= limits.executionStreams) throw new Failure('too_many_streams', { retryAfter: 5 })
      const { execution_id: executionId } = parsed(params, request.params)
      const { after } = parsed(executionStreamQuery, request.query)
      const { projectId } = request.principal
      const { followed } = await resolveFollowed(this.#serving.parts, projectId, { executionId, after })
      this.#open++
      meters.streams.inc({ kind: 'sockets' })
      socket.once('close', () => {
        this.#open--
        meters.streams.dec({ kind: 'sockets' })
      })
      this.#keepAlive(socket, request)
      await new ExecutionStream(this.#serving.parts, followed, sinkOf(socket)).run()
    } catch (error) {
      this.#refuse(socket, error)
    }
  }

  /** Looks at every heartbeat whether somebody is still there, and may still be. */
  #keepAlive(socket: WebSocket, { principal }: FastifyRequest): void {
    const { access, closing, log } = this.#deps
    let answered = true
    socket.on('pong', () => {
      answered = true
    })
    const beat = () => {
      if (!answered) return socket.terminate()
      answered = false
      socket.ping()
      access.stillValid(principal).then(
        (valid) => valid || this.#refuse(socket, new Failure('invalid_key')),
        (error: unknown) => log.warn({ err: error }, 'the key of an open socket could not be checked'),
      )
    }
    const timer = setInterval(beat, this.#serving.heartbeatMs)
    timer.unref()
    const leave = () => socket.close(1012, 'shutting_down')
    closing.addEventListener('abort', leave, { once: true })
    socket.once('close', () => {
      clearInterval(timer)
      closing.removeEventListener('abort', leave)
    })
  }

  #refuse(socket: WebSocket, error: unknown): void {
    const failure = error instanceof Failure ? error : new Failure('internal', { cause: error })
    this.#deps.meters.failures.inc({ code: failure.code })
    if (failure.code === 'internal') this.#deps.log.error({ err: error }, 'a socket failed')
    socket.close(closeCode(failure), failure.code)
  }
}

/** 4000 and the HTTP status for what is the client's to mend, else what the protocol has for it (RFC 6455, 7.4.1). */
function closeCode({ status }: Failure): number {
  if (status < 500) return 4_000 + status
  return status === 503 ? 1013 : 1011
}

function parsed<T>(schema: z.ZodType<T>, given: unknown): T {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  throw new Failure('invalid_query', {
    errors: result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  })
}

/** The writing end of a socket. One frame is under way at a time: a slow reader holds up nobody but itself. */
function sinkOf(socket: WebSocket): Sink {
  let sent: Promise<void> = Promise.resolve()
  return {
    get closed() {
      return socket.readyState !== socket.OPEN
    },
    send: (frame, seq) => {
      const text = JSON.stringify({ ...frame, ...(seq === undefined ? {} : { seq }) })
      sent = new Promise((resolve) => socket.send(text, () => resolve()))
    },
    drained: () => sent,
    end: () => socket.close(1000),
    cut: () => socket.close(1013),
    onClose: (listener) => {
      if (socket.readyState === socket.OPEN) socket.once('close', listener)
      else listener()
    },
  }
}
