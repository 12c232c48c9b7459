import { type Column, csvJson, csvRecord, csvText } from '@llm-eval/protocol'

/** The first line: by slugs, or by names as foreign clients expect. */
export function csvHeader(columns: readonly Column[], by: 'slug' | 'name' = 'slug'): string {
  return csvRecord(columns.map((column) => csvText(column[by])))
}

/** A row as one CSV record. Null is an empty cell, an empty text a quoted one; nested values are JSON. */
export function csvRow(values: Record<string, unknown>, columns: readonly Column[]): string {
  return csvRecord(columns.map((column) => cellOf(values[column.slug], column)))
}

function cellOf(value: unknown, { type }: Column): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string' && type !== 'json') return value === '' ? '""' : csvText(value)
  return csvJson(value)
}
