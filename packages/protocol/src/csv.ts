/* The one place where CSV is written. */

// A text that a spreadsheet would take for a formula (it starts with `=`, `+`, `-`, `@`, tab or CR) is written with a `'`
// before it, and read without: what was exported is imported as it was.
const formula = /^'*[=+\-@\t\r]/
const guardedFormula = /^'+[=+\-@\t\r]/

/** One record of CSV (RFC 4180), of cells made with {@link csvText} and {@link csvJson}; unknown is an empty cell. */
export function csvRecord(cells: readonly string[]): string {
  return `${cells.join(',')}\r\n`
}

/** A text as a cell that no spreadsheet runs. */
export function csvText(text: string): string {
  return quoted(formula.test(text) ? `'${text}` : text)
}

/** A value as a cell that holds its JSON. Numbers are what they are: one that is negative is no formula. */
export function csvJson(value: unknown): string {
  return quoted(JSON.stringify(value))
}

/** The text of a cell without the mark that keeps spreadsheets from running it. */
export function unguarded(cell: string): string {
  return guardedFormula.test(cell) ? cell.slice(1) : cell
}

// Semicolons and tabs part cells where a spreadsheet's country says so: a formula must not begin behind one.
function quoted(text: string): string {
  return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
