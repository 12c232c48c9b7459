import { oneLine } from '../display/width.ts'

/** Text that is nothing but text in Markdown, in one line. */
export function markdownText(text: string): string {
  return oneLine(text).replaceAll(/[\\`*_{}[\]<>()#+!|~&]/g, (character) => `\\${character}`)
}
