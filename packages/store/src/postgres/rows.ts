import type { Inserted, RowWriter, TraceInsert } from '../ingest.ts'
import type { NewTrace } from '../store.ts'
import { counterNames, type Ledger, type Transaction, tombstone } from '../transaction.ts'
import { type Session, type Statement, storable } from './connection.ts'
import { LostRace } from './failures.ts'

/** Parts the bodies that travel as one text; JSON never holds it unescaped. */
const bodySeparator = '\u001e'

const insertTraces = `
WITH input AS MATERIALIZED (
  SELECT nextval('traces_ref_seq') AS ref, t.*
  FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::float8[],
    $11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::int[], $16::text[], string_to_array($17, E'\\x1e')) WITH ORDINALITY
    AS t(trace_id, ts, received_at, model_id, source, session_id, user_id, batch_id, latency_ms, cost_nano, tokens,
      query_preview, response_preview, captured, hash, body, n)
), created AS (
  INSERT INTO traces (ref, project_id, trace_id, ts, received_at, model_id, source, session_id, user_id, batch_id, latency_ms,
    cost_nano, tokens, query_preview, response_preview, captured, hash)
  SELECT ref, $1, trace_id, ts, received_at, model_id, source, session_id, user_id, batch_id, latency_ms, cost_nano, tokens,
    query_preview, response_preview, captured, hash
  FROM input ORDER BY trace_id COLLATE "C"
  ON CONFLICT (project_id, trace_id) DO NOTHING RETURNING ref
), stored AS (
  INSERT INTO bodies (ref, body) SELECT input.ref, input.body FROM input JOIN created USING (ref)
)
SELECT input.n, input.ref FROM input JOIN created USING (ref)`

const findTraces = `
SELECT given.n, traces.ref, traces.hash FROM unnest($2::text[]) WITH ORDINALITY AS given(trace_id, n)
JOIN traces ON traces.project_id = $1 AND traces.trace_id = given.trace_id`

const counters = counterNames.map((name, i) => `${name} = ${name} + $${i + 3}`).join(', ')
const writeLedger = `
WITH head AS (
  UPDATE heads SET seq = seq + $2, ${counters} WHERE project_id = $1 RETURNING seq
), day AS (
  INSERT INTO days (project_id, day, traces) SELECT $1, day, traces FROM unnest($13::bigint[], $14::bigint[]) AS d(day, traces)
  ON CONFLICT (project_id, day) DO UPDATE SET traces = days.traces + excluded.traces
), journal AS (
  INSERT INTO events (project_id, seq, at, kind, ref, data, run)
  SELECT $1, head.seq - $2 + e.n, e.at, e.kind, e.ref, e.data, e.run
  FROM head, unnest($15::bigint[], $16::smallint[], $17::bigint[], $18::text[], $19::bigint[]) WITH ORDINALITY AS e(at, kind, ref, data, run, n)
)
SELECT seq FROM head`

const noteMessages = `
INSERT INTO messages (project_id, id, body_hash, at)
SELECT $1, m.id, m.body_hash, m.at FROM unnest($2::text[], $3::text[], $4::bigint[]) AS m(id, body_hash, at) ORDER BY m.id COLLATE "C"
ON CONFLICT (project_id, id) DO NOTHING`

const insertReceipts = `
INSERT INTO receipts (project_id, batch_id, source, received_at, results)
SELECT $1, r.* FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) AS r(batch_id, source, received_at, results)
ORDER BY r.batch_id COLLATE "C" ON CONFLICT (project_id, batch_id) DO NOTHING`

const makeModels = `
INSERT INTO models (project_id, name) SELECT $1, m.name FROM unnest($2::text[]) AS m(name) ORDER BY m.name COLLATE "C"
ON CONFLICT (project_id, name) DO NOTHING`

/**
 * The hot path of Postgres, in one transaction of one project: named statements over arrays. Rows that somebody else may
 * insert at the same time are inserted in the order of their keys, so that two writers wait for each other but never in a circle.
 */
export class PostgresRows implements RowWriter {
  readonly #session: Session
  readonly #projectId: number
  /** Projects known to have tombstones (which are for ever). */
  readonly #withTombstones: Set<number>
  readonly #messages = new Map<string, string>()
  readonly #receipts: { batchId: string; source: string | null; receivedAt: number; results: string }[] = []

