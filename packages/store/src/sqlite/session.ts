import type { Statement } from 'better-sqlite3'
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from '#kysely'
import type { Tables } from '../tables.ts'
import type { Connection } from './connection.ts'

/** Kysely on one connection, inside whatever transaction it is in. Statements are prepared once per text. */
export function kyselyOn(connection: Connection): Kysely<Tables> {
  const driver = new SingleConnectionDriver(connection)
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

/** Statements kept prepared; more would only be one-off texts (lists of other lengths). */
const preparedStatements = 300

class SingleConnectionDriver implements Driver {
  readonly #connection: Connection
  readonly #session: DatabaseConnection
  readonly #statements = new Map<string, Statement>()

  constructor(connection: Connection) {
    this.#connection = connection
    this.#session = {
      executeQuery: <R>(query: CompiledQuery) => Promise.resolve(this.#run<R>(query)),
      streamQuery: () => {
        throw new Error('rows are read in pages, never streamed')
      },
    }
  }

  #run<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#connection.prepare(sql)
      if (this.#statements.size >= preparedStatements) this.#statements.clear()
      this.#statements.set(sql, statement)
    }
    if (statement.reader) return { rows: statement.all(...parameters) as R[] }
    const { changes } = statement.run(...parameters)
    return { rows: [], numAffectedRows: BigInt(changes) }
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#session
  }
  async beginTransaction(): Promise<void> {
    this.#connection.exec('BEGIN IMMEDIATE')
  }
  async commitTransaction(): Promise<void> {
    this.#connection.exec('COMMIT')
  }
  async rollbackTransaction(): Promise<void> {
    this.#connection.exec('ROLLBACK')
  }
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}
