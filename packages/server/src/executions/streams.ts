/** Follows executions: over SSE, and over WebSocket. */
import { encodeSse, evaluationRoutes, limits } from '@llm-eval/protocol'
import { executionFrame, executionStreamQuery } from '@llm-eval/protocol/evaluation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { described, mount } from '../http/mount.ts'
import { isOver } from '../judging/wire.ts'
import { type Outlet, toChunk } from '../outlets/outlet.ts'
import { Outlets } from '../outlets/outlets.ts'
import { ExecutionStream, type FollowParts, type Sink } from './follow.ts'
import { endsAfter, resolveFollowed, type Wanted } from './resolve.ts'
import { registerExecutionSocket } from './socket.ts'

const frames = described(
  'Unnamed SSE messages; the `data` of each is such an object, its `id` a cursor to resume after.',
  {
    'text/event-stream': executionFrame,
  },
)
/** Serves the streams of executions and of batches, and the socket of an execution. */
export function registerExecutionStreams(app: App, deps: Deps): void {
  const { store, judge, now, log, config } = deps
  const onError = (error: unknown) => log.error({ err: error }, 'an execution could not be followed')
  const parts: FollowParts = { store, judge, now, onError }
  const streams = new SseStreams(parts, deps)
  app.addHook('onClose', async () => streams.close())
  // 204: everything was said before the cursor. Browsers stop reconnecting when they are told so.
  const response = { 200: frames, 204: z.null() }

  mount(app, evaluationRoutes.executionEvents, {
    schema: { params: z.object({ execution_id: name }), querystring: executionStreamQuery, response },
    handler: (request, reply) =>
      streams.serve(request, reply, {
        executionId: request.params.execution_id,
        after: request.query.after,
      }),
  })
  mount(app, evaluationRoutes.batchEvents, {
    schema: { params: z.object({ batch_id: name }), querystring: executionStreamQuery, response },
    handler: (request, reply) =>
      streams.serve(request, reply, { batchId: request.params.batch_id, after: request.query.after }),
  })
  registerExecutionSocket(app, deps, { parts, heartbeatMs: config.heartbeat_seconds * 1000 })
}

class SseStreams {
  readonly #parts: FollowParts
  readonly #outlets: Outlets
  readonly #open = new Map<Outlet, ExecutionStream>()
  readonly #beats: NodeJS.Timeout

  constructor(parts: FollowParts, deps: Deps) {
    const heartbeatMs = deps.config.heartbeat_seconds * 1000
    this.#parts = parts
    this.#outlets = new Outlets(deps, {
      stallMs: Math.max(limits.streamStallSeconds * 1000, 2 * heartbeatMs),
      most: limits.executionStreams,
    })
    this.#beats = setInterval(() => this.#beat(), heartbeatMs)
    this.#beats.unref()
  }

  async serve(request: FastifyRequest, reply: FastifyReply, wanted: Wanted): Promise<FastifyReply> {
    const { store } = this.#parts
    const { projectId } = request.principal
    const lastId = request.headers['last-event-id']
    const header = typeof lastId === 'string' && lastId !== '' ? lastId : undefined
    const { followed, target } = await resolveFollowed(this.#parts, projectId, { ...wanted, header })
    if (followed.after !== undefined && target.statuses.every(isOver)) {
      const { ids, after } = followed
      if (!(await endsAfter(store, projectId, { ids, after }))) return reply.code(204).send()
    }
    const outlet = await this.#outlets.open(request, reply, 'executions')
    const stream = new ExecutionStream(this.#parts, followed, sinkOf(outlet))
    this.#open.set(outlet, stream)
    outlet.onClose(() => this.#open.delete(outlet))
    void stream.run()
    return reply
  }

  close(): void {
    clearInterval(this.#beats)
    this.#outlets.endAll()
  }

  #beat(): void {
    for (const [outlet, stream] of this.#open)
      if (!outlet.full) outlet.write(toChunk(encodeSse(undefined, stream.cursor)))
    this.#outlets.check()
  }
}

function sinkOf(outlet: Outlet): Sink {
  return {
    get closed() {
      return outlet.closed
    },
    send: (frame, id) => outlet.write(toChunk(encodeSse(JSON.stringify(frame), id))),
    drained: () => outlet.drained(),
    end: () => outlet.end(),
    cut: () => outlet.end(1_000),
    onClose: (listener) => outlet.onClose(listener),
  }
}