  constructor(session: Session, projectId: number, withTombstones: Set<number>) {
    this.#session = session
    this.#projectId = projectId
    this.#withTombstones = withTombstones
  }

  async insertTraces(tx: Transaction, rows: TraceInsert[]): Promise<Inserted[]> {
    const { rows: created } = await this.#session.run<{ n: number; ref: number }>(this.#insertion(rows))
    const fates: (Inserted | undefined)[] = rows.map(() => undefined)
    for (const { n, ref } of created) fates[n - 1] = { created: true, ref }
    await this.#refuseBuried(tx, rows)
    const missing = rows.flatMap((row, i) => (fates[i] ? [] : [{ traceId: row.trace.traceId, i }]))
    if (missing.length > 0) {
      const ids = textArray(missing.map(({ traceId }) => traceId))
      const found = await this.#session.run<{ n: number; ref: number; hash: string }>({
        name: 'find_traces',
        text: findTraces,
        values: [this.#projectId, ids],
      })
      for (const { n, ref, hash } of found.rows) {
        const at = missing[n - 1]
        if (at) fates[at.i] = { created: false, ref, hash }
      }
    }
    return fates.map((fate) => {
      // It was there when it was to be inserted and is not any more: somebody deleted it in between.
      if (!fate) throw new LostRace('a trace was deleted while it was sent again')
      return fate
    })
  }

  #insertion(rows: TraceInsert[]): Statement {
    const numbers = (of: (trace: NewTrace) => number | null) => numberArray(rows.map(({ trace }) => of(trace)))
    const texts = (of: (trace: NewTrace) => string | null) => textArray(rows.map(({ trace }) => of(trace)))
    const bodies = rows.map(({ trace }) => trace.body)
    if (bodies.some((body) => body.includes(bodySeparator))) throw new RangeError('the body of a trace is not JSON')
    const values = [
      this.#projectId,
      texts((t) => t.traceId),
      numbers((t) => t.timestamp),
      numbers((t) => t.receivedAt),
      numberArray(rows.map((row) => row.modelId)),
      texts((t) => t.source),
      texts((t) => t.sessionId),
      texts((t) => t.userId),
      texts((t) => t.batchId),
      numbers((t) => t.latencyMs),
      numbers((t) => t.costNano),
      numbers((t) => t.tokens),
      texts((t) => t.queryPreview),
      texts((t) => t.responsePreview),
      numbers((t) => t.captured),
      texts((t) => t.hash),
      bodies.join(bodySeparator),
    ]
    return { name: 'insert_traces', text: insertTraces, values }
  }

  /**
   * A trace deleted after its tombstone was looked for and before it was inserted must not come back: so whoever inserted
   * looks again, and starts anew when there is a tombstone.
   */
  async #refuseBuried(tx: Transaction, rows: TraceInsert[]): Promise<void> {
    const known = this.#withTombstones.has(this.#projectId)
    const buried = known
      ? (await this.#buried(rows.map(({ trace }) => tombstone(tx.salt, trace.traceId)))).size > 0
      : await this.#anyTombstone()
    if (!buried) return
    this.#withTombstones.add(this.#projectId)
    throw new LostRace('a trace was deleted while it was sent')
  }

  async #anyTombstone(): Promise<boolean> {
    const { rowCount } = await this.#session.run({
      name: 'any_tombstone',
      text: 'SELECT 1 FROM tombstones WHERE project_id = $1 LIMIT 1',
      values: [this.#projectId],
    })
    return rowCount > 0
  }

  async #buried(hashes: string[]): Promise<Set<string>> {
    const { rows } = await this.#session.run<{ id_hash: string }>({
      name: 'find_tombstones',
      text: 'SELECT id_hash FROM tombstones WHERE project_id = $1 AND id_hash = ANY ($2::text[])',
      values: [this.#projectId, textArray(hashes)],
    })
    return new Set(rows.map((row) => row.id_hash))
  }

  async findTombstones(_tx: Transaction, hashes: () => string[]): Promise<Set<string> | undefined> {
    return this.#withTombstones.has(this.#projectId) ? this.#buried(hashes()) : undefined
  }

  /** Notes all message ids of a group at once; `noteMessage` then only looks them up. */
  async noteMessages(messages: { id: string; bodyHash: string; at: number }[]): Promise<void> {
    if (messages.length === 0) return
    for (const message of messages)
      if (!this.#messages.has(message.id)) this.#messages.set(message.id, message.bodyHash)
    const firsts = [...new Map(messages.toReversed().map((message) => [message.id, message])).values()]
    const ids = textArray(firsts.map((message) => message.id))
    const inserting = this.#session.run({
      name: 'note_messages',
      text: noteMessages,
      values: [
        this.#projectId,
        ids,
        textArray(firsts.map((message) => message.bodyHash)),
        numberArray(firsts.map((message) => message.at)),
      ],
    })
    const finding = this.#session.run<{ id: string; body_hash: string }>({
      name: 'find_messages',
      text: 'SELECT id, body_hash FROM messages WHERE project_id = $1 AND id = ANY ($2::text[])',
      values: [this.#projectId, ids],
    })
    const [, found] = await both(inserting, finding)
    for (const row of found.rows) this.#messages.set(row.id, row.body_hash)
  }

  noteMessage(_tx: Transaction, message: { id: string; bodyHash: string }): string {
    return this.#messages.get(message.id) ?? message.bodyHash
  }

  insertReceipt(
    _tx: Transaction,
    receipt: { batchId: string; source: string | null; receivedAt: number; results: string },
  ): void {
    this.#receipts.push(receipt)
  }

  async writeReceipts(): Promise<void> {
    if (this.#receipts.length === 0) return
    await this.#session.run({
      name: 'insert_receipts',
      text: insertReceipts,
      values: [
        this.#projectId,
        textArray(this.#receipts.map((receipt) => receipt.batchId)),
        textArray(this.#receipts.map((receipt) => receipt.source)),
        numberArray(this.#receipts.map((receipt) => receipt.receivedAt)),
        textArray(this.#receipts.map((receipt) => receipt.results)),
      ],
    })
  }

  /** Waits until no other transaction changes traces of the project that exist already. The turn ends with the transaction. */
  async takeTurn(): Promise<void> {
    await this.#session.run({
      name: 'take_turn',
      text: "SELECT pg_advisory_xact_lock(hashtextextended('llm-eval: traces of project ' || $1, 0))",
      values: [String(this.#projectId)],
    })
  }

  /** Ids of models by name, made when they are new. */
  async models(names: readonly string[]): Promise<Map<string, number>> {
    const values = [this.#projectId, textArray(names)]
    const making = this.#session.run({ name: 'make_models', text: makeModels, values })
    const finding = this.#session.run<{ n: number; id: number }>({
      name: 'find_models',
      text: `SELECT given.n, models.id FROM unnest($2::text[]) WITH ORDINALITY AS given(name, n)
        JOIN models ON models.project_id = $1 AND models.name = given.name`,
      values,
    })
    const [, found] = await both(making, finding)
    return new Map(found.rows.map(({ n, id }) => [names[n - 1] ?? '', id]))
  }

  /**
   * The last statement of a commit: counters, head and journal together. From here on the project's head is locked until
   * the commit is through, which is what makes sequence numbers gapless in commit order.
   */
  ledger(ledger: Ledger): Statement {
    if (ledger.isEmpty)
      return { name: 'read_head', text: 'SELECT seq FROM heads WHERE project_id = $1', values: [this.#projectId] }
    const { events } = ledger
    const days = [...ledger.days].filter(([, traces]) => traces !== 0)
    const values = [
      this.#projectId,
      events.length,
      ...counterNames.map((name) => ledger.counters.get(name) ?? 0),
      numberArray(days.map(([day]) => day)),
      numberArray(days.map(([, traces]) => traces)),
      numberArray(events.map((event) => event.at)),
      numberArray(events.map((event) => event.kind)),
      numberArray(events.map((event) => event.ref)),
      textArray(events.map((event) => event.data)),
      numberArray(events.map((event) => event.run)),
    ]
    return { name: 'write_ledger', text: writeLedger, values }
  }
}

/** Waits for both, whatever becomes of the first. */
export async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second])
  if (a.status === 'rejected') throw a.reason
  if (b.status === 'rejected') throw b.reason
  return [a.value, b.value]
}

// Arrays in the text form of Postgres, written here because the driver's own way costs several times as much.
function numberArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`
}

function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : quote(storable(value)))).join(',')}}`
}

function quote(text: string): string {
  return `"${/["\\]/.test(text) ? text.replaceAll(/["\\]/g, '\\$&') : text}"`
}
