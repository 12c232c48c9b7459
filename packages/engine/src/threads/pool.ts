import { Worker } from 'node:worker_threads'
import { Failure, limits } from '@llm-eval/protocol'
import { NoScore } from '../evaluator.ts'
import type { Reply } from './serve.ts'

export interface ThreadPoolOptions {
  /** The module that `serveTasks` answers in. */
  file: URL
  /** Threads at most; they start when they are needed. */
  size: number
  workerData?: unknown
  /** Megabytes of the heap of one thread. */
  heapMb?: number
}

export interface TaskOptions {
  signal?: AbortSignal | undefined
  /** Counted from when a thread takes the task. */
  milliseconds: number
}

interface Waiting {
  task: unknown
  milliseconds: number
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

/**
 * A bounded number of threads for work that may be slow, or never end. Each does one task at a time; one that takes too long,
 * is given up or breaks is ended, and another takes its place. Idle threads do not keep the process alive.
 */
export class ThreadPool {
  readonly #options: ThreadPoolOptions
  readonly #queue: Waiting[] = []
  readonly #threads = new Set<TaskThread>()
  #closed = false

  constructor(options: ThreadPoolOptions) {
    this.#options = options
  }

  /**
   * Has a thread perform a task, and resolves to what it says.
   *
   * @throws {NoScore} `timeout`, `cancelled`, `too_large` (memory), or what the task threw
   * @throws {Failure} `overloaded` when too many wait, `shutting_down` after `close`
   */
  run(task: unknown, { signal, milliseconds }: TaskOptions): Promise<unknown> {
    if (this.#closed) return Promise.reject(new Failure('shutting_down', { retryAfter: 5 }))
    if (signal?.aborted === true) return Promise.reject(cancelled())
    if (this.#queue.length >= limits.executionsWaiting)
      return Promise.reject(new Failure('overloaded', { retryAfter: 2 }))
    let giveUp: () => void = () => undefined
    // Node 20, where users of the SDK may be, has no Promise.withResolvers.
    const done = new Promise<unknown>((resolve, reject) => {
      const waiting: Waiting = { task, milliseconds, resolve, reject }
      giveUp = () => this.#giveUp(waiting)
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#queue.push(waiting)
      this.#turn()
    })
    return done.finally(() => signal?.removeEventListener('abort', giveUp))
  }

  /** Ends the threads and whatever they do. */
  async close(): Promise<void> {
    this.#closed = true
    for (const waiting of this.#queue.splice(0)) waiting.reject(cancelled())
    await Promise.all([...this.#threads].map((thread) => thread.end(cancelled())))
  }

  #turn(): void {
    while (this.#queue.length > 0) {
      const thread = [...this.#threads].find(({ current }) => current === undefined) ?? this.#start()
      const next = thread && this.#queue.shift()
      if (!next) return
      thread.take(next)
    }
  }

  #start(): TaskThread | undefined {
    if (this.#threads.size >= this.#options.size) return undefined
    const thread = new TaskThread(this.#options, {
      free: () => this.#turn(),
      gone: () => {
        this.#threads.delete(thread)
        this.#turn()
      },
    })
    this.#threads.add(thread)
    return thread
  }

  #giveUp(waiting: Waiting): void {
    const place = this.#queue.indexOf(waiting)
    if (place >= 0) {
      this.#queue.splice(place, 1)
      waiting.reject(cancelled())
      return
    }
    for (const thread of this.#threads) if (thread.current === waiting) void thread.end(cancelled())
  }
}

class TaskThread {
  current: Waiting | undefined
  readonly #worker: Worker
  readonly #tell: { free: () => void; gone: () => void }
  #ready = false
  #timer: NodeJS.Timeout | undefined
  #ended: Promise<unknown> | undefined

  constructor({ file, workerData, heapMb = 512 }: ThreadPoolOptions, tell: { free: () => void; gone: () => void }) {
    this.#tell = tell
    this.#worker = new Worker(file, {
      workerData,
      name: 'evaluators',
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    })
    this.#worker.on('message', (reply: Reply) => this.#settle(reply))
    this.#worker.on('error', (error) => void this.end(faultOf(error)))
    this.#worker.on('exit', (code) => {
      void this.end(new NoScore('threw', `The evaluator's thread ended by itself, with code ${code}.`))
    })
    this.#worker.unref()
  }

  take(waiting: Waiting): void {
    this.current = waiting
    // Whoever waits for an answer keeps the process alive.
    this.#worker.ref()
    if (this.#ready) this.#begin(waiting)
  }

  /** Ends the thread, and its task with an error. */
  end(error: unknown): Promise<unknown> {
    if (this.#ended) return this.#ended
    clearTimeout(this.#timer)
    this.#ended = this.#worker.terminate()
    this.current?.reject(error)
    this.current = undefined
    this.#tell.gone()
    return this.#ended
  }

  #begin({ task, milliseconds }: Waiting): void {
    this.#timer = setTimeout(() => {
      void this.end(new NoScore('timeout', `The evaluator took longer than ${milliseconds / 1_000} seconds.`))
    }, milliseconds)
    try {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
      this.#worker.postMessage(task)
    } catch (error) {
      void this.end(error)
    }
  }

  #settle(reply: Reply): void {
    if (this.#ended) return
    if ('ready' in reply) {
      this.#ready = true
      if (this.current) this.#begin(this.current)
      return
    }
    clearTimeout(this.#timer)
    const waiting = this.current
    this.current = undefined
    this.#worker.unref()
    if ('value' in reply) waiting?.resolve(reply.value)
    else waiting?.reject(new NoScore(reply.fault, reply.message))
    this.#tell.free()
  }
}

function cancelled(): NoScore {
  return new NoScore('cancelled', 'The evaluation was cancelled.')
}

function faultOf(error: unknown): NoScore {
  const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) }
  return code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? new NoScore('too_large', 'The evaluator used more memory than it may.')
    : new NoScore('threw', `The evaluator's thread broke: ${message}`)
}
