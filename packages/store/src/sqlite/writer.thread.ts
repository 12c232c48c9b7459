import { workerData } from 'node:worker_threads'
import type { Unit } from '../group.ts'
import { newEpoch } from '../epoch.ts'
import { migrate } from '../migrations.ts'
import Database from 'better-sqlite3'
import { cacheKiB, openConnection, type Synchronous } from './connection.ts'
import { createReads, type ReadCall } from './reads.ts'
import { kyselyOn } from './session.ts'
import { serveThread } from './thread.ts'
import { SqliteWriter } from './writer.ts'

const leanKiB = 4_000
const { path, searchPath, synchronous, maxPages, lean } = workerData as {
  path: string
  searchPath: string
  synchronous: Synchronous
  maxPages: number | null
  lean: boolean
}
const connection = openConnection(path, { write: synchronous })
if (maxPages !== null) connection.pragma(`max_page_count = ${maxPages}`)
// What is written once and not read again need not be at hand.
if (lean) connection.pragma(`cache_size = -${leanKiB}`)
let writer: SqliteWriter | undefined
let reads: ReturnType<typeof createReads> | undefined

serveThread({
  migrate: async () => {
    await migrate(kyselyOn(connection), 'sqlite')
    writer = new SqliteWriter(connection)
  },
  commit: async (units: Unit[]) => {
    if (!writer) throw new Error('commit before migrate')
    return writer.commitGroup(units)
  },
  // Where nobody reads but who writes, a thread for readers would only take memory.
  read: (call: ReadCall) => (reads ??= createReads(connection, searchPath)).read(call),
  grow: () => void connection.pragma(`cache_size = -${cacheKiB}`),
  backup: async (to: string) => {
    await connection.backup(to)
    // A restored copy is another life of the journal: cursors of this one must not fit it by chance.
    const copy = new Database(to)
    copy.prepare("UPDATE meta SET value = ? WHERE name = 'epoch'").run(newEpoch())
    copy.pragma('journal_mode = DELETE')
    copy.close()
  },
  close: () => {
    reads?.close()
    connection.pragma('wal_checkpoint(TRUNCATE)')
    connection.close()
  },
})
