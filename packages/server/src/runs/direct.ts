/** What an evaluation asks of the process that it runs in: the routes of its run, without HTTP, and with nothing looked at twice. */
import { type Engine, RunColumns, summarise } from '@llm-eval/engine'
import type { RunMetricSummary } from '@llm-eval/protocol'
import { resumeInput, type RunHappening, runInput, runsQuery } from '@llm-eval/protocol/run-schemas'
import type { Store, StoredRun } from '@llm-eval/store'
import { createCatalogue } from '../judging/catalogue.ts'
import { readMetrics } from '../running/metrics.ts'
import { addPage, columnOf } from '../running/run-columns.ts'
import { Turns } from '../running/turns.ts'
import { toRun } from '../running/wire.ts'
import { createRun, type Making } from './create.ts'
import { Telling, type TellingParts } from './events.ts'
import { changed, clientLeaseMs, findRun } from './find.ts'
import { listRuns } from './list.ts'

/** What is asked. */
export interface DirectRequest {
  method: string
  /** Below `/api/v1/runs`: '', or '/RUN' and what stands behind it. Parts are as they are in an address. */
  path: string
  query: URLSearchParams
  /** JSON. */
  body: string | null
}

/** An answer as the route gives it. */
export interface DirectAnswer {
  status: 200 | 201
  body: object
}

/** What answers. */
export interface DirectParts {
  store: Store
  engine: Engine
  now: () => number
  /** The project that it is done in. */
  projectId: number
  closing: AbortSignal
}

/** Items whose numbers are read at a time. */
const pageItems = 2_000

/**
 * Answers the requests of which an evaluation makes many, or every one makes some: a run is made, found, told of, resumed and
 * summed up. All others, and those that would be refused, are left to a server, for which null stands.
 */
export class DirectRuns {
  readonly #parts: DirectParts
  readonly #making: Making
  readonly #telling: TellingParts

  constructor(parts: DirectParts) {
    this.#parts = parts
    const judge = { engine: parts.engine, catalogue: createCatalogue(parts) }
    this.#making = {
      deps: { ...parts, judge },
      // The task is done by the evaluation.
      tools: { models: null, addressFault: () => undefined },
      principal: { projectId: parts.projectId, name: null },
    }
    this.#telling = { ...parts, judge, turns: new Turns(1), count: () => undefined }
  }

  async answer({ method, path, query, body }: DirectRequest): Promise<DirectAnswer | null> {
    const [, id = '', what = '', ...more] = path.split('/').map(decodeURIComponent)
    if (more.length > 0) return null
    try {
      switch (`${method} ${id === '' ? '' : '/'}${what}`) {
        case 'POST ':
          return await this.#create(body)
        case 'GET ':
          return await this.#list(query)
        case 'GET /':
          return { status: 200, body: this.#shown(await this.#find(id)) }
        case 'GET /metrics':
          return { status: 200, body: { items: await this.#summed(await this.#find(id)) } }
        case 'POST /resume':
          return await this.#resume(id, body)
        case 'POST /events':
          return await this.#take(id, body)
        default:
          return null
      }
    } catch {
      // A server says what is wrong, in the words and with the status that everybody gets; to be told twice harms nothing.
      return null
    }
  }

  #shown(run: StoredRun): object {
    return toRun(run, this.#parts.now())
  }

  #find(id: string): Promise<StoredRun> {
    return findRun(this.#parts.store, this.#parts.projectId, id)
  }

  async #create(body: string | null): Promise<DirectAnswer | null> {
    const wish = runInput.safeParse(JSON.parse(body ?? 'null'))
    if (!wish.success || wish.data.task.kind !== 'client' || !wish.data.metrics_used.every(this.#isOwn)) return null
    const { made, run } = await createRun(this.#making, wish.data)
    return { status: made ? 201 : 200, body: this.#shown(run) }
  }

  /** Whether an evaluator is known without those of the project: it is code that is built in, or the evaluation's own. */
  readonly #isOwn = ({ evaluator }: { evaluator: string }): boolean => {
    const info = this.#parts.engine.info(evaluator)
    // No slug has a colon.
    return info === undefined ? evaluator.includes(':') : info.kind === 'code' && info.provider === 'none'
  }

  async #list(given: URLSearchParams): Promise<DirectAnswer | null> {
    const query = runsQuery.safeParse(Object.fromEntries(given))
    if (!query.success || new Set(given.keys()).size < given.size) return null
    return { status: 200, body: await listRuns(this.#parts, this.#parts.projectId, query.data) }
  }

  async #resume(id: string, body: string | null): Promise<DirectAnswer | null> {
    const wish = resumeInput.safeParse(JSON.parse(body ?? '{}'))
    const before = await this.#find(id)
    if (!wish.success || before.worker !== 'client') return null
    const { store, now, projectId } = this.#parts
    const owner = wish.data.worker ?? null
    const change = { kind: 'resumeRun', id: before.id, owner, at: now(), leaseMs: clientLeaseMs } as const
    return { status: 200, body: this.#shown(changed(await store.apply(projectId, change))) }
  }

  async #take(id: string, body: string | null): Promise<DirectAnswer | null> {
    const told: unknown = JSON.parse(body ?? 'null')
    const run = await this.#find(id)
    if (!isTold(told) || run.worker !== 'client') return null
    const names = run.metricNames
    // What is to be scored by evaluators of the server takes one.
    if (told.events.some((one) => one.type === 'item_finished' && isOpen(one, names))) return null
    const telling = new Telling(this.#telling, { projectId: this.#parts.projectId, run, worker: told.worker })
    return { status: 200, body: telling.receipt(told.events, await telling.trust(told.events)) }
  }

  async #summed(run: StoredRun): Promise<RunMetricSummary[]> {
    const { store, projectId } = this.#parts
    const columns = new RunColumns(run.id, readMetrics(run.metrics).map(columnOf))
    for (let after = -1; ; ) {
      const page = await store.read(projectId, 'runColumns', { ref: run.ref, after, limit: pageItems })
      const last = page.itemIndex.at(-1)
      if (last === undefined) return summarise(columns)
      addPage(columns, page)
      after = last
    }
  }
}

interface Told {
  worker: string
  events: RunHappening[]
}

/** The SDK wrote it in this process, of items that the engine has looked at: its frame says that it is what it should be. */
function isTold(body: unknown): body is Told {
  return (
    typeof body === 'object' &&
    body !== null &&
    'worker' in body &&
    typeof body.worker === 'string' &&
    'events' in body &&
    Array.isArray(body.events)
  )
}

function isOpen(
  { status, scores }: Extract<RunHappening, { type: 'item_finished' }>,
  names: readonly string[],
): boolean {
  return status === 'success' && !names.every((name) => Object.hasOwn(scores, name))
}
