import { sql } from '#kysely'
import { addHistogram, rollupSpans, widen } from '../rollups.ts'
import type { RollupDelta } from '../store.ts'
import type { Transaction } from '../transaction.ts'

type Sum = RollupDelta & { start: number; span: number }

/** Rows of one statement: old traces sent in bulk touch a row each. */
const chunkRows = 500

/** Adds what a page of events counted to the minutes and hours that are kept. The consumer's own row is locked, so nobody else adds at the same time. */
export async function addRollups(tx: Transaction, rows: readonly RollupDelta[]): Promise<void> {
  const sums = rollupSpans.flatMap((span) => widen(rows, span).map((sum) => ({ ...sum, span })))
  for (let at = 0; at < sums.length; at += chunkRows) await addChunk(tx, sums.slice(at, at + chunkRows))
}

async function addChunk(tx: Transaction, sums: Sum[]): Promise<void> {
  const before = new Map((await findLatencies(tx, sums)).map((row) => [keyOf(row), row.latency]))
  const rows = sums.map((sum) => {
    const known = before.get(keyOf({ span: sum.span, model_id: sum.modelId, start: sum.start }))
    const latency = known === undefined ? {} : (JSON.parse(known) as Record<number, number>)
    addHistogram(latency, sum.latency)
    return {
      project_id: tx.projectId,
      span: sum.span,
      start: sum.start,
      model_id: sum.modelId,
      traces: sum.traces,
      accepted: sum.accepted,
      rejected: sum.rejected,
      cost_sum: sum.costNano,
      cost_count: sum.costCount,
      tokens_sum: sum.tokens,
      tokens_count: sum.tokensCount,
      latency_count: sum.latencyCount,
      latency: JSON.stringify(latency),
    }
  })
  const counts = [
    'traces',
    'accepted',
    'rejected',
    'cost_sum',
    'cost_count',
    'tokens_sum',
    'tokens_count',
    'latency_count',
  ] as const
  await tx.db
    .insertInto('rollups')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['project_id', 'span', 'model_id', 'start']).doUpdateSet((eb) => ({
        ...Object.fromEntries(counts.map((name) => [name, eb(`rollups.${name}`, '+', eb.ref(`excluded.${name}`))])),
        latency: eb.ref('excluded.latency'),
      })),
    )
    .execute()
}

interface Found {
  span: number
  model_id: number
  start: number
  latency: string
}

const keyOf = (row: Omit<Found, 'latency'>) => `${row.span}.${row.model_id}.${row.start}`

/** The histograms that are there already, by primary key: the wanted keys come as one JSON text, which both databases can read as a table. */
async function findLatencies(tx: Transaction, sums: Sum[]): Promise<Found[]> {
  const keys = JSON.stringify(sums.map((sum) => [sum.span, sum.modelId, sum.start]))
  const wanted =
    tx.dialect === 'postgres'
      ? sql`SELECT (k.value->>0)::int AS span, (k.value->>1)::bigint AS model_id, (k.value->>2)::bigint AS start FROM json_array_elements(${keys}::json) AS k(value)`
      : sql`SELECT value->>0 AS span, value->>1 AS model_id, value->>2 AS start FROM json_each(${keys})`
  // SQLite takes what stands left of CROSS JOIN as the outer loop; left to itself it reads all roll-ups once for each key.
  const join = tx.dialect === 'postgres' ? sql`JOIN` : sql`CROSS JOIN`
  const { rows } = await sql<Found>`
    SELECT r.span, r.model_id, r.start, r.latency FROM (${wanted}) AS w
    ${join} rollups AS r ON r.project_id = ${tx.projectId} AND r.span = w.span AND r.model_id = w.model_id AND r.start = w.start`.execute(
    tx.db,
  )
  return rows
}
