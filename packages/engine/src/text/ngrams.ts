/** How the n-grams of one text are found in others, by order: index 0 is that of single elements. */
export interface NgramMatches {
  /** N-grams of the text. */
  total: number[]
  /** Those found in the references, each at most as often as in the reference that has it most often. */
  matched: number[]
}

/** Counts n-grams of all orders up to `orders`; elements may be words or characters. */
export function matchNgrams(
  text: readonly string[],
  references: readonly (readonly string[])[],
  orders: number,
): NgramMatches {
  const elements = new Map<string, number>()
  for (const element of text) if (!elements.has(element)) elements.set(element, elements.size)
  const size = elements.size
  const numbersOf = (sequence: readonly string[]) => Int32Array.from(sequence, (element) => elements.get(element) ?? -1)
  const numbers = numbersOf(text)
  const others = references.map(numbersOf)
  const result: NgramMatches = { total: [], matched: [] }
  // An n-gram is the (n-1)-gram before it and one element more; only those of the text get numbers.
  let grams: Int32Array = numbers
  let otherGrams: Int32Array[] = others
  let distinct = size
  for (let order = 1; order <= orders; order++) {
    if (order > 1) {
      const known = new Map<number, number>()
      grams = longer(grams, { numbers, order, size }, (key) => {
        let gram = known.get(key)
        if (gram === undefined) {
          gram = known.size
          known.set(key, gram)
        }
        return gram
      })
      otherGrams = otherGrams.map((before, index) =>
        longer(before, { numbers: others[index] ?? before, order, size }, (key) => known.get(key) ?? -1),
      )
      distinct = known.size
    }
    result.total.push(grams.length)
    result.matched.push(matched(grams, otherGrams, distinct))
  }
  return result
}

function longer(
  grams: Int32Array,
  { numbers, order, size }: { numbers: Int32Array; order: number; size: number },
  numberOf: (key: number) => number,
): Int32Array {
  const count = Math.max(0, numbers.length - order + 1)
  const result = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const before = grams[i] ?? -1
    const last = numbers[i + order - 1] ?? -1
    result[i] = before < 0 || last < 0 ? -1 : numberOf(before * size + last)
  }
  return result
}

function matched(grams: Int32Array, references: readonly Int32Array[], distinct: number): number {
  const most = new Int32Array(distinct)
  for (const reference of references) {
    const counts = countsOf(reference, distinct)
    for (let gram = 0; gram < distinct; gram++) most[gram] = Math.max(most[gram] ?? 0, counts[gram] ?? 0)
  }
  const counts = countsOf(grams, distinct)
  let sum = 0
  for (let gram = 0; gram < distinct; gram++) sum += Math.min(counts[gram] ?? 0, most[gram] ?? 0)
  return sum
}

function countsOf(grams: Int32Array, distinct: number): Int32Array {
  const counts = new Int32Array(distinct)
  for (const gram of grams) if (gram >= 0) counts[gram]!++
  return counts
}
