import { encodeBytes } from './bytes.ts'

/** What a literal of Python stands for in JSON. */
export interface PythonValue {
  value: unknown
  /** Numbers that JSON has not, or would round: they are kept as text, as `readJson` keeps them. */
  lost: string[]
}

/** What is no literal: a `call`, such as `Content(parts=[])`, of which nothing is run, or anything `else`. */
export type NoLiteralKind = 'call' | 'else'

/** Why a text is no literal. */
export class NoLiteral extends Error {
  override readonly name = 'NoLiteral'
  readonly kind: NoLiteralKind

  constructor(message: string, kind: NoLiteralKind) {
    super(message)
    this.kind = kind
  }
}

/** Values inside each other at most. */
const deepest = 500

/**
 * Reads what Python's `repr` writes of dicts, lists, tuples, strings, bytes (as URL-safe base64), numbers, True, False and None;
 * JSON with NaN in it too. It evaluates nothing.
 *
 * @throws {NoLiteral}
 */
export function parsePythonLiteral(text: string): PythonValue {
  const reader = new LiteralReader(text)
  const value = reader.value(0)
  reader.space()
  if (reader.at < text.length) reader.fail('something follows')
  return { value, lost: reader.lost }
}

const words: Readonly<Record<string, unknown>> = {
  True: true,
  False: false,
  None: null,
  true: true,
  false: false,
  null: null,
}
const noNumbers = new Set(['nan', 'NaN', 'inf', 'Infinity'])
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '/': '/',
  '\\': '\\',
  "'": "'",
  '"': '"',
}

/** `bytes` know fewer escapes. */
type StringKind = 'text' | 'bytes'

class LiteralReader {
  readonly #text: string
  at = 0
  readonly lost: string[] = []

  constructor(text: string) {
    this.#text = text
  }

  space(): void {
    while (/\s/.test(this.#text[this.at] ?? '.')) this.at++
  }

  fail(what: string, kind: NoLiteralKind = 'else'): never {
    throw new NoLiteral(`character ${this.at + 1}: ${what}`, kind)
  }

  value(depth: number): unknown {
    if (depth > deepest) this.fail('it is nested too deep')
    this.space()
    const char = this.#text[this.at] ?? ''
    if (char === '{') return this.#dict(depth)
    if (char === '[') return this.#list(']', depth)
    if (char === '(') return this.#list(')', depth)
    if (char === '"' || char === "'") return this.#strings()
    if ((char === 'b' || char === 'B') && /["']/.test(this.#text[this.at + 1] ?? '')) {
      this.at++
      return base64(this.#string('bytes'))
    }
    return this.#word()
  }

  #dict(depth: number): Record<string, unknown> {
    const members: [string, unknown][] = []
    this.at++
    for (;;) {
      this.space()
      if (this.#took('}')) return Object.fromEntries(members)
      const key = this.value(depth + 1)
      this.space()
      if (!this.#took(':')) this.fail('a colon is missing')
      members.push([typeof key === 'string' ? key : JSON.stringify(key), this.value(depth + 1)])
      this.space()
      if (!this.#took(',') && this.#text[this.at] !== '}') this.fail('a comma is missing')
    }
  }

  #list(end: string, depth: number): unknown[] {
    const items: unknown[] = []
    this.at++
    for (;;) {
      this.space()
      if (this.#took(end)) return items
      items.push(this.value(depth + 1))
      this.space()
      if (!this.#took(',') && this.#text[this.at] !== end) this.fail('a comma is missing')
    }
  }

  /** Strings that follow each other are one: long ones are printed so. */
  #strings(): string {
    const parts: string[] = []
    do {
      parts.push(this.#string('text'))
      this.space()
    } while (/["']/.test(this.#text[this.at] ?? ' '))
    return parts.join('')
  }

  #word(): unknown {
    const sign = /[+-]/.test(this.#text[this.at] ?? '.') ? this.#text[this.at++] : ''
    const start = this.at
    while (/[\w.]/.test(this.#text[this.at] ?? ' ') || (/[eE]/.test(this.#text[this.at - 1] ?? '') && this.#isSign()))
      this.at++
    const word = this.#text.slice(start, this.at)
    if (noNumbers.has(word)) {
      return this.#asText(`${sign}${word}`, 'is no number that JSON has')
    }
    if (sign === '' && Object.hasOwn(words, word)) return words[word]
    if (/^(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(word)) {
      const number = Number(word.replaceAll('_', ''))
      const isRounded = /^\d{16,}$/.test(word) && !Number.isSafeInteger(number)
      if (isRounded || !Number.isFinite(number))
        return this.#asText(`${sign}${word}`, 'has more digits than a number holds')
      return sign === '-' ? -number : number
    }
    return this.fail(`“${word.slice(0, 40)}” is no literal`, /^[A-Za-z_]/.test(word) || word === '' ? 'call' : 'else')
  }

  #asText(token: string, why: string): string {
    if (this.lost.length < 100) this.lost.push(`${token.slice(0, 40)} ${why}: it is kept as text`)
    return token
  }

  #isSign(): boolean {
    return this.at > 0 && /[+-]/.test(this.#text[this.at] ?? '')
  }

  #string(of: StringKind): string {
    const quote = this.#text[this.at++] ?? ''
    const pieces: string[] = []
    let start = this.at
    for (;;) {
      const char = this.#text[this.at]
      if (char === undefined) this.fail('a string has no end')
      if (char === quote) break
      this.at++
      if (char !== '\\') continue
      pieces.push(this.#text.slice(start, this.at - 1), this.#escape(of))
      start = this.at
    }
    pieces.push(this.#text.slice(start, this.at++))
    return pieces.join('')
  }

  /** What stands after a backslash. */
  #escape(of: StringKind): string {
    const char = this.#text[this.at++] ?? ''
    const known = escapes[char]
    if (known !== undefined) return known
    const digits = char === 'x' ? 2 : of === 'bytes' ? 0 : char === 'u' ? 4 : char === 'U' ? 8 : 0
    const code = this.#text.slice(this.at, this.at + digits)
    if (digits === 0) return `\\${char}`
    const point = /^[\da-fA-F]+$/.test(code) && code.length === digits ? Number.parseInt(code, 16) : Number.NaN
    if (!(point <= 0x10_ffff)) this.fail('an escape is none')
    this.at += digits
    return digits === 8 ? String.fromCodePoint(point) : String.fromCharCode(point)
  }

  #took(char: string): boolean {
    if (this.#text[this.at] !== char) return false
    this.at++
    return true
  }
}

/** Bytes that a string holds, one a character, in URL-safe base64 with padding. */
function base64(bytes: string): string {
  return encodeBytes(Uint8Array.from(bytes, (char) => (char.codePointAt(0) ?? 0) & 0xff))
}
