import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import { Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from '#kysely'
import { Client, type ClientBase, type ClientConfig, Pool, type PoolClient, TypeOverrides, types } from 'pg'
import type { Tables } from '../tables.ts'
import { translate, Unavailable } from './failures.ts'

/** Milliseconds to wait for a free or a new connection. */
const connectTimeout = 5_000
/** Milliseconds after which an answer is not waited for any longer: the server or the way to it hangs. */
const answerTimeout = 30_000

// Our whole numbers all fit a double; sums over many rows are `numeric`, which stays text.
const parsers = new TypeOverrides()
parsers.setTypeParser(types.builtins.INT8, Number)

function settings(url: string): ClientConfig {
  return {
    connectionString: url,
    application_name: 'llm-eval',
    keepAlive: true,
    connectionTimeoutMillis: connectTimeout,
    types: parsers,
  }
}

export interface Statement {
  text: string
  values: unknown[]
  /** Statements with a name are parsed once a connection. */
  name?: string
}

/** One connection, for as long as somebody holds it. Its errors are translated (see failures.ts). */
export class Session {
  readonly #client: ClientBase
  /** Kysely on this connection, inside whatever transaction it is in. */
  readonly db: Kysely<Tables>
  /** Set when the connection must not be used again. */
  broken = false

  constructor(client: ClientBase) {
    this.#client = client
    this.db = kyselyOn(this)
  }

  /** Runs one statement; several may be under way at once, and the server takes them in order. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- who writes the statement knows its rows
  async run<R>(statement: Statement | string): Promise<{ rows: R[]; rowCount: number; command: string }> {
    try {
      const result = await this.#client.query(statement as Statement)
      return { rows: result.rows as R[], rowCount: result.rowCount ?? 0, command: result.command }
    } catch (error) {
      const known = translate(error)
      if (known instanceof Unavailable && known.disconnected) this.broken = true
      throw known
    }
  }
}

function kyselyOn(session: Session): Kysely<Tables> {
  const driver = new SessionDriver(session)
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
}

class SessionDriver implements Driver {
  readonly #session: Session
  readonly #connection: DatabaseConnection

  constructor(session: Session) {
    this.#session = session
    this.#connection = {
      executeQuery: <R>(query: CompiledQuery) => this.#execute<R>(query),
      streamQuery: () => {
        throw new Error('rows are read in pages, never streamed')
      },
    }
  }

  async #execute<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, rowCount, command } = await this.#session.run<R>({ text: sql, values: parameters.map(storable) })
    return command === 'SELECT' ? { rows } : { rows, numAffectedRows: BigInt(rowCount) }
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }
  async beginTransaction(): Promise<void> {
    await this.#session.run('BEGIN')
  }
  async commitTransaction(): Promise<void> {
    await this.#session.run('COMMIT')
  }
  async rollbackTransaction(): Promise<void> {
    await this.#session.run('ROLLBACK')
  }
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

/** Postgres holds every character but NUL. Where a text may have one (a note, say), it becomes the replacement character. */
export function storable<V>(value: V): V {
  return typeof value === 'string' && value.includes('\0') ? (value.replaceAll('\0', '\ufffd') as V) : value
}

/** Some connections for one purpose. */
export class Sessions {
  readonly size: number
  readonly #pool: Pool
  readonly #sessions = new WeakMap<PoolClient, Session>()

  constructor(url: string, size: number) {
    this.size = size
    this.#pool = new Pool({
      ...settings(url),
      max: size,
      idleTimeoutMillis: 30_000,
      query_timeout: answerTimeout,
      // Statements that need no answer of each other travel together.
      pipeline: true,
    })
    // A connection that breaks tells so to whoever uses it; broken while idle, it is replaced.
    this.#pool.on('error', () => undefined)
    this.#pool.on('connect', (client) => client.on('error', () => undefined))
  }

  /** Connections that somebody holds. */
  get used(): number {
    return this.#pool.totalCount - this.#pool.idleCount
  }

  /** Lends a connection. Throws {@link Unavailable} when there is none. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw new Unavailable(error, false)
    })
    const session = this.#sessions.get(client) ?? new Session(client)
    this.#sessions.set(client, session)
    try {
      return await work(session)
    } finally {
      client.release(session.broken)
    }
  }

  end(): Promise<void> {
    return this.#pool.end()
  }
}

/** A connection of its own, on which an answer may take as long as it takes: for migrations. */
export async function withClient<T>(url: string, work: (session: Session) => Promise<T>): Promise<T> {
  const client = new Client(settings(url))
  client.on('error', () => undefined)
  try {
    await client.connect().catch((error: unknown) => {
      const { host, port, pathname } = locate(url)
      const reason = error instanceof Error ? error.message || error.name : 'no reason was given'
      throw new Error(`The database ${pathname.slice(1)} at ${host}:${port} cannot be opened: ${reason}`, {
        cause: error,
      })
    })
    return await work(new Session(client))
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Where a URL leads, without its password. */
function locate(url: string): { host: string; port: string; pathname: string } {
  const { hostname, port, pathname } = URL.parse(url) ?? { hostname: 'an unreadable URL', port: '', pathname: '' }
  return { host: hostname || 'localhost', port: port || '5432', pathname }
}
