import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Run, RunItem, RunStatus } from '@llm-eval/protocol'
import { runEventsInput, runHappening, runInput } from '@llm-eval/protocol/run-schemas'

type Happening = ReturnType<typeof runHappening.parse>
type Finished = Extract<Happening, { type: 'item_finished' }>

/** What a server that keeps runs answers: a status, a body, and headers. */
export interface Answer {
  status: number
  body: unknown
  headers?: Record<string, string>
}

/** A run as this server keeps it. */
export interface KeptRun {
  run: Run
  items: Map<number, Finished>
  /** Every event by its name, with how often it came. */
  events: Map<string, { happening: Happening; sequence: number; times: number }>
  workers: string[]
  /** As it was sent, to tell the same from another. */
  made: string
}

/** A server over HTTP that speaks the routes of runs, by their schemas, and does what a test says. */
export interface RunServerScene extends AsyncDisposable {
  readonly url: string
  readonly runs: Map<string, KeptRun>
  /** Requests for events, and how many of them were under way at most. */
  readonly posts: { count: number; mostAtOnce: number }
  readonly rows: { id: string; values: Record<string, unknown> }[]
  /** Of the body of a request; what is more is answered with 413. */
  mostBytes: number
  /** What is answered instead, while there are any: one for each request that goes to this route. */
  instead(route: 'create' | 'events', ...answers: (Answer | 'reset' | 'lost')[]): void
  end(runId: string, status: RunStatus): void
  /** Closes the port, and opens it again. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
  /** Resolves once it is so; looks after every request. */
  until(holds: () => boolean): Promise<void>
}

/** Starts one; `port` 0 is any that is free. */
export async function startRunServer(port = 0): Promise<RunServerScene> {
  const scene = new Scene()
  await scene.listen(port)
  return scene
}

class Scene implements RunServerScene {
  readonly runs = new Map<string, KeptRun>()
  readonly posts = { count: 0, mostAtOnce: 0 }
  readonly rows: RunServerScene['rows'] = []
  mostBytes = Infinity
  readonly #instead = { create: new Array<Answer | 'reset' | 'lost'>(), events: new Array<Answer | 'reset' | 'lost'>() }
  readonly #waiting = new Set<() => void>()
  #server: Server | undefined
  #port = 0
  #atOnce = 0

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  instead(route: 'create' | 'events', ...answers: (Answer | 'reset' | 'lost')[]): void {
    this.#instead[route].push(...answers)
  }

  end(runId: string, status: RunStatus): void {
    const kept = this.runs.get(runId)
    if (kept) kept.run.status = status
  }

