import { diffWordsWithSpace } from 'diff'

/** A piece of two texts: in both, only expected, or only in the output. */
export type Piece = [kind: 'same' | 'expected' | 'output', text: string]

/** Longer texts are shown beside each other, without being held against each other. */
const mostChars = 4_000
const mostEdits = 600

/** What is different between what was expected and what came; null where both are the same, or too far apart to say. */
export function differencesOf(expected: string, output: string): Piece[] | null {
  if (expected === output || expected.length > mostChars || output.length > mostChars) return null
  const parts = diffWordsWithSpace(expected, output, { maxEditLength: mostEdits })
  if (parts === undefined || parts.every(({ added, removed }) => added || removed)) return null
  return parts.map(({ value, added, removed }): Piece => [added ? 'output' : removed ? 'expected' : 'same', value])
}
