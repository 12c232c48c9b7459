/** A number that JavaScript's own would round; shown as it was sent. */
export class ExactNumber {
  readonly digits: string
  constructor(digits: string) {
    this.digits = digits
  }

  toJSON(): unknown {
    return rawJson?.(this.digits) ?? this.digits
  }
}

// `JSON.rawJSON` and the third argument of a reviver are not in the compiler's library yet.
const rawJson = (JSON as { rawJSON?: (digits: string) => unknown }).rawJSON

/**
 * Parses JSON; whole numbers beyond 2^53 and numbers beyond the range of a double keep their digits as an {@link ExactNumber}.
 * Browsers that do not hand the source to a reviver get rounded numbers.
 */
export function parseJson(said: string): unknown {
  // The reviver costs a call for each value, so it is used only where some run of digits is long enough to be rounded.
  if (!/\d{16}|\d[eE]\+?\d{3}/.test(said)) return JSON.parse(said) as unknown
  const revive = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    if (typeof value !== 'number' || !context?.source || Number.isSafeInteger(value)) return value
    return Number.isInteger(value) || !Number.isFinite(value) ? new ExactNumber(context.source) : value
  }
  return JSON.parse(said, revive as Parameters<typeof JSON.parse>[1]) as unknown
}

/** JSON text of any value, with its exact numbers. */
export function writeJson(value: unknown, indent = 2): string {
  return JSON.stringify(value, null, indent) ?? 'undefined'
}
