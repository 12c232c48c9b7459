import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ServeMessage, ServeOptions } from './serve.ts'

const entry = fileURLToPath(new URL('serve.ts', import.meta.url))

/** A server in a process of its own. */
export interface ServerProcess {
  url: string
  port: number
  pid: number
  /** Most bytes that waited in the server for one connection since the last question (or the start). */
  held(): Promise<number>
  /** `kill -9`: resolves when the process is gone. */
  kill(): Promise<void>
  /** Resolves when the process is gone, for whatever reason. */
  ended: Promise<unknown>
  /** SIGTERM, as an operator stops it; the exit code. */
  stop(): Promise<number | null>
}

/** Starts one; rejects when it ends before it listens. */
export async function startServerProcess(options: ServeOptions): Promise<ServerProcess> {
  const child = fork(entry, [JSON.stringify(options)], {
    execArgv: ['--conditions=llm-eval-source', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit') as Promise<[number | null]>
  const early = ended.then(([code]) => {
    throw new Error(`the server ended with code ${code} before it listened`)
  })
  const { url } = await Promise.race([told(child, 'listening'), early])
  early.catch(() => undefined)
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    child.kill(signal)
    return (await ended)[0]
  }
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid ?? 0,
    ended,
    held: async () => {
      const answer = told(child, 'held')
      child.send('held')
      return (await answer).bytes
    },
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  }
}

type Told<K extends ServeMessage['kind']> = Extract<ServeMessage, { kind: K }>

function told<K extends ServeMessage['kind']>(child: ChildProcess, kind: K): Promise<Told<K>> {
  return new Promise((resolve) => {
    const listen = (message: unknown) => {
      const heard = message as ServeMessage
      if (heard.kind !== kind) return
      child.off('message', listen)
      resolve(heard as Told<K>)
    }
    child.on('message', listen)
  })
}
