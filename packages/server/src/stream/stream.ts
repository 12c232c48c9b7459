import { randomUUID } from 'node:crypto'
import {
  type Cursor,
  Failure,
  formatCursor,
  limits,
  parseCursor,
  type ResyncReason,
  routes,
  type StreamFrame,
  type TraceSummary,
} from '@llm-eval/protocol'
import { streamFrame } from '@llm-eval/protocol/answers'
import { streamEventsQuery, streamMetricsQuery, streamTracesQuery } from '@llm-eval/protocol/schemas'
import { type Head, resyncReason } from '@llm-eval/store'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../access/principal.ts'
import type { App, Deps } from '../http/app.ts'
import { described, mount } from '../http/mount.ts'
import { encodeFrame, type View } from './frames.ts'
import { Hub } from './hub.ts'
import { type Outlet, toChunk } from '../outlets/outlet.ts'
import { Outlets, type OutletSettings } from '../outlets/outlets.ts'
import { MetricsTicker } from './ticker.ts'

/** What tests set smaller than a day's work would allow. */
export interface StreamSettings extends OutletSettings {
  /** Milliseconds between heartbeats. */
  heartbeatMs: number
  /** Milliseconds between two live deliveries. */
  flushMs: number
}

/** The three event streams of seed 001. */
export function registerStream(app: App, deps: Deps): void {
  registerStreamWith(app, deps, {
    heartbeatMs: deps.config.heartbeat_seconds * 1000,
    stallMs: Math.max(limits.streamStallSeconds, 2 * deps.config.heartbeat_seconds) * 1000,
    flushMs: 25,
    most: limits.streams,
  })
}

/** The same with other settings. */
export function registerStreamWith(app: App, deps: Deps, settings: StreamSettings): void {
  const streams = new Streams(deps, settings)
  app.addHook('onClose', async () => streams.close())

  mount(app, routes.streamEvents, {
    schema: { querystring: streamEventsQuery, response: { 200: frames } },
    handler: async (request, reply) => {
      const { query } = request
      const head = await deps.store.read(request.principal.projectId, 'head', {})
      const start = streams.startOf(request, query.after, head)
      const outlet = await streams.open(request, reply, 'events')
      streams.begin(outlet, streams.greeting(request, start), { epoch: head.epoch, seq: start.seq })
      const { model_name: model, evaluation_status: status, summaries } = query
      // Agent tests and conversations have neither a model nor a review, so that no filter of traces fits them.
      const view: View = { model, status, summaries, beyondTraces: model === undefined && status === undefined }
      streams.follow(request.principal, head.epoch, { outlet, view, position: start.seq })
      if (query.metrics_interval !== undefined) await streams.tick(request.principal, query.metrics_interval, outlet)
      return reply
    },
  })

  mount(app, routes.streamTraces, {
    schema: { querystring: streamTracesQuery, response: { 200: frames } },
    handler: async (request, reply) => {
      const { query, principal } = request
      const head = await deps.store.read(principal.projectId, 'head', {})
      const start = streams.startOf(request, query.after, head)
      const { model_name: model, evaluation_status: status } = query
      const view: View = { model, status, summaries: true, beyondTraces: false }
      // Whoever resumes has the list already; whoever must start over gets it anew.
      const wantsList = start.resync !== undefined || !start.resumed
      const list = wantsList && query.limit > 0 ? await streams.initialTraces(principal, view, query.limit) : undefined
      const outlet = await streams.open(request, reply, 'traces')
      const position = list?.seq ?? start.seq
      const frames = streams.greeting(request, start)
      if (list) {
        const data = list.items.map((item) => ({ id: item.trace_id, ...item }))
        frames.push({ event: 'initial_traces', data, timestamp: streams.timestamp() })
      }
      streams.begin(outlet, frames, { epoch: head.epoch, seq: position })
      streams.follow(principal, head.epoch, { outlet, view, position })
      return reply
    },
  })

  mount(app, routes.streamMetrics, {
    schema: { querystring: streamMetricsQuery, response: { 200: frames } },
    handler: async (request, reply) => {
      const outlet = await streams.open(request, reply, 'metrics')
      streams.begin(outlet, streams.greeting(request))
      await streams.tick(request.principal, request.query.interval, outlet)
      return reply
    },
  })
}

const frames = described(
  'Unnamed SSE messages; the `data` of each is such an object, its `id` a cursor to resume after.',
  {
    'text/event-stream': streamFrame,
  },
)

/** Who opens a stream, and under which name. */
interface Greeted {
  query: { client_id?: string | undefined }
  principal: Principal
}

/** Where a stream begins. */
interface Start {
  seq: number
  /** The client named a cursor, and it can be resumed. */
  resumed: boolean
  resync?: ResyncReason
}

const resyncMessages: Record<ResyncReason, string> = {
  other_epoch: 'This cursor belongs to another life of the journal. Load everything anew and go on from here.',
  expired: 'The events after this cursor are not kept any more. Load everything anew and go on from here.',
  ahead: 'The journal never reached this cursor. Load everything anew and go on from here.',
}

