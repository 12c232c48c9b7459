/**
 * Length of the longest common subsequence of two sequences of numbers from 0 to `vocabulary` - 1.
 *
 * Bit-parallel: 32 columns of the table at once (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004). Time is
 * `a.length · b.length / 32`, memory that of the sequences.
 */
export function lcsLength(a: Int32Array, b: Int32Array, vocabulary: number): number {
  const places = new Int32Array(vocabulary)
  const carries = new Uint8Array(b.length)
  let length = 0
  for (let start = 0; start < a.length; start += 32) {
    const width = Math.min(32, a.length - start)
    for (let i = 0; i < width; i++) places[a[start + i] ?? 0]! |= 1 << i
    let row = -1
    for (let j = 0; j < b.length; j++) {
      const matches = row & (places[b[j] ?? 0] ?? 0)
      const sum = (row + matches + (carries[j] ?? 0)) | 0
      carries[j] = (matches | (row & ~sum)) >>> 31
      row = sum | (row & ~matches)
    }
    for (let i = 0; i < width; i++) places[a[start + i] ?? 0] = 0
    length += ones(width === 32 ? ~row : ~row & ((1 << width) - 1))
  }
  return length
}

/**
 * Marks in `taken` which elements of `reference` are in one longest common subsequence with `candidate`. Of several the one is
 * taken that the table of Google's rouge_score leads back to. Memory is a bit for each pair of elements.
 */
export function markLcs(
  pair: { reference: Int32Array; candidate: Int32Array; vocabulary: number },
  taken: Uint8Array,
): void {
  const { reference, candidate } = pair
  const words = (candidate.length + 31) >>> 5
  const rows = lcsRows(pair, words)
  /** 1 where the table grows from column j - 1 to j in a row. */
  const grows = (i: number, j: number) => (~(rows[i * words + ((j - 1) >>> 5)] ?? 0) >>> ((j - 1) & 31)) & 1
  /** The table at a row and column. */
  const table = (i: number, j: number): number => {
    if (i <= 0) return 0
    let sum = 0
    for (let word = 0; word < j >>> 5; word++) sum += ones(~(rows[i * words + word] ?? 0))
    return (j & 31) === 0 ? sum : sum + ones(~(rows[i * words + (j >>> 5)] ?? 0) & ((1 << (j & 31)) - 1))
  }
  let i = reference.length
  let j = candidate.length
  let here = table(i, j)
  let above = table(i - 1, j)
  while (i > 0 && j > 0) {
    if (reference[i - 1] === candidate[j - 1]) {
      taken[i - 1] = 1
      i--
      j--
      here = table(i, j)
      above = table(i - 1, j)
    } else if (here - grows(i, j) > above) {
      here -= grows(i, j)
      above -= grows(i - 1, j)
      j--
    } else {
      i--
      here = above
      above = table(i - 1, j)
    }
  }
}

/** Every row of the table as bits: 0 where it grows from one column to the next. Row 0 is that of the empty reference. */
function lcsRows(
  { reference, candidate, vocabulary }: { reference: Int32Array; candidate: Int32Array; vocabulary: number },
  words: number,
): Int32Array {
  const rows = new Int32Array((reference.length + 1) * words).fill(-1, 0, words)
  const places = new Int32Array(vocabulary)
  const carries = new Uint8Array(reference.length)
  for (let word = 0; word < words; word++) {
    const width = Math.min(32, candidate.length - word * 32)
    for (let k = 0; k < width; k++) places[candidate[word * 32 + k] ?? 0]! |= 1 << k
    let row = -1
    for (let i = 0; i < reference.length; i++) {
      const matches = row & (places[reference[i] ?? 0] ?? 0)
      const sum = (row + matches + (carries[i] ?? 0)) | 0
      carries[i] = (matches | (row & ~sum)) >>> 31
      row = sum | (row & ~matches)
      rows[(i + 1) * words + word] = row
    }
    for (let k = 0; k < width; k++) places[candidate[word * 32 + k] ?? 0] = 0
  }
  return rows
}

/** Bits that are set in a 32-bit integer. */
function ones(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
