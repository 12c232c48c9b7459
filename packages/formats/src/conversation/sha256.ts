const rounds = 64
const constants = fractions(rounds, 1 / 3)
const beginning = fractions(8, 1 / 2)

/**
 * SHA-256 (FIPS 180-4) of a text's UTF-8 bytes, in hexadecimal. For names, not for secrets: browsers have no digest of their own on
 * pages that came without TLS, and theirs has to be waited for.
 */
export function sha256(text: string): string {
  const message = new TextEncoder().encode(text)
  const padded = new Uint8Array((((message.length + 8) >> 6) + 1) << 6)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n)
  const state = Uint32Array.from(beginning)
  for (let at = 0; at < padded.length; at += 64) addBlock(state, new DataView(padded.buffer, at, 64))
  return [...state].map((word) => word.toString(16).padStart(8, '0')).join('')
}

function addBlock(state: Uint32Array, block: DataView): void {
  const words = new Uint32Array(rounds)
  for (let t = 0; t < rounds; t++) {
    if (t < 16) {
      words[t] = block.getUint32(t * 4)
      continue
    }
    const [early, late] = [words[t - 15] ?? 0, words[t - 2] ?? 0]
    const s0 = turned(early, 7) ^ turned(early, 18) ^ (early >>> 3)
    const s1 = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10)
    words[t] = (words[t - 16] ?? 0) + s0 + (words[t - 7] ?? 0) + s1
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let t = 0; t < rounds; t++) {
    const s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)
    const s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)
    const first = (h + s1 + ((e & f) ^ (~e & g)) + (constants[t] ?? 0) + (words[t] ?? 0)) >>> 0
    const second = (s0 + ((a & b) ^ (a & c) ^ (b & c))) >>> 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) >>> 0, c, b, a, (first + second) >>> 0]
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = (state[index] ?? 0) + word
}

function turned(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}

/** The first 32 bits of the fractions of roots of the first primes. */
function fractions(count: number, power: number): Uint32Array {
  const found: number[] = []
  for (let candidate = 2, primes: number[] = []; found.length < count; candidate++) {
    if (primes.some((prime) => candidate % prime === 0)) continue
    primes.push(candidate)
    const root = power === 1 / 2 ? Math.sqrt(candidate) : Math.cbrt(candidate)
    found.push(Math.floor((root - Math.floor(root)) * 2 ** 32))
  }
  return Uint32Array.from(found)
}
