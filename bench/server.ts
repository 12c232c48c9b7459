import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../packages/server/test/faults/audit.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A server under measurement, in a process of its own. */
export interface Measured {
  url: string
  port: number
  pid: number
  stop(): Promise<void>
}

export interface MeasuredOptions {
  data: string
  /** Options of Node itself. */
  execArgv?: string[]
  env?: NodeJS.ProcessEnv
  /** Lines of its standard error. */
  onError?: (text: string) => void
}

/** Starts the product as users do, on a free loopback port. */
export async function startProduct({ data, execArgv = [], env = {}, onError }: MeasuredOptions): Promise<Measured> {
  const program = join(root, 'packages/cli/bin/llm-eval.js')
  const args = [...execArgv, program, 'serve', '--port', '0', '--data', data]
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env, LLM_EVAL_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => (onError ?? process.stderr.write.bind(process.stderr))(text))
  const ended = exitOf(child)
  // The owner's file of the data directory tells where it listens.
  const url = await Promise.race([until(() => Promise.resolve(urlOf(data, child.pid)), Boolean), failure(ended)])
  return { url, port: Number(new URL(url).port), pid: child.pid ?? 0, stop: stopper(child, ended) }
}

/** Starts a peer, a module of this folder that sends `{ port }` to its parent when it listens. */
export async function startPeer(module: string, args: string[] = []): Promise<Measured> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), args, {
    execArgv: ['--conditions=llm-eval-source'],
  })
  const ended = exitOf(child)
  const [message] = (await Promise.race([once(child, 'message'), failure(ended)])) as [{ port: number }]
  const { port } = message
  return { url: `http://127.0.0.1:${port}`, port, pid: child.pid ?? 0, stop: stopper(child, ended) }
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}

async function failure(ended: Promise<number | null>): Promise<never> {
  throw new Error(`the process under measurement ended with code ${await ended}`)
}

function stopper(child: ChildProcess, ended: Promise<number | null>): () => Promise<void> {
  return async () => {
    child.kill('SIGTERM')
    await ended
  }
}

function urlOf(data: string, pid: number | undefined): string {
  const path = join(data, 'owner.json')
  if (!existsSync(path)) return ''
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as { pid: number; url?: string }
    return owner.pid === pid ? (owner.url ?? '') : ''
  } catch {
    // It is being written.
    return ''
  }
}

/** Resident memory of a process in bytes; NaN where the system does not tell. */
export function residentBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024
  } catch {
    return Number.NaN
  }
}

/** Seconds of CPU that a process has used, all its threads together; NaN where the system does not tell. */
export function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return Number.NaN
  }
}
