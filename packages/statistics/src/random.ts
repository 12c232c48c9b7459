import { wholeFrom } from './interval.ts'

/** Random numbers that a seed decides: the same on every machine. */
export interface Random {
  /** A whole number of 0 to 2^32 - 1. */
  uint32: () => number
  /** A number in [0, 1), in steps of 2^-53. */
  uniform: () => number
  /** A whole number of 0 to n - 1, each as likely as the other, for n of 1 to 2^32. */
  below: (n: number) => number
}

/**
 * sfc32 of C. Doty-Humphrey's PractRand: 128 bits of state, a period of at least 2^32 and 2^127 on average, and no failure in
 * PractRand or BigCrush. For simulation, not for secrets.
 *
 * @param seed a whole number of at least 0
 */
export function createRandom(seed: number): Random {
  wholeFrom(0, 'seed', seed)
  let a = seed | 0
  let b = Math.floor(seed / 2 ** 32) | 0
  let c = 0x9e3779b9 | 0
  let counter = 1

  function uint32(): number {
    const out = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + out
    c |= 0
    return out >>> 0
  }

  // Until the seed has reached all of the state.
  for (let round = 0; round < 15; round++) uint32()

  return {
    uint32,
    uniform: () => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53,
    below(n) {
      if (n > 2 ** 21) return belowByMask(n, uint32)
      // Lemire's multiplication: exact, since the product fits 53 bits. A remainder below 2^32 mod n would favour some
      // numbers; that is less than n, and worth computing only then.
      for (;;) {
        const product = uint32() * n
        const high = Math.floor(product / 2 ** 32)
        const rest = product - high * 2 ** 32
        if (rest >= n || rest >= 2 ** 32 % n) return high
      }
    },
  }
}

function belowByMask(n: number, uint32: () => number): number {
  const bits = Math.clz32(n - 1)
  for (;;) {
    const drawn = uint32() >>> bits
    if (drawn < n) return drawn
  }
}
