import { setTimeout as delay } from 'node:timers/promises'
import type { Engine, Evaluation } from '@llm-eval/engine'
import { type EvaluatorInfo, type Execution, Failure, limits, type Score } from '@llm-eval/protocol'
import type { ExecutionEnd, Store, StoredExecution } from '@llm-eval/store'
import type { Logger } from 'pino'
import type { JudgeMeters } from '../meters/judge-meters.ts'
import { type Lane, Lanes } from './lanes.ts'
import { inputOf } from './trace-input.ts'
import { toExecution } from './wire.ts'

export interface RunnerParts {
  store: Store
  engine: Engine
  now: () => number
  log: Logger
  meters: JudgeMeters
  /** Names this process in the store. */
  owner: string
  /** Judges that run at the same time. */
  judgeConcurrency: number
  /** Called when a place became free. */
  onRoom: () => void
}

/** An execution that this process holds, with what it takes to run it. */
export interface Work {
  projectId: number
  stored: StoredExecution
  use: Evaluation['evaluator']
  info: EvaluatorInfo
  /** Laid over what the trace gives. */
  input: Record<string, unknown>
  config: Record<string, unknown> | null
  /** Of the input, as it is kept in memory. */
  bytes: number
}

interface Held {
  work: Work
  stopping: AbortController
  ended: Promise<Execution>
  end: (execution: Execution) => void
  /** As it was told last. */
  progress: Steps | undefined
}

/** How far an evaluation is. */
export interface Steps {
  done: number
  total: number
}

/** Pieces of code that run side by side; each of them may wait for a worker thread or the database. */
const codeWidth = 16
/** Executions that are judged or whose end is being stored, before code waits for that too. */
const mostRunning = 256
/** Milliseconds that running executions get when the process is about to end. */
const graceMs = 2_000
/** Times that the end of an execution is tried to be stored though the database refuses what is in it. */
const refusals = 3
/** Milliseconds before the end of an execution is stored again after that failed: at first, and at most. */
const retryMs = { first: 200, most: 5_000 }

/** Runs the executions that this process holds, so many at a time, and stores how each ended. */
export class Runner {
  readonly lanes: Lanes
  readonly #parts: RunnerParts
  readonly #held = new Map<string, Held>()
  readonly #running = new Set<Promise<void>>()
  #closed = false

  constructor(parts: RunnerParts) {
    this.#parts = parts
    this.lanes = new Lanes({
      width: { code: codeWidth, judge: parts.judgeConcurrency },
      most: limits.executionsWaiting,
      mostBytes: limits.executionsWaitingBytes,
    })
  }

  /** Refs of the executions that this process holds, by project. */
  held(): Map<number, number[]> {
    const refs = new Map<number, number[]>()
    for (const { work } of this.#held.values()) {
      const known = refs.get(work.projectId)
      if (known) known.push(work.stored.ref)
      else refs.set(work.projectId, [work.stored.ref])
    }
    return refs
  }

  /** Whether an execution is held here. */
  holds(projectId: number, id: string): boolean {
    return this.#held.get(id)?.work.projectId === projectId
  }

  /** How an execution that is held here ends; undefined when it is not. */
  ending(projectId: number, id: string): Promise<Execution> | undefined {
    const held = this.#held.get(id)
    return held?.work.projectId === projectId ? held.ended : undefined
  }

  /** How far an execution is that is held here, as far as it told. */
  progress(projectId: number, id: string): Steps | undefined {
    const held = this.#held.get(id)
    return held?.work.projectId === projectId ? held.progress : undefined
  }

