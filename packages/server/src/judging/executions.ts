import { randomUUID } from 'node:crypto'
import type { Engine } from '@llm-eval/engine'
import { type Execution, Failure, type Fault, limits } from '@llm-eval/protocol'
import type { NewExecution, Store } from '@llm-eval/store'
import type { OwnCatalogue } from './catalogue.ts'
import { leaseMs } from './holder.ts'
import type { ExecutionJournal } from './journal.ts'
import type { Ask, Entry, Executions, StartOptions } from './judge.ts'
import type { Runner } from './runner.ts'
import { isOver, toExecution } from './wire.ts'

export interface ExecutionParts {
  store: Store
  engine: Engine
  catalogue: OwnCatalogue
  runner: Runner
  journal: ExecutionJournal
  now: () => number
  owner: string
  closing: AbortSignal
}

/** Milliseconds that those who wait for results get when the server shuts down. */
const lastWaitMs = 3_000
/** Milliseconds until a journal that could not be read is read again. */
const restMs = 500

/** Executions over a store that keeps them and a runner that runs them. */
export function createExecutions(parts: ExecutionParts): Executions {
  const leaving = createLeaving(parts.closing)
  const executions: Executions = {
    start: (projectId, asks, options = {}) => start(parts, { projectId, asks, options }),
    result: (projectId, id, { signal }) => result(parts, { projectId, id }, { signal, leaving }),
    async run(projectId, ask, { signal, patienceMs }) {
      const [started] = await executions.start(projectId, [ask], { patienceMs })
      if (started === undefined) throw new Failure('internal')
      return executions.result(projectId, started.execution_id, { signal })
    },
    cancel: (projectId, id) => cancel(parts, projectId, id),
  }
  return executions
}

/** An ask that can be stored and run. */
interface Prepared {
  entry: Entry
  version: string
  ask: Ask
  config: Record<string, unknown> | null
  inputJson: string | null
  configJson: string | null
  bytes: number
}

async function start(
  parts: ExecutionParts,
  given: { projectId: number; asks: readonly Ask[]; options: StartOptions },
): Promise<Execution[]> {
  const { store, runner, closing, now, owner } = parts
  const { projectId, asks, options } = given
  if (closing.aborted) throw new Failure('shutting_down', { retryAfter: 1 })
  const prepared = await prepare(parts, given)
  await findTraces(store, projectId, asks)
  const bytes = prepared.reduce((sum, one) => sum + one.bytes, 0)
  const places = { count: prepared.length, bytes }
  await runner.lanes.reserve(places, options.patienceMs)
  const rows = prepared.map((one) => rowOf(one, options.batchId ?? null))
  const at = now()
  let refs: (number | null)[]
  try {
    const stored = await store.apply(projectId, { kind: 'startExecutions', executions: rows, owner, at, leaseMs })
    refs = stored.refs
  } catch (error) {
    runner.lanes.free(places)
    throw error
  }
  const started = prepared.flatMap((one, index) => {
    const [row, ref] = [rows[index], refs[index]]
    if (row === undefined || ref === undefined || ref === null) {
      runner.lanes.free({ count: 1, bytes: one.bytes })
      return []
    }
    const stored = { ...row, ref, status: 'running', attempt: 1, score: null, error: null } as const
    return [{ one, stored: { ...stored, createdAt: at, completedAt: null } }]
  })
  for (const { one, stored } of started) {
    const { entry, ask, config } = one
    runner.add({
      projectId,
      stored,
      config,
      use: entry.use,
      info: entry.info,
      bytes: one.bytes,
      input: ask.input ?? {},
    })
  }
  // It was there a moment ago; what stands on the others goes on.
  if (started.length < prepared.length) throw new Failure('trace_not_found')
  return started.map(({ stored }) => toExecution(stored))
}

async function prepare(
  { engine, catalogue }: ExecutionParts,
  { projectId, asks, options }: { projectId: number; asks: readonly Ask[]; options: StartOptions },
): Promise<Prepared[]> {
  const entries = new Map<string, Promise<Entry>>()
  const prepared: Prepared[] = []
  const faults: Fault[] = []
  for (const [index, ask] of asks.entries()) {
    const key = JSON.stringify([ask.evaluator, ask.version ?? null])
    const found = entries.get(key) ?? catalogue.find(projectId, ask.evaluator, ask.version)
    entries.set(key, found)
    const entry = await found
    const config = withoutNulls(ask.config)
    const at = options.at?.(index) ?? ''
    const onTrace = (ask.traceId ?? null) !== null
    const wrong = engine.check({ evaluator: entry.use, input: ask.input ?? {}, config })
    for (const { path, message } of wrong) {
      // What a trace lacks makes its score `skipped`; that is no fault of the request.
      if (!onTrace || !/^input\b/.test(path)) faults.push({ path: `${at}${path}`, message })
    }
    const version =
      config === null ? entry.info.version : (engine.info(entry.use, config)?.version ?? entry.info.version)
    prepared.push({ entry, version, ask, config, ...jsonOf(ask.input ?? null, config) })
  }
  if (faults.length > 0) throw new Failure('invalid_request', { errors: faults.slice(0, 100) })
  return prepared
}

