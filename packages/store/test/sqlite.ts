import { join } from 'node:path'
import Database from 'better-sqlite3'

/** Runs a statement in the database of a store, behind its back. With the store's own SQLite: locks are shared within a library only. */
export function runSql(directory: string, sql: string, ...values: unknown[]): void {
  const database = new Database(join(directory, 'llm-eval.db'))
  try {
    database.prepare(sql).run(...values)
  } finally {
    database.close()
  }
}
