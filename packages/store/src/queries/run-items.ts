import { sql } from '../kysely.ts'
import type { Reading } from '../reading.ts'
import { itemHead, scorePlace, scoreSize, toStoredItem } from '../run-items.ts'
import type { ItemBody } from '../runs.ts'
import type { RunItemFilter, RunQueries } from '../run-queries.ts'
import type { RunTables } from '../steps/run-tables.ts'
import { contains } from './runs.ts'

/** Items that one step of a slice looks at, at first. */
const firstStep = 500
const largestStep = 16_000

type Query = RunQueries['runItems']['in']
export type ItemRow = Omit<RunTables['run_items'], 'run_ref' | 'hash'>

const columns = ['item_index', 'case_id', 'repetition', 'status', 'numbers', 'preview', 'error', 'trace_id'] as const

/** The items of a run that was not deleted. */
export function itemsOf(reading: Reading, ref: number) {
  return reading.db
    .selectFrom('run_items')
    .where('run_items.run_ref', '=', ref)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('runs')
          .select('ref')
          .where('runs.ref', '=', ref)
          .where('runs.project_id', '=', reading.projectId)
          .where('runs.id', 'is not', null),
      ),
    )
}

const cursorAt = (index: number) => Buffer.from(`i${index}`).toString('base64url')

