import { sql } from '../kysely.ts'
import type { Reading } from '../reading.ts'
import { itemHead, itemPlace, scorePlace, scoreSize } from '../run-items.ts'
import type { RunColumns, RunQueries } from '../runs.ts'

/** Columns of items as texts of JSON: a page of them is one row, which is several times as fast as a row for each. */
interface Texts {
  items: string | null
  cases: string | null
  numbers: string | null
}

/** The numbers of a run, column by column. */
export async function runColumns(
  reading: Reading,
  { ref, after, limit }: RunQueries['runColumns']['in'],
): Promise<RunQueries['runColumns']['out']> {
  const run = await reading.db
    .selectFrom('runs')
    .innerJoin('run_texts', 'run_texts.ref', 'runs.ref')
    .select('metric_names')
    .where('runs.project_id', '=', reading.projectId)
    .where('runs.ref', '=', ref)
    .executeTakeFirst()
  const metrics = run ? (JSON.parse(run.metric_names) as string[]).length : 0
  if (!run) return columnsOf({ items: null, cases: null, numbers: null }, metrics)
  const quoted = reading.dialect === 'sqlite' ? sql`json_quote(case_id)` : sql`to_json(case_id)::text`
  const { rows } = await sql<Texts>`
    SELECT string_agg(item_index || ',' || repetition || ',' || status, ',' ORDER BY item_index) AS items,
      string_agg(${quoted}, ',' ORDER BY item_index) AS cases, string_agg(numbers, ',' ORDER BY item_index) AS numbers
    FROM (SELECT item_index, case_id, repetition, status, numbers FROM run_items
      WHERE run_ref = ${ref} AND item_index > ${after} ORDER BY item_index LIMIT ${limit}) AS page`.execute(reading.db)
  return columnsOf(rows[0] ?? { items: null, cases: null, numbers: null }, metrics)
}

function columnsOf({ items, cases, numbers }: Texts, metrics: number): RunColumns {
  const own = JSON.parse(`[${items ?? ''}]`) as number[]
  const all = JSON.parse(`[${numbers ?? ''}]`) as (number | null)[][]
  const caseId = JSON.parse(`[${cases ?? ''}]`) as string[]
  const column = (place: number) => Float64Array.from(all, (item) => item[place] ?? Number.NaN)
  const of = (place: number) => Float64Array.from(caseId, (_, at) => own[at * 3 + place] ?? Number.NaN)
  return {
    itemIndex: of(0),
    caseId,
    repetition: of(1),
    successful: Uint8Array.from(caseId, (_, at) => (own[at * 3 + 2] === 0 ? 1 : 0)),
    responseMs: column(itemPlace.responseMs),
    costNano: column(itemPlace.costNano),
    tokens: column(itemPlace.tokens),
    metrics: Array.from({ length: metrics }, (_, metric) => {
      const base = itemHead + metric * scoreSize
      return {
        value: column(base + scorePlace.value),
        outcome: column(base + scorePlace.outcome),
        passed: column(base + scorePlace.passed),
      }
    }),
  }
}