  /** Runs it when its turn comes. Its place has to be reserved. */
  add(work: Work): void {
    const { promise, resolve } = Promise.withResolvers<Execution>()
    const held: Held = { work, stopping: new AbortController(), ended: promise, end: resolve, progress: undefined }
    this.#held.set(work.stored.id, held)
    this.#parts.meters.inFlight.set(this.#held.size)
    const lane = laneOf(work.info)
    this.lanes.run(lane, async () => {
      if (held.stopping.signal.aborted) return
      const judged = this.#judge(held)
      const running = judged.then((end) => this.#keep(held, end))
      this.#running.add(running)
      void running.finally(() => this.#running.delete(running))
      // The next piece of code has its turn while the end of this one is stored: the ends of many are one commit.
      await (lane === 'code' && this.#running.size < mostRunning ? judged : running)
    })
  }

  /** Stops one that was cancelled in the store. */
  cancelled(projectId: number, execution: Execution): void {
    const held = this.#held.get(execution.execution_id)
    if (held?.work.projectId !== projectId) return
    this.#forget(held)
    held.stopping.abort()
    this.#parts.meters.told(held.work.info, { end: { status: 'cancelled', score: null }, kept: true })
    held.end(execution)
  }

  /** Begins nothing more, gives what runs a moment to end, and lets go of the rest, so that another process takes it at once. */
  async close(): Promise<void> {
    this.#closed = true
    this.lanes.clear()
    const { store, owner } = this.#parts
    const late = new AbortController()
    await Promise.race([
      Promise.all(this.#running),
      delay(graceMs, undefined, { signal: late.signal }).catch(() => undefined),
    ])
    late.abort()
    const held = this.held()
    for (const { stopping } of this.#held.values()) stopping.abort()
    for (const projectId of held.keys())
      await store.apply(projectId, { kind: 'releaseExecutions', owner, after: 'stop' })
  }

  #forget({ work }: Held): void {
    if (!this.#held.delete(work.stored.id)) return
    this.lanes.free({ count: 1, bytes: work.bytes })
    this.#parts.meters.inFlight.set(this.#held.size)
    this.#parts.onRoom()
  }

  /** Stores how it ended, and tells those who wait. Never rejects. */
  async #keep(held: Held, end: ExecutionEnd): Promise<void> {
    const { work, stopping } = held
    const { log, meters } = this.#parts
    try {
      const kept = stopping.signal.aborted ? undefined : await this.#store(held, end)
      if (kept === undefined || stopping.signal.aborted) return
      meters.told(work.info, { end: kept.end, kept: kept.held })
      if (kept.held) held.end(toExecution({ ...work.stored, ...kept.end, completedAt: kept.at }))
      else this.#lost(held)
      this.#forget(held)
    } catch (error) {
      log.error({ err: error, execution_id: work.stored.id }, 'an execution could not be run')
    }
  }

  /** Never rejects. */
  async #judge(held: Held): Promise<ExecutionEnd> {
    const { work, stopping } = held
    const { engine } = this.#parts
    try {
      const refused = await this.#refused(work)
      if (refused) return refused
      const input = await this.#input(work)
      const score = await engine.evaluate(
        { evaluator: work.use, input, config: work.config },
        {
          signal: stopping.signal,
          onProgress: this.#progress(held),
          evidence: work.stored.traceId === null ? 'input' : 'trace',
        },
      )
      return endOf(spent(work.info, score))
    } catch (error) {
      if (error instanceof Failure) return { status: 'failed', score: null, error: failureWords(error) }
      this.#parts.log.error({ err: error, execution_id: work.stored.id }, 'an execution failed')
      return internal
    }
  }

  /** How it ends because of the rule that asked: the rule was deleted since, or has spent its day's money. */
  async #refused({ projectId, stored }: Work): Promise<ExecutionEnd | undefined> {
    if (stored.ruleId === null) return undefined
    const { store, now } = this.#parts
    const rule = (await store.read(projectId, 'rules', {})).find(({ id }) => id === stored.ruleId)
    // With it went its limit: what would be spent now, nobody allowed.
    if (rule === undefined) return { status: 'cancelled', score: null, error: null }
    if (rule.dailyCostLimitNano === null) return undefined
    const day = Math.floor(now() / 86_400_000)
    const { costNano, unknownCosts } = await store.read(projectId, 'ruleDay', { ruleId: rule.id, day })
    return unknownCosts > 0 || costNano >= rule.dailyCostLimitNano ? endOf(passedOver) : undefined
  }

  async #input({ projectId, stored, input }: Work): Promise<Record<string, unknown>> {
    if (stored.traceId === null) return input
    const trace = await this.#parts.store.read(projectId, 'trace', { traceId: stored.traceId })
    if (trace === null) throw new Failure('trace_not_found')
    return { ...inputOf(trace), ...input }
  }

  /** Writes the newest progress, one at a time: what comes while one is being written replaces what waits. */
  #progress(held: Held): (done: number, total: number) => void {
    const { work, stopping } = held
    const { store, owner, now, log } = this.#parts
    let newest: Steps | undefined
    let writing = false
    const write = async () => {
      writing = true
      try {
        while (newest && !stopping.signal.aborted) {
          const { done, total } = newest
          newest = undefined
          await store.apply(work.projectId, {
            kind: 'noteProgress',
            ref: work.stored.ref,
            owner,
            done,
            total,
            at: now(),
          })
        }
      } catch (error) {
        log.warn({ err: error, execution_id: work.stored.id }, 'progress could not be stored')
      } finally {
        writing = false
      }
    }
    return (done, total) => {
      newest = { done, total }
      held.progress = newest
      if (!writing) void write()
    }
  }

