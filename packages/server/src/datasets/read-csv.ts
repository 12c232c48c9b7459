import { Failure } from '@llm-eval/protocol'
import { CsvError, Parser } from 'csv-parse'
import { BrokenBody } from '../http/streamed-body.ts'
import { unguarded } from './csv.ts'
import { type Entry, entryBytes, textOf } from './entries.ts'

type Cell = string | null

/**
 * Reads CSV (RFC 4180, any line ending, with or without a byte order mark) while it comes in. The first record names the
 * columns. An empty cell is null, a quoted empty one is an empty text. A wrong quote that hides where the next record
 * begins ends the reading. Throws `invalid_request` for a header that names a column twice.
 */
export async function* readCsv(chunks: AsyncIterable<Buffer>): AsyncGenerator<Entry> {
  const records = new Records()
  const shape: Shape = { header: undefined }
  try {
    for await (const chunk of textOf(chunks)) {
      await records.feed(chunk)
      yield* entriesOf(records.take(), shape)
      if (records.isBroken) return
    }
    await records.finish()
    yield* entriesOf(records.take(), shape)
  } catch (error) {
    if (!(error instanceof BrokenBody)) throw error
    await records.breakOff()
    yield* entriesOf(records.take(), shape)
    yield { line: records.line, broken: error.message }
  }
}

interface Shape {
  header: string[] | undefined
}

function* entriesOf(records: CsvRecord[], shape: Shape): Generator<Entry> {
  for (const record of records) {
    const { line } = record
    if (!('cells' in record)) yield record
    else if (shape.header === undefined) {
      shape.header = headerOf(record.cells)
      yield { line, header: shape.header }
    } else {
      const entry = rowOf(record.cells, shape.header)
      if (entry) yield { line, ...entry }
    }
  }
}

function rowOf(cells: Cell[], header: string[]): { row: Record<string, unknown> } | { error: string } | undefined {
  // A line without anything is no row.
  if (cells.length === 1 && cells[0] === null) return undefined
  if (cells.length !== header.length)
    return { error: `it has ${cells.length} cells, and the header names ${header.length} columns` }
  return { row: Object.fromEntries(header.map((name, at) => [name, cells[at] ?? null])) }
}

function headerOf(cells: Cell[]): string[] {
  const names = cells.map((cell, at) => (cell === null || cell.trim() === '' ? `column-${at + 1}` : cell.trim()))
  const twice = names.find((name, at) => names.indexOf(name) < at)
  if (twice === undefined) return names
  const message = `the first line names the column ${JSON.stringify(twice.slice(0, 100))} twice`
  throw new Failure('invalid_request', { errors: [{ path: 'header', message }] })
}

type CsvRecord = { line: number } & ({ cells: Cell[] } | { error: string } | { broken: string })

/** Takes bytes and gives the records that are whole by then. */
class Records {
  readonly #parser: Parser
  #ready: CsvRecord[] = []
  /** The line in which the next record begins. */
  line = 1
  isBroken = false
  /** Whether what was fed ends with a line. */
  #endsLine = true

  constructor() {
    this.#parser = new Parser({
      bom: true,
      relax_column_count: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      max_record_size: entryBytes,
      skip_records_with_error: true,
      cast: (text, { quoting }): Cell => (text === '' && !quoting ? null : unguarded(text)),
      on_record: (cells: Cell[], { lines }) => {
        this.#add({ line: this.line, cells }, lines)
        return null
      },
      on_skip: (error) => this.#skip(error),
    })
    this.#parser.on('error', () => undefined).resume()
  }

  #add(record: CsvRecord, lines: number): void {
    if (this.isBroken) return
    this.#ready.push(record)
    this.line = lines + 1
  }

  #skip(error: CsvError | undefined): undefined {
    const lines = error !== undefined && 'lines' in error ? Number(error['lines']) : this.line
    const told = faults[error?.code ?? '']
    if (told?.ends === false) {
      this.#add({ line: this.line, error: told.says }, lines)
      return undefined
    }
    this.#add({ line: this.line, broken: told?.says ?? 'it is not CSV' }, lines)
    this.isBroken = true
    return undefined
  }

  async feed(chunk: Buffer): Promise<void> {
    this.#endsLine = chunk.at(-1) === 10 || chunk.at(-1) === 13
    await new Promise<void>((resolve) => this.#parser.write(chunk, () => resolve()))
  }

  async finish(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#parser.once('close', () => resolve())
      this.#parser.end()
    })
  }

  /** Gives what is whole although nothing more comes: the parser waits for more behind a line end. */
  async breakOff(): Promise<void> {
    await this.finish()
    const last = this.#ready.at(-1)
    const cut = last !== undefined && (!this.#endsLine || 'broken' in last)
    if (!cut) return
    this.#ready.pop()
    this.line = last.line
  }

  take(): CsvRecord[] {
    const ready = this.#ready
    this.#ready = []
    return ready
  }
}

const faults: Record<string, { says: string; ends: boolean }> = {
  INVALID_OPENING_QUOTE: { says: 'a quote stands inside a cell that is not quoted; write it as "…""…"', ends: false },
  CSV_INVALID_CLOSING_QUOTE: {
    says: 'after the closing quote of a cell comes neither a comma nor a line end',
    ends: true,
  },
  CSV_QUOTE_NOT_CLOSED: { says: 'a quote is opened in this record and never closed', ends: true },
  CSV_MAX_RECORD_SIZE: { says: `a record holds more than ${entryBytes} bytes; is a quote not closed?`, ends: true },
}
