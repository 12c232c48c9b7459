import { randomUUID } from 'node:crypto'
import { Failure } from '@llm-eval/protocol'
import { type ConsumedStore, type ConsumerOptions, consume, digestRollups, digestTexts } from '../consumer.ts'
import { CommitBell, followJournal } from '../follow.ts'
import { GroupCommitter } from '../group.ts'
import { CommitMeter } from '../meter.ts'
import { migrate } from '../migrations.ts'
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
import { type Session, Sessions, withClient } from './connection.ts'
import { renewEpoch } from './epoch.ts'
import { toFailure } from './failures.ts'
import { PostgresReader } from './reader.ts'
import { PostgresWriter } from './writer.ts'

export interface PostgresOptions {
  /** `postgresql://…` */
  databaseUrl: string
  /** Connections, at most; at least 2. Default 10. */
  poolSize?: number
  /** Default `full`: acknowledged is on the server's disk, even where the server's own default is not. */
  synchronous?: 'full' | 'normal'
  /** Milliseconds since 1970. */
  now?: () => number
  /** Told of faults of background work, which goes on. */
  onError?: (error: unknown) => void
}

/** Groups committed at the same time: their work overlaps until the last statement, where they queue for the head. */
const groups = 4
/** Traces and bytes of one group. */
const groupTraces = 1_000
const groupBytes = 16 * 1024 * 1024

/**
 * Opens (and migrates) a store in a Postgres database, which several processes may share.
 *
 * A database that was restored from a backup gets a new epoch when it is opened (see {@link renewEpoch}), so that no
 * cursor of its former life fits it by chance. Restart the server after restoring.
 */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const poolSize = options.poolSize ?? 10
  if (!Number.isInteger(poolSize) || poolSize < 2)
    throw new RangeError(`the pool needs at least 2 connections, one to write and one to read; got ${poolSize}`)
  try {
    const salt = await withClient(options.databaseUrl, async (session) => {
      await requireUnicode(session)
      await migrate(session.db, 'postgres')
      await renewEpoch(session)
      const row = await session.db
        .selectFrom('meta')
        .select('value')
        .where('name', '=', 'salt')
        .executeTakeFirstOrThrow()
      return row.value
    })
    return new PostgresStore({ ...options, poolSize }, salt)
  } catch (error) {
    throw toFailure(error)
  }
}

async function requireUnicode(session: Session): Promise<void> {
  const { rows } = await session.run<{ server_encoding: string }>('SHOW server_encoding')
  const encoding = rows[0]?.server_encoding
  if (encoding !== 'UTF8')
    throw new Error(
      `The database stores text as ${encoding}. Make one with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`,
    )
}

class PostgresStore implements Store {
  readonly driver = 'postgres'
  // Reads can never take the connections that writes need.
  readonly #writing: Sessions
  readonly #reading: Sessions
  readonly #reader: PostgresReader
  readonly #bell = new CommitBell()
  readonly #meter = new CommitMeter()
  readonly #committer: GroupCommitter
  readonly #ending = new AbortController()
  readonly #background: Set<Promise<void>>
  readonly #consumer: Pick<ConsumerOptions, 'owner' | 'now' | 'onError'>
  #closed: Promise<void> | undefined

  constructor(options: PostgresOptions & { poolSize: number }, salt: string) {
    const writers = Math.min(groups, Math.floor(options.poolSize / 2))
    this.#writing = new Sessions(options.databaseUrl, writers)
    this.#reading = new Sessions(options.databaseUrl, options.poolSize - writers)
    this.#reader = new PostgresReader(this.#reading)
    const writer = new PostgresWriter(this.#writing, {
      salt,
      synchronous: options.synchronous ?? 'full',
      onCommit: (projectId, seq) => this.#bell.ring(projectId, seq),
    })
    this.#committer = new GroupCommitter((units) => writer.commitGroup(units), {
      concurrency: writers,
      groupTraces,
      groupBytes,
      // A transaction locks one head at most.
      together: (first, next) => first.projectId === next.projectId,
      now: () => performance.now(),
      onCommit: (ms, traces) => this.#meter.note(ms, traces),
    })
    this.#consumer = {
      owner: randomUUID(),
      now: options.now ?? Date.now,
      onError: options.onError ?? (() => undefined),
    }
    const { signal } = this.#ending
    this.#background = new Set([
      this.#consume({ name: 'rollups', signal, digest: digestRollups }, 'start'),
      this.#consume({ name: 'search', signal, digest: digestTexts(this) }, 'start'),
    ])
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

  read<Q extends QueryName>(projectId: number, query: Q, args: Queries[Q]['in']): Promise<Queries[Q]['out']> {
    return this.#reader.read(projectId, query, args)
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
    return consume(own, this.#bell, { ...consumer, ...this.#consumer, begin })
  }

  stats(): StoreStats {
    const { traces, bytes } = this.#committer.queued
    const pool = { used: this.#writing.used + this.#reading.used, size: this.#writing.size + this.#reading.size }
    return { queuedTraces: traces, queuedBytes: bytes, ...this.#meter.take(), pool }
  }

  async ping(): Promise<void> {
    await this.read(1, 'head', {})
  }

  async backup(): Promise<void> {
    throw new Error('A Postgres database is backed up with pg_dump. After restoring it, restart the server.')
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
    await Promise.all([this.#writing.end(), this.#reading.end()])
  }
}
