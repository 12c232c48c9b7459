/**
 * A look over JSON text that does not parse it: how deep it nests, where the children of its outermost container lie,
 * and whether a number in it is more than a double can hold. It costs a fifth of `JSON.parse`, never recurses and
 * never throws; what it says of text that is not JSON means nothing.
 */
import { isExactNumber } from './numbers.ts'

/** A child of the outermost container: where its key (with quotes; empty in arrays) and its value stand in the text. */
export interface Child {
  keyStart: number
  keyEnd: number
  start: number
  end: number
}

export interface Outline {
  /** 0 for a scalar, 1 for `{}`. */
  depth: number
  /** A number occurs whose decimal value changes when it is read as a double. */
  bigNumbers: boolean
  /** At most `maxChildren` of them. */
  children: Child[]
  /** How many there are. */
  childCount: number
}

const quote = 34
const comma = 44
const minus = 45
const zero = 48
const nine = 57
const colon = 58
const openBracket = 91
const backslash = 92
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

/** Outlines the JSON text, keeping the places of up to `maxChildren` children of its outermost container. */
export function outline(text: string, maxChildren: number): Outline {
  const result: Outline = { depth: 0, bigNumbers: false, children: [], childCount: 0 }
  let level = 0
  let keyStart = 0
  let keyEnd = 0
  let start = 0
  let filled = false

  function endChild(end: number): void {
    if (!filled) return
    filled = false
    if (++result.childCount <= maxChildren) result.children.push({ keyStart, keyEnd, start, end })
    keyStart = keyEnd = 0
  }

  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      const end = stringEnd(text, at)
      if (level === 1) {
        if (!filled) {
          // The first string after `{` or `,` may turn out to be a key.
          keyStart = at
          keyEnd = end
        }
        filled = true
      }
      at = end - 1
    } else if (code === openBrace || code === openBracket) {
      if (++level > result.depth) result.depth = level
      if (level === 1) start = at + 1
      else filled = true
    } else if (code === closeBrace || code === closeBracket) {
      if (--level === 0) endChild(at)
    } else if (code === comma) {
      if (level === 1) {
        endChild(at)
        start = at + 1
      }
    } else if (code === colon) {
      if (level === 1) start = at + 1
    } else if (code === minus || (code >= zero && code <= nine)) {
      const end = numberEnd(text, at)
      if (!result.bigNumbers && mayBeBig(text, at, end) && !isExactNumber(text.slice(at, end))) result.bigNumbers = true
      filled = true
      at = end - 1
    } else if (code > 32) filled = true
  }
  return result
}

/**
 * Empties every container that lies deeper than `maxDepth`, so that what is left can be parsed and walked whatever was
 * sent, and is still seen to be one level too deep.
 */
export function prune(text: string, maxDepth: number): string {
  const kept: string[] = []
  let from = 0
  let level = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = stringEnd(text, at) - 1
    else if (code === openBrace || code === openBracket) {
      if (++level === maxDepth + 1) kept.push(text.slice(from, at + 1))
    } else if (code === closeBrace || code === closeBracket) {
      if (level-- === maxDepth + 1) from = at
    }
  }
  if (level <= maxDepth) kept.push(text.slice(from))
  return kept.join('')
}

/** The text of a child's key. */
export function keyOf(text: string, child: Child): string {
  const key = text.slice(child.keyStart + 1, child.keyEnd - 1)
  return key.includes('\\') ? String(JSON.parse(text.slice(child.keyStart, child.keyEnd))) : key
}

/** The place after the closing quote of the string that starts at `at`; the end of the text when it is not closed. */
function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === backslash) before--
    // An even number of backslashes escape each other, not the quote.
    if ((end - before) % 2 === 1) return end + 1
  }
  return text.length
}

function numberEnd(text: string, at: number): number {
  let end = at + 1
  while (end < text.length && isNumberPart(text.charCodeAt(end))) end++
  return end
}

function isNumberPart(code: number): boolean {
  // Digits, `.`, `+`, `-`, `e`, `E`.
  return (code >= zero && code <= nine) || code === 46 || code === 43 || code === minus || (code | 32) === 101
}

/** Fifteen digits without an exponent always survive a double. */
function mayBeBig(text: string, at: number, end: number): boolean {
  if (end - at > 15) return true
  for (let i = at; i < end; i++) if ((text.charCodeAt(i) | 32) === 101) return true
  return false
}
