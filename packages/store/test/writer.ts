import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { StoreOptions } from '../src/open.ts'

/** A process that writes traces until it is killed. */
export interface Writer {
  process: ChildProcess
  /** Ids of traces whose storing was acknowledged. */
  acknowledged: string[]
  /** Resolves when so many requests were acknowledged; rejects when the process ends before that. */
  reaches(requests: number): Promise<void>
  kill(): Promise<void>
}

/** Starts a writing process. Its first trace is accepted by a review in each request of four. */
export async function startWriter(given: {
  options: StoreOptions
  project: number
  writers: number
  name: string
}): Promise<Writer> {
  const script = fileURLToPath(new URL('writer.child.ts', import.meta.url))
  const flags = ['--conditions=llm-eval-source', '--no-warnings=ExperimentalWarning']
  const child = spawn(process.execPath, [...flags, script, JSON.stringify(given)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const acknowledged: string[] = []
  let requests = 0
  const waiting: { requests: number; resolve: () => void; reject: (error: Error) => void }[] = []
  const lines = createInterface({ input: child.stdout })
  const ready = once(lines, 'line')
  lines.on('line', (line) => {
    if (line === 'ready') return
    acknowledged.push(...line.split(' '))
    requests++
    for (const one of waiting) if (requests >= one.requests) one.resolve()
  })
  child.once('exit', () => {
    for (const one of waiting) one.reject(new Error('the writing process ended'))
  })
  await Promise.race([ready, ended])
  return {
    process: child,
    acknowledged,
    reaches: (goal) =>
      new Promise((resolve, reject) => {
        if (requests >= goal) return resolve()
        if (child.exitCode !== null) return reject(new Error('the writing process ended'))
        waiting.push({ requests: goal, resolve, reject })
      }),
    async kill() {
      const drained = once(lines, 'close')
      child.kill('SIGKILL')
      await ended
      await drained
    },
  }
}
