import { createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { LLMEvalError, type LLMEvalClient } from 'llm-eval-sdk'
import { Complaint, exitCodes, explain, fileComplaint } from '../complaint.ts'
import { count, duration } from '../display/amounts.ts'
import { perSecond, ProgressBar } from '../display/progress.ts'
import { oneLine } from '../display/width.ts'
import { type Delivered, deliverAll, type Fate } from '../send/delivery.ts'
import { type Checkpoint, ResumeFile } from '../send/resume.ts'
import { addFates, allOf, noTotals, refusedOf, type Totals } from '../send/totals.ts'
import { inBatches } from '../send/traces.ts'
import { beginning, splitValues } from '../send/values.ts'
import { clientOf, findTarget, type GlobalOptions, type Target } from '../target.ts'
import type { Terminal } from '../terminal.ts'

/** Options of `llm-eval send`. */
export interface SendOptions extends GlobalOptions {
  source: string
  batchSize: number
  concurrency: number
  retries: number
  resume?: boolean
  errors?: string
  json?: boolean
}

/** Bytes of one request: below the usual 1 MB limit of a proxy. */
const batchBytes = 900_000
/** Milliseconds between two checkpoints. */
const checkpointEvery = 250

/** `llm-eval send`: sends the traces of a file or of standard input. Gives the exit code. */
export async function send(terminal: Terminal, input: string, options: SendOptions): Promise<number> {
  const target = await findTarget(terminal, options)
  const file = input === '-' ? undefined : resolve(terminal.cwd, input)
  if (file === undefined && options.resume)
    throw new Complaint('Standard input cannot be resumed: it has no beginning to go back to. Name a file.')
  if (file === undefined && terminal.stdin.isTTY)
    terminal.err.line('Reading traces from the keyboard; end with Ctrl-D. To send a file: llm-eval send FILE')
  const size = file === undefined ? null : await sizeOf(file)
  await checkServer(target, terminal.signal)

  const resume =
    file !== undefined && options.resume
      ? new ResumeFile({ path: file, url: target.url, source: options.source })
      : undefined
  const start = await readCheckpoint(terminal, resume)
  const errors =
    options.errors === undefined ? undefined : await openErrors(resolve(terminal.cwd, options.errors), start)
  try {
    const sending = new Sending(terminal, { start, errors, resume, size })
    const chunks =
      file === undefined
        ? terminal.stdin
        : createReadStream(file, { start: start.place.offset, highWaterMark: 256 * 1024 })
    const client = clientOf(target, { retries: options.retries, maxWaitMs: 120_000 })
    return await sending.run(chunks, { client, target, options })
  } finally {
    await errors?.close()
  }
}

interface Parts {
  start: Checkpoint
  errors: FileHandle | undefined
  resume: ResumeFile | undefined
  /** Bytes of the whole input, if they are known. */
  size: number | null
}

interface Way {
  client: LLMEvalClient
  target: Target
  options: SendOptions
}

class Sending {
  readonly #terminal: Terminal
  readonly #parts: Parts
  readonly #state: Checkpoint
  readonly #bar: ProgressBar
  readonly #before: number
  #keptAt = Number.NEGATIVE_INFINITY

  constructor(terminal: Terminal, parts: Parts) {
    this.#terminal = terminal
    this.#parts = parts
    this.#state = { ...parts.start }
    this.#before = allOf(parts.start.totals)
    this.#bar = new ProgressBar(terminal.err)
  }

  async run(chunks: AsyncIterable<Uint8Array>, { client, options, target }: Way): Promise<number> {
    const { signal } = this.#terminal
    const size = { traces: options.batchSize, bytes: batchBytes }
    const batches = inBatches(splitValues(chunks, this.#state.place), size)
    const { source, concurrency } = options
    let failure: unknown
    try {
      this.#show()
      for await (const delivered of deliverAll(until(batches, signal), { client, source, concurrency, signal }))
        await this.#settle(delivered)
    } catch (error) {
      failure = signal.aborted ? undefined : error
    }
    this.#bar.end()
    const stopped = failure !== undefined || signal.aborted
    if (stopped) await this.#keep().catch((error: unknown) => (failure ??= error))
    else await this.#parts.resume?.remove()
    this.#summarise({ options, target, stopped })
    if (failure !== undefined) throw this.#unfinished(failure)
    if (stopped) {
      this.#terminal.err.line(`Interrupted. ${this.#nextTime()}`)
      return exitCodes.interrupted
    }
    return refusedOf(this.#state.totals) > 0 ? exitCodes.failed : exitCodes.ok
  }

  async #settle({ fates, end }: Delivered): Promise<void> {
    addFates(this.#state.totals, fates)
    this.#state.place = end
    const { errors, resume } = this.#parts
    const lines = errors === undefined ? '' : fates.filter(isRefused).map(errorLine).join('')
    if (errors !== undefined && lines !== '') {
      const { bytesWritten } = await errors.write(lines)
      this.#state.errorsBytes += bytesWritten
    }
    const now = performance.now()
    if (resume !== undefined && now - this.#keptAt >= checkpointEvery) {
      await this.#keep()
      this.#keptAt = now
    }
    this.#show()
  }

  async #keep(): Promise<void> {
    if (this.#state.place.layout !== undefined) await this.#parts.resume?.write(this.#state)
  }

  #show(): void {
    const { totals, place } = this.#state
    const sent = allOf(totals)
    const refused = refusedOf(totals)
    const rate = perSecond(sent - this.#before, this.#bar.elapsed)
    const words = `${count(sent)} traces, ${rate}${refused > 0 ? `, ${count(refused)} refused` : ''}`
    this.#bar.show({ done: place.offset, total: this.#parts.size, words })
  }

  #summarise({ options, target, stopped }: { options: SendOptions; target: Target; stopped: boolean }): void {
    const { out } = this.#terminal
    const { totals } = this.#state
    const { created, duplicates, conflicts, invalid, refused } = totals
    const sent = allOf(totals)
    if (options.json) {
      const seconds = Math.round(this.#bar.elapsed) / 1_000
      const shown = refused.map(({ line, traceId, status, error }) => ({ line, trace_id: traceId, status, error }))
      const summary = {
        traces: sent,
        created,
        duplicates,
        conflicts,
        invalid,
        resumed_after: this.#before,
        complete: !stopped,
      }
      out.line(JSON.stringify({ ...summary, seconds, refused: shown }))
      return
    }
    const now = sent - this.#before
    const earlier = this.#before > 0 ? ` (${count(this.#before)} more in an earlier run)` : ''
    out.line(
      `${count(now)} ${now === 1 ? 'trace' : 'traces'} sent to ${target.url} in ${duration(this.#bar.elapsed)}, ${perSecond(now, this.#bar.elapsed)}${earlier}`,
    )
    for (const [name, value] of Object.entries({ created, duplicates, conflicts, invalid })) {
      const line = `  ${name.padEnd(10)} ${count(value).padStart(12)}`
      out.line((name === 'conflicts' || name === 'invalid') && value > 0 ? out.paint('red', line) : line)
    }
    if (sent === 0 && !stopped) this.#terminal.err.line('There was no trace in the input.')
    for (const fate of refused) out.line(refusalLine(fate))
    const rest = refusedOf(totals) - refused.length
    if (rest > 0)
      out.line(
        `  and ${count(rest)} more${options.errors === undefined ? '; --errors FILE writes them all' : `; all are in ${options.errors}`}`,
      )
  }

  #nextTime(): string {
    const { resume } = this.#parts
    return resume === undefined
      ? 'Sent again, what was stored counts as duplicates. With --resume a run goes on where the last one stopped.'
      : 'Run the same command again to go on from here.'
  }

  #unfinished(failure: unknown): unknown {
    const known = explain(failure)
    if (known === undefined) return failure
    const exitCode = failure instanceof LLMEvalError ? exitCodes.impossible : known.exitCode
    return new Complaint(`${known.message}\nNot everything was sent. ${this.#nextTime()}`, { exitCode, cause: failure })
  }
}

/** Ends early, in good order, when the signal says so: also while the input itself is silent. */
async function* until<T>(source: AsyncGenerator<T>, signal: AbortSignal): AsyncGenerator<T> {
  try {
    while (!signal.aborted) {
      const next = await nextUntil(source, signal)
      if (next === 'stopped' || next.done) return
      yield next.value
    }
  } finally {
    // Not awaited: a silent input would never answer.
    source.return(undefined).catch(() => undefined)
  }
}

function nextUntil<T>(source: AsyncGenerator<T>, signal: AbortSignal): Promise<IteratorResult<T> | 'stopped'> {
  // Not a race against one promise that lasts: that would keep every batch in memory.
  return new Promise((resolve, reject) => {
    const stop = () => resolve('stopped')
    signal.addEventListener('abort', stop, { once: true })
    source
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop))
  })
}

