import { limits } from '@llm-eval/protocol'

/**
 * The matching rules of full-text search, once for both drivers: text is brought to compatibility form (NFKC), lower case,
 * without diacritics; words are runs of letters, digits and marks; Chinese, Japanese kana and Thai-like runs, which have no
 * spaces, are indexed as overlapping pairs of characters. A query matches when all its words occur; `word*` matches
 * beginnings.
 */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const words = /[\p{L}\p{N}\p{M}_]+/gu
// oxlint-disable-next-line no-control-regex -- the whole of ASCII
const ascii = /^[\u0000-\u007f]*$/
const asciiWords = /[a-z0-9_]+/g
const queryWords = /[\p{L}\p{N}\p{M}_]+\*?/gu

/** Longest token kept, in characters; longer words are found by this beginning. */
const tokenChars = 64
/** Characters of a text that are indexed. */
const indexedChars = 200_000

/** Bytes of all tokens of a text: what Postgres holds of one document, with room to spare. */
const indexedBytes = 900_000
/** Characters tokenized at once: a long text takes a while, and others want their turn. */
const pieceChars = 16_384
/** Characters at the end of a piece in which the end of a word is looked for. */
const wordChars = 1_000

// Sorting hundreds of marks on one letter takes time that grows with their square; no language needs more than a few.
const manyMarks = /(\p{M}{30})\p{M}+/gu

function fold(text: string): string {
  return text
    .replace(manyMarks, '$1')
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFKC')
    .toLowerCase()
}

/** What of a text is indexed: its different tokens, none with a space, a quote or a control character. */
export function indexTokens(text: string): string[] {
  const tokens = new TokenSet()
  for (const piece of tokenPieces(text)) tokens.add(piece)
  return tokens.all
}

/** Different tokens, up to the size that an index holds of one document. */
export class TokenSet {
  readonly #tokens = new Set<string>()
  #bytes = 0

  get all(): string[] {
    return [...this.#tokens]
  }

  add(tokens: readonly string[]): void {
    for (const token of tokens) {
      if (this.#tokens.has(token)) continue
      // No character of a string's count takes more than three bytes.
      this.#bytes += token.length * 3
      if (this.#bytes > indexedBytes) return
      this.#tokens.add(token)
    }
  }
}

/** The tokens of a text, piece by piece. */
export function* tokenPieces(text: string): Generator<string[]> {
  const end = Math.min(text.length, indexedChars)
  for (let from = 0; from < end; ) {
    const to = from + pieceChars >= end ? end : wordEnd(text, from + pieceChars)
    yield tokenize(text.slice(from, to))
    // Without a space to part at, the pieces overlap, so that no pair of characters is lost.
    from = to === end || isSpace(text, to) ? to : to - 2
  }
}

/** Where a word ends, not far before a place; the place itself when there is none. */
function wordEnd(text: string, place: number): number {
  for (let at = place; at > place - wordChars; at--) if (isSpace(text, at)) return at
  return place
}

function isSpace(text: string, at: number): boolean {
  return text.charCodeAt(at) <= 32
}

function tokenize(text: string): string[] {
  // Most text is plain ASCII, where words need neither folding nor parting: four times as fast.
  if (ascii.test(text)) return (text.toLowerCase().match(asciiWords) ?? []).map(clip)
  const tokens: string[] = []
  for (const [word] of fold(text.toWellFormed()).matchAll(words)) {
    for (const run of runs(word)) {
      if (!run.paired) tokens.push(clip(run.text))
      else for (const pair of pairs(run.text, 'indexed')) tokens.push(pair)
    }
  }
  return tokens
}

export interface SearchTerm {
  token: string
  prefix: boolean
}

/** The terms of a query, all of which must occur; empty when the query holds no word (then nothing matches). */
export function parseSearch(query: string): SearchTerm[] {
  const terms = new Map<string, SearchTerm>()
  for (const [word] of fold(query.toWellFormed()).matchAll(queryWords)) {
    const prefix = word.endsWith('*')
    for (const run of runs(prefix ? word.slice(0, -1) : word)) {
      // One character of an unspaced script is the beginning of the pairs it starts.
      const found = run.paired
        ? pairs(run.text, 'sought').map((token) => ({ token, prefix: Array.from(run.text).length === 1 }))
        : [{ token: clip(run.text), prefix }]
      for (const term of found) terms.set(`${term.token}${term.prefix ? '*' : ''}`, term)
    }
  }
  return [...terms.values()].slice(0, limits.searchWords)
}

function* runs(word: string): Generator<{ text: string; paired: boolean }> {
  let text = ''
  let paired = false
  for (const character of word) {
    const isUnspaced: boolean = unspaced.test(character) || (paired && /\p{M}/u.test(character))
    if (text && isUnspaced !== paired) {
      yield { text, paired }
      text = ''
    }
    paired = isUnspaced
    text += character
  }
  if (text) yield { text, paired }
}

function pairs(run: string, purpose: 'indexed' | 'sought'): string[] {
  const characters = Array.from(run)
  if (characters.length === 1) return [run]
  const found = characters.slice(0, -1).map((character, i) => character + characters[i + 1])
  // The last character is indexed alone too, so that a query for it (as a beginning) finds it.
  return purpose === 'indexed' ? [...found, characters.at(-1) ?? ''] : found
}

function clip(word: string): string {
  return word.length > tokenChars ? word.slice(0, tokenChars).toWellFormed() : word
}
