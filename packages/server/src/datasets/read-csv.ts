import { Failure, unguarded } from '@llm-eval/protocol'
import { CsvError, Parser } from 'csv-parse'
import { BrokenBody } from '../http/streamed-body.ts'
import { type Entry, entryBytes, textOf } from './entries.ts'

type Cell = string | null

/**
 * Reads CSV (RFC 4180, any line ending, with or without a byte order mark) while it comes in. Where the first line has no
 * comma, semicolons or tabs part the cells. The first record names the columns. An empty cell is null, a quoted empty one is an empty text. A wrong quote that hides where the next record
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
    else if (isBlank(record.cells)) continue
    else if (shape.header === undefined) {
      shape.header = headerOf(record.cells)
      yield { line, header: shape.header }
    } else {
      yield { line, ...rowOf(record.cells, shape.header) }
    }
  }
}

/** A line without anything is no row. */
function isBlank(cells: Cell[]): boolean {
  return cells.length === 1 && cells[0] === null
}

function rowOf(cells: Cell[], header: string[]): { row: Record<string, unknown> } | { error: string } {
  if (cells.length !== header.length)
    return { error: `it has ${cells.length} cells, and the header names ${header.length} columns` }
  return { row: Object.fromEntries(header.map((name, at) => [name, cells[at] ?? null])) }
}

function headerOf(cells: Cell[]): string[] {
  const given = cells.map((cell) => (cell ?? '').trim().replaceAll(/\s*[\r\n\t]\s*/g, ' '))
  const names = given.map((name, at) => (name === '' ? freeName(`column-${at + 1}`, given) : name))
  const twice = names.find((name, at) => names.indexOf(name) < at)
  if (twice === undefined) return names
  const message = `the first line names the column ${JSON.stringify(twice.slice(0, 100))} twice`
  throw new Failure('invalid_request', { errors: [{ path: 'header', message }] })
}

/** The name, or another that none of `taken` is. */
function freeName(name: string, taken: readonly string[]): string {
  let free = name
  for (let n = 2; taken.includes(free); n++) free = `${name}-${n}`
  return free
}

type CsvRecord = { line: number } & ({ cells: Cell[] } | { error: string } | { broken: string })

/** Takes bytes and gives the records that are whole by then. */
class Records {
  /** Undefined until it is known what parts the cells. */
  #parser: Parser | undefined
  /** What came before that. */
  #ahead: Buffer = Buffer.alloc(0)
  #ready: CsvRecord[] = []
  /** The line in which the next record begins. */
  line = 1
  isBroken = false
  /** Whether what was fed ends with a line. */
  #endsLine = true

  #parse(delimiter: string): Parser {
    const parser = new Parser({
      bom: true,
      delimiter,
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
    return parser.on('error', () => undefined).resume()
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
    if (this.#parser) return write(this.#parser, chunk)
    this.#ahead = Buffer.concat([this.#ahead, chunk])
    const separator = separatorOf(this.#ahead)
    if (separator !== undefined) await this.#begin(separator)
  }

  async #begin(separator: string): Promise<Parser> {
    const parser = this.#parse(separator)
    this.#parser = parser
    await write(parser, this.#ahead)
    return parser
  }

  async finish(): Promise<void> {
    const parser = this.#parser ?? (await this.#begin(separatorOf(Buffer.concat([this.#ahead, lineEnd])) ?? ','))
    await new Promise<void>((resolve) => {
      parser.once('close', () => resolve())
      parser.end()
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

function write(parser: Parser, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => parser.write(chunk, () => resolve()))
}

const lineEnd = Buffer.from('\n')

/** Bytes of a first line that are looked at. */
const longestLook = 64 * 1024

/**
 * What parts the cells: a comma, or what the first line that is not blank has in its place, as spreadsheets write it where
 * the comma is part of numbers. Undefined while that line has no end.
 */
function separatorOf(bytes: Buffer): string | undefined {
  const seen = { ',': 0, ';': 0, '\t': 0 }
  let isQuoted = false
  let isBlank = true
  for (const byte of bytes.subarray(0, longestLook)) {
    const char = String.fromCharCode(byte)
    if (char === '"') isQuoted = !isQuoted
    if (!isQuoted && (char === '\n' || char === '\r')) {
      if (!isBlank) return mostSeen(seen)
    } else if (byte < 0x80) {
      isBlank = false
      if (!isQuoted && (char === ',' || char === ';' || char === '\t')) seen[char]++
    }
  }
  return bytes.length < longestLook ? undefined : mostSeen(seen)
}

function mostSeen(seen: { ',': number; ';': number; '\t': number }): string {
  if (seen[','] > 0 || seen[';'] + seen['\t'] === 0) return ','
  return seen[';'] >= seen['\t'] ? ';' : '\t'
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