function isRefused({ status }: Fate): boolean {
  return status === 'conflict' || status === 'invalid'
}

function refusalLine({ line, traceId, status, error }: Totals['refused'][number]): string {
  const id = traceId === null ? '' : ` ${oneLine(traceId)}`
  return `  line ${line}:${id} ${error === undefined ? status : oneLine(error)}`
}

function errorLine({ line, traceId, status, error }: Fate): string {
  return `${JSON.stringify({ line, trace_id: traceId, status, error })}\n`
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) throw new Complaint(`${path} is a directory. Name a file of traces.`)
    return stats.isFile() ? stats.size : null
  } catch (error) {
    if (error instanceof Complaint) throw error
    throw fileComplaint(`${path} cannot be read`, error)
  }
}

/** Tells at once, and not after many tries, when there is nobody to send to. */
async function checkServer(target: Target, signal: AbortSignal): Promise<void> {
  try {
    await clientOf(target, { retries: 0, timeoutMs: 10_000 }).healthCheck({ signal })
  } catch (error) {
    // A server that is busy or starting is worth the tries of the first batch.
    if (error instanceof LLMEvalError && error.status !== undefined && error.status >= 429 && error.status !== 501)
      return
    throw error
  }
}

async function readCheckpoint(terminal: Terminal, resume: ResumeFile | undefined): Promise<Checkpoint> {
  const fresh = { place: beginning, totals: noTotals(), errorsBytes: 0 }
  const found = await resume?.read()
  if (found === undefined || found === 'none') return fresh
  if (found === 'changed') {
    terminal.err.line(
      'The file, the server or --source changed since the interrupted run; starting from the beginning.',
    )
    return fresh
  }
  const { place, totals } = found
  const name = basename(resume?.path ?? '')
  terminal.err.line(`Going on at line ${count(place.line)}, after ${count(allOf(totals))} traces (${name}).`)
  return found
}

/** Opens the file of refused lines; what an interrupted run wrote after its checkpoint is cut off, as it will come again. */
async function openErrors(path: string, { errorsBytes }: Checkpoint): Promise<FileHandle> {
  try {
    const file = await open(path, errorsBytes > 0 ? 'r+' : 'w')
    await file.truncate(errorsBytes)
    if (errorsBytes === 0) return file
    await file.close()
    return await open(path, 'a')
  } catch (error) {
    throw fileComplaint(`${path} cannot be written`, error)
  }
}
