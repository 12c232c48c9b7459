import { limits, type TaskFault } from '@llm-eval/protocol'

/** A value as JSON says it, apart from whoever made it; or why it cannot be said. */
export type Plain = { value: unknown } | { fault: Extract<TaskFault, 'invalid_output' | 'too_large'>; message: string }

/**
 * What JSON makes of a value: dates become texts, NaN becomes null, members that are undefined go. Not of undefined itself, of
 * functions, of circles, of BigInt, of what is nested deeper than `limits.jsonDepth` or larger than `limits.runOutputBytes`.
 */
export function plainOf(value: unknown, what: string): Plain {
  switch (typeof value) {
    case 'string':
      return fits(value) ? { value } : tooLarge(what)
    case 'number':
      return { value: Number.isFinite(value) ? value : null }
    case 'boolean':
      return { value }
    case 'undefined':
      return { fault: 'invalid_output', message: `${what} is undefined.` }
    default:
      return value === null ? { value } : written(value, what)
  }
}

function written(value: unknown, what: string): Plain {
  try {
    const text = JSON.stringify(value) as string | undefined
    if (text === undefined) return { fault: 'invalid_output', message: `${what} is a ${typeof value}.` }
    if (!fits(text)) return tooLarge(what)
    if (depthOf(text) > limits.jsonDepth)
      return { fault: 'invalid_output', message: `${what} is nested more than ${limits.jsonDepth} levels deep.` }
    return { value: JSON.parse(text) }
  } catch (error) {
    // The first line of V8's words: the others draw the circle.
    const words = messageOf(error).split('\n', 1)[0]
    return { fault: 'invalid_output', message: `${what} cannot be written as JSON: ${words}` }
  }
}

function fits(text: string): boolean {
  // No character takes more than three bytes a unit.
  return text.length * 3 <= limits.runOutputBytes || Buffer.byteLength(text) <= limits.runOutputBytes
}

function tooLarge(what: string): Plain {
  return {
    fault: 'too_large',
    message: `${what} is larger than ${limits.runOutputBytes.toLocaleString('en-US')} bytes.`,
  }
}

/** Levels of brackets in a JSON text. */
function depthOf(text: string): number {
  let [depth, deepest] = [0, 0]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) at = endOfString(text, at)
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (code === 0x7d || code === 0x5d) depth--
  }
  return deepest
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1
  return at
}

/** What an error says, whatever was thrown; cut to what is kept. */
export function messageOf(error: unknown): string {
  const words: unknown = wordsOf(error)
  // Somebody's error may hold anything where its message should be.
  const text = typeof words === 'string' ? words : 'an error without words'
  return text.length <= limits.runErrorChars ? text : `${text.slice(0, limits.runErrorChars - 1).toWellFormed()}…`
}

function wordsOf(error: unknown): string {
  try {
    if (error instanceof Error) return error.message === '' ? error.name : error.message
    if (typeof error === 'string') return error
    return `something that is no error: ${JSON.stringify(error) ?? typeof error}`
  } catch {
    return 'something that is no error'
  }
}
