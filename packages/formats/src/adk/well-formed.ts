/**
 * JSON without half characters: readers other than JavaScript's refuse a text that holds one, and the whole file with it.
 *
 * @param lost is told where there are some
 */
export function wellFormed(json: unknown, lost: string[]): unknown {
  if (isWellFormed(json)) return json
  lost.push('half characters are written as \ufffd')
  return mended(json)
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isWellFormed)
  return Object.entries(value).every(([key, one]) => key.isWellFormed() && isWellFormed(one))
}

function mended(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(mended)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key.toWellFormed(), mended(one)]))
}
