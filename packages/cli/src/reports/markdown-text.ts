import { oneLine } from '../display/width.ts'

/**
 * Text that is nothing but text in Markdown, in one line. GitHub makes mentions and references of what is left of an escape, too:
 * what has no width keeps them apart.
 */
export function markdownText(text: string): string {
  return oneLine(text)
    .replaceAll(/(@)(?=[a-z0-9])|(#|\bGH-)(?=\d)/gi, (mark) => `${mark}\u200b`)
    .replaceAll(/[\\`*_{}[\]<>()#+!|~&$]/g, (character) => `\\${character}`)
}
