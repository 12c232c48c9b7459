/** Tokens of one answer. `cached` tokens are part of `input`. */
export interface Tokens {
  input: number
  output: number
  cachedInput?: number | undefined
}

/** A price of one's own, in US dollars for a million tokens. */
export interface Price {
  input: number
  output: number
  cached_input?: number | undefined
}
