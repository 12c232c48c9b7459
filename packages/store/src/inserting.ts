import { CompiledQuery } from '#kysely'
import type { Dialect } from './dialect.ts'
import type { Transaction } from './transaction.ts'

/** Rows of one statement; few different lengths, since each is a statement of its own that is kept prepared. */
const steps = [100, 10, 1] as const

export type Cell = string | number | null

/** Inserts many rows as fast as both databases allow in one way: to build each statement anew would take as long as to run it. */
export async function insertMany(
  tx: Pick<Transaction, 'db' | 'dialect'>,
  into: { table: string; columns: readonly string[] },
  rows: readonly (readonly Cell[])[],
): Promise<void> {
  for (let from = 0; from < rows.length; ) {
    const left = rows.length - from
    const step = steps.find((size) => size <= left) ?? 1
    const text = insertion(tx.dialect, into, step)
    await tx.db.executeQuery(CompiledQuery.raw(text, rows.slice(from, from + step).flat()))
    from += step
  }
}

function insertion(
  dialect: Dialect,
  { table, columns }: { table: string; columns: readonly string[] },
  rows: number,
): string {
  const width = columns.length
  const place = (row: number, column: number) => (dialect === 'sqlite' ? '?' : `$${row * width + column + 1}`)
  const values = Array.from(
    { length: rows },
    (_, row) => `(${columns.map((_c, column) => place(row, column)).join(',')})`,
  )
  return `INSERT INTO ${table} (${columns.join(',')}) VALUES ${values.join(',')}`
}
