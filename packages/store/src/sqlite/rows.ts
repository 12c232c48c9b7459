import type { Statement } from 'better-sqlite3'
import type { Inserted, RowWriter, TraceInsert } from '../ingest.ts'
import { counterNames, type Ledger, type Transaction } from '../transaction.ts'
import type { Connection } from './connection.ts'

/** The hot path of SQLite: raw prepared statements on the writer's connection. */
export class SqliteRows implements RowWriter {
  readonly #insertTrace: Statement
  readonly #findTrace: Statement<[number, string], { ref: number; hash: string }>
  readonly #insertBody: Statement
  readonly #insertEvent: Statement
  readonly #buried: Statement<[number, string]>
  readonly #insertMessage: Statement
  readonly #findMessage: Statement<[number, string], { body_hash: string }>
  readonly #insertReceipt: Statement
  readonly #seq: Statement<[number], { seq: number }>
  readonly #updateHead: Statement
  readonly #addDay: Statement
  readonly #lastRef: Statement
  readonly #anyTombstone: Statement<[number]>
  /** Projects that have tombstones; this is the only writer, so it knows. */
  readonly #withTombstones = new Map<number, boolean>()
  #ref: number
  #committedRef: number

  constructor(db: Connection) {
    this.#insertTrace =
      db.prepare(`INSERT OR IGNORE INTO traces (ref, project_id, trace_id, ts, received_at, model_id, source, session_id, user_id, batch_id,
      latency_ms, cost_nano, tokens, query_preview, response_preview, captured, hash) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`)
    this.#findTrace = db.prepare('SELECT ref, hash FROM traces WHERE project_id = ? AND trace_id = ?')
    this.#insertBody = db.prepare('INSERT INTO bodies (ref, body) VALUES (?,?)')
    this.#insertEvent = db.prepare(
      'INSERT INTO events (project_id, seq, at, kind, ref, data, run) VALUES (?,?,?,?,?,?,?)',
    )
    this.#buried = db.prepare('SELECT 1 FROM tombstones WHERE project_id = ? AND id_hash = ?')
    this.#anyTombstone = db.prepare('SELECT 1 FROM tombstones WHERE project_id = ? LIMIT 1')
    this.#insertMessage = db.prepare('INSERT OR IGNORE INTO messages (project_id, id, body_hash, at) VALUES (?,?,?,?)')
    this.#findMessage = db.prepare('SELECT body_hash FROM messages WHERE project_id = ? AND id = ?')
    this.#insertReceipt =
      db.prepare(`INSERT INTO receipts (project_id, batch_id, source, received_at, results) VALUES (?,?,?,?,?)
      ON CONFLICT (project_id, batch_id) DO NOTHING`)
    this.#seq = db.prepare('SELECT seq FROM heads WHERE project_id = ?')
    this.#updateHead = db.prepare(
      `UPDATE heads SET seq = seq + ?, ${counterNames.map((name) => `${name} = ${name} + ?`).join(', ')} WHERE project_id = ?`,
    )
    this.#addDay = db.prepare(
      'INSERT INTO days (project_id, day, traces) VALUES (?,?,?) ON CONFLICT (project_id, day) DO UPDATE SET traces = traces + excluded.traces',
    )
    this.#lastRef = db.prepare("UPDATE meta SET value = ? WHERE name = 'last_ref'")
    const last = db.prepare<[], { value: string }>("SELECT value FROM meta WHERE name = 'last_ref'").get()
    this.#ref = Number(last?.value ?? 0)
    this.#committedRef = this.#ref
  }

  insertTraces(tx: Transaction, rows: TraceInsert[]): Inserted[] {
    return rows.map(({ trace: t, modelId }) => {
      const ref = this.#ref + 1
      const { changes } = this.#insertTrace.run(
        ref,
        tx.projectId,
        t.traceId,
        t.timestamp,
        t.receivedAt,
        modelId,
        t.source,
        t.sessionId,
        t.userId,
        t.batchId,
        t.latencyMs,
        t.costNano,
        t.tokens,
        t.queryPreview,
        t.responsePreview,
        t.captured,
        t.hash,
      )
      if (changes === 1) {
        this.#ref = ref
        this.#insertBody.run(ref, t.body)
        return { created: true, ref }
      }
      const before = this.#findTrace.get(tx.projectId, t.traceId)
      // OR IGNORE also passes over rows that break a CHECK or NOT NULL; those are not duplicates.
      if (!before)
        throw new RowRefused(`the row of trace ${JSON.stringify(t.traceId.slice(0, 100))} breaks a constraint`)
      return { created: false, ref: before.ref, hash: before.hash }
    })
  }

  findTombstones(tx: Transaction, hashes: () => string[]): Set<string> | undefined {
    let any = this.#withTombstones.get(tx.projectId)
    if (any === undefined) {
      any = this.#anyTombstone.get(tx.projectId) !== undefined
      this.#withTombstones.set(tx.projectId, any)
    }
    if (!any) return undefined
    return new Set(hashes().filter((hash) => this.#buried.get(tx.projectId, hash) !== undefined))
  }

  noteTombstones(projectId: number): void {
    this.#withTombstones.set(projectId, true)
  }

  takeRefs(count: number): number {
    const first = this.#ref + 1
    this.#ref += count
    return first
  }

  noteMessage(tx: Transaction, message: { id: string; bodyHash: string; at: number }): string {
    const { changes } = this.#insertMessage.run(tx.projectId, message.id, message.bodyHash, message.at)
    return changes === 1
      ? message.bodyHash
      : (this.#findMessage.get(tx.projectId, message.id)?.body_hash ?? message.bodyHash)
  }

  insertReceipt(
    tx: Transaction,
    receipt: { batchId: string; source: string | null; receivedAt: number; results: string },
  ): void {
    this.#insertReceipt.run(tx.projectId, receipt.batchId, receipt.source, receipt.receivedAt, receipt.results)
  }

  /** The transaction's last statements: journal, counters and head together. Returns the new head. */
  writeLedger(projectId: number, ledger: Ledger): number {
    const before = this.#seq.get(projectId)
    if (!before) throw new RowRefused(`there is no project ${projectId}`)
    if (ledger.isEmpty) return before.seq
    let seq = before.seq
    for (const event of ledger.events)
      this.#insertEvent.run(projectId, ++seq, event.at, event.kind, event.ref, event.data, event.run)
    for (const [day, traces] of ledger.days) if (traces !== 0) this.#addDay.run(projectId, day, traces)
    this.#updateHead.run(ledger.events.length, ...counterNames.map((name) => ledger.counters.get(name) ?? 0), projectId)
    return seq
  }

  /** Before COMMIT: no ref is ever handed out twice, or an old event would tell of a new trace. */
  writeRefs(): void {
    if (this.#ref !== this.#committedRef) this.#lastRef.run(String(this.#ref))
  }

  committed(): void {
    this.#committedRef = this.#ref
  }

  rolledBack(): void {
    this.#ref = this.#committedRef
    this.#withTombstones.clear()
  }
}

/** The data of a row cannot be stored. */
class RowRefused extends Error {
  override readonly name = 'RowRefused'
}
