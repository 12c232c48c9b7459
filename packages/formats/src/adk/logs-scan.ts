import { limits } from '@llm-eval/protocol'
import { readJson } from './json.ts'
import { NoLiteral, parsePythonLiteral, type PythonValue } from './logs-python.ts'
import type { LogWarnings } from './logs-words.ts'

/** A value that was found in a log. */
export interface LogRecord {
  /** Where it begins, from 1. */
  line: number
  /** What stands before it on its line, such as a time and a level. */
  prefix: string
  value: unknown
}

/** Of a prefix. */
const longestPrefix = 2_000

/** A record whose end was not seen yet. */
interface Open {
  line: number
  prefix: string
  /** Null when it is too large to be kept. */
  parts: string[] | null
  chars: number
  braces: Braces
  /** Whether it began after `data:`, as others of its lines do then. */
  isSse: boolean
}

/**
 * Finds values in lines of any kind: one a line, after a prefix, after `data:`, several on a line, or over several lines as they are
 * pretty-printed. Every character is looked at once or twice, whatever the lines hold.
 */
export class LogScanner {
  readonly #warnings: LogWarnings
  #open: Open | null = null
  #line = 0

  constructor(warnings: LogWarnings) {
    this.#warnings = warnings
  }

  /** The values that end on the next line. */
  *push(text: string): Generator<LogRecord> {
    this.#line++
    const line = text.replace(/^\uFEFF/, '').replace(/\r$/, '')
    const open = this.#open
    if (open === null) return yield* this.#fresh(line, 0)
    if (line.trim() === '') return
    const from = open.isSse && line.startsWith('data:') ? 5 : 0
    if (from === 0 ? startsAnew(line, open) : startsObject(line.slice(5), open)) {
      this.#cut(open)
      this.#open = null
      return yield* this.#fresh(line, 0)
    }
    yield* this.#continue(open, line, from)
  }

  /** What is left when no further line comes. */
  end(): void {
    if (this.#open) this.#cut(this.#open)
    this.#open = null
  }

  *#continue(open: Open, line: string, from: number): Generator<LogRecord> {
    const end = open.braces.feed(line, from)
    this.#keep(open, line.slice(from, end < 0 ? undefined : end))
    if (end < 0) {
      if (!open.braces.isInString) return
      this.#cut(open)
      this.#open = null
      return
    }
    this.#open = null
    yield* this.#decoded(open)
    yield* this.#fresh(line, end)
  }

  *#fresh(line: string, start: number): Generator<LogRecord> {
    let told = start
    for (let at = nextStart(line, start); at >= 0; at = nextStart(line, at)) {
      const prefix = line.slice(Math.max(told, at - longestPrefix), at)
      const braces = new Braces()
      const end = braces.feed(line, at)
      const open: Open = {
        line: this.#line,
        prefix,
        parts: [],
        chars: 0,
        braces,
        isSse: /^\s*data:\s*$/.test(prefix),
      }
      this.#keep(open, line.slice(at, end < 0 ? undefined : end))
      if (end < 0) {
        // JSON and Python break lines between values only, never inside of a string.
        if (braces.isInString) this.#cut(open)
        else this.#open = open
        return
      }
      for (const record of this.#decoded(open)) {
        told = end
        yield record
      }
      at = end
    }
  }

  #keep(open: Open, part: string): void {
    open.chars += part.length
    if (open.chars > limits.logRecordChars) open.parts = null
    open.parts?.push(part)
  }

  *#decoded({ line, prefix, parts, braces }: Open): Generator<LogRecord> {
    if (parts === null)
      return this.#warnings.add('too_large', line, `A record has more than ${limits.logRecordChars} characters.`)
    if (braces.deepest > limits.logRecordDepth)
      return this.#warnings.add('too_deep', line, `A record is nested more than ${limits.logRecordDepth} times.`)
    const text = parts.join('\n')
    const json = readJson(text)
    const read = 'value' in json ? json : this.#literal(text, line)
    if (read === null) return
    for (const lost of read.lost) this.#warnings.add('number_as_text', line, `${lost}.`)
    yield { line, prefix, value: read.value }
  }

  #literal(text: string, line: number): PythonValue | null {
    try {
      return parsePythonLiteral(text)
    } catch (error) {
      if (!(error instanceof NoLiteral)) throw error
      const code = error.kind === 'call' ? 'python_object' : 'bad_json'
      this.#warnings.add(code, line, `A record is neither JSON nor a literal of Python: ${error.message}.`)
      return null
    }
  }

  #cut({ line, parts }: Open): void {
    if (parts === null)
      this.#warnings.add('too_large', line, `A record has more than ${limits.logRecordChars} characters.`)
    else this.#warnings.add('cut_json', line, 'A record breaks off.')
  }
}

/** Where a value may begin: an object with a quoted key or none, a list of objects. -1 where none does. */
function nextStart(line: string, from: number): number {
  start.lastIndex = from
  return start.exec(line)?.index ?? -1
}
const start = /\{(?=\s{0,100}(?:["'}]|$))|\[(?=\s{0,100}(?:[[{]|$))/g

/** Whether a line cannot belong to a value that is open. */
function startsAnew(line: string, { braces }: Open): boolean {
  return another.test(line) || (line.startsWith('{') && braces.isInObject)
}
const another =
  /^(?:(?:data|event|id|retry):|[[(]?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL)\b)/

function startsObject(line: string, { braces }: Open): boolean {
  return /^\s?\{/.test(line) && braces.isInObject
}

/** Follows a value to its end: its brackets, and its strings in either kind of quotes. */
class Braces {
  /** What each open bracket begins; of those that are too deep nothing is kept. */
  readonly #open: ('object' | 'list')[] = []
  #depth = 0
  #quote = 0
  deepest = 0

  get isInString(): boolean {
    return this.#quote !== 0
  }

  get isInObject(): boolean {
    return this.#open[this.#depth - 1] === 'object'
  }

  /** The place after the value's end; -1 while there is none. */
  feed(line: string, from: number): number {
    for (let at = from; at < line.length; at++) {
      const code = line.charCodeAt(at)
      if (this.#quote !== 0) {
        if (code === backslash) at++
        else if (code === this.#quote) this.#quote = 0
      } else if (code === doubleQuote || code === singleQuote) this.#quote = code
      else if (code === openObject || code === openList) this.#opened(code === openObject ? 'object' : 'list')
      else if ((code === closeObject || code === closeList) && --this.#depth === 0) return at + 1
    }
    return -1
  }

  #opened(what: 'object' | 'list'): void {
    if (this.#depth < limits.logRecordDepth) this.#open[this.#depth] = what
    this.deepest = Math.max(this.deepest, ++this.#depth)
  }
}

const backslash = 0x5c
const doubleQuote = 0x22
const singleQuote = 0x27
const openObject = 0x7b
const closeObject = 0x7d
const openList = 0x5b
const closeList = 0x5d