/** All open streams of this process. */
class Streams {
  readonly #deps: Deps
  readonly #settings: StreamSettings
  readonly #hubs = new Map<string, Hub>()
  readonly #tickers = new Map<string, MetricsTicker>()
  readonly #outlets: Outlets
  readonly #beats: NodeJS.Timeout

  constructor(deps: Deps, settings: StreamSettings) {
    this.#deps = deps
    this.#settings = settings
    this.#outlets = new Outlets(deps, settings)
    this.#beats = setInterval(() => this.#beat(), settings.heartbeatMs)
    this.#beats.unref()
  }

  timestamp(): string {
    return new Date(this.#deps.now()).toISOString()
  }

  /** The header wins over the query: a browser that reconnects by itself sends the newer cursor there. */
  startOf(request: FastifyRequest, after: string | undefined, head: Head): Start {
    const header = request.headers['last-event-id']
    const given = typeof header === 'string' && header !== '' ? header : after
    if (given === undefined) return { seq: head.seq, resumed: false }
    const cursor = parseCursor(given)
    if (!cursor && given === after) {
      throw new Failure('invalid_query', {
        errors: [{ path: 'after', message: 'must be the id of a message of this stream' }],
      })
    }
    const reason = cursor ? resyncReason(head, cursor) : 'other_epoch'
    return reason || !cursor
      ? { seq: head.seq, resumed: false, resync: reason ?? 'other_epoch' }
      : { seq: cursor.seq, resumed: true }
  }

  open(request: FastifyRequest, reply: FastifyReply, kind: 'events' | 'traces' | 'metrics'): Promise<Outlet> {
    return this.#outlets.open(request, reply, kind)
  }

  /** The first frames: who you are, whose events these are, and whether you have to start over. */
  greeting({ query, principal }: Greeted, start?: Start): StreamFrame[] {
    const timestamp = this.timestamp()
    const { client_id: clientId = randomUUID() } = query
    const frames: StreamFrame[] = [{ event: 'connected', client_id: clientId, project: principal.project, timestamp }]
    if (start?.resync) {
      const data = { reason: start.resync, message: resyncMessages[start.resync] }
      frames.push({ event: 'resync_required', data, timestamp })
    }
    return frames
  }

  /**
   * Sends the first frames. Only the last one carries the cursor: a client that is cut off between them comes back as it
   * came, and gets them all, rather than going on after a list it never saw.
   */
  begin(outlet: Outlet, frames: StreamFrame[], cursor?: Cursor): void {
    const id = cursor && formatCursor(cursor)
    outlet.write(
      toChunk(frames.map((frame, i) => encodeFrame(frame, i === frames.length - 1 ? id : undefined)).join('')),
    )
  }

  follow(principal: Principal, epoch: string, follower: { outlet: Outlet; view: View; position: number }): void {
    const key = `${principal.projectId}.${epoch}`
    let hub = this.#hubs.get(key)
    if (!hub) {
      const onError = (error: unknown) => this.#deps.log.error({ err: error }, 'events could not be read for streams')
      hub = new Hub(this.#deps.store, {
        projectId: principal.projectId,
        epoch,
        flushMs: this.#settings.flushMs,
        onError,
      })
      this.#hubs.set(key, hub)
    }
    hub.add(follower)
  }

  async tick(principal: Principal, intervalSeconds: number, outlet: Outlet): Promise<void> {
    const { projectId } = principal
    const key = `${projectId}.${intervalSeconds}`
    const { store, now, log } = this.#deps
    let ticker = this.#tickers.get(key)
    if (!ticker) {
      ticker = new MetricsTicker({
        intervalMs: intervalSeconds * 1000,
        now,
        read: () => store.read(projectId, 'metrics', { day: Math.floor(now() / 86_400_000) }),
        onError: (error) => log.error({ err: error }, 'the counters could not be read for streams'),
      })
      this.#tickers.set(key, ticker)
    }
    await ticker.add(outlet)
  }

  /** The newest traces that a view shows. */
  async initialTraces(
    principal: Principal,
    view: View,
    limit: number,
  ): Promise<{ items: TraceSummary[]; seq: number }> {
    const isFiltered = view.model !== undefined || view.status !== undefined
    const { items, seq } = await this.#deps.store.read(principal.projectId, 'snapshot', {
      limit: isFiltered ? limits.initialTraces : limit,
    })
    const shown = items.filter(
      (item) =>
        (view.model === undefined || item.model_name === view.model) &&
        (view.status === undefined || item.evaluation_status === view.status),
    )
    return { items: shown.slice(0, limit), seq }
  }

  close(): void {
    clearInterval(this.#beats)
    this.#outlets.endAll()
    for (const hub of this.#hubs.values()) hub.close()
  }

  #beat(): void {
    let lag = 0
    for (const hub of this.#hubs.values()) {
      hub.heartbeat()
      lag = Math.max(lag, hub.lag)
    }
    this.#deps.meters.eventLag.set({ consumer: 'streams' }, lag)
    const comment = toChunk(': heartbeat\n\n')
    for (const outlet of this.#outlets.ofKind('metrics')) if (!outlet.full) outlet.write(comment)
    this.#outlets.check()
  }
}