  /** Stores the end, again and again while the database takes no writes. Not `held`: it belongs to somebody else by now. */
  async #store(
    { work, stopping }: Held,
    given: ExecutionEnd,
  ): Promise<{ held: boolean; end: ExecutionEnd; at: number } | undefined> {
    const { store, owner, now, log } = this.#parts
    let end = given
    let refused = 0
    for (let wait = retryMs.first; ; wait = Math.min(2 * wait, retryMs.most)) {
      try {
        const at = now()
        const finish = { kind: 'finishExecution', ref: work.stored.ref, owner, end, at } as const
        const { held } = await store.apply(work.projectId, finish)
        return { held, end, at }
      } catch (error) {
        if (this.#closed) throw error
        log.warn({ err: error, execution_id: work.stored.id }, 'the end of an execution could not be stored yet')
        // What the database will never take must not be tried for ever.
        if (!(error instanceof Failure) && ++refused === refusals) end = internal
        await delay(wait, undefined, { signal: stopping.signal }).catch(() => undefined)
        if (stopping.signal.aborted) return undefined
      }
    }
  }

  /** Its lease ran out or it was cancelled elsewhere: whoever waits here is told what the store knows. */
  #lost({ work, end }: Held): void {
    const { store, log } = this.#parts
    void store.read(work.projectId, 'execution', { id: work.stored.id }).then(
      (stored) => end(toExecution(stored ?? { ...work.stored, status: 'cancelled' })),
      (error: unknown) => {
        log.warn({ err: error }, 'an execution could not be read')
        end(toExecution(work.stored))
      },
    )
  }
}

/** Where it waits for its turn: what asks others does not hold up what only computes. */
function laneOf({ kind, provider }: EvaluatorInfo): Lane {
  return provider === 'none' && kind !== 'remote' && kind !== 'judge' ? 'code' : 'judge'
}

const passedOver: Score = {
  outcome: 'skipped',
  value: null,
  label: null,
  passed: null,
  explanation: "The rule's daily cost limit is reached.",
  fault: 'cost_limit',
  output: {},
  usage: null,
  duration_ms: 0,
}

const internal: ExecutionEnd = {
  status: 'failed',
  score: null,
  error: { code: 'internal', message: new Failure('internal').message },
}

/** What a judge has spent that was given up on the way, nobody knows: it did not come to say. */
function spent({ provider }: EvaluatorInfo, score: Score): Score {
  if (provider === 'none' || score.fault !== 'timeout' || score.usage !== null) return score
  return { ...score, usage: { model: null, input_tokens: null, output_tokens: null, cost: null, cached: false } }
}

/** A score is an end of its own, but an errored one is also a failure. */
function endOf(score: Score): ExecutionEnd {
  if (score.outcome !== 'errored') return { status: 'completed', score, error: null }
  const message = score.explanation ?? 'The evaluator failed.'
  return { status: 'failed', score, error: { code: score.fault ?? 'threw', message } }
}

function failureWords(failure: Failure): { code: string; message: string } {
  const faults = failure.errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
  return { code: failure.code, message: [failure.message, ...faults].join(' ') }
}
