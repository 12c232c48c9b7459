/** What JavaScript's numbers cannot hold, and money. */

declare global {
  // Node 22 and later know these; the language library of TypeScript does not yet.
  interface JSON {
    /** A value that `JSON.stringify` writes as this text. */
    rawJSON(text: string): { rawJSON: string }
    isRawJSON(value: unknown): value is { rawJSON: string }
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  }
}

const decimalPattern = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?$/

/**
 * The exact value of a JSON number, written in one way only: `digits` or `digits e exponent`, without needless zeros. Two numbers
 * are equal when their normal forms are (but for exponents of more than thirty digits, which stay as they were written).
 */
export function normalNumber(source: string): string {
  const match = decimalPattern.exec(source)
  if (!match) return source
  const [, sign = '', whole = '', fraction = '', exponentSign = '', exponentDigits = ''] = match
  const digits = whole + fraction
  let first = 0
  while (first < digits.length && digits.charCodeAt(first) === 48) first++
  if (first === digits.length) return '0'
  let end = digits.length
  while (digits.charCodeAt(end - 1) === 48) end--
  const significant = sign + digits.slice(first, end)
  // Nobody means such an exponent, and reckoning with it could take long.
  if (exponentDigits.length > 30) return source
  const given = BigInt(exponentDigits || '0') * (exponentSign === '-' ? -1n : 1n)
  const exponent = given + BigInt(digits.length - end - fraction.length)
  return exponent === 0n ? significant : `${significant}e${exponent}`
}

/** Whether a JSON number keeps its decimal value when it is read as a double and written again. */
export function isExactNumber(source: string): boolean {
  const value = Number(source)
  return Number.isFinite(value) && normalNumber(source) === normalNumber(String(value))
}

/** Parses JSON, keeping numbers that a double cannot hold as raw JSON. For text of bounded depth. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !isExactNumber(source) ? JSON.rawJSON(source) : value,
  )
}

/**
 * US dollars as whole nano-dollars, rounded half away from zero on the decimal number that was sent (not on the double
 * next to it). Unknown stays unknown.
 */
export function toNano(dollars: number | null | undefined): number | null {
  if (dollars === null || dollars === undefined) return null
  const scaled = dollars * 1e9
  const nearest = Math.round(scaled)
  // Up to a million dollars the product is wrong by less than an eighth; only near a half that can matter.
  if (Math.abs(Math.abs(scaled - nearest) - 0.5) > 0.25) return nearest + 0
  const [digits = '0', exponent = '0'] = dollars.toExponential().split('e')
  const [whole = '0', fraction = ''] = digits.split('.')
  const shift = Number(exponent) - fraction.length + 9
  const all = BigInt(whole + fraction)
  if (shift >= 0) return Number(all * 10n ** BigInt(shift))
  const unit = 10n ** BigInt(-shift)
  return Number((all + unit / 2n) / unit)
}
