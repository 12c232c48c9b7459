/**
 * A value as a cell of CSV (RFC 4180). Unknown is empty, nested values are JSON. Text that a spreadsheet would take for a
 * formula gets a `'` before it.
 */
function csvCell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return quoted(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)
}

/** A line of CSV. */
export function csvLine(cells: readonly unknown[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

// Semicolons and tabs part cells where a spreadsheet's country says so: a formula must not begin behind one.
function quoted(text: string): string {
  return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
