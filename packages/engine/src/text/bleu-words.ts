/** How a line is cut into words: not but at white space, like WMT's mteval-v13a, or at all Unicode punctuation and symbols. */
export const bleuTokenizers = ['13a', 'intl', 'none'] as const
export type BleuTokenizer = (typeof bleuTokenizers)[number]

/** White space as Python's `str.split` sees it. */
const space = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const solid = new RegExp(`[^${space}]+`, 'g')
const isSpace = new RegExp(`[${space}]`)

/** The words of a line, as sacrebleu's tokenizers cut it. */
export function bleuWords(line: string, tokenizer: BleuTokenizer): string[] {
  return spaced(withoutEnd(line), tokenizer).match(solid) ?? []
}

/** The characters of a line without white space. */
export function solidCharacters(line: string): string[] {
  return Array.from((line.match(solid) ?? []).join(''))
}

/** Runs of what is no white space. */
export function solidRuns(line: string): string[] {
  return line.match(solid) ?? []
}

/** A regular expression for the white space at the end would be tried at every space. */
function withoutEnd(line: string): string {
  let end = line.length
  while (end > 0 && isSpace.test(line.charAt(end - 1))) end--
  return line.slice(0, end)
}

function spaced(line: string, tokenizer: BleuTokenizer): string {
  switch (tokenizer) {
    case 'none':
      return line
    case 'intl':
      return line
        .replace(/(\P{N})(\p{P})/gu, '$1 $2 ')
        .replace(/(\p{P})(\P{N})/gu, ' $1 $2')
        .replace(/(\p{S})/gu, ' $1 ')
    case '13a':
      return ` ${unescaped(line.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' '))} `
        .replace(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
        .replace(/([^0-9])([.,])/g, '$1 $2 ')
        .replace(/([.,])([^0-9])/g, ' $1 $2')
        .replace(/([0-9])(-)/g, '$1 $2 ')
  }
}

function unescaped(line: string): string {
  if (!line.includes('&')) return line
  return line.replaceAll('&quot;', '"').replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>')
}