  async listen(port: number): Promise<void> {
    this.#server = createServer((request, response) => {
      void (async () => {
        const url = new URL(request.url ?? '/', 'http://localhost')
        const body = await text(request)
        if (url.pathname.endsWith('/events')) this.posts.mostAtOnce = Math.max(this.posts.mostAtOnce, ++this.#atOnce)
        await new Promise(setImmediate)
        const isTooLarge = Buffer.byteLength(body) > this.mostBytes
        const answer = isTooLarge ? problem(413, 'too_large') : this.#answer(request.method ?? '', url, body)
        if (url.pathname.endsWith('/events')) this.#atOnce--
        if (answer === 'reset') return void response.socket?.resetAndDestroy()
        const { status, body: said, headers } = answer
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(said))
      })().finally(() => this.#look())
    })
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address() as AddressInfo
    this.#port = address.port
  }

  async goAway(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    server?.closeAllConnections()
    server?.close()
    if (server) await once(server, 'close')
  }

  async comeBack(): Promise<void> {
    await this.listen(this.#port)
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.goAway()
  }

  #look(): void {
    for (const look of this.#waiting) look()
  }

  #answer(method: string, url: URL, body: string): Answer | 'reset' {
    const [, , , kind = '', id = '', what = ''] = url.pathname.split('/').map(decodeURIComponent)
    if (kind === 'datasets') return this.#page(url)
    if (kind === 'evaluators')
      return id === 'unheard-of' ? problem(404, 'evaluator_not_found') : { status: 200, body: {} }
    const key = method === 'POST' && id === '' ? 'create' : what === 'events' ? 'events' : undefined
    const instead = key && this.#instead[key].shift()
    if (instead === 'reset') return 'reset'
    if (instead !== undefined && instead !== 'lost') return instead
    const answer = this.#route({ method, id, what, url }, body)
    return instead === 'lost' ? 'reset' : answer
  }

  #route({ method, id, what, url }: { method: string; id: string; what: string; url: URL }, body: string): Answer {
    if (method === 'POST' && id === '') return this.#create(body)
    const kept = this.runs.get(id)
    if (!kept) return problem(404, 'run_not_found')
    if (what === 'events') return this.#take(kept, body)
    if (what === 'items') return items(kept, url)
    if (what === 'resume') {
      const { worker } = JSON.parse(body) as { worker: string }
      kept.workers.push(worker)
      kept.run.status = 'running'
    }
    return { status: 200, body: kept.run }
  }

  #create(body: string): Answer {
    const read = runInput.safeParse(JSON.parse(body))
    if (!read.success) return problem(422, 'invalid_request', read.error.message)
    const { run_id: id = 'unnamed', metrics_used: metrics, dataset, dataset_name: name, ...rest } = read.data
    const known = this.runs.get(id)
    if (known) return known.made === body ? { status: 200, body: known.run } : problem(409, 'run_conflict')
    const version = dataset === null ? null : (rest.dataset_version ?? 'v1')
    const run = newRun(id, { ...rest, dataset_version: version, dataset_id: dataset, dataset_name: name ?? dataset })
    run.metrics_used = metrics.map((metric) => ({ name: metric.evaluator, ...metric }))
    this.runs.set(id, { run, items: new Map(), events: new Map(), workers: [], made: body })
    return { status: 201, body: run }
  }

  #take(kept: KeptRun, body: string): Answer {
    this.posts.count++
    const read = runEventsInput.safeParse(JSON.parse(body))
    if (!read.success) return problem(422, 'invalid_request', read.error.message)
    const results = read.data.events.map((event) => {
      return { event_id: event.event_id, sequence: event.sequence, ...applied(kept, event) }
    })
    const fresh = results.filter(({ status }) => status === 'applied').length
    return { status: 200, body: { applied: fresh, skipped: results.length - fresh, status: kept.run.status, results } }
  }

  #page(url: URL): Answer {
    const from = Number(url.searchParams.get('cursor') ?? 0)
    const limit = Number(url.searchParams.get('limit'))
    const some = this.rows.slice(from, from + limit)
    const next = from + some.length < this.rows.length ? String(from + some.length) : null
    const version = url.searchParams.get('version')
    if (version !== 'v1') return problem(404, 'version_not_found')
    return { status: 200, body: { items: some, total: this.rows.length, next_cursor: next } }
  }
}

function applied(kept: KeptRun, event: { event_id: string; sequence: number }) {
  const { event_id: id, sequence } = event
  const read = runHappening.safeParse(event)
  if (!read.success) return { status: 'invalid', message: read.error.message }
  const happening = read.data
  const seen = kept.events.get(id)
  if (seen) seen.times++
  else kept.events.set(id, { happening, sequence, times: 1 })
  if (happening.type === 'run_ended') kept.run.status = happening.status
  else if (kept.run.status === 'queued') kept.run.status = 'running'
  if (happening.type !== 'item_finished') return { status: seen ? 'duplicate' : 'applied', message: null }
  if (kept.items.has(happening.item_index)) return { status: 'duplicate', message: null }
  if (kept.run.status !== 'running') return { status: 'run_over', message: `it is ${kept.run.status}` }
  kept.items.set(happening.item_index, happening)
  kept.run.completed_items++
  return { status: 'applied', message: null }
}

function items({ items: kept }: KeptRun, url: URL): Answer {
  const from = Number(url.searchParams.get('cursor') ?? 0)
  const limit = Number(url.searchParams.get('limit'))
  const all = [...kept.values()].sort((a, b) => a.item_index - b.item_index)
  const some = all.slice(from, from + limit).map((one): RunItem => {
    const { case_id, repetition, expected = null, output = null } = one
    return { ...one, item_id: `${case_id}#${repetition}`, expected, output }
  })
  const next = from + some.length < all.length ? String(from + some.length) : null
  return { status: 200, body: { items: some, next_cursor: next, searched_to: null } }
}

function problem(status: number, code: string, detail = code): Answer {
  return { status, body: { type: 'about:blank', title: code, status, code, detail } }
}

function newRun(id: string, rest: object): Run {
  const at = new Date(0).toISOString()
  const unknown = { error: null, stopped_by: null, approval: null, started_at: null, ended_at: null, duration_ms: null }
  const numbers = {
    completed_items: 0,
    successful_items: 0,
    success_rate: null,
    cost: 0,
    unknown_costs: 0,
    metrics: {},
  }
  return { ...unknown, ...numbers, created_at: at, updated_at: at, status: 'queued', ...rest, run_id: id } as Run
}
