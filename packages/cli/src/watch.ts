import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type FSWatcher, statSync, unwatchFile, watch, watchFile } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Complaint, exitCodes } from './complaint.ts'
import { clockTime, count } from './display/amounts.ts'
import type { Stage } from './terminal.ts'

/** Milliseconds in which further changes belong to the same; editors write a file in several steps. */
const settleMs = 200
/** Milliseconds between two looks where the system cannot tell of changes. */
const pollMs = 500
/** Milliseconds that a command which is called off may take to store what it has. */
const endMs = 20_000

/** What is watched, and what is said when it changes. */
export interface Watching {
  /** Files and folders; what the command tells of by `onFile` comes on top. */
  files: readonly string[]
  /** Such as `evaluating again`. */
  again: string
}

/**
 * Does the command again whenever a file changes that it is made of, each time in a process of its own: what a module
 * keeps in memory is no part of the next one. A change while it is at work calls it off; what an evaluation has finished is kept
 * as a cancelled run. Ends with Ctrl-C.
 */
export async function watchCommand(stage: Stage, { files, again }: Watching): Promise<number> {
  const { self, args, err, signal } = stage
  if (self === undefined) throw new Complaint('--watch needs a command line of its own.')
  const [node = process.execPath, ...before] = self
  const sources = new Sources(files)
  try {
    while (!signal.aborted) {
      const changed = sources.nextChange(signal)
      const child = spawn(node, [...before, ...args.filter((arg) => arg !== '--watch')], {
        stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
        cwd: stage.cwd,
        env: { ...stage.env, LLM_EVAL_WATCHED: '1' },
      })
      child.on('message', (message) => sources.add(fileIn(message)))
      const ended = once(child, 'exit')
      if ((await Promise.race([ended.then(() => 'ended'), changed])) !== 'ended') await callOff(child, ended)
      else {
        const many = sources.count === 1 ? 'a file' : `${count(sources.count)} files`
        err.line(err.paint('dim', `\nWatching ${many} for changes; Ctrl-C ends it.`))
        await changed
      }
      if (!signal.aborted) err.line(err.paint('dim', `\n${clockTime(new Date().toISOString())}  changed, ${again}`))
    }
  } finally {
    sources.close()
  }
  return exitCodes.interrupted
}

async function callOff(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.connected) child.send({ stop: true }, () => undefined)
  const timer = setTimeout(() => child.kill('SIGKILL'), endMs)
  await ended.finally(() => clearTimeout(timer))
}

function fileIn(message: unknown): string | undefined {
  const isFile =
    typeof message === 'object' && message !== null && 'file' in message && typeof message.file === 'string'
  return isFile ? String(message.file) : undefined
}

/** The files that a command is made of, and whether one of them changes. */
class Sources {
  readonly #files = new Set<string>()
  readonly #folders = new Set<string>()
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #polled = new Set<string>()
  #onChange: () => void = () => undefined

  constructor(files: readonly string[]) {
    for (const file of files) this.add(file)
  }

  get count(): number {
    return this.#files.size
  }

  add(file: string | undefined): void {
    if (file === undefined || this.#files.has(file)) return
    this.#files.add(file)
    // Of a folder everything counts that is directly in it.
    const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory() === true
    const folder = isFolder ? file : dirname(file)
    if (isFolder) this.#folders.add(folder)
    if (this.#watchers.has(folder)) return
    try {
      // The folder, since editors put a new file in the place of the old one.
      const watcher = watch(folder, (_event, name) => {
        if (name === null || this.#folders.has(folder) || this.#files.has(resolve(folder, name))) this.#onChange()
      })
      watcher.on('error', () => this.#poll(file))
      this.#watchers.set(folder, watcher)
    } catch {
      this.#poll(file)
    }
  }

  #poll(file: string): void {
    this.#polled.add(file)
    watchFile(file, { interval: pollMs }, () => this.#onChange())
  }

  /** Resolves when files have changed and changes no more, or the signal is aborted. */
  nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((done) => {
      let timer: NodeJS.Timeout | undefined
      const end = () => {
        clearTimeout(timer)
        this.#onChange = () => undefined
        signal.removeEventListener('abort', end)
        done()
      }
      this.#onChange = () => {
        clearTimeout(timer)
        timer = setTimeout(end, settleMs)
      }
      signal.addEventListener('abort', end, { once: true })
      if (signal.aborted) end()
    })
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    for (const file of this.#polled) unwatchFile(file)
  }
}
