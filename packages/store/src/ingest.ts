import type { ItemStatus } from '@llm-eval/protocol'
import { encodeTrace, minuteOf } from './events.ts'
import type { Ingest, NewTrace, TraceOutcome } from './store.ts'
import { statusNumbers, type Transaction, tombstone } from './transaction.ts'

/** A trace with its model resolved, ready for the driver's own insert. */
export interface TraceInsert {
  trace: NewTrace
  modelId: number
}

/** What became of an insert: a new row, or the row that was there before. */
export type Inserted = { created: true; ref: number } | { created: false; ref: number; hash: string }

/** The part of ingest that each driver writes by hand, because every microsecond counts there. */
export interface RowWriter {
  /** Inserts traces of distinct ids with their bodies. */
  insertTraces(tx: Transaction, rows: TraceInsert[]): Inserted[] | Promise<Inserted[]>
  /** Of these tombstones, the ones that exist; undefined when the project has none at all and nobody needs to ask. */
  findTombstones(tx: Transaction, hashes: () => string[]): Set<string> | undefined | Promise<Set<string> | undefined>
  /** Notes a message id; the body hash it was first seen with. */
  noteMessage(tx: Transaction, message: { id: string; bodyHash: string; at: number }): string | Promise<string>
  insertReceipt(
    tx: Transaction,
    receipt: { batchId: string; source: string | null; receivedAt: number; results: string },
  ): void | Promise<void>
}

/** One entry of a stored receipt: the ref of a stored trace, or why there is none. */
export type ReceiptEntry = [ref: number | null, status: ItemStatus, error?: string]

/** What one ingest gets back; the journal's head is known only when the transaction is complete. */
export interface Ingested {
  outcomes: TraceOutcome[]
  replay: boolean
}

/** Stores the traces of several requests of one project in one transaction. */
export async function ingestAll(tx: Transaction, writer: RowWriter, requests: Ingest[]): Promise<Ingested[]> {
  const replays = new Set<Ingest>()
  const firsts = new Map<string, TraceInsert>()
  for (const request of requests) {
    if (request.message && (await isReplay(tx, writer, request))) {
      replays.add(request)
      continue
    }
    for (const trace of request.traces) {
      if (!firsts.has(trace.traceId)) firsts.set(trace.traceId, { trace, modelId: await tx.modelId(trace.model) })
    }
  }
  const rows = [...firsts.values()]
  const buried = await writer.findTombstones(tx, () => rows.map((row) => tombstone(tx.salt, row.trace.traceId)))
  const alive = buried?.size ? rows.filter((row) => !buried.has(tombstone(tx.salt, row.trace.traceId))) : rows
  const inserted = alive.length ? await writer.insertTraces(tx, alive) : []
  const fates = new Map<string, Inserted>()
  alive.forEach((row, i) => {
    const fate = inserted[i]
    if (!fate) throw new Error('the driver lost a row')
    fates.set(row.trace.traceId, fate)
    if (fate.created) record(tx, row, fate.ref)
  })

  const results: Ingested[] = []
  const told = new Set<string>()
  for (const request of requests) {
    if (replays.has(request)) {
      results.push({ outcomes: [], replay: true })
      continue
    }
    const refs: (number | null)[] = []
    const outcomes = request.traces.map((trace): TraceOutcome => {
      const fate = fates.get(trace.traceId)
      refs.push(fate?.ref ?? null)
      if (!fate) return { status: 'deleted' }
      if (!fate.created) return { status: fate.hash === trace.hash ? 'duplicate' : 'conflict' }
      // The same id twice in one transaction: the first is the one that was inserted.
      const created = !told.has(trace.traceId)
      told.add(trace.traceId)
      if (created) return { status: 'created' }
      return { status: firsts.get(trace.traceId)?.trace.hash === trace.hash ? 'duplicate' : 'conflict' }
    })
    if (request.receipt) await writeReceipt(tx, writer, { receipt: request.receipt, outcomes, refs })
    results.push({ outcomes, replay: false })
  }
  return results
}

async function isReplay(tx: Transaction, writer: RowWriter, request: Ingest): Promise<boolean> {
  if (!request.message) return false
  const at = request.traces[0]?.receivedAt ?? request.receipt?.receivedAt ?? 0
  return (await writer.noteMessage(tx, { ...request.message, at })) !== request.message.bodyHash
}

function record(tx: Transaction, { trace, modelId }: TraceInsert, ref: number): void {
  tx.ledger.countTrace({ ...trace, status: statusNumbers.pending }, 1)
  const { latencyMs, costNano, tokens } = trace
  const data = encodeTrace({ modelId, minute: minuteOf(trace.timestamp), latencyMs, costNano, tokens })
  tx.ledger.emit('trace_created', { at: trace.receivedAt, ref, data })
}

async function writeReceipt(
  tx: Transaction,
  writer: RowWriter,
  given: { receipt: NonNullable<Ingest['receipt']>; outcomes: TraceOutcome[]; refs: (number | null)[] },
): Promise<void> {
  let next = 0
  const entries = given.receipt.refused.map((refused): ReceiptEntry => {
    if (refused) return [null, refused.status, refused.error]
    const at = next++
    const outcome = given.outcomes[at]
    if (!outcome) throw new RangeError('the receipt lists more traces than the request holds')
    if (outcome.status === 'deleted') return [null, 'conflict', 'this trace was deleted']
    return outcome.error === undefined
      ? [given.refs[at] ?? null, outcome.status]
      : [null, outcome.status, outcome.error]
  })
  const { batchId, source, receivedAt } = given.receipt
  await writer.insertReceipt(tx, { batchId, source, receivedAt, results: JSON.stringify(entries) })
}