/** Null members are absent; Traceloop's clients write out all they do not set. */
function withoutNulls(config: Ask['config']): Record<string, unknown> | null {
  const members = Object.entries(config ?? {}).filter(([, value]) => value !== null && value !== undefined)
  return members.length === 0 ? null : Object.fromEntries(members)
}

function jsonOf(input: Record<string, unknown> | null, config: Record<string, unknown> | null) {
  const inputJson = input === null ? null : JSON.stringify(input)
  const configJson = config === null ? null : JSON.stringify(config)
  const sizes: [string | null, number][] = [
    [inputJson, limits.evaluationInputBytes],
    [configJson, limits.evaluatorBytes],
  ]
  const bytes = sizes.map(([json, max]) => {
    const length = json === null ? 0 : Buffer.byteLength(json)
    if (length > max) throw new Failure('body_too_large', { values: { max } })
    return length
  })
  return { inputJson, configJson, bytes: bytes.reduce((sum, length) => sum + length, 0) }
}

/** All traces are there, or nothing is stored. */
async function findTraces(store: Store, projectId: number, asks: readonly Ask[]): Promise<void> {
  const wanted = new Set(asks.flatMap(({ traceId }) => traceId ?? []))
  // Of one trace alone the store tells by itself.
  if (wanted.size < 2 && asks.every(({ traceId }) => (traceId ?? null) !== null)) return
  for (const traceId of wanted)
    if ((await store.read(projectId, 'trace', { traceId })) === null) throw new Failure('trace_not_found')
}

function rowOf({ entry, version, ask, inputJson, configJson }: Prepared, batchId: string | null): NewExecution {
  return {
    id: `exe_${randomUUID().replaceAll('-', '')}`,
    evaluator: entry.info.slug,
    version,
    input: inputJson,
    config: configJson,
    traceId: ask.traceId ?? null,
    ruleId: null,
    batchId,
    taskId: ask.taskId ?? null,
  }
}

interface Waiting {
  signal: AbortSignal
  leaving: Leaving
}

async function result(
  { store, runner, journal }: ExecutionParts,
  { projectId, id }: { projectId: number; id: string },
  { signal, leaving }: Waiting,
): Promise<Execution> {
  for (;;) {
    const ending = runner.ending(projectId, id)
    const here = ending && (await unless(ending, signal, leaving))
    if (here) return here
    const stored = await store.read(projectId, 'execution', { id })
    if (stored === null) throw new Failure('execution_not_found')
    if (isOver(stored.status) || signal.aborted) return toExecution(stored)
    // It runs elsewhere, or waits to be taken.
    const { promise: told, resolve } = Promise.withResolvers<'told' | 'lost'>()
    const watch = await journal.watch(projectId, {
      refs: new Set([stored.ref]),
      onEvent: () => resolve('told'),
      onLost: () => resolve('lost'),
    })
    try {
      // It may have ended while nobody listened.
      const again = await store.read(projectId, 'execution', { id })
      if (again !== null && isOver(again.status)) return toExecution(again)
      if ((await unless(told, signal, leaving)) === 'lost') await unless(pause(restMs), signal, leaving)
    } finally {
      watch.stop()
    }
  }
}

async function cancel({ store, runner, now }: ExecutionParts, projectId: number, id: string): Promise<Execution> {
  const outcome = await store.apply(projectId, { kind: 'cancelExecution', id, at: now() })
  if (outcome.result === 'not_found') throw new Failure('execution_not_found')
  if (outcome.result === 'over') throw new Failure('execution_over', { values: { status: overWords[outcome.status] } })
  const stored = await store.read(projectId, 'execution', { id })
  if (stored === null) throw new Failure('execution_not_found')
  const execution = toExecution(stored)
  runner.cancelled(projectId, execution)
  return execution
}

/** As they stand in "it …". */
const overWords = {
  queued: 'waits',
  running: 'runs',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'was cancelled',
} as const

/** Tells those who wait that the server leaves. */
interface Leaving {
  /** Calls back when nobody can wait any longer. Returns the way to stop. */
  on(listener: () => void): () => void
}

function createLeaving(closing: AbortSignal): Leaving {
  const listeners = new Set<() => void>()
  let left = false
  const leave = () => {
    left = true
    for (const listener of listeners) listener()
  }
  closing.addEventListener('abort', () => void setTimeout(leave, lastWaitMs).unref(), { once: true })
  return {
    on(listener) {
      if (left) listener()
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

/**
 * What a promise resolves with; undefined when the signal aborts first. Leaves nothing behind on either.
 *
 * @throws {Failure} `shutting_down`
 */
function unless<T>(promise: Promise<T>, signal: AbortSignal, leaving: Leaving): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve(undefined)
    const stop = () => {
      signal.removeEventListener('abort', onAbort)
      forget()
    }
    const onAbort = () => {
      stop()
      resolve(undefined)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    let forget: () => void = () => undefined
    forget = leaving.on(() => {
      stop()
      reject(new Failure('shutting_down', { retryAfter: 1 }))
    })
    promise.then(resolve, reject).finally(stop)
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref())
}
