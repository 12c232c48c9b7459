import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cpuSeconds } from './server.ts'

const program = fileURLToPath(new URL('../packages/cli/bin/llm-eval.js', import.meta.url))

/** A command that ran to its end. */
export interface Ran {
  code: number | null
  /** From its start to its end, as whoever waits for it sees them. */
  seconds: number
  /** Megabytes that were resident at most; NaN where the system does not tell. */
  peak: number
  /** Seconds of processor time, to the last look at it. */
  cpu: number
  /** The end of what it wrote. */
  text: string
}

export interface CommandOptions {
  cwd: string
  env?: NodeJS.ProcessEnv
  /** Is told the process while it runs. */
  during?: (pid: number) => void
}

/** Runs a program of Node, and looks at its process every few milliseconds. */
export async function runNode(args: readonly string[], { cwd, env = {}, during }: CommandOptions): Promise<Ran> {
  const started = performance.now()
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const pid = child.pid ?? 0
  let [peak, cpu, text] = [Number.NaN, Number.NaN, '']
  const look = () => {
    const [most, used] = [highWater(pid), cpuSeconds(pid)]
    if (!Number.isNaN(most)) peak = most
    if (!Number.isNaN(used)) cpu = used
  }
  const timer = setInterval(look, 10)
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (text = `${text}${chunk}`.slice(-4_000)))
  during?.(pid)
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  clearInterval(timer)
  return { code, seconds: (performance.now() - started) / 1_000, peak, cpu, text }
}

/** Runs the command line as users do. Throws when it ends with another code than 0. */
export async function runCommand(args: readonly string[], options: CommandOptions): Promise<Ran> {
  const ran = await runNode([program, ...args], options)
  if (ran.code !== 0) throw new Error(`llm-eval ${args.join(' ')} ended with code ${ran.code}:\n${ran.text}`)
  return ran
}

/** Of memory that was resident, in megabytes (of 1,024 KiB, as `time -v` counts them). */
export function highWater(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(join('/proc', String(pid), 'status'), 'utf8'))?.[1]) / 1_024
  } catch {
    return Number.NaN
  }
}
