import { BrokenBody } from '../http/streamed-body.ts'
import { locateJsonFault } from '../faults/json-fault.ts'
import { parseExactly } from '../intake/numbers.ts'
import { outline } from '../intake/scan.ts'
import { limits } from '@llm-eval/protocol'
import { type Entry, entryBytes, textOf } from './entries.ts'

const newline = 10
const quote = 34
const comma = 44
const openBracket = 91
const backslash = 92
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

const isSpace = (byte: number) => byte === 32 || byte === newline || byte === 13 || byte === 9

/** A JSON text of a file, or why there is none. */
type Piece = { line: number } & ({ text: string } | { error: string } | { broken: string })

/** Finds the JSON texts in bytes as they come. */
interface Splitter {
  /** The line that is being read. */
  line: number
  feed(chunk: Buffer): Generator<Piece>
  finish(): Generator<Piece>
}

/** Reads JSON Lines while they come in. A line that cannot be read spoils no other; empty ones are passed over. */
export function readJsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Entry> {
  return readPieces(chunks, new LineSplitter())
}

/** Reads the elements of a JSON array while they come in. */
export function readJsonArray(chunks: AsyncIterable<Buffer>): AsyncGenerator<Entry> {
  return readPieces(chunks, new ArraySplitter())
}

async function* readPieces(chunks: AsyncIterable<Buffer>, splitter: Splitter): AsyncGenerator<Entry> {
  try {
    for await (const chunk of textOf(chunks)) {
      for (const piece of splitter.feed(chunk)) {
        yield entryOf(piece)
        if ('broken' in piece) return
      }
    }
  } catch (error) {
    if (!(error instanceof BrokenBody)) throw error
    yield { line: splitter.line, broken: error.message }
    return
  }
  for (const piece of splitter.finish()) yield entryOf(piece)
}

function entryOf(piece: Piece): Entry {
  if (!('text' in piece)) return piece
  const { line, text } = piece
  let value: unknown
  try {
    if (outline(text, 0).depth > limits.jsonDepth + 1)
      return { line, error: `it is nested more than ${limits.jsonDepth} levels deep` }
    value = parseExactly(text)
  } catch {
    return { line, error: `it is not JSON: ${locateJsonFault(text).replace(/ at position.*$/, '')}` }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { line, error: 'a row is an object of values by column' }
  return { line, row: value as Record<string, unknown> }
}

const tooLong = `it holds more than ${entryBytes} bytes`

class LineSplitter implements Splitter {
  #kept: Buffer[] = []
  #length = 0
  #first = true
  line = 1

  /** Of a line that is too long only the length is kept. */
  #keep(part: Buffer): void {
    this.#length += part.length
    if (this.#length <= entryBytes) this.#kept.push(part)
    else this.#kept = []
  }

  *feed(chunk: Buffer): Generator<Piece> {
    let from = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      this.#keep(chunk.subarray(from, end))
      yield* this.#take()
      this.line++
      from = end + 1
    }
    this.#keep(chunk.subarray(from))
  }

  *finish(): Generator<Piece> {
    yield* this.#take()
  }

  *#take(): Generator<Piece> {
    const long = this.#length > entryBytes
    const text = withoutMark(Buffer.concat(this.#kept).toString(), this.#first)
    this.#kept = []
    this.#length = 0
    this.#first = false
    if (long) yield { line: this.line, error: tooLong }
    else if (text.trim() !== '') yield { line: this.line, text }
  }
}

function withoutMark(text: string, isFirst: boolean): string {
  return isFirst && text.startsWith('\ufeff') ? text.slice(1) : text
}

class ArraySplitter implements Splitter {
  line = 1
  #at: 'before' | 'between' | 'value' | 'after' = 'before'
  #kept: Buffer[] = []
  #length = 0
  #startLine = 1
  #depth = 0
  #inString = false
  #escaped = false
  #marked = 0

  #keep(part: Buffer): void {
    this.#length += part.length
    if (this.#length <= entryBytes) this.#kept.push(part)
    else this.#kept = []
  }

  *feed(chunk: Buffer): Generator<Piece> {
    let from = this.#at === 'value' ? 0 : -1
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0
      if (byte === newline) this.line++
      if (this.#at === 'value') {
        const ends = this.#ends(byte)
        if (ends === 'no') continue
        // A closing bracket belongs to its value; a comma or the end of the array does not.
        this.#keep(chunk.subarray(from, ends === 'with' ? i + 1 : i))
        yield this.#take()
        this.#at = 'between'
        if (ends === 'with' || byte === comma) continue
        if (byte === closeBracket) this.#at = 'after'
        continue
      }
      const fault = this.#outside(byte)
      if (fault !== undefined) {
        yield { line: this.line, broken: fault }
        return
      }
      if (this.#startsValue()) from = i
    }
    if (this.#at === 'value') this.#keep(chunk.subarray(Math.max(from, 0)))
  }

  *finish(): Generator<Piece> {
    if (this.#at === 'value') yield { line: this.#startLine, broken: 'the file ends in the middle of it' }
    else if (this.#at === 'between') yield { line: this.line, broken: 'the array has no end: the file was cut off' }
    else if (this.#at === 'before') yield { line: 1, broken: 'the file is empty' }
  }

  #startsValue(): boolean {
    return this.#at === 'value' && this.#length === 0 && this.#kept.length === 0
  }

  /** Takes a byte that stands outside of values; says what is wrong with it. */
  #outside(byte: number): string | undefined {
    if (isSpace(byte)) return undefined
    if (this.#at === 'after') return 'there is more after the end of the array'
    if (this.#at === 'before') {
      // A byte order mark.
      if (this.#marked < 3 && byte === [0xef, 0xbb, 0xbf][this.#marked]) {
        this.#marked++
        return undefined
      }
      if (byte !== openBracket) return 'it is no JSON array; for one object a line, say that the format is jsonl'
      this.#at = 'between'
      return undefined
    }
    if (byte === closeBracket) this.#at = 'after'
    else if (byte !== comma) this.#begin(byte)
    return undefined
  }

  #begin(byte: number): void {
    this.#at = 'value'
    this.#startLine = this.line
    this.#kept = []
    this.#length = 0
    this.#escaped = false
    this.#inString = byte === quote
    this.#depth = byte === openBrace || byte === openBracket ? 1 : 0
  }

  /** Whether a value ends with this byte, or before it. */
  #ends(byte: number): 'no' | 'with' | 'before' {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false
      else if (byte === backslash) this.#escaped = true
      else if (byte === quote) {
        this.#inString = false
        return this.#depth === 0 ? 'with' : 'no'
      }
      return 'no'
    }
    if (this.#depth === 0) return byte === comma || byte === closeBracket || isSpace(byte) ? 'before' : 'no'
    if (byte === quote) this.#inString = true
    else if (byte === openBrace || byte === openBracket) this.#depth++
    else if ((byte === closeBrace || byte === closeBracket) && --this.#depth === 0) return 'with'
    return 'no'
  }

  #take(): Piece {
    const piece =
      this.#length > entryBytes
        ? { line: this.#startLine, error: tooLong }
        : { line: this.#startLine, text: Buffer.concat(this.#kept).toString() }
    this.#kept = []
    this.#length = 0
    return piece
  }
}
