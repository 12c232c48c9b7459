import { parentPort, Worker } from 'node:worker_threads'
import { Failure } from '@llm-eval/protocol'
import { isUnavailable } from './connection.ts'

/** What crosses to a thread and back: a call by name, and its result. */
interface Call {
  id: number
  method: string
  args: unknown
}
type Reply =
  | { id: number; value: unknown }
  | { id: number; error: { message: string; stack: string | undefined; unavailable: boolean } }

/** A thread that answers calls one after the other. */
export class Thread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>()
  readonly #exited: Promise<void>
  #next = 1
  #dead: Error | undefined

  /** @param name file name of the thread's module beside this one, without its ending */
  constructor(name: string, workerData: unknown) {
    // The same code runs from the sources (.ts) and from the build (.js).
    const file = new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
    this.#worker = new Worker(file, { workerData, name, resourceLimits: { maxYoungGenerationSizeMb: 4 } })
    this.#worker.on('message', (reply: Reply) => this.#settle(reply))
    this.#worker.on('error', (error) => this.#die(error instanceof Error ? error : new Error(String(error))))
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#die(new Error(`the ${name} thread ended with code ${code}`))
        resolve()
      })
    })
    this.#worker.unref()
  }

  /** Calls waiting for their answer. */
  get load(): number {
    return this.#waiting.size
  }

  call(method: string, args: unknown): Promise<unknown> {
    if (this.#dead) return Promise.reject(new Failure('storage_unavailable', { retryAfter: 2, cause: this.#dead }))
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      // A caller that waits for an answer keeps the process alive; an idle thread does not.
      if (this.#waiting.size === 1) this.#worker.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
      this.#worker.postMessage({ id, method, args } satisfies Call)
    })
  }

  async close(): Promise<void> {
    if (!this.#dead) await this.call('close', null)
    // Answering the last call has let go of the thread; whoever closes waits for its end.
    this.#worker.ref()
    await this.#exited
  }

  #settle(reply: Reply): void {
    const caller = this.#waiting.get(reply.id)
    if (!caller) return
    this.#waiting.delete(reply.id)
    if (this.#waiting.size === 0) this.#worker.unref()
    if ('value' in reply) return caller.resolve(reply.value)
    const cause = new Error(reply.error.message)
    if (reply.error.stack !== undefined) cause.stack = reply.error.stack
    caller.reject(reply.error.unavailable ? new Failure('storage_unavailable', { retryAfter: 2, cause }) : cause)
  }

  #die(error: Error): void {
    this.#dead ??= error
    for (const caller of this.#waiting.values())
      caller.reject(new Failure('storage_unavailable', { retryAfter: 2, cause: error }))
    this.#waiting.clear()
  }
}

/** Answers calls inside a thread, strictly one after the other. `close` is answered, then the thread ends. */
export function serveThread(methods: Record<string, (args: never) => unknown>): void {
  const port = parentPort
  if (!port) throw new Error('this module runs in a thread')
  let turn: Promise<void> = Promise.resolve()
  port.on('message', (call: Call) => {
    turn = turn.then(() => reply(call))
  })
  async function reply(call: Call): Promise<void> {
    port?.postMessage(await perform(methods, call))
    if (call.method === 'close') port?.close()
  }
}

async function perform(methods: Record<string, (args: never) => unknown>, { id, method, args }: Call): Promise<Reply> {
  try {
    const run = methods[method]
    if (!run) throw new Error(`the thread knows no ${method}`)
    return { id, value: await run(args as never) }
  } catch (error) {
    const known = error instanceof Error ? error : new Error(String(error))
    return { id, error: { message: known.message, stack: known.stack, unavailable: isUnavailable(error) } }
  }
}
