import { Complaint } from '../complaint.ts'

/** How the values of an input follow each other: one a line, one after the other over any lines, or as the elements of an array. */
export type Layout = 'lines' | 'sequence' | 'array'

/** A place between two values, from which an input can be read again. */
export interface Place {
  /** Bytes from the beginning. */
  offset: number
  /** Counted from 1. */
  line: number
  /** Undefined until the first value was seen. */
  layout: Layout | undefined
}

/** One JSON text of an input, not parsed yet, or why there is none. */
export type RawValue = {
  /** The line it begins in. */
  line: number
  /** Right after it. */
  end: Place
} & ({ text: string; error?: undefined } | { text?: undefined; error: string })

/** Where every input begins. */
export const beginning: Place = { offset: 0, line: 1, layout: undefined }

/** Bytes of one value; a longer one is reported and passed over. Above what the server takes, so that the server has the word. */
const maxValueBytes = 8 * 1024 * 1024

const newline = 10
const quote = 34
const comma = 44
const backslash = 92
const openBracket = 91
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

function isSpace(byte: number): boolean {
  return byte === 32 || byte === newline || byte === 13 || byte === 9
}

/**
 * Cuts an input into JSON texts while it is being read, with no more than one of them in memory. Tells by itself whether it
 * is JSON Lines, an array, or values over several lines (such as one trace, indented).
 *
 * @param start where the chunks begin in the input
 */
export async function* splitValues(chunks: AsyncIterable<Uint8Array>, start: Place): AsyncGenerator<RawValue> {
  const splitter = new Splitter(start)
  for await (const chunk of chunks) {
    splitter.feed(chunk)
    yield* splitter.take()
  }
  splitter.finish()
  yield* splitter.take()
}

class Splitter {
  #layout: Layout | undefined
  #offset: number
  #line: number
  /** What was read and belongs to the value that is open, or to none yet. */
  #kept: Uint8Array = new Uint8Array(0)
  /** Where in `#kept` to go on looking. */
  #at = 0
  #ready: RawValue[] = []
  #closed = false
  /** Bytes were dropped from the value that is open, since it is too long. */
  #dropped = false
  // The value that is open, while looking for its end.
  #depth = 0
  #inString = false
  #escaped = false
  #startLine = 0
  #open = false

  constructor({ layout, offset, line }: Place) {
    this.#layout = layout
    this.#offset = offset
    this.#line = line
  }

  *take(): Generator<RawValue> {
    const ready = this.#ready
    this.#ready = []
    yield* ready
  }

  feed(chunk: Uint8Array): void {
    this.#kept = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk])
    if (this.#layout === undefined && !this.#detect(false)) return
    this.#scan()
  }

  finish(): void {
    if (this.#layout === undefined && !this.#detect(true)) return
    if (this.#layout === 'lines') {
      this.#scan()
      if (this.#kept.length > 0 || this.#dropped) this.#endLine(this.#kept.length)
      return
    }
    this.#scan()
    if (this.#open && this.#depth === 0 && !this.#inString) this.#endValue(this.#kept.length)
    else if (this.#open) {
      const cut = `the input ends in the middle of it: it was cut off, or a bracket or quote is missing`
      this.#emit({ error: this.#dropped ? tooLong : cut }, this.#kept.length)
    } else if (this.#layout === 'array' && !this.#closed) {
      this.#startLine = this.#line
      this.#emit({ error: 'the array has no end: the input was cut off' }, this.#kept.length)
    }
  }

  /** Looks at the first bytes; false when more are needed. */
  #detect(ended: boolean): boolean {
    this.#refuseForeign()
    const kept = this.#kept
    let at = kept[0] === 0xef && kept[1] === 0xbb && kept[2] === 0xbf ? 3 : 0
    while (at < kept.length && isSpace(kept[at] ?? 0)) at++
    if (at === kept.length) return false
    if (kept[at] === openBracket) {
      this.#layout = 'array'
      this.#drop(at + 1)
      return true
    }
    const lineEnd = kept.indexOf(newline, at)
    if (lineEnd < 0 && !ended && kept.length < maxValueBytes) return false
    this.#layout = kept[at] === openBrace && endsInside(kept.subarray(at, lineEnd)) ? 'sequence' : 'lines'
    this.#drop(at)
    return true
  }

  #refuseForeign(): void {
    const [first, second] = this.#kept
    if (first === 0x1f && second === 0x8b)
      throw new Complaint('The input is compressed with gzip. Send it as `gunzip -c FILE | llm-eval send -`.')
    if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
      throw new Complaint('The input is UTF-16. Convert it: `iconv -f UTF-16 -t UTF-8 FILE | llm-eval send -`.')
  }

  #scan(): void {
    if (this.#layout === 'lines') this.#scanLines()
    else this.#scanStructure()
    // A value without end must not fill the memory; its end is looked for all the same.
    if (this.#kept.length > maxValueBytes) {
      this.#dropped = true
      this.#drop(this.#kept.length)
    }
  }

  #scanLines(): void {
    for (let end = this.#kept.indexOf(newline, this.#at); end >= 0; end = this.#kept.indexOf(newline)) {
      this.#endLine(end + 1)
    }
    this.#at = this.#kept.length
  }

  #endLine(length: number): void {
    this.#startLine = this.#line
    const line = this.#kept.subarray(0, length)
    if (this.#dropped || length > maxValueBytes) this.#emit({ error: tooLong }, length)
    else if (line.some((byte) => !isSpace(byte))) this.#emit(decode(line), length)
    else this.#drop(length)
    this.#dropped = false
    this.#at = 0
  }

  #scanStructure(): void {
    while (this.#at < this.#kept.length) {
      const byte = this.#kept[this.#at] ?? 0
      if (this.#open) {
        if (this.#isPast(byte) || this.#advance(byte)) this.#endValue(this.#at)
      } else this.#begin(byte)
    }
  }

  /** A number or word ends before what follows it. */
  #isPast(byte: number): boolean {
    return this.#depth === 0 && !this.#inString && (isSpace(byte) || byte === comma || byte === closeBracket)
  }

