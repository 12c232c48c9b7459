import type { Route } from '@llm-eval/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Histogram } from 'prom-client'
import type { Meters } from './meters.ts'

type Child = Pick<Histogram.Internal<string>, 'observe'>

/** Requests that take longer than this many milliseconds are worth a line in the log. */
const slow = 2_000

/** Measures each answered request by its route. Streams are left out: they last as long as somebody watches. */
export function createRequestTimer({ meters, log }: { meters: Meters; log: Logger }) {
  // Found by the row itself and the status: building label texts for each request would cost more than measuring it.
  const children = new Map<Route, Map<number, Child>>()

  function childOf(row: Route, { method, status }: { method: string; status: number }): Child {
    const ofRow = children.get(row) ?? new Map<number, Child>()
    children.set(row, ofRow)
    const name = method === 'HEAD' ? -status : status
    const child = ofRow.get(name) ?? meters.http.labels({ method, route: row.path, status: String(status) })
    ofRow.set(name, child)
    return child
  }

  return (request: FastifyRequest, reply: FastifyReply): void => {
    const row = request.routeOptions.config.route
    if (row === undefined || row.limit === 'stream') return
    const { method } = request
    const ms = reply.elapsedTime
    childOf(row, { method, status: reply.statusCode }).observe(ms / 1000)
    if (ms <= slow) return
    const line = { method, route: row.path, status: reply.statusCode, ms: Math.round(ms), request_id: request.id }
    log.warn(line, 'a request took long')
  }
}
