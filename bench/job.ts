import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process that does one thing after the other, so that what is measured and what measures do not share a thread. */
export interface Job {
  pid: number
  /** Orders a piece of work and waits for what came of it. */
  run<T>(order: unknown): Promise<T>
  stop(): Promise<void>
}

type Reply = { result: unknown } | { failure: string }

/** Starts a module of this folder that calls `serveOrders`. */
export function startJob(module: string, args: string[] = [], execArgv: string[] = []): Job {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), args, {
    execArgv: ['--conditions=llm-eval-source', '--disable-warning=ExperimentalWarning', ...execArgv],
  })
  const ended = once(child, 'exit')
  return {
    pid: child.pid ?? 0,
    run: async <T>(order: unknown) => {
      child.send({ order })
      return (await reply(child, ended)) as T
    },
    stop: async () => {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

async function reply(child: ChildProcess, ended: Promise<unknown[]>): Promise<unknown> {
  const failed = ended.then(([code]) => ({ failure: `it ended with code ${String(code)}` }))
  const heard = once(child, 'message').then(([message]) => message as Reply)
  const told: Reply = await Promise.race([heard, failed])
  if ('failure' in told) throw new Error(`a process of the bench failed: ${told.failure}`)
  return told.result
}

/** Does what the parent orders, one order after the other, and ends with it. */
export function serveOrders(
  perform: (order: never) => unknown,
  end: () => Promise<void> | void = () => undefined,
): void {
  process.on('message', (message: { order: unknown }) => {
    Promise.resolve(message.order as never)
      .then(perform)
      .then(
        (result) => process.send?.({ result }),
        (error: unknown) => process.send?.({ failure: error instanceof Error ? error.stack : String(error) }),
      )
  })
  process.once('disconnect', () => {
    void Promise.resolve(end()).finally(() => process.exit())
  })
}
