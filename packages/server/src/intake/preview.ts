import { limits } from '@llm-eval/protocol'

// One line of ordinary text: no two spaces together, nothing that needs care (controls, odd spaces, surrogates).
const plain = /^(?:[!-~\u00a1-\u00ac\u00ae-\u167f\u3001-\ud7ff] ?)*$/
const replacement = '\ufffd'

/**
 * The first 100 characters of a text on one line, with `...` when there is more. Characters are code points, white space is
 * collapsed, and what a database or a terminal could choke on (NUL, controls, lone surrogates) becomes U+FFFD.
 */
export function preview(text: string): string {
  const max = limits.previewChars
  if (text.length <= max) {
    if (plain.test(text)) return text.endsWith(' ') ? text.slice(0, -1) : text
  } else {
    const head = text.slice(0, max + 1)
    // The character after the cut is no white space, so something is cut off indeed.
    if (head.charCodeAt(max) > 32 && plain.test(head)) return `${text.slice(0, max)}...`
  }
  return carefulPreview(text, max)
}

function carefulPreview(text: string, max: number): string {
  let line = ''
  let count = 0
  let space = false
  for (const character of text) {
    if (/\s/.test(character)) {
      space = count > 0
      continue
    }
    const wanted = space ? 2 : 1
    if (count + wanted > max) return `${line}${space && count < max ? ' ' : ''}...`
    line += (space ? ' ' : '') + harmless(character)
    count += wanted
    space = false
  }
  return line
}

function harmless(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const control = code < 32 || (code >= 127 && code < 160)
  const loneSurrogate = code >= 0xd800 && code <= 0xdfff
  return control || loneSurrogate ? replacement : character
}
