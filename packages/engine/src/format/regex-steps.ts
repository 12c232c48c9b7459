/**
 * At most how many steps a regular expression takes on a text of so many UTF-16 units, by backtracking as JavaScript's does;
 * Infinity where there is no telling. Each place where it can choose multiplies the ways that it may try: a quantifier by the
 * length of the text, alternatives by how many they are. Where choices stand inside of what is itself repeated, as in `(a+)+`, or
 * depend on what was found before, as with `\1`, the ways have no bound that helps.
 */
export function mostSteps(pattern: string, length: number): number {
  const choices = choicesOf(pattern)
  if (!choices) return Infinity
  return (pattern.length + 1) * (length + 1) ** (choices.quantifiers + 1) * choices.alternatives
}

interface Choices {
  quantifiers: number
  /** The product of all groups'. */
  alternatives: number
}

/** What a group, or the whole, chooses between. */
interface Open extends Choices {
  branches: number
}

/** The places of choice of a pattern; undefined where a choice is repeated, or it is not understood. */
function choicesOf(pattern: string): Choices | undefined {
  const open: Open[] = [{ quantifiers: 0, alternatives: 1, branches: 1 }]
  for (let at = 0; at < pattern.length; at++) {
    const current = open.at(-1)
    if (!current) return undefined
    switch (pattern[at]) {
      case '\\':
        if (/^\\[1-9k]/.test(pattern.slice(at, at + 2))) return undefined
        at++
        break
      case '[':
        at = endOfClass(pattern, at)
        break
      case '(':
        open.push({ quantifiers: 0, alternatives: 1, branches: 1 })
        // The `?` of `(?:`, `(?=`, `(?<name>` is no quantifier.
        if (pattern[at + 1] === '?') at++
        break
      case '|':
        current.branches++
        break
      case ')':
        if (!close(open, isQuantifier(pattern[at + 1]))) return undefined
        break
      default:
        if (!isQuantifier(pattern[at])) break
        current.quantifiers++
        if (/^\{\d*,?\d{4}/.test(pattern.slice(at, at + 20))) return undefined
        if (pattern[at] === '{') at = endOfBraces(pattern, at)
        if (pattern[at + 1] === '?') at++
    }
  }
  const [whole, unclosed] = open
  if (!whole || unclosed) return undefined
  return { quantifiers: whole.quantifiers, alternatives: whole.alternatives * whole.branches }
}

function isQuantifier(character: string | undefined): boolean {
  return character !== undefined && '*+?{'.includes(character)
}

function endOfBraces(pattern: string, start: number): number {
  const end = pattern.indexOf('}', start)
  return end < 0 ? start : end
}

function endOfClass(pattern: string, start: number): number {
  let at = start + 1
  while (at < pattern.length && pattern[at] !== ']') at += pattern[at] === '\\' ? 2 : 1
  return at
}

/** Closes the innermost group; false where it must not be repeated, but is, or there is none. */
function close(open: Open[], repeated: boolean): boolean {
  const inner = open.pop()
  const outer = open.at(-1)
  if (!inner || !outer) return false
  const alternatives = inner.alternatives * inner.branches
  if (repeated && (inner.quantifiers > 0 || alternatives > 1)) return false
  outer.quantifiers += inner.quantifiers
  outer.alternatives *= alternatives
  return true
}
