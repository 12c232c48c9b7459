import type { Kysely } from 'kysely'
import { applyChanges } from '../changes/apply.ts'
import { BadData, commitBisecting, type Executor, type Settled, type Unit } from '../group.ts'
import { ingestAll } from '../ingest.ts'
import type { Change, Ingest } from '../store.ts'
import type { Tables } from '../tables.ts'
import { Ledger, type Transaction } from '../transaction.ts'
import { type Connection, isUnavailable } from './connection.ts'
import { kyselyOn } from './session.ts'
import { SqliteRows } from './rows.ts'

/** What a group commit tells beside the results: the new head of each project that got events. */
export interface GroupResult {
  settled: Settled[]
  heads: [projectId: number, seq: number][]
}

/** The one writer: runs groups of units, each in a transaction, one after the other. */
export class SqliteWriter implements Executor {
  readonly #connection: Connection
  readonly #db: Kysely<Tables>
  readonly #rows: SqliteRows
  readonly #salt: string
  readonly #models = new Map<string, number>()
  readonly #heads = new Map<number, number>()

  constructor(connection: Connection) {
    this.#connection = connection
    this.#db = kyselyOn(connection)
    this.#rows = new SqliteRows(connection)
    this.#salt =
      connection.prepare<[], { value: string }>("SELECT value FROM meta WHERE name = 'salt'").get()?.value ?? ''
  }

  /** Commits a group. Throws only when the database takes no writes at all. */
  async commitGroup(units: Unit[]): Promise<GroupResult> {
    this.#heads.clear()
    const settled = await commitBisecting(units, this)
    return { settled, heads: [...this.#heads] }
  }

  async commit(units: Unit[]): Promise<unknown[]> {
    const results = await this.#transact(units, 'COMMIT')
    return results
  }

  async probe(units: Unit[]): Promise<void> {
    await this.#transact(units, 'ROLLBACK')
  }

  async #transact(units: Unit[], end: 'COMMIT' | 'ROLLBACK'): Promise<unknown[]> {
    this.#connection.exec('BEGIN IMMEDIATE')
    try {
      const { results, heads } = await this.#run(units)
      if (end === 'COMMIT') this.#rows.writeRefs()
      this.#connection.exec(end)
      if (end === 'COMMIT') {
        this.#rows.committed()
        for (const [projectId, seq] of heads) this.#heads.set(projectId, seq)
      } else this.#forget()
      return results
    } catch (error) {
      // SQLite has rolled back by itself after some errors (a full disk).
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK')
      this.#forget()
      if (isUnavailable(error)) throw error
      throw new BadData(error instanceof Error ? error.message : String(error), { cause: error })
    }
  }

  /** What was remembered of a transaction that never happened. */
  #forget(): void {
    this.#rows.rolledBack()
    this.#models.clear()
  }

  async #run(units: Unit[]): Promise<{ results: unknown[]; heads: Map<number, number> }> {
    const results: unknown[] = []
    const transactions = new Map<number, SqliteTransaction>()
    const transactionOf = (projectId: number): SqliteTransaction => {
      const open = transactions.get(projectId) ?? this.#open(projectId)
      transactions.set(projectId, open)
      return open
    }
    for (let i = 0; i < units.length; ) {
      const unit = units[i]
      if (!unit) break
      const tx = transactionOf(unit.projectId)
      // Neighbours of the same project go together.
      if (unit.change) {
        const changes: Change[] = []
        for (let next = units[i]; next?.change && next.projectId === unit.projectId; next = units[++i])
          changes.push(next.change)
        results.push(...(await applyChanges(tx, changes)))
        continue
      }
      const requests: Ingest[] = []
      for (let next = units[i]; next?.ingest && next.projectId === unit.projectId; next = units[++i])
        requests.push(next.ingest)
      results.push(...(await ingestAll(tx, this.#rows, requests)))
    }
    const heads = new Map<number, number>()
    const seqs = new Map<number, number>()
    for (const [projectId, tx] of transactions) {
      const seq = this.#rows.writeLedger(projectId, tx.ledger)
      seqs.set(projectId, seq)
      if (tx.ledger.events.length > 0) heads.set(projectId, seq)
    }
    return {
      results: results.map((result, i) =>
        units[i]?.ingest ? { ...(result as object), seq: seqs.get(units[i]?.projectId ?? 0) } : result,
      ),
      heads,
    }
  }

  #open(projectId: number): SqliteTransaction {
    return {
      db: this.#db,
      dialect: 'sqlite',
      projectId,
      ledger: new Ledger(),
      salt: this.#salt,
      modelId: (name) => this.#modelId(projectId, name),
      takeRefs: (count) => this.#rows.takeRefs(count),
      noteTombstones: () => this.#rows.noteTombstones(projectId),
    }
  }

  async #modelId(projectId: number, name: string): Promise<number> {
    const key = `${projectId}\u0000${name}`
    const known = this.#models.get(key)
    if (known !== undefined) return known
    const row =
      (await this.#db
        .selectFrom('models')
        .select('id')
        .where('project_id', '=', projectId)
        .where('name', '=', name)
        .executeTakeFirst()) ??
      (await this.#db
        .insertInto('models')
        .values({ project_id: projectId, name })
        .returning('id')
        .executeTakeFirstOrThrow())
    // Names come from outside: what is remembered of them is bounded.
    if (this.#models.size >= 10_000) this.#models.clear()
    this.#models.set(key, row.id)
    return row.id
  }
}

type SqliteTransaction = Transaction
