import type { Reading } from '../reading.ts'
import { itemHead, itemPlace, scorePlace, scoreSize } from '../run-items.ts'
import type { RunQueries } from '../run-queries.ts'
import { itemsOf } from './run-items.ts'

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
  const rows = await itemsOf(reading, ref)
    .where('item_index', '>', after)
    .orderBy('item_index')
    .limit(limit)
    .select(['item_index', 'case_id', 'repetition', 'status', 'numbers'])
    .execute()
  return {
    itemIndex: Float64Array.from(rows, (row) => row.item_index),
    caseId: rows.map((row) => row.case_id),
    repetition: Float64Array.from(rows, (row) => row.repetition),
    successful: Uint8Array.from(rows, (row) => (row.status === 0 ? 1 : 0)),
    ...numbersOf(
      rows.map((row) => row.numbers),
      metrics,
    ),
  }
}

/** All numbers are read as one array, several times as fast as an array for each item. */
function numbersOf(items: readonly string[], metrics: number) {
  const width = itemHead + metrics * scoreSize
  const flat = JSON.parse(`[${items.map((text) => text.slice(1, -1)).join(',')}]`) as (number | null)[]
  const column = (place: number) => {
    const values = new Float64Array(items.length)
    for (let item = 0; item < items.length; item++) values[item] = flat[item * width + place] ?? Number.NaN
    return values
  }
  return {
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
