/** Something in a text that `JSON.parse` would refuse or round. */
const suspicious = /\d{16}|NaN|Infinity|\d[eE]\+?\d{3}/

/**
 * JSON as Python writes it. `NaN`, `Infinity` and numbers that a double cannot hold are kept as text, digit by digit, and told:
 * a rounded id is another id.
 *
 * @returns the value and what is not as it was written; or why the text is no JSON. Nothing throws
 */
export function readJson(text: string): { value: unknown; lost: string[] } | { fault: string } {
  const lost: string[] = []
  try {
    const value: unknown = JSON.parse(suspicious.test(text) ? quoteNumbers(text, lost) : text)
    return { value, lost }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}

/** The text with such numbers in quotes. What stands in strings is left alone. */
function quoteNumbers(text: string, lost: string[]): string {
  const parts: string[] = []
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf('"', at)
    const until = open < 0 ? text.length : open
    parts.push(text.slice(at, until).replace(/-?Infinity|NaN|-?\d[\d.eE+-]*/g, quoted))
    if (open < 0) break
    at = endOfString(text, open)
    parts.push(text.slice(open, at))
  }
  return parts.join('')

  function quoted(token: string): string {
    const why = whyKept(token)
    if (why === undefined) return token
    if (lost.length < 100) lost.push(`${token.slice(0, 40)} ${why}: it is kept as text`)
    return `"${token}"`
  }
}

function whyKept(token: string): string | undefined {
  if (!/\d/.test(token)) return 'is no number that JSON has'
  const value = Number(token)
  if (Number.isNaN(value)) return undefined
  if (!Number.isFinite(value)) return 'is too large for a number'
  if (!/^-?\d{16,}$/.test(token) || Number.isSafeInteger(value)) return undefined
  // A number of a million digits is none that anybody meant; to compare it would take long.
  const isExact = token.length < 400 && BigInt(token) === BigInt(value)
  return isExact ? undefined : 'has more digits than a number holds'
}

/** The place after the closing quote of the string that opens at `open`. */
function endOfString(text: string, open: number): number {
  for (let quote = text.indexOf('"', open + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslash = quote
    while (text[backslash - 1] === '\\') backslash--
    if ((quote - backslash) % 2 === 0) return quote + 1
  }
  return text.length
}
