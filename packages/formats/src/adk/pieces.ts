import { readJson } from './json.ts'

/** An object found in a text, or what stands there instead. Lines count from 1. */
export type Piece =
  | { kind: 'object'; text: string; line: number }
  | { kind: 'malformed'; line: number; message: string }

/** What is shown of something that is no JSON. */
const excerptChars = 80

/**
 * Finds the JSON objects of a text that comes in any pieces: events of SSE, one object a line, objects one after the other, lists of
 * them, objects over many lines. It knows strings, so braces in them mislead nobody. An object is given out with its last brace.
 * What is broken is told and passed over, and what comes after it is found again.
 *
 * Each character is looked at once; at most `maxChars` of one object are held.
 */
export class Pieces {
  readonly #maxChars: number
  #found: Piece[] = []
  #state: 'gap' | 'word' | 'line' | 'object' = 'gap'
  #line = 1
  /** What is being read of an object, and from where on it is not kept yet. */
  #text = ''
  #start = 0
  /** The object that is open. */
  #parts: string[] = []
  #chars = 0
  #firstLine = 1
  #depth = 0
  #isString = false
  #isEscaped = false
  /** After `{` comes a name or `}`: what is written otherwise is no JSON, such as Python's own notation. */
  #wantsName = false
  #isLineStart = false
  /** Behind `data:`, where each line has that prefix and an empty one ends the event. */
  #isSse = false
  #hadLines = false
  /** A word at the beginning of a line, or of what is no JSON. */
  #word = ''
  /** Where the rest of a line is passed over: what is told of it, and whether the object goes on behind it. */
  #told: string | null = null
  #goesOn = false

  constructor(maxChars: number) {
    this.#maxChars = maxChars
  }

