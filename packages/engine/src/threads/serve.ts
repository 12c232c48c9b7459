import { parentPort } from 'node:worker_threads'
import type { ScoreFault } from '@llm-eval/protocol'
import { NoScore } from '../evaluator.ts'

/** What a thread says: that it can begin, then the end of each task. */
export type Reply = { ready: true } | { value: unknown } | { fault: ScoreFault; message: string }

/** Performs the tasks of a `ThreadPool` inside a thread, one after the other. */
export function serveTasks(perform: (task: unknown) => unknown): void {
  const port = parentPort
  if (!port) throw new Error('this module runs in a thread')
  const say = (reply: Reply) => port.postMessage(reply)
  port.on('message', (task: unknown) => {
    void (async () => {
      try {
        say({ value: await perform(task) })
      } catch (error) {
        if (error instanceof NoScore) say({ fault: error.fault, message: error.message })
        else
          say({
            fault: 'threw',
            message: `The evaluator threw: ${error instanceof Error ? error.message : String(error)}`,
          })
      }
    })()
  })
  say({ ready: true })
}
