// Made when the first text needs it, as what Intl loads takes a while.
let segmenter: Intl.Segmenter | undefined

// East Asian Wide and Fullwidth, as terminals draw them (Unicode 16, UAX #11), without what is drawn as an emoji.
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]/u
const emoji = /^\p{Emoji_Presentation}|\ufe0f/u
const invisible = /^[\p{Mark}\p{Default_Ignorable_Code_Point}\p{Control}]+$/u
const plain = /^[\u0020-\u007e]*$/

/** Terminal cells that a text takes. */
export function displayWidth(text: string): number {
  if (plain.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes(text)) width += graphemeWidth(segment)
  return width
}

/** A text cut to so many cells, its cut marked by `…`. Characters are never halved. */
export function truncate(text: string, cells: number): string {
  if (displayWidth(text) <= cells) return text
  if (cells <= 0) return ''
  let width = 0
  let kept = ''
  for (const { segment } of graphemes(text)) {
    width += graphemeWidth(segment)
    if (width > cells - 1) break
    kept += segment
  }
  return `${kept.trimEnd()}…`
}

/** A text as lines of so many cells, broken between its words. At least one line. */
export function wrap(text: string, cells: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line === '' || displayWidth(longer) <= cells) line = longer
    else {
      lines.push(line)
      line = word
    }
  }
  return [...lines, line]
}

/** A text filled up with spaces to so many cells. */
export function pad(text: string, cells: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, cells - displayWidth(text)))
  return align === 'left' ? text + spaces : spaces + text
}

// Control characters would steer the terminal, and bidirectional overrides would show another text than there is.
const steering = /[\p{Control}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/** Foreign text as one line that is safe to show: white space becomes a blank, what would steer the terminal is escaped. */
export function oneLine(text: string): string {
  return text.replace(/\s+/gu, ' ').trim().replace(steering, escaped)
}

/** JSON text without the characters that JSON lets through and a terminal would obey. */
export function safeJson(json: string): string {
  return safeLines(json)
}

/** Foreign text that is safe to show as it stands, line breaks included. */
export function safeLines(text: string): string {
  return text.replace(steering, (character) => (character === '\n' ? character : escaped(character)))
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function graphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  return segmenter.segment(text)
}

function graphemeWidth(segment: string): number {
  if (invisible.test(segment)) return 0
  return wide.test(segment) || emoji.test(segment) ? 2 : 1
}