  /** Takes in a byte of the open value; true when the value ends with it. */
  #advance(byte: number): boolean {
    this.#at++
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false
      else if (byte === backslash) this.#escaped = true
      else if (byte === quote) this.#inString = false
    } else if (byte === quote) this.#inString = true
    else if (byte === openBrace || byte === openBracket) this.#depth++
    else if (byte === closeBrace || byte === closeBracket) return --this.#depth <= 0
    return false
  }

  #begin(byte: number): void {
    if (isSpace(byte) || byte === comma) this.#drop(this.#at + 1)
    else if (this.#closed) {
      this.#startLine = this.#line
      this.#emit({ error: 'there is more after the end of the array' }, this.#kept.length)
    } else if (byte === closeBracket && this.#layout === 'array') {
      this.#closed = true
      this.#drop(this.#at + 1)
    } else {
      this.#drop(this.#at)
      this.#open = true
      this.#startLine = this.#line
      if (this.#advance(byte)) this.#endValue(this.#at)
    }
  }

  #endValue(length: number): void {
    if (this.#dropped || length > maxValueBytes) this.#emit({ error: tooLong }, length)
    else this.#emit(decode(this.#kept.subarray(0, length)), length)
    this.#open = false
    this.#dropped = false
    this.#depth = 0
    this.#inString = false
    this.#escaped = false
  }

  #emit(value: { text: string } | { error: string }, length: number): void {
    const line = this.#startLine
    this.#drop(length)
    this.#ready.push({ line, end: { offset: this.#offset, line: this.#line, layout: this.#layout }, ...value })
  }

  /** Lets go of the first bytes. */
  #drop(length: number): void {
    const dropped = this.#kept.subarray(0, length)
    for (let at = dropped.indexOf(newline); at >= 0; at = dropped.indexOf(newline, at + 1)) this.#line++
    this.#offset += length
    this.#kept = this.#kept.subarray(length)
    this.#at = 0
  }
}

const tooLong = `the trace is longer than ${maxValueBytes / 1024 / 1024} MB`

/** Whether a line ends with a bracket still open, as the first line of an indented value does. */
function endsInside(line: Uint8Array): boolean {
  let depth = 0
  let inString = false
  for (let at = 0; at < line.length; at++) {
    const byte = line[at]
    if (inString) {
      if (byte === backslash) at++
      else if (byte === quote) inString = false
    } else if (byte === quote) inString = true
    else if (byte === openBrace || byte === openBracket) depth++
    else if (byte === closeBrace || byte === closeBracket) depth--
  }
  return depth > 0 && !inString
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function decode(bytes: Uint8Array): { text: string } | { error: string } {
  try {
    return { text: decoder.decode(bytes) }
  } catch {
    return { error: 'it is not valid UTF-8' }
  }
}
