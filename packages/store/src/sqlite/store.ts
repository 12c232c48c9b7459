import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '@llm-eval/protocol'
import { type ConsumedStore, consume, digestRollups } from '../consumer.ts'
import { CommitBell, followJournal } from '../follow.ts'
import { GroupCommitter, type Settled, type Unit } from '../group.ts'
import type {
  Change,
  ChangeKind,
  ChangeOutcome,
  Consumer,
  EventPage,
  FollowOptions,
  Ingest,
  IngestResult,
  Queries,
  QueryName,
  Store,
  StoreStats,
} from '../store.ts'
import { CommitMeter } from '../meter.ts'
import type { Synchronous } from './connection.ts'
import { claimDataDirectory } from './ownership.ts'
import { Thread } from './thread.ts'

export interface SqliteOptions {
  /** The data directory, made when missing. One process holds it at a time. */
  directory: string
  /** Default `full`: an acknowledged trace survives a power cut. */
  synchronous?: Synchronous
  /** Most pages of 4 KiB the database may grow to; without it the disk is the limit. */
  maxPages?: number
  /** Milliseconds since 1970. */
  now?: () => number
  /** Told of faults of background work, which goes on. */
  onError?: (error: unknown) => void
  /**
   * Until it resolves one thread reads and writes, and nothing is added up or indexed beside: for a process that writes one run and
   * ends. What is missing then is made up for by whoever opens the directory next.
   */
  lean?: Promise<void>
}

/** Reading threads. The second one starts when this many reads wait for the first: each costs some 25 MB. */
const readers = 2
const busyReads = 3
/** Milliseconds between two looks of the search index: many commits come in between, and each look costs. */
const gatherMs = 100
/** Looks (about a second each) without anything to index after which words of deleted traces are purged. */
const quietLooks = 30
/** Where it is never quiet, they are purged after so many milliseconds at the latest, which is looked at every so many looks. */
const purgeWithin = 10 * 60_000
const purgeLooks = 100
/** Traces and bytes of one group commit. */
const groupTraces = 2_000
const groupBytes = 32 * 1024 * 1024

/** Opens (and makes, and migrates) the embedded store. Throws `DataDirectoryBusy` when another process has it. */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  const claim = claimDataDirectory(options.directory)
  const writer = new Thread('writer.thread', {
    ...pathsIn(options.directory),
    synchronous: options.synchronous ?? 'full',
    maxPages: options.maxPages ?? null,
    lean: options.lean !== undefined,
  })
  try {
    await writer.call('migrate', null)
  } catch (error) {
    await writer.close().catch(() => undefined)
    claim.release()
    throw error
  }
  return new SqliteStore(writer, options, claim)
}

function pathsIn(directory: string): { path: string; searchPath: string } {
  return { path: join(directory, 'llm-eval.db'), searchPath: join(directory, 'search.db') }
}

class SqliteStore implements Store {
  readonly driver = 'sqlite'
  readonly #writer: Thread
  readonly #readers: Thread[] = []
  readonly #paths: { path: string; searchPath: string }
  readonly #claim: { release(): void }
  readonly #bell = new CommitBell()
  readonly #meter = new CommitMeter()
  readonly #committer: GroupCommitter
  readonly #ending = new AbortController()
  readonly #background: Set<Promise<unknown>>
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  #isLean = false
  #closed: Promise<void> | undefined

