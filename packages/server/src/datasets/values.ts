import { type Column, type ColumnType, type Fault, limits } from '@llm-eval/protocol'
import { parseExactly } from '../intake/numbers.ts'
import type { ColumnFinder } from './slugs.ts'

/**
 * How a value is read. `exact`: it has the type of its column. `text`: it is a cell of a file, and the text form of its
 * type. `lenient`: either, and text columns take anything as text, as foreign clients expect.
 */
export type Reading = 'exact' | 'text' | 'lenient'

/** Values of one row that fit their columns, or what is wrong with them. */
export type CheckedRow = { values: string; faults?: undefined } | { values?: undefined; faults: Fault[] }

const json = (value: unknown) => JSON.stringify(value)
const isNumber = (value: unknown) => typeof value === 'number' || JSON.isRawJSON(value)
const numberText = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/
const jsonNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/
const dateText = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[zZ]|[+-]\d{2}:?\d{2})?)?$/

/** Reads a value that has the type of its column; undefined when it has not. */
const exact: Record<ColumnType, (value: unknown) => string | undefined> = {
  string: (value) => (typeof value === 'string' ? json(value) : undefined),
  number: (value) => (isNumber(value) ? json(value) : undefined),
  boolean: (value) => (typeof value === 'boolean' ? json(value) : undefined),
  json,
  date: (value) => (isDate(value) ? json(value) : undefined),
  file: (value) => (isFile(value) ? json(value) : undefined),
}

/** Reads the text form of a type. */
const fromText: Record<ColumnType, (text: string) => string | undefined> = {
  string: json,
  number: (text) => numberOf(text.trim()),
  boolean: (text) => /^(?:true|false)$/i.exec(text.trim())?.[0].toLowerCase(),
  json: (text) => jsonOf(text),
  date: (text) => (isDate(text.trim()) ? json(text.trim()) : undefined),
  file: (text) => {
    const whole = text.trim().startsWith('{') ? jsonOf(text) : json(text)
    return whole !== undefined && (text.trim().startsWith('{') || isFile(text)) ? whole : undefined
  },
}

/** What a type takes, in words. */
const takes: Record<ColumnType, string> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  json: 'JSON',
  date: 'a date such as 2026-01-31 or 2026-01-31T12:00:00Z',
  file: 'the address of a file, or an object about it',
}

/** Checks one value. Null is no value, and fits every column. */
function checkValue(column: Column, value: unknown, reading: Reading): { json: string } | { fault: string } {
  const found = read(column.type, value, reading)
  if (found === undefined) return { fault: `takes ${takes[column.type]}, not ${shown(value)}` }
  return depthOf(found) > limits.jsonDepth
    ? { fault: `is nested more than ${limits.jsonDepth} levels deep` }
    : { json: found }
}

function read(type: ColumnType, value: unknown, reading: Reading): string | undefined {
  if (reading === 'text') return typeof value === 'string' ? fromText[type](value) : exact[type](value)
  const own = exact[type](value)
  if (own !== undefined || reading === 'exact') return own
  if (typeof value === 'string') return fromText[type](value)
  return type === 'string' ? json(json(value)) : undefined
}

/** Checks the values of one row; keys are found leniently, nulls are left out. `path` stands before the faults. */
export function checkRow(
  row: Record<string, unknown>,
  {
    columns,
    finder,
    reading,
    path,
  }: { columns: readonly Column[]; finder: ColumnFinder; reading: Reading; path: string },
): CheckedRow {
  const faults: Fault[] = []
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(row)) {
    const at = path === '' ? key.slice(0, 100) : `${path}.${key.slice(0, 100)}`
    const column = finder.find(key)
    if (!column) faults.push({ path: at, message: unknownColumn(finder.nearest(key)) })
    else if (found.has(column.slug))
      faults.push({ path: at, message: `is the column ${column.slug}, which is given twice` })
    else {
      const checked = value === null || value === undefined ? { json: '' } : checkValue(column, value, reading)
      if ('fault' in checked) faults.push({ path: at, message: checked.fault })
      found.set(column.slug, 'json' in checked ? checked.json : '')
    }
    if (faults.length >= mostFaults) break
  }
  if (faults.length > 0) return { faults }
  const parts = columns.flatMap(({ slug }) => {
    const text = found.get(slug)
    return text === undefined || text === '' ? [] : [`${json(slug)}:${text}`]
  })
  const values = `{${parts.join(',')}}`
  const bytes = Buffer.byteLength(values)
  if (bytes <= limits.rowBytes) return { values }
  return { faults: [{ path, message: `the row holds ${bytes} bytes of JSON; it may hold at most ${limits.rowBytes}` }] }
}

/** Faults of one row that are told at most. */
const mostFaults = 20

/** Says that there is no such column, with the one that was probably meant. */
export function unknownColumn(nearest: string | undefined): string {
  return nearest === undefined ? 'is no column of the dataset' : `is no column of the dataset; did you mean ${nearest}?`
}

/** The values of a row as they are answered: all columns, numbers with the digits they came with. */
export function readValues(values: string, columns: readonly Column[]): Record<string, unknown> {
  const own = parseStored(values)
  return Object.fromEntries(columns.map(({ slug }) => [slug, Object.hasOwn(own, slug) ? own[slug] : null]))
}

/** Numbers that JavaScript might change: many digits, or an exponent. */
const delicate = /[0-9.]{16}|[0-9][eE]/

function parseStored(text: string): Record<string, unknown> {
  // Written by `checkRow`.
  return (delicate.test(text) ? parseExactly(text) : JSON.parse(text)) as Record<string, unknown>
}

function numberOf(text: string): string | undefined {
  if (!numberText.test(text)) return undefined
  if (jsonNumber.test(text)) return json(parseExactly(text))
  const value = Number(text)
  return Number.isFinite(value) ? json(value) : undefined
}

function jsonOf(text: string): string | undefined {
  try {
    return depthOf(text) > limits.jsonDepth ? text : json(parseExactly(text))
  } catch {
    return undefined
  }
}

function isDate(value: unknown): boolean {
  return typeof value === 'string' && dateText.test(value) && !Number.isNaN(Date.parse(value.replace(' ', 'T')))
}

/** An address never looks like the JSON of an object, or a CSV file could not tell them apart. */
function isFile(value: unknown): boolean {
  if (typeof value === 'string') return value !== '' && !value.trimStart().startsWith('{')
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)
}

function shown(value: unknown): string {
  if (typeof value === 'string') return json(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && !JSON.isRawJSON(value)) return 'an object'
  return json(value)
}

/** How deep a JSON text is nested; the text need not be whole. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 34) {
      at++
      while (at < text.length && text.charCodeAt(at) !== 34) at += text.charCodeAt(at) === 92 ? 2 : 1
    } else if (char === 123 || char === 91) deepest = Math.max(deepest, ++depth)
    else if (char === 125 || char === 93) depth--
  }
  return deepest
}
