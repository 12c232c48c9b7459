/** Places of each UTF-16 unit in 32 units of a text, as bits; all 0 between calls. */
const places = new Int32Array(0x1_0000)

/**
 * Levenshtein distance: how many insertions, deletions and replacements of UTF-16 units turn one text into the other.
 *
 * Bit-parallel: 32 rows of the table at once (Myers, "A fast bit-vector algorithm for approximate string matching", 1999).
 * Time is `a.length · b.length / 32`.
 */
export function levenshtein(a: string, b: string): number {
  const [short, long] = a.length < b.length ? [a, b] : [b, a]
  let start = 0
  while (start < short.length && short.charCodeAt(start) === long.charCodeAt(start)) start++
  let shortEnd = short.length
  let longEnd = long.length
  while (shortEnd > start && short.charCodeAt(shortEnd - 1) === long.charCodeAt(longEnd - 1)) {
    shortEnd--
    longEnd--
  }
  if (shortEnd === start) return longEnd - start
  return distance(unitsOf(short, start, shortEnd), unitsOf(long, start, longEnd))
}

/** 1 for equal texts, 0 for those with nothing in common: 1 - distance / length of the longer one. */
export function levenshteinSimilarity(a: string, b: string): number {
  const longer = Math.max(a.length, b.length)
  return longer === 0 ? 1 : 1 - levenshtein(a, b) / longer
}

function unitsOf(text: string, start: number, end: number): Uint16Array {
  const units = new Uint16Array(end - start)
  for (let i = 0; i < units.length; i++) units[i] = text.charCodeAt(start + i)
  return units
}

function distance(rows: Uint16Array, columns: Uint16Array): number {
  /** How each column changes from the row above the present 32 to the next: +1, 0 or -1. Above the first it grows by one. */
  const changes = new Int8Array(columns.length).fill(1)
  for (let start = 0; start < rows.length; start += 32) {
    const height = Math.min(32, rows.length - start)
    for (let i = 0; i < height; i++) places[rows[start + i] ?? 0]! |= 1 << i
    sweep(columns, changes, height - 1)
    for (let i = 0; i < height; i++) places[rows[start + i] ?? 0] = 0
  }
  let result = rows.length
  for (const change of changes) result += change
  return result
}

/** Goes over all columns of 32 rows; `changes` comes from the row above them and leaves as that of row `last`. */
function sweep(columns: Uint16Array, changes: Int8Array, last: number): void {
  let plus = -1
  let minus = 0
  for (let j = 0; j < columns.length; j++) {
    const above = changes[j] ?? 0
    const falls = above >>> 31
    const matches = places[columns[j] ?? 0] ?? 0
    const vertical = matches | minus
    const met = matches | falls
    const horizontal = (((met & plus) + plus) ^ plus) | met
    let up = minus | ~(horizontal | plus)
    let down = plus & horizontal
    changes[j] = ((up >>> last) & 1) - ((down >>> last) & 1)
    up = (up << 1) | (above > 0 ? 1 : 0)
    down = (down << 1) | falls
    plus = down | ~(vertical | up)
    minus = up & vertical
  }
}
