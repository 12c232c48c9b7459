import type { ColumnType } from '@llm-eval/protocol'
import type { ParsedColumn } from '@llm-eval/protocol/dataset-schemas'

/** Rows that types are inferred from. */
export const sampleRows = 1_000

/** A number that loses nothing but its spelling: no leading zeros, no more digits than a double holds. */
const plainNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?$/
const mostDigits = 15

/**
 * Columns for a file that a dataset without columns is filled from. Careful: a column of cells is text unless every value
 * is a number, true or false, or a JSON object or array; one of JSON values is JSON unless all are of one type.
 *
 * @param keys what the rows call the columns, in their order
 */
export function inferColumns(
  rows: readonly Record<string, unknown>[],
  { keys, cells }: { keys: readonly string[]; cells: boolean },
): ParsedColumn[] {
  return keys.map((key) => {
    const values = rows.flatMap((row) => (Object.hasOwn(row, key) ? [row[key]] : [])).filter((value) => value !== null)
    return { name: key, type: cells ? typeOfCells(values) : typeOfValues(values), description: null }
  })
}

function typeOfCells(values: unknown[]): ColumnType {
  const texts = values.filter((value): value is string => typeof value === 'string' && value !== '')
  const all = (fits: (text: string) => boolean) => texts.length > 0 && texts.every(fits)
  if (all(isPlainNumber)) return 'number'
  if (all((text) => /^(?:true|false)$/i.test(text))) return 'boolean'
  return all(isJson) ? 'json' : 'string'
}

function typeOfValues(values: unknown[]): ColumnType {
  const all = (type: 'string' | 'boolean') => values.every((value) => typeof value === type)
  if (all('string')) return 'string'
  if (all('boolean')) return 'boolean'
  return values.every((value) => typeof value === 'number' || JSON.isRawJSON(value)) ? 'number' : 'json'
}

function isPlainNumber(text: string): boolean {
  return plainNumber.test(text) && text.replaceAll(/[^0-9]/g, '').length <= mostDigits
}

function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
