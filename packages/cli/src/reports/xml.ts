import { oneLine } from '../display/width.ts'

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text that is nothing but text in HTML and XML, in contents and in attributes. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character)
}

/** Text as the contents of an element in XML, without characters that XML cannot hold. */
export function contents(text: string): string {
  return escaped(text.toWellFormed().replaceAll(/[\uFFFE\uFFFF]/g, '\uFFFD'))
}

/** Text as the value of an attribute in XML, on one line. */
export function attribute(text: string): string {
  return contents(oneLine(text))
}
