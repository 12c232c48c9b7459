import type { Field } from '@llm-eval/protocol'

export const responseField: Field = {
  name: 'response',
  type: 'string',
  description: 'What the application answered.',
  required: true,
}

export const referenceField: Field = {
  name: 'reference',
  type: 'string',
  description: 'What it should have answered.',
  required: true,
}

/** A field of an input that must hold a string. */
export function textField(name: string, description: string): Field {
  return { name, type: 'string', description, required: true }
}

/** A field of an input that was resolved as a string. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Characters of a text that an output repeats. */
const shownChars = 200

/** A text as an output repeats it: its beginning. What was compared may be larger than an output can be. */
export function shown(text: string): string {
  if (text.length <= shownChars) return text
  const cut = text.slice(0, shownChars - 1)
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`
}

/** Texts that are compared in well under a millisecond: longer ones go to a thread. */
const shortChars = 2_000

/** In a thread when the texts are long together. */
export function byLength(...names: string[]) {
  return (input: Readonly<Record<string, unknown>>): 'inline' | 'thread' =>
    names.reduce((sum, name) => sum + sizeOf(input[name]), 0) > shortChars ? 'thread' : 'inline'
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + sizeOf(item), value.length)
  if (value !== null && typeof value === 'object') return sizeOf(Object.entries(value).flat())
  return 1
}
