import type { Column } from '@llm-eval/protocol'
import { membersOf, objectOf } from './members.ts'

/** A column as it is kept: with the key of its values, where that is not its slug. */
export interface KeptColumn extends Column {
  key?: string | undefined
}

/** The columns of a draft, and how often some were removed from it. */
export interface Layout {
  columns: KeptColumn[]
  generation: number
}

/** Reads what `writeColumns` wrote. */
export function readColumns(text: string): KeptColumn[] {
  return JSON.parse(text) as KeptColumn[]
}

/** The text that is stored. */
export function writeColumns(columns: readonly KeptColumn[]): string {
  return JSON.stringify(
    columns.map(({ slug, name, type, description, key }) => ({ slug, name, type, description, key })),
  )
}

/** The columns without their keys. */
export function shownColumns(columns: readonly KeptColumn[]): Column[] {
  return columns.map(({ slug, name, type, description }) => ({ slug, name, type, description }))
}

/** The new columns of a draft: those that were there keep their values, and a new one never gets those of a removed one. */
export function relayout(before: Layout, wanted: readonly Column[]): Layout {
  const old = new Map(before.columns.map((column) => [column.slug, column]))
  const kept = wanted.filter(({ slug }) => old.has(slug)).length
  const generation = before.generation + (kept < before.columns.length ? 1 : 0)
  const columns = wanted.map((column): KeptColumn => {
    const known = old.get(column.slug)
    if (known) return { ...column, key: known.key }
    return generation === 0 ? { ...column } : { ...column, key: `${column.slug}~${generation}` }
  })
  return { columns, generation }
}

/** Values by slug as they are stored, by key. Values of no column are left out. */
export function toKeys(values: string, { columns, generation }: Layout): string {
  if (generation === 0) return values
  const members = membersOf(values)
  return objectOf(
    columns.flatMap(({ slug, key = slug }) => {
      const text = members.get(slug)
      return text === undefined ? [] : [[key, text] as const]
    }),
  )
}

/** The stored values by slug; those of removed columns are left out. */
export function toSlugs(body: string, { columns, generation }: Layout): string {
  if (generation === 0) return body
  const members = membersOf(body)
  return objectOf(
    columns.flatMap(({ slug, key = slug }) => {
      const text = members.get(key)
      return text === undefined ? [] : [[slug, text] as const]
    }),
  )
}

/** The stored values after some of them, by key, changed; null takes one away. */
export function mergeValues(body: string, changes: string): string {
  const members = membersOf(body)
  for (const [key, text] of membersOf(changes)) {
    if (text === 'null') members.delete(key)
    else members.set(key, text)
  }
  return objectOf(members)
}
