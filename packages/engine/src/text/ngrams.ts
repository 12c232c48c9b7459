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
  const known = new Map<string, number>()
  const elements = new Int32Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const element = text[i] ?? ''
    const number = known.get(element) ?? known.size
    if (number === known.size) known.set(element, number)
    elements[i] = number
  }
  const others = references.map((reference) => numbersOf(reference, known))
  // An n-gram is the (n-1)-gram before it and one element more; only those of the text get numbers.
  let grams = Int32Array.from(elements)
  let otherGrams = others.map((numbers) => Int32Array.from(numbers))
  let distinct = known.size
  const result: NgramMatches = { total: [], matched: [] }
  for (let order = 1; order <= orders; order++) {
    if (order > 1) {
      const pairs = new Pairs(grams.length)
      grams = extend({ grams, elements, order }, (before, last) => pairs.number(before, last))
      otherGrams = otherGrams.map((before, index) =>
        extend({ grams: before, elements: others[index] ?? before, order }, (gram, last) => pairs.find(gram, last)),
      )
      distinct = pairs.size
    }
    result.total.push(grams.length)
    result.matched.push(matched(grams, otherGrams, distinct))
  }
  return result
}

function numbersOf(elements: readonly string[], known: ReadonlyMap<string, number>): Int32Array<ArrayBuffer> {
  const numbers = new Int32Array(elements.length)
  for (let i = 0; i < elements.length; i++) numbers[i] = known.get(elements[i] ?? '') ?? -1
  return numbers
}

interface Shorter {
  /** The n-grams of the order before; -1 where the text has none such. */
  grams: Int32Array
  elements: Int32Array
  order: number
}

function extend(
  { grams, elements, order }: Shorter,
  numberOf: (before: number, last: number) => number,
): Int32Array<ArrayBuffer> {
  const count = Math.max(0, elements.length - order + 1)
  const result = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const before = grams[i] ?? -1
    const last = elements[i + order - 1] ?? -1
    result[i] = before < 0 || last < 0 ? -1 : numberOf(before, last)
  }
  return result
}

/** Numbers for pairs of numbers, from 0 up: a hash table of open addresses, twice as large as it will be full. */
class Pairs {
  size = 0
  readonly #mask: number
  /** Number of the pair at an address, plus 1; 0 is free. */
  readonly #numbers: Int32Array
  readonly #firsts: Int32Array
  readonly #seconds: Int32Array

  constructor(most: number) {
    const addresses = 1 << (33 - Math.clz32(Math.max(1, most)))
    this.#mask = addresses - 1
    this.#numbers = new Int32Array(addresses)
    this.#firsts = new Int32Array(most)
    this.#seconds = new Int32Array(most)
  }

  /** The number of a pair, which gets one if it has none. */
  number(first: number, second: number): number {
    const address = this.#address(first, second)
    const found = this.#numbers[address] ?? 0
    if (found > 0) return found - 1
    this.#firsts[this.size] = first
    this.#seconds[this.size] = second
    this.size++
    this.#numbers[address] = this.size
    return this.size - 1
  }

  /** The number of a pair; -1 if it has none. */
  find(first: number, second: number): number {
    return (this.#numbers[this.#address(first, second)] ?? 0) - 1
  }

  /** Where a pair is, or would be. */
  #address(first: number, second: number): number {
    const mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)
    let address = (mixed ^ (mixed >>> 15)) & this.#mask
    for (;;) {
      const number = (this.#numbers[address] ?? 0) - 1
      if (number < 0 || (this.#firsts[number] === first && this.#seconds[number] === second)) return address
      address = (address + 1) & this.#mask
    }
  }
}

function matched(grams: Int32Array, references: readonly Int32Array[], distinct: number): number {
  /** How often each n-gram may still be matched. */
  const left = new Int32Array(distinct)
  for (const [index, reference] of references.entries()) {
    const counts = index === 0 ? left : new Int32Array(distinct)
    for (let i = 0; i < reference.length; i++) {
      const gram = reference[i] ?? -1
      if (gram >= 0) counts[gram] = (counts[gram] ?? 0) + 1
    }
    if (index > 0) for (let gram = 0; gram < distinct; gram++) left[gram] = Math.max(left[gram] ?? 0, counts[gram] ?? 0)
  }
  let sum = 0
  for (let i = 0; i < grams.length; i++) {
    const gram = grams[i] ?? 0
    const most = left[gram] ?? 0
    if (most === 0) continue
    left[gram] = most - 1
    sum++
  }
  return sum
}
