import { Failure } from '@llm-eval/protocol'
import type { Store, StoredExecution } from '@llm-eval/store'
import type { Logger } from 'pino'
import type { OwnCatalogue } from './catalogue.ts'
import type { Runner, Work } from './runner.ts'

/** How long an execution belongs to a process that says nothing any more, in milliseconds. */
export const leaseMs = 30_000
const holdEveryMs = 10_000
const lookEveryMs = 1_000
/** Executions that are taken at a time; while more than this wait here, those of others and of rules stay in the store. */
const portion = 128
/** One that has ended its process so often is not tried again. */
const maxAttempts = 5

export interface HolderParts {
  store: Store
  catalogue: OwnCatalogue
  runner: Runner
  now: () => number
  log: Logger
  owner: string
  /** The id of the project `default`. */
  home: number
}

/** Keeps what this process runs, and takes what nobody runs: executions that rules asked for, and those of processes that died. */
export class Holder {
  readonly #parts: HolderParts
  readonly #timers: NodeJS.Timeout[] = []
  /** Projects in which there may be something to take. */
  readonly #wanted = new Set<number>()
  #taking: Promise<void> | undefined
  #closed = false

  constructor(parts: HolderParts) {
    this.#parts = parts
  }

  /** Begins. What a process of the same name left behind is taken at once. */
  async start(): Promise<void> {
    const { store, owner, home } = this.#parts
    for (const { id } of await store.read(home, 'projects', {}))
      await store.apply(id, { kind: 'releaseExecutions', owner, after: 'death' })
    await this.#look()
    this.#timers.push(
      setInterval(() => void this.#hold(), holdEveryMs).unref(),
      setInterval(() => void this.#look(), lookEveryMs).unref(),
    )
  }

  /** There is something to take in a project. */
  wake(projectId: number): void {
    this.#wanted.add(projectId)
    this.takeWanted()
  }

  /** Takes from projects that may have something, as long as there is room. */
  takeWanted(): void {
    if (this.#closed || this.#taking || this.#wanted.size === 0 || !this.#hasRoom()) return
    this.#taking = this.#take().finally(() => {
      this.#taking = undefined
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
    await this.#taking
  }

  #hasRoom(): boolean {
    return this.#parts.runner.lanes.places < portion
  }

  async #look(): Promise<void> {
    const { store, home, now, log } = this.#parts
    try {
      for (const projectId of await store.read(home, 'freeExecutions', { at: now() })) this.#wanted.add(projectId)
    } catch (error) {
      log.warn({ err: error }, 'the executions that nobody holds could not be read')
    }
    this.takeWanted()
    await this.#taking
  }

  async #hold(): Promise<void> {
    const { store, runner, now, owner, log } = this.#parts
    for (const [projectId, refs] of runner.held()) {
      try {
        await store.apply(projectId, { kind: 'holdExecutions', refs, owner, at: now(), leaseMs })
      } catch (error) {
        log.warn({ err: error }, 'executions could not be held')
      }
    }
  }

  async #take(): Promise<void> {
    const { store, now, owner, log } = this.#parts
    // It is not held on to, so its time runs out and it is tried again, as often as any.
    const unadopted = (error: unknown) => log.error({ err: error }, 'an execution that was taken could not be run')
    for (const projectId of this.#wanted) {
      if (this.#closed || !this.#hasRoom()) return
      this.#wanted.delete(projectId)
      try {
        const { executions } = await store.apply(projectId, {
          kind: 'takeExecutions',
          owner,
          at: now(),
          leaseMs,
          limit: portion,
          maxAttempts,
        })
        if (executions.length === portion) this.#wanted.add(projectId)
        for (const stored of executions) await this.#adopt(projectId, stored).catch(unadopted)
      } catch (error) {
        if (!(error instanceof Failure)) log.error({ err: error }, 'executions could not be taken')
      }
    }
  }

  async #adopt(projectId: number, stored: StoredExecution): Promise<void> {
    const { catalogue, runner } = this.#parts
    // Its time ran out here, while the machine slept or the database did; it goes on, with the time that was taken now.
    if (runner.holds(projectId, stored.id)) return
    const config = parseObject(stored.config)
    const { evaluator, version } = stored
    const entry = await catalogue.recall(projectId, { evaluator, version, config })
    if (entry === undefined) return this.#end(projectId, stored)
    const bytes = (stored.input?.length ?? 0) + (stored.config?.length ?? 0)
    const { use, info } = entry
    const work: Work = { projectId, stored, use, info, input: parseObject(stored.input) ?? {}, config, bytes }
    runner.lanes.take({ count: 1, bytes })
    runner.add(work)
  }

  /** Nobody knows any more how to evaluate it as it was asked: another version would give another score. */
  async #end(projectId: number, { ref, evaluator, version }: StoredExecution): Promise<void> {
    const { store, owner, now } = this.#parts
    const { code, message } = new Failure('version_not_found', { values: { what: evaluator, version } })
    const end = { status: 'failed', score: null, error: { code, message } } as const
    await store.apply(projectId, { kind: 'finishExecution', ref, owner, end, at: now() })
  }
}

/** What the store keeps is what was parsed when it came in. */
function parseObject(json: string | null): Record<string, unknown> | null {
  if (json === null) return null
  const value: unknown = JSON.parse(json)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
}
