import { scoreOutcomes } from '@llm-eval/protocol'
import type { RawBuilder, SelectQueryBuilder } from 'kysely'
import { sql } from '#kysely'
import type { Reading } from '../reading.ts'
import { itemHead, scorePlace, scoreSize, toStoredItem } from '../run-items.ts'
import type { ItemBody } from '../runs.ts'
import { beginningChars, type RunQueries } from '../run-queries.ts'
import type { RunTables } from '../steps/run-tables.ts'
import type { Tables } from '../tables.ts'
import { contains } from './runs.ts'

/** Items that one step of a slice looks at, at first. */
const firstStep = 500
const largestStep = 16_000
/** Fewer where texts are searched: each may be long. */
const searchSteps = { first: 50, largest: 1_600 }

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
  const after = query.cursor === null ? (query.from ?? 0) - 1 : placeOf(query.cursor)
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
  const { failed, fits } = conditions(reading, { ref, filter })
  const { first, largest } = filter.search === undefined ? { first: firstStep, largest: largestStep } : searchSteps
  const rows: ItemRow[] = []
  let after = from
  for (let step = fits.length === 0 ? limit + 1 : first; ; step = Math.min(step * 2, largest)) {
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
function conditions(reading: Reading, { ref, filter }: Pick<Query, 'ref' | 'filter'>) {
  const { status, caseId, below, above, errored, error, troubled, search } = filter
  const fits: RawBuilder<boolean>[] = []
  if (status === 'success') fits.push(sql`status = 0`)
  if (caseId !== undefined) fits.push(contains(reading, 'case_id', caseId))
  const number = (metric: number, place: keyof typeof scorePlace) => {
    const at = sql.lit(itemHead + metric * scoreSize + scorePlace[place])
    return reading.dialect === 'sqlite' ? sql`(numbers->>${at})` : sql`(numbers::json->>${at})::float8`
  }
  const valueOf = (metric: number) => sql`coalesce(${number(metric, 'value')}, ${number(metric, 'passed')})`
  if (below) fits.push(sql`${number(below.metric, 'outcome')} = 0 AND ${valueOf(below.metric)} < ${below.value}`)
  if (above) fits.push(sql`${number(above.metric, 'outcome')} = 0 AND ${valueOf(above.metric)} > ${above.value}`)
  if (errored !== undefined) fits.push(sql`${number(errored, 'outcome')} = ${erroredPlace}`)
  if (error !== undefined)
    fits.push(reading.dialect === 'sqlite' ? sql`error->>'code' = ${error}` : sql`error::json->>'code' = ${error}`)
  // The numbers of a score that errored, among others: a value of 2 before a metric without a score looks the same.
  if (troubled) fits.push(sql`(status = 1 OR numbers LIKE ${`%,${erroredPlace},null,null%`})`)
  if (search !== undefined) fits.push(mentions(reading, ref, search))
  return { failed: status === 'failed', fits }
}

const erroredPlace = scoreOutcomes.indexOf('errored')

/** Whether an item's texts hold a text, as it stands in JSON. Large letters count as small ones, as far as both databases know the same: A to Z. */
function mentions(reading: Reading, ref: number, text: string): RawBuilder<boolean> {
  const small = JSON.stringify(text)
    .slice(1, -1)
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  const [place, order] = reading.dialect === 'sqlite' ? ['instr', ''] : ['strpos', ' COLLATE "C"']
  const holds = (column: string) =>
    sql`${sql.raw(place)}(lower(coalesce(${sql.ref(column)}, '')${sql.raw(order)}), ${small}) > 0`
  const own = ['run_items.case_id', 'run_items.error'].map(holds)
  const texts = ['b.input', 'b.expected', 'b.output'].map(holds)
  return sql`(${sql.join(own, sql` OR `)} OR EXISTS (SELECT 1 FROM run_bodies b WHERE b.run_ref = ${ref}
    AND b.item_index = run_items.item_index AND (${sql.join(texts, sql` OR `)})))`
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
  if (query.bodies === 'beginnings') return { bodies: await beginningsOf(of, indexes), left: null }
  if (query.bodies === 'scores') {
    const scores = await of.where('item_index', 'in', indexes).select(['item_index', 'scores']).execute()
    const bodies = scores.map((row): [number, ItemBody] => [row.item_index, { ...noTexts, scores: row.scores }])
    return { bodies: new Map(bodies), left: null }
  }
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

const noTexts = { input: 'null', expected: null, output: null }

async function beginningsOf(
  of: SelectQueryBuilder<Tables, 'run_bodies', object>,
  indexes: number[],
): Promise<Map<number, ItemBody>> {
  const beginning = <T extends string | null>(column: string) =>
    sql<T>`substr(${sql.ref(column)}, 1, ${sql.lit(beginningChars)})`
  const rows = await of
    .where('item_index', 'in', indexes)
    .select([
      'item_index',
      beginning<string>('input').as('input'),
      beginning<string | null>('expected').as('expected'),
      beginning<string | null>('output').as('output'),
    ])
    .execute()
  return new Map(rows.map(({ item_index, ...texts }) => [item_index, { ...texts, scores: '{}' }]))
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