  constructor(writer: Thread, options: SqliteOptions, claim: { release(): void }) {
    this.#writer = writer
    this.#claim = claim
    this.#paths = pathsIn(options.directory)
    this.#onError = options.onError ?? (() => undefined)
    this.#committer = new GroupCommitter((units) => this.#commitGroup(units), {
      concurrency: 1,
      groupTraces,
      groupBytes,
      now: () => performance.now(),
      onCommit: (ms, traces) => this.#meter.note(ms, traces),
    })
    this.#now = options.now ?? Date.now
    const rollups = { name: 'rollups', signal: this.#ending.signal, digest: digestRollups }
    const work = () => Promise.all([this.#consume(rollups, 'start'), this.#index()])
    this.#background = new Set([options.lean ? this.#whenWhole(options.lean, work) : work()])
  }

  async #whenWhole(lean: Promise<void>, work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.#ending
    this.#isLean = true
    await Promise.race([lean, new Promise((resolve) => signal.addEventListener('abort', resolve))])
    this.#isLean = false
    if (signal.aborted) return
    await this.#writer.call('grow', null)
    await work()
  }

  async #commitGroup(units: Unit[]): Promise<Settled[]> {
    const { settled, heads } = (await this.#writer.call('commit', units)) as {
      settled: Settled[]
      heads: [number, number][]
    }
    for (const [projectId, seq] of heads) this.#bell.ring(projectId, seq)
    return settled
  }

  async ingest(projectId: number, ingest: Ingest): Promise<IngestResult> {
    this.#refuseWhenClosing()
    return (await this.#committer.submit({ projectId, ingest })) as IngestResult
  }

  async apply<K extends ChangeKind>(projectId: number, change: Change<K>): Promise<ChangeOutcome<K>> {
    this.#refuseWhenClosing()
    return this.#apply(projectId, change)
  }

  async #apply<K extends ChangeKind>(projectId: number, change: Change<K>): Promise<ChangeOutcome<K>> {
    return (await this.#committer.submit({ projectId, change: change as Change })) as ChangeOutcome<K>
  }

  #refuseWhenClosing(): void {
    if (this.#ending.signal.aborted) throw new Failure('shutting_down', { retryAfter: 2 })
  }

  async read<Q extends QueryName>(projectId: number, query: Q, args: Queries[Q]['in']): Promise<Queries[Q]['out']> {
    return (await this.#reader().call('read', { projectId, query, args })) as Queries[Q]['out']
  }

  #reader(): Thread {
    if (this.#isLean) return this.#writer
    const idle = this.#readers.find((reader) => reader.load === 0)
    if (idle) return idle
    const least = this.#readers.toSorted((a, b) => a.load - b.load)[0]
    if (!least || (this.#readers.length < readers && least.load >= busyReads)) {
      const reader = new Thread('reader.thread', this.#paths)
      this.#readers.push(reader)
      return reader
    }
    return least
  }

  follow(projectId: number, after: number, options: FollowOptions): AsyncIterable<EventPage> {
    return followJournal(this, this.#bell, { projectId, after, ...options })
  }

  onCommit(listener: (projectId: number, seq: number) => void): () => void {
    return this.#bell.listen(listener)
  }

  async consume(consumer: Consumer): Promise<void> {
    const signal = AbortSignal.any([consumer.signal, this.#ending.signal])
    const work = this.#consume({ ...consumer, signal }, 'end')
    // Closing waits for it.
    this.#background.add(work)
    await work.finally(() => this.#background.delete(work))
  }

  #consume(consumer: Consumer, begin: 'start' | 'end'): Promise<void> {
    // Consumers end their work when the store takes no other any more.
    const own: ConsumedStore = {
      read: (projectId, query, args) => this.read(projectId, query, args),
      apply: (projectId, change) => this.#apply(projectId, change),
    }
    // Whoever holds the directory; after a crash nobody has to wait for the lease to run out.
    const as = { owner: 'owner', now: this.#now, onError: this.#onError, begin }
    return consume(own, this.#bell, { ...consumer, ...as })
  }

  stats(): StoreStats {
    const { traces, bytes } = this.#committer.queued
    return { queuedTraces: traces, queuedBytes: bytes, ...this.#meter.take(), pool: null }
  }

  async ping(): Promise<void> {
    await this.read(1, 'head', {})
  }

  async backup(path: string): Promise<void> {
    if (existsSync(path)) throw new Error(`${path} exists already; name a file that does not.`)
    await this.#writer.call('backup', path)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    // From here on nobody's work is taken but what consumers finish with; then what is queued is committed.
    this.#ending.abort()
    await Promise.all(this.#background)
    await this.#committer.close()
    await Promise.all(this.#readers.map((reader) => reader.close()))
    await this.#writer.close()
    this.#claim.release()
  }

  /** Keeps the search index. Its thread starts with the first event, so a server without traces does not pay for it. */
  async #index(): Promise<void> {
    const { signal } = this.#ending
    const due = new Set<number>()
    const stop = this.#bell.listen((projectId) => due.add(projectId))
    const work = { thread: undefined as Thread | undefined, idle: 0, looks: 0 }
    let first = true
    while (!signal.aborted) {
      try {
        // Once at the start, and again after a fault, every project may have something to index.
        if (first) for (const { id } of await this.read(1, 'projects', {})) due.add(id)
        first = false
        await this.#indexDue(due, work)
      } catch (error) {
        if (signal.aborted) break
        this.#onError(error)
        first = true
      }
      if (work.thread) await delay(gatherMs, undefined, { signal }).catch(() => undefined)
      if (due.size === 0 || first) await this.#bell.any(signal)
    }
    stop()
    await work.thread?.close()
  }

  async #indexDue(due: Set<number>, work: { thread: Thread | undefined; idle: number; looks: number }): Promise<void> {
    let worked = false
    for (const projectId of due) {
      due.delete(projectId)
      if (!work.thread && (await this.read(projectId, 'head', {})).seq === 0) continue
      work.thread ??= new Thread('search.thread', this.#paths)
      while (!this.#ending.signal.aborted && (await work.thread.call('step', projectId))) worked = true
    }
    work.idle = worked ? 0 : work.idle + 1
    work.looks++
    // Purging rewrites the index: when it has been quiet for a while, if that ever happens.
    if (work.idle === quietLooks) await work.thread?.call('purge', 0)
    else if (work.looks % purgeLooks === 0) await work.thread?.call('purge', purgeWithin)
  }
}
