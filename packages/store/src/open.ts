import { openSqlite, type SqliteOptions } from './sqlite/store.ts'
import type { Store } from './store.ts'

/** Where the store is, and what it needs to be told. */
export interface StoreOptions extends SqliteOptions {
  /** `postgresql://…` selects Postgres; without it the store is a file in `directory`. */
  databaseUrl?: string
  /** Postgres connections, at most; at least 2. Default 10. */
  poolSize?: number
}

/** Opens the store that the options name, made and migrated as needed. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { databaseUrl, ...others } = options
  if (databaseUrl === undefined) return openSqlite(others)
  // Loaded when it is wanted: a server with an embedded database does not carry the driver of the other one.
  const { openPostgres } = await import('./postgres/store.ts')
  return openPostgres({ ...others, databaseUrl })
}
