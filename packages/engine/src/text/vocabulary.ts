/** Numbers for words: equal words have equal numbers, from 0 up. */
export class Vocabulary {
  readonly #numbers = new Map<string, number>()

  get size(): number {
    return this.#numbers.size
  }

  number(words: readonly string[]): Int32Array {
    const numbers = new Int32Array(words.length)
    for (let i = 0; i < words.length; i++) {
      const word = words[i] ?? ''
      let known = this.#numbers.get(word)
      if (known === undefined) {
        known = this.#numbers.size
        this.#numbers.set(word, known)
      }
      numbers[i] = known
    }
    return numbers
  }
}
