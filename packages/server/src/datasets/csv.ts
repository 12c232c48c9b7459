import type { Column } from '@llm-eval/protocol'

// A text that a spreadsheet would take for a formula is written with a `'` before it, and read without: what was exported
// is imported as it was.
const formula = /^'*[=+\-@\t\r]/
const guardedFormula = /^'+[=+\-@\t\r]/

function guarded(text: string): string {
  return formula.test(text) ? `'${text}` : text
}

/** The text of a cell without the mark that keeps spreadsheets from running it. */
export function unguarded(cell: string): string {
  return guardedFormula.test(cell) ? cell.slice(1) : cell
}

/** The first line: by slugs, or by names as foreign clients expect. */
export function csvHeader(columns: readonly Column[], by: 'slug' | 'name' = 'slug'): string {
  return `${columns.map((column) => quoted(guarded(column[by]))).join(',')}\r\n`
}

/** A row as one CSV record (RFC 4180). Null is an empty cell, an empty text a quoted one; nested values are JSON. */
export function csvRow(values: Record<string, unknown>, columns: readonly Column[]): string {
  return `${columns.map((column) => cellOf(values[column.slug], column)).join(',')}\r\n`
}

function cellOf(value: unknown, { type }: Column): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string' && type !== 'json') return value === '' ? '""' : quoted(guarded(value))
  return quoted(JSON.stringify(value))
}

// Semicolons and tabs part cells where a spreadsheet's country says so: a formula must not begin behind one.
function quoted(text: string): string {
  return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
