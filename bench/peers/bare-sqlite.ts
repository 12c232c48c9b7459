/**
 * The limit of batches: the same rows by the bare SQLite driver in one process, into the same tables with the same indexes and
 * the same journal rows, counters and receipt, one transaction a batch, `synchronous=FULL`.
 */
import { openStore } from '@llm-eval/store'
import { join } from 'node:path'
import { openConnection } from '../../packages/store/src/sqlite/connection.ts'
import { serveOrders } from '../job.ts'
import { storedTraces } from '../rows.ts'
import type { Rate, StoreOrder } from '../workers/timed.ts'

const directory = process.argv[2] ?? ''
const store = await openStore({ directory })
await store.close()

const db = openConnection(join(directory, 'llm-eval.db'), { write: 'full' })
const model = db.prepare("INSERT INTO models (project_id, name) VALUES (1, 'gpt-4') RETURNING id").get() as {
  id: number
}
const insertTrace = db.prepare(
  `INSERT INTO traces (ref, project_id, trace_id, ts, received_at, model_id, source, session_id, user_id, batch_id,
    latency_ms, cost_nano, tokens, query_preview, response_preview, captured, hash) VALUES (?,1,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
)
const insertBody = db.prepare('INSERT INTO bodies (ref, body) VALUES (?,?)')
const insertEvent = db.prepare('INSERT INTO events (project_id, seq, at, kind, ref, data) VALUES (1,?,?,1,?,?)')
const insertReceipt = db.prepare(
  "INSERT INTO receipts (project_id, batch_id, source, received_at, results) VALUES (1,?,'bench',?,?)",
)
const updateHead = db.prepare(
  `UPDATE heads SET seq = seq + ?, total = total + ?, latency_sum = latency_sum + ?, latency_count = latency_count + ?,
    cost_sum = cost_sum + ?, cost_count = cost_count + ?, tokens_sum = tokens_sum + ?, tokens_count = tokens_count + ? WHERE project_id = 1`,
)
const addDay = db.prepare(
  `INSERT INTO days (project_id, day, traces) VALUES (1,?,?)
   ON CONFLICT (project_id, day) DO UPDATE SET traces = traces + excluded.traces`,
)

let ref = 0
const insertBatch = db.transaction((batch: ReturnType<typeof storedTraces>) => {
  const sums = { latency: 0, cost: 0, tokens: 0 }
  const entries: unknown[] = []
  for (const t of batch) {
    ref++
    const about = [t.source, t.sessionId, t.userId, t.batchId, t.latencyMs, t.costNano, t.tokens]
    insertTrace.run(
      ref,
      t.traceId,
      t.timestamp,
      t.receivedAt,
      model.id,
      ...about,
      t.queryPreview,
      t.responsePreview,
      t.captured,
      t.hash,
    )
    insertBody.run(ref, t.body)
    const minute = Math.floor(t.timestamp / 60_000)
    insertEvent.run(ref, t.receivedAt, ref, JSON.stringify([model.id, minute, t.latencyMs, t.costNano, t.tokens]))
    entries.push([ref, 'created'])
    sums.latency += t.latencyMs ?? 0
    sums.cost += t.costNano ?? 0
    sums.tokens += t.tokens ?? 0
  }
  const count = batch.length
  insertReceipt.run(`batch_${ref}`, Date.now(), JSON.stringify(entries))
  addDay.run(Math.floor((batch[0]?.timestamp ?? 0) / 86_400_000), count)
  updateHead.run(count, count, sums.latency, count, sums.cost, count, sums.tokens, count)
})

serveOrders(({ traces, batch }: StoreOrder): Rate => {
  // What the intake does is not part of the limit: made before the clock starts.
  const batches = Array.from({ length: Math.ceil(traces / batch) }, (_, i) =>
    storedTraces({ name: 'bare', first: ref + i * batch, count: batch }),
  )
  const cpuBefore = process.cpuUsage()
  const started = performance.now()
  for (const rows of batches) insertBatch.immediate(rows)
  const took = (performance.now() - started) / 1_000
  const { user, system } = process.cpuUsage(cpuBefore)
  return { perSecond: traces / took, cpuMicros: (user + system) / traces }
})
