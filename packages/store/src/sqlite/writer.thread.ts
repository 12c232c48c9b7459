import { workerData } from 'node:worker_threads'
import type { Unit } from '../group.ts'
import { newEpoch } from '../epoch.ts'
import { migrate } from '../migrations.ts'
import Database from 'better-sqlite3'
import { openConnection, type Synchronous } from './connection.ts'
import { kyselyOn } from './session.ts'
import { serveThread } from './thread.ts'
import { SqliteWriter } from './writer.ts'

const { path, synchronous, maxPages } = workerData as {
  path: string
  synchronous: Synchronous
  maxPages: number | null
}
const connection = openConnection(path, { write: synchronous })
if (maxPages !== null) connection.pragma(`max_page_count = ${maxPages}`)
let writer: SqliteWriter | undefined

serveThread({
  migrate: async () => {
    await migrate(kyselyOn(connection), 'sqlite')
    writer = new SqliteWriter(connection)
  },
  commit: async (units: Unit[]) => {
    if (!writer) throw new Error('commit before migrate')
    return writer.commitGroup(units)
  },
  backup: async (to: string) => {
    await connection.backup(to)
    // A restored copy is another life of the journal: cursors of this one must not fit it by chance.
    const copy = new Database(to)
    copy.prepare("UPDATE meta SET value = ? WHERE name = 'epoch'").run(newEpoch())
    copy.pragma('journal_mode = DELETE')
    copy.close()
  },
  close: () => {
    connection.pragma('wal_checkpoint(TRUNCATE)')
    connection.close()
  },
})
