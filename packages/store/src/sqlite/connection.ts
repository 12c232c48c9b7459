import Database from 'better-sqlite3'

/** How durable a commit is: `full` survives a power cut, `normal` may lose the last commits then (never after a mere crash). */
export type Synchronous = 'full' | 'normal'

export type Connection = Database.Database

/** Of pages that a connection keeps at hand. */
export const cacheKiB = 32_000

/** Opens the database file with the settings that all connections share. Only the writer may pass `synchronous`. */
export function openConnection(path: string, mode: { write: Synchronous } | { write?: undefined }): Connection {
  const db = new Database(path, { readonly: mode.write === undefined, timeout: 5_000 })
  if (mode.write !== undefined) {
    db.pragma('journal_mode = WAL')
    db.pragma(`synchronous = ${mode.write === 'full' ? 'FULL' : 'NORMAL'}`)
    // Deleted text must not linger in free pages.
    db.pragma('secure_delete = ON')
    // Pages that many commits change are copied home once: at a million traces a quarter faster than with 4,000 pages.
    db.pragma('wal_autocheckpoint = 16000')
    // The log of a burst is not kept for ever.
    db.pragma('journal_size_limit = 67108864')
  }
  db.pragma(`cache_size = -${cacheKiB}`)
  db.pragma('temp_store = MEMORY')
  return db
}

/** Whether the database refused the moment (full, locked, gone) rather than the data. */
export function isUnavailable(error: unknown): boolean {
  return (
    error instanceof Database.SqliteError &&
    /^SQLITE_(FULL|BUSY|LOCKED|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|NOMEM|PERM|PROTOCOL)/.test(error.code)
  )
}