  /** What was found up to the end of this text. */
  feed(text: string): Piece[] {
    let at = 0
    while (at < text.length) {
      if (this.#state === 'gap') at = this.#gap(text, at)
      else if (this.#state === 'word') at = this.#readWord(text, at)
      else if (this.#state === 'line') at = this.#skipLine(text, at)
      else at = this.#object(text, at)
    }
    return this.#take()
  }

  /** What is left at the end of the text. */
  end(): Piece[] {
    if (this.#state === 'object' || this.#goesOn) this.#broken('the text ended inside of an object')
    else if (this.#state === 'line') this.#tellLine()
    else if (this.#state === 'word') {
      this.#told = this.#word
      this.#tellLine()
    }
    this.#state = 'gap'
    return this.#take()
  }

  #take(): Piece[] {
    const found = this.#found
    this.#found = []
    return found
  }

  /** Between objects. */
  #gap(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const char = text[at] ?? ''
      if (char === '\n') {
        this.#line++
        this.#isSse = false
      } else if (char === '{') {
        this.#open()
        return at
      } else if (!/[\s,[\]\uFEFF]/.test(char)) {
        this.#state = 'word'
        this.#word = ''
        return at
      }
    }
    return text.length
  }

  #open(): void {
    this.#state = 'object'
    this.#firstLine = this.#line
    this.#parts = []
    this.#chars = 0
    this.#depth = 0
    this.#isString = false
    this.#isEscaped = false
    this.#wantsName = false
    this.#isLineStart = false
    this.#hadLines = false
  }

  /** The name of a field of SSE, or whatever else is no object. */
  #readWord(text: string, from: number): number {
    let at = from
    while (at < text.length && this.#word.length <= 5 && /[a-z]/.test(text[at] ?? '')) this.#word += text[at++]
    if (at === text.length && this.#word.length <= 5) return at
    const word = text[at] === ':' ? this.#word : null
    if (word === 'data') return this.#dataLine(at + 1)
    this.#told = word !== null && ['', 'event', 'id', 'retry'].includes(word) ? null : this.#word
    if (this.#goesOn && (this.#told !== null || !this.#isSse)) this.#broken('the object breaks off')
    this.#state = 'line'
    this.#word = ''
    return at
  }

  #dataLine(at: number): number {
    this.#word = ''
    if (this.#goesOn && !this.#isSse) this.#broken('the object breaks off')
    this.#state = this.#goesOn ? 'object' : 'gap'
    this.#goesOn = false
    this.#isSse = true
    return at
  }

  /** The rest of a line that holds nothing, or nothing that can be read. */
  #skipLine(text: string, from: number): number {
    let end = from
    while (end < text.length && text[end] !== '\n' && text[end] !== '\r') end++
    if (this.#told !== null && this.#told.length < excerptChars)
      this.#told += text.slice(from, Math.min(end, from + excerptChars))
    if (end === text.length) return end
    this.#tellLine()
    this.#state = this.#goesOn ? 'object' : 'gap'
    this.#goesOn = false
    return end
  }

  #tellLine(): void {
    const told = this.#told?.trim()
    this.#told = null
    // OpenAI's way to say that a stream is over.
    if (told === undefined || told === '' || told === 'DONE]') return
    this.#found.push({ kind: 'malformed', line: this.#line, message: `is no JSON: ${told.slice(0, excerptChars)}` })
  }

  /** Inside of an object, up to its end or that of the text. */
  #object(text: string, from: number): number {
    this.#text = text
    this.#start = from
    let at = from
    while (at < text.length && this.#state === 'object') {
      if (this.#isString) at = this.#string(text, at)
      else if (this.#isLineStart) at = this.#lineStart(text, at)
      else at = this.#structure(text, at)
    }
    if (this.#state === 'object') this.#keep(at)
    return at
  }

  #string(text: string, from: number): number {
    if (this.#isEscaped) {
      this.#isEscaped = false
      return from + 1
    }
    stringStops.lastIndex = from
    const at = stringStops.exec(text)?.index ?? text.length
    if (at === text.length) return at
    if (text[at] === '\n') {
      this.#keep(at)
      this.#broken('a string breaks off')
      return at
    }
    if (text[at] === '"') this.#isString = false
    else this.#isEscaped = true
    return at + 1
  }

  /** To the next character that opens, closes or begins a line. */
  #structure(text: string, from: number): number {
    const stops = this.#wantsName ? nameStops : structureStops
    stops.lastIndex = from
    const at = stops.exec(text)?.index ?? text.length
    const char = text[at]
    if (char === undefined) return at
    if (char === '\n') {
      this.#line++
      this.#isLineStart = true
      this.#hadLines = true
      return at + 1
    }
    if (this.#wantsName && char !== '"' && char !== '}') {
      this.#broken('is no JSON: a name in double quotes is missing')
      this.#state = 'line'
      return at
    }
    this.#wantsName = char === '{'
    if (char === '"') this.#isString = true
    else this.#depth += char === '{' || char === '[' ? 1 : -1
    if (this.#depth > 0) return at + 1
    this.#keep(at + 1)
    this.#close()
    return at + 1
  }

  /** The beginning of a line inside of an object: whether it still belongs to it. */
  #lineStart(text: string, at: number): number {
    const char = text[at] ?? ''
    if (char === '\r') return at + 1
    if (char === '\n' && !this.#isSse) {
      this.#line++
      return at + 1
    }
    this.#isLineStart = false
    if (/[deir]/.test(char) || (char === ':' && this.#isSse)) {
      this.#keep(at)
      this.#state = 'word'
      this.#goesOn = true
    } else if (char === '\n') this.#broken('the event ended inside of an object')
    else if (char === '{') {
      this.#keep(at)
      if (!'[,:'.includes(this.#last())) this.#broken('the object breaks off')
    }
    return at
  }

  /** The last character of what is kept that is no white space. */
  #last(): string {
    const part = this.#parts.findLast((one) => one.trimEnd() !== '') ?? ':'
    return part.trimEnd().slice(-1)
  }

  #keep(until: number): void {
    const text = this.#text.slice(this.#start, until)
    this.#start = until
    this.#chars += text.length
    if (this.#chars > this.#maxChars) this.#parts = []
    else if (text !== '') this.#parts.push(text)
  }

  #close(): void {
    this.#state = 'gap'
    if (this.#chars > this.#maxChars) {
      const message = `is longer than ${this.#maxChars} characters`
      this.#found.push({ kind: 'malformed', line: this.#firstLine, message })
    } else this.#found.push({ kind: 'object', text: this.#parts.join(''), line: this.#firstLine })
    this.#parts = []
  }

  #broken(message: string): void {
    this.#found.push({ kind: 'malformed', line: this.#firstLine, message })
    if (this.#hadLines && !this.#isSse) this.#salvage(this.#parts.join('').split('\n'))
    this.#parts = []
    this.#state = 'gap'
    this.#goesOn = false
    this.#isString = false
    this.#depth = 0
  }

  /** A line that was cut off may have been taken for the beginning of an object over many lines: whole objects among those are given out. */
  #salvage(lines: readonly string[]): void {
    for (const [index, line] of lines.entries()) {
      const text = line.trimEnd()
      if (index === 0 || !text.startsWith('{') || !text.endsWith('}') || 'fault' in readJson(text)) continue
      this.#found.push({ kind: 'object', text, line: this.#firstLine + index })
    }
  }
}

const stringStops = /["\\\n]/g
const structureStops = /["{}[\]\n]/g
const nameStops = /\S|\n/g