function placeOf(cursor: string): number | undefined {
  const match = /^i([0-9]{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString())
  return match ? Number(match[1]) : undefined
}

/** A page of the items of a run. */
export async function runItems(reading: Reading, query: Query): Promise<RunQueries['runItems']['out']> {
  const after = query.cursor === null ? -1 : placeOf(query.cursor)
  if (after === undefined) return { invalidCursor: true }
  const { rows, next, searchedTo } = await findPage(reading, query, after)
  if (query.bodies === 'without')
    return {
      items: rows.map((row) => toStoredItem(row, null)),
      nextCursor: next === null ? null : cursorAt(next),
      searchedTo,
    }
  const { bodies, left } = await bodiesOf(reading, query, rows)
  // One that was deleted in between has no body any more.
  const shown = left === null ? rows : rows.filter((row) => row.item_index < left)
  const items = shown.map((row) => toStoredItem(row, bodies.get(row.item_index) ?? null))
  const last = shown.at(-1)
  if (left !== null && last) return { items, nextCursor: cursorAt(last.item_index), searchedTo: null }
  return { items, nextCursor: next === null ? null : cursorAt(next), searchedTo }
}

interface Found {
  rows: ItemRow[]
  next: number | null
  searchedTo: number | null
}

/** Looks at ever larger pieces of the run until the page is full, the run ends, or the time is up. */
async function findPage(reading: Reading, { ref, filter, limit, sliceMs }: Query, from: number): Promise<Found> {
  const deadline = reading.clock() + sliceMs
  const { failed, fits } = conditions(reading, filter)
  const rows: ItemRow[] = []
  let after = from
  for (let step = fits.length === 0 ? limit + 1 : firstStep; ; step = Math.min(step * 2, largestStep)) {
    let piece = itemsOf(reading, ref).where('item_index', '>', after).orderBy('item_index').limit(step)
    // Spelled as in the index of those: a bound value would hide it from the database.
    if (failed) piece = piece.where(sql<boolean>`status = 1`)
    const ends = await reading.db
      .selectFrom(piece.select('item_index').as('piece'))
      .select(({ fn }) => [fn.max('item_index').as('last'), fn.countAll<number>().as('count')])
      .executeTakeFirstOrThrow()
    if (ends.last === null) return { rows, next: null, searchedTo: null }
    const matches = await fits
      .reduce((query, fit) => query.where(fit), piece.clearLimit().where('item_index', '<=', ends.last))
      .select(columns)
      .limit(limit + 1 - rows.length)
      .execute()
    rows.push(...matches)
    if (rows.length > limit) {
      const kept = rows.slice(0, limit)
      return { rows: kept, next: kept.at(-1)?.item_index ?? null, searchedTo: null }
    }
    if (ends.count < step) return { rows, next: null, searchedTo: null }
    after = ends.last
    if (reading.clock() >= deadline) return { rows, next: after, searchedTo: after }
  }
}

/** What drives, and what is checked item by item. */
function conditions(reading: Reading, filter: RunItemFilter) {
  const fits = []
  if (filter.status === 'success') fits.push(sql<boolean>`status = 0`)
  if (filter.caseId !== undefined) fits.push(contains(reading, 'case_id', filter.caseId))
  if (filter.below) {
    const { metric, value } = filter.below
    const number = (place: number) => {
      const at = sql.lit(itemHead + metric * scoreSize + place)
      return reading.dialect === 'sqlite' ? sql`(numbers->>${at})` : sql`(numbers::json->>${at})::float8`
    }
    const { outcome, value: own, passed } = scorePlace
    fits.push(sql<boolean>`${number(outcome)} = 0 AND coalesce(${number(own)}, ${number(passed)}) < ${value}`)
  }
  return { failed: filter.status === 'failed', fits }
}

/** The bodies of these items as far as they fit, and the first that does not. Which do is decided by their lengths, before any is read. */
async function bodiesOf(
  reading: Reading,
  query: Query,
  rows: readonly ItemRow[],
): Promise<{ bodies: Map<number, ItemBody>; left: number | null }> {
  if (rows.length === 0) return { bodies: new Map(), left: null }
  const indexes = rows.map((row) => row.item_index)
  const of = reading.db.selectFrom('run_bodies').where('run_ref', '=', query.ref)
  const sizes = await of
    .where('item_index', 'in', indexes)
    .select('item_index')
    .select(
      sql<number>`octet_length(input) + coalesce(octet_length(expected), 0) + coalesce(octet_length(output), 0) + octet_length(scores)`.as(
        'bytes',
      ),
    )
    .orderBy('item_index')
    .execute()
  let bytes = 0
  const end = sizes.findIndex((row, i) => (bytes += row.bytes) > query.bytes && i > 0)
  const kept = (end < 0 ? sizes : sizes.slice(0, end)).map((row) => row.item_index)
  if (kept.length === 0) return { bodies: new Map(), left: null }
  const bodies = await of
    .where('item_index', 'in', kept)
    .select(['item_index', 'input', 'expected', 'output', 'scores'])
    .execute()
  return {
    bodies: new Map(bodies.map(({ item_index, ...body }) => [item_index, body])),
    left: end < 0 ? null : (sizes[end]?.item_index ?? null),
  }
}

export async function runItem(
  reading: Reading,
  { ref, itemIndex }: RunQueries['runItem']['in'],
): Promise<RunQueries['runItem']['out']> {
  const row = await itemsOf(reading, ref)
    .innerJoin('run_bodies as b', (join) => join.on('b.run_ref', '=', ref).on('b.item_index', '=', itemIndex))
    .where('run_items.item_index', '=', itemIndex)
    .select(columns.map((column) => `run_items.${column}` as const))
    .select(['b.input', 'b.expected', 'b.output', 'b.scores'])
    .executeTakeFirst()
  if (!row) return null
  const { input, expected, output, scores, ...own } = row
  return toStoredItem(own, { input, expected, output, scores })
}

/** Items of a run by their places, for events. */
export async function itemsAt(
  reading: Reading,
  ref: number,
  indexes: readonly number[],
): Promise<Map<number, ItemRow>> {
  if (indexes.length === 0) return new Map()
  const rows = await itemsOf(reading, ref).where('item_index', 'in', indexes).select(columns).execute()
  return new Map(rows.map((row) => [row.item_index, row]))
}

export async function runItemIds(
  reading: Reading,
  { ref, after, limit }: RunQueries['runItemIds']['in'],
): Promise<RunQueries['runItemIds']['out']> {
  const rows = await itemsOf(reading, ref)
    .where('item_index', '>', after)
    .orderBy('item_index')
    .limit(limit)
    .select(['item_index', 'case_id', 'repetition'])
    .execute()
  return {
    itemIndex: rows.map((row) => row.item_index),
    caseId: rows.map((row) => row.case_id),
    repetition: rows.map((row) => row.repetition),
  }
}
