import { setTimeout as wait } from 'node:timers/promises'
import { type Column, Failure, type ImportReport, limits } from '@llm-eval/protocol'
import type { FileFormat } from '@llm-eval/protocol/dataset-schemas'
import { name as columnName } from '@llm-eval/protocol/schemas'
import type { NewRow } from '@llm-eval/store'
import { addFirstColumns, datasetNotFound, getDataset, newId, type Place, refusedColumn } from './datasets.ts'
import type { Entry } from './entries.ts'
import { inferColumns, sampleRows } from './infer.ts'
import { readCsv } from './read-csv.ts'
import { readJsonArray, readJsonLines } from './read-json.ts'
import { type ColumnFinder, columnFinder } from './slugs.ts'
import { checkRow, type Reading } from './values.ts'

const readers: Record<FileFormat, (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Entry>> = {
  csv: readCsv,
  jsonl: readJsonLines,
  json: readJsonArray,
}

/** Rows and bytes that are stored at once. */
const chunkRows = 500
const chunkBytes = 1024 * 1024
/** Bytes of rows that are looked at before the columns of an empty dataset are decided. */
const sampleBytes = 4 * 1024 * 1024
/** How often a store that has too much to do is asked again. */
const patience = 60

/**
 * Adds the rows of a file while it is read, in steps: good rows are kept whatever becomes of the others. A dataset without
 * columns gets those of the file. Throws `dataset_not_found`, `invalid_request` (the header names a column that is not
 * there, or one that can be none), `limit_reached` (too many columns); nothing is stored then.
 */
export async function importRows(
  place: Place,
  dataset: string,
  file: { chunks: AsyncIterable<Buffer>; format: FileFormat },
): Promise<ImportReport> {
  const { id, slug, columns } = await getDataset(place, dataset)
  const reading = file.format === 'csv' ? 'text' : 'exact'
  const importing = new Import(place, { id, slug, columns, reading })
  for await (const entry of readers[file.format](file.chunks)) {
    if (!(await importing.take(entry))) break
  }
  return importing.finish()
}

interface Target {
  id: string
  slug: string
  columns: Column[]
  reading: Reading
}

class Import {
  readonly #place: Place
  readonly #target: Target
  readonly #report: ImportReport
  #columns: Column[]
  #finder: ColumnFinder
  /** Rows that wait for the columns to be known; undefined once they are. */
  #sample: { entries: { line: number; row: Record<string, unknown> }[]; bytes: number; header?: string[] } | undefined
  #pending: (NewRow & { line: number })[] = []
  #pendingBytes = 0

  constructor(place: Place, target: Target) {
    this.#place = place
    this.#target = target
    this.#columns = target.columns
    this.#finder = finderOf(target.columns)
    this.#sample = target.columns.length === 0 ? { entries: [], bytes: 0 } : undefined
    this.#report = { dataset: target.slug, imported: 0, columns: [], refused: 0, errors: [], complete: true }
  }

  /** Takes what the file holds next; false when nothing more can be taken. */
  async take(entry: Entry): Promise<boolean> {
    if ('header' in entry) return this.#takeHeader(entry.header)
    if ('broken' in entry) return this.#end(entry.line, entry.broken)
    if ('error' in entry) return this.#refuse(entry.line, entry.error)
    if (!this.#sample) return this.#takeRow(entry)
    this.#sample.entries.push(entry)
    this.#sample.bytes += roughSize(entry.row)
    const enough = this.#sample.entries.length >= sampleRows || this.#sample.bytes >= sampleBytes
    return enough ? this.#makeColumns() : true
  }

  async finish(): Promise<ImportReport> {
    await this.#makeColumns()
    await this.#store()
    return this.#report
  }

  #takeHeader(header: string[]): boolean {
    if (this.#sample) {
      checkNames(header)
      this.#sample.header = header
    } else this.#checkHeader(header)
    return true
  }

  /** Each name of a header stands for a column of its own. */
  #checkHeader(header: string[]): void {
    const seen = new Set<string>()
    for (const name of header) {
      const column = this.#finder.find(name)
      const path = `header.${name.slice(0, 100)}`
      if (!column) throw refusedColumn(path, this.#finder.nearest(name))
      if (seen.has(column.slug)) {
        const message = `is the column ${column.slug}, which is named twice`
        throw new Failure('invalid_request', { errors: [{ path, message }] })
      }
      seen.add(column.slug)
    }
  }

  /** Makes the columns of what was read so far, and takes the rows that waited for them. */
  async #makeColumns(): Promise<boolean> {
    const sample = this.#sample
    if (!sample) return true
    this.#sample = undefined
    const rows = sample.entries.map(({ row }) => row)
    const cells = this.#target.reading === 'text'
    const keys = (sample.header ?? keysOf(rows)).filter((key) => columnName.safeParse(key).success)
    const wishes = inferColumns(rows, { keys, cells }).map((wish) => ({ ...wish, name: columnName.parse(wish.name) }))
    if (wishes.length > 0) {
      const { columns, made } = await addFirstColumns(this.#place, this.#target.id, wishes)
      this.#columns = columns
      this.#finder = made ? finderOf(columns, keys) : finderOf(columns)
      if (made) this.#report.columns = columns.map(({ slug }) => slug)
      else if (sample.header) this.#checkHeader(sample.header)
    }
    for (const entry of sample.entries) if (!(await this.#takeRow(entry))) return false
    return true
  }

  async #takeRow({ line, row }: { line: number; row: Record<string, unknown> }): Promise<boolean> {
    const how = { columns: this.#columns, finder: this.#finder, reading: this.#target.reading, path: '' }
    const { values, faults } = checkRow(row, how)
    if (faults) return this.#refuse(line, faults.map(({ path, message }) => `${path} ${message}`.trim()).join('; '))
    this.#pending.push({ id: newId('row'), values, traceId: null, line })
    this.#pendingBytes += values.length
    return this.#pending.length >= chunkRows || this.#pendingBytes >= chunkBytes ? this.#store() : true
  }

  /** Stores what waits; false when the dataset is full. */
  async #store(): Promise<boolean> {
    const rows = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    if (rows.length === 0) return true
    const room = await this.#add(rows)
    if (room === undefined) return true
    if (room > 0) await this.#add(rows.slice(0, room))
    return this.#end(rows[Math.max(room, 0)]?.line ?? 0, `the dataset is full: it may hold ${limits.datasetRows} rows`)
  }

  /** Stores all of these rows, or says how many there is room for. */
  async #add(rows: readonly (NewRow & { line: number })[]): Promise<number | undefined> {
    const { store, projectId, now } = this.#place
    const given = rows.map(({ id, values, traceId }) => ({ id, values, traceId }))
    const change = { kind: 'addRows', dataset: this.#target.id, rows: given, mode: 'append' } as const
    const outcome = await patiently(() => store.apply(projectId, { ...change, at: now() }))
    if (outcome.result === 'not_found') throw datasetNotFound(this.#target.slug)
    if (outcome.result === 'full') return outcome.room
    this.#report.imported += rows.length
    return undefined
  }

  #refuse(line: number, message: string): true {
    this.#report.refused++
    if (this.#report.errors.length < limits.importErrors)
      this.#report.errors.push({ line, message: shortened(message) })
    return true
  }

  /** Notes why nothing more comes; that is told however many faults there were. */
  #end(line: number, message: string): false {
    this.#report.complete = false
    if (this.#report.errors.length === limits.importErrors) this.#report.errors.pop()
    this.#refuse(line, message)
    return false
  }
}

function checkNames(header: readonly string[]): void {
  const errors = header.flatMap((cell) => {
    const { error } = columnName.safeParse(cell)
    return error ? [{ path: `header.${cell.slice(0, 100)}`, message: error.issues[0]?.message ?? 'is no name' }] : []
  })
  if (errors.length > 0) throw new Failure('invalid_request', { errors: errors.slice(0, limits.importErrors) })
}

function keysOf(rows: readonly Record<string, unknown>[]): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))]
}

/**
 * A file means the column that has exactly its name before one whose slug is spelled like it.
 *
 * @param keys what the file calls columns that were made for it, in their order
 */
function finderOf(columns: readonly Column[], keys: readonly string[] = []): ColumnFinder {
  const lenient = columnFinder(columns)
  const slugs = new Map(columns.map((column) => [column.slug, column]))
  const names = new Map(columns.map((column) => [column.name, column]))
  const own = new Map(keys.map((key, n) => [key, columns[n]]))
  return {
    find: (key) => own.get(key) ?? slugs.get(key) ?? names.get(key) ?? lenient.find(key),
    nearest: (key) => lenient.nearest(key),
  }
}

function roughSize(row: Record<string, unknown>): number {
  return Object.values(row).reduce((sum: number, value) => sum + (typeof value === 'string' ? value.length : 100), 0)
}

function shortened(message: string): string {
  return message.length > 1_000 ? `${message.slice(0, 1_000)}…` : message
}

/** Of what the store had no room for nothing is stored: the sender, who waits anyway, waits a little longer. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const passing = error instanceof Failure && error.code === 'overloaded' && attempt < patience
      if (!passing) throw error
      await wait((error.retryAfter ?? 1) * 1_000)
    }
  }
}
