import type { RawBuilder } from 'kysely'
import { sql } from '#kysely'
import type { Dialect } from './dialect.ts'

type ColumnKind = 'bigint' | 'double precision' | 'text'

/**
 * Rows from here as a table of a statement: they travel as one JSON text, which both databases can read, so that the
 * statement is the same however many there are. Column `n` counts them from 0.
 */
export function records<Column extends string>(
  dialect: Dialect,
  columns: Readonly<Record<Column, ColumnKind>>,
  rows: readonly Readonly<Record<Column, string | number | null>>[],
): RawBuilder<unknown> {
  const names = Object.keys(columns) as Column[]
  const json = JSON.stringify(rows.map((row) => names.map((name) => plain(row[name]))))
  if (dialect === 'sqlite') {
    const list = names.map((name, i) => sql`value->>${sql.lit(i)} AS ${sql.ref(name)}`)
    return sql`(SELECT key AS n, ${sql.join(list)} FROM json_each(${json}))`
  }
  const list = names.map((name, i) => sql`(r.value->>${sql.lit(i)})::${sql.raw(columns[name])} AS ${sql.ref(name)}`)
  return sql`(SELECT r.n - 1 AS n, ${sql.join(list)} FROM json_array_elements(${json}::json) WITH ORDINALITY AS r(value, n))`
}

/** Neither database takes NUL out of JSON, and Postgres no half characters. */
export function plain(value: string | number | null): string | number | null {
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd').toWellFormed() : value
}

/** What stands left of it is the outer loop: SQLite left to itself may read a whole table once for each record. */
export function joinRecords(dialect: Dialect): RawBuilder<unknown> {
  return dialect === 'sqlite' ? sql`CROSS JOIN` : sql`JOIN`
}
