/** Where front ends of AG-UI reach agents: `/agui/:target`. */
import { type AguiEvent, type RunAgentInput, runAgentInputSchema } from '@llm-eval/formats/agui'
import { conversationRoutes, Failure, limits } from '@llm-eval/protocol'
import { name } from '@llm-eval/protocol/schemas'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { faultsOf } from '../faults/faults.ts'
import type { App, Deps, Register } from '../http/app.ts'
import { acceptRawJson } from '../http/bodies.ts'
import { parseJson } from '../http/json.ts'
import { described, mount } from '../http/mount.ts'
import { Outlet, toChunk } from '../outlets/outlet.ts'
import type { BegunRun, Bridge } from './bridge.ts'
import { capabilities, capabilitiesOf } from './capabilities.ts'

const byTarget = z.object({ target: name })

/** Serves a bridge. */
export function registerBridge(bridgeOf: (deps: Deps) => Bridge): Register {
  return (app, deps) => {
    const bridge = bridgeOf(deps)
    app.addHook('onClose', () => bridge.settled())
    app.register((scope, _options, done) => {
      acceptRawJson(scope, { maxBytes: limits.bridgeRequestBytes })
      mountBridge(scope, { deps, bridge })
      done()
    })
    mount(app, conversationRoutes.bridgeCapabilities, {
      schema: { params: byTarget, response: { 200: capabilities } },
      handler: ({ params }) => capabilitiesOf(bridge.target(params.target)),
    })
  }
}

interface Serving {
  deps: Deps
  bridge: Bridge
}

function mountBridge(scope: App, { deps, bridge }: Serving): void {
  mount(scope, conversationRoutes.bridge, {
    schema: {
      params: byTarget,
      response: { 200: described('Events of AG-UI, one `data:` each.', { 'text/event-stream': z.string() }) },
    },
    bodyLimit: limits.bridgeRequestBytes,
    describedBody: runAgentInputSchema,
    handler: async (request, reply) => {
      await deps.access.charge(request, reply, { kind: 'ingest', cost: 1 })
      const target = bridge.target(request.params.target)
      const input = inputOf(request)
      const gone = new AbortController()
      const leave = () => gone.abort()
      const { socket } = request.raw
      socket.once('close', leave)
      // It may have gone while its key was looked at.
      if (socket.destroyed) leave()
      try {
        const run = await bridge.begin({
          projectId: request.principal.projectId,
          target,
          input,
          headers: target.forwarded(request.headers),
          replayOf: null,
          signal: gone.signal,
        })
        await stream({ deps, request, reply, gone }, run)
      } finally {
        // The connection of a request that is refused goes on.
        socket.off('close', leave)
      }
      return reply
    },
  })
}

interface Streaming {
  deps: Deps
  request: FastifyRequest
  reply: FastifyReply
  gone: AbortController
}

async function stream({ deps, request, reply, gone }: Streaming, { answer }: BegunRun): Promise<void> {
  const { access, config, meters } = deps
  reply.hijack()
  request.server.streaming.add(request.raw.socket)
  const headers = Object.fromEntries(Object.entries(reply.getHeaders()).filter(([name]) => name !== 'content-length'))
  const beatMs = config.heartbeat_seconds * 1_000
  const stallMs = Math.max(limits.streamStallSeconds * 1_000, 2 * beatMs)
  const outlet = await Outlet.open(request.raw, reply.raw, { headers, stallMs })
  meters.streams.inc({ kind: 'bridge' })
  // Nobody shall take an agent that thinks for one that is gone, and nobody listens longer than they may.
  const beat = setInterval(() => {
    outlet.write(heartbeat)
    access.stillValid(request.principal).then(
      (valid) => valid || gone.abort(),
      // A database that does not answer at the moment is no reason to end a stream.
      () => undefined,
    )
  }, beatMs)
  try {
    await answer((events) => {
      // A chunk of nothing would end the answer.
      if (events.length === 0) return undefined
      outlet.write(chunkOf(events))
      return outlet.full ? outlet.drained() : undefined
    })
  } finally {
    clearInterval(beat)
    meters.streams.dec({ kind: 'bridge' })
    outlet.end()
  }
}

const heartbeat = toChunk(': \n\n')

function chunkOf(events: readonly AguiEvent[]): Buffer {
  return toChunk(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''))
}

function inputOf(request: FastifyRequest): RunAgentInput {
  if (!Buffer.isBuffer(request.body)) throw new TypeError('the route was mounted without raw bodies')
  const parsed = runAgentInputSchema.safeParse(parseJson(request.body))
  if (!parsed.success) throw new Failure('invalid_request', { errors: faultsOf(parsed.error.issues) })
  return parsed.data
}
