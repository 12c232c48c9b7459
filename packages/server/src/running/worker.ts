import { hostname } from 'node:os'
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Engine } from '@llm-eval/engine'
import { Failure } from '@llm-eval/protocol'
import type { Store, StoredRun } from '@llm-eval/store'
import type { Logger } from 'pino'
import type { Catalogue } from '../judging/judge.ts'
import type { RunMeters } from '../meters/run-meters.ts'
import { execute, type Held } from './execute.ts'
import type { TaskTools } from './tasks.ts'

export interface WorkerParts {
  store: Store
  engine: Engine
  catalogue: Catalogue
  tools: TaskTools
  now: () => number
  log: Logger
  meters: RunMeters
  /** The id of the project `default`. */
  home: number
}

/** How long a run belongs to a process that says nothing any more, in milliseconds. */
const leaseMs = 30_000
const holdEveryMs = 10_000
const lookEveryMs = 1_000
/** Runs that one process works on at the same time. */
const mostRuns = 16
/** One that was begun so often, and never came to an end, is not tried again. */
const maxAttempts = 10
/** Runs of clients that are given up by one commit. */
const portion = 100
/** Milliseconds that what is being stored gets when the process is about to end. */
const graceMs = 3_000

/** Takes the runs that the server is to work off, holds them, and gives up those of clients that are not heard of. */
export class RunWorker {
  readonly #parts: WorkerParts
  readonly #owner: string
  readonly #held = new Map<string, Held>()
  readonly #working = new Map<Held, Promise<void>>()
  readonly #timers: NodeJS.Timeout[] = []
  #looking: Promise<void> | undefined
  #again = false
  #closed = false

  constructor(parts: WorkerParts) {
    this.#parts = parts
    // Only one process holds an embedded database, so what lies there under its name is its predecessor's.
    const { driver } = parts.store
    this.#owner = driver === 'sqlite' ? 'the process' : `${hostname().slice(0, 60)}.${process.pid}.${randomUUID()}`
  }

  /** Begins. What a process of the same name left behind is taken at once. */
  async start(): Promise<void> {
    const { store, home, now } = this.#parts
    for (const { id } of await store.read(home, 'projects', {}))
      await store.apply(id, { kind: 'releaseRuns', owner: this.#owner, after: 'death', at: now() })
    await this.wake()
    this.#timers.push(
      setInterval(() => void this.#hold(), holdEveryMs).unref(),
      setInterval(() => void this.wake(), lookEveryMs).unref(),
    )
  }

  /** There may be runs to take. Resolves when they were looked for. */
  async wake(): Promise<void> {
    if (this.#closed) return
    this.#again = true
    this.#looking ??= this.#lookAgain().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  /** Works no more on a run that was cancelled or deleted in the store. */
  stop(projectId: number, ref: number): void {
    this.#held.get(keyOf(projectId, ref))?.stopping.abort()
  }

  /** Begins nothing more, stores what is finished, and lets go of the rest, so that another process takes it at once. */
  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    await this.#looking
    const projects = new Set([...this.#held.values()].map(({ projectId }) => projectId))
    for (const { stopping } of this.#held.values()) stopping.abort()
    const late = new AbortController()
    await Promise.race([
      Promise.all(this.#working.values()),
      delay(graceMs, undefined, { signal: late.signal }).catch(() => undefined),
    ])
    late.abort()
    const { store, now } = this.#parts
    for (const projectId of projects)
      await store.apply(projectId, { kind: 'releaseRuns', owner: this.#owner, after: 'stop', at: now() })
  }

  async #lookAgain(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false
      await this.#look()
    }
  }

  async #look(): Promise<void> {
    const { store, home, now, log } = this.#parts
    try {
      for (const projectId of await store.read(home, 'freeRuns', { at: now() })) {
        await store.apply(projectId, { kind: 'abandonRuns', at: now(), limit: portion })
        await this.#take(projectId)
      }
    } catch (error) {
      log.warn({ err: error }, 'the runs that nobody holds could not be taken')
    }
  }

  async #take(projectId: number): Promise<void> {
    const { store, now } = this.#parts
    const limit = mostRuns - this.#held.size
    if (limit <= 0 || this.#closed) return
    const lease = { owner: this.#owner, at: now(), leaseMs }
    const { runs } = await store.apply(projectId, { kind: 'takeRuns', ...lease, limit, maxAttempts })
    for (const run of runs) this.#begin(projectId, run)
  }

  #begin(projectId: number, run: StoredRun): void {
    const key = keyOf(projectId, run.ref)
    // It is still worked on here: it was cancelled and resumed elsewhere, or its time ran out while the machine slept.
    const before = this.#held.get(key)
    before?.stopping.abort()
    const held: Held = { projectId, run, stopping: new AbortController() }
    const working = this.#workAfter(before, held).finally(() => {
      if (this.#held.get(key)?.stopping === held.stopping) this.#held.delete(key)
      this.#working.delete(held)
      this.#parts.meters.inFlight.set(this.#held.size)
      void this.wake()
    })
    this.#held.set(key, held)
    this.#working.set(held, working)
    this.#parts.meters.inFlight.set(this.#held.size)
  }

  /** The numbers of the run are read anew, for the one before may have stored something in between. */
  async #workAfter(before: Held | undefined, held: Held): Promise<void> {
    if (!before) return this.#work(held)
    await this.#working.get(before)
    const run = await this.#parts.store.read(held.projectId, 'run', { id: held.run.id }).catch(() => null)
    if (run !== null && run !== 'deleted' && !held.stopping.signal.aborted) await this.#work({ ...held, run })
  }

  /** Never rejects. */
  async #work(held: Held): Promise<void> {
    const { log } = this.#parts
    try {
      await execute({ ...this.#parts, owner: this.#owner }, held)
    } catch (error) {
      if (held.stopping.signal.aborted) return
      // What is not as it should be will be so the next time; what broke is tried again when its lease has run out.
      if (error instanceof Failure && error.status < 500) await this.#fail(held, error)
      else log.error({ err: error, run_id: held.run.id }, 'a run could not be worked on')
    }
  }

  async #fail({ projectId, run }: Held, { code, message, errors }: Failure): Promise<void> {
    const { store, now, log } = this.#parts
    const more = errors.map((fault) => `${fault.path} ${fault.message}`).join('; ')
    const error = { code, message: more === '' ? message : `${message} ${more}`.slice(0, 2_000) }
    const end = { status: 'failed', stoppedBy: null, error } as const
    await store
      .apply(projectId, { kind: 'endRun', id: run.id, owner: this.#owner, ...end, at: now() })
      .catch((failed: unknown) => log.error({ err: failed, run_id: run.id }, 'the end of a run could not be stored'))
  }

  async #hold(): Promise<void> {
    const { store, now, log } = this.#parts
    for (const [projectId, held] of Map.groupBy(this.#held.values(), (one) => one.projectId)) {
      const refs = held.map(({ run }) => run.ref)
      try {
        const hold = { kind: 'holdRuns', refs, owner: this.#owner, at: now(), leaseMs } as const
        const kept = await store.apply(projectId, hold)
        for (const { run, stopping } of held) if (!kept.held.includes(run.ref)) stopping.abort()
      } catch (error) {
        log.warn({ err: error }, 'runs could not be held')
      }
    }
  }
}

function keyOf(projectId: number, ref: number): string {
  return `${projectId}.${ref}`
}
