import { randomBytes } from 'node:crypto'
import { closest, type Column } from '@llm-eval/protocol'

/** Characters of a slug that is made of a name. */
const slugChars = 100

/** A name as a slug: lower case, spaces and underscores as dashes, all else left out. May be empty. */
export function slugify(name: string): string {
  const dashed = name.toLowerCase().replaceAll(/[\s_-]+/g, '-')
  return dashed
    .replaceAll(/[^a-z0-9-]/g, '')
    .replaceAll(/-{2,}/g, '-')
    .slice(0, slugChars)
    .replaceAll(/^-|-$/g, '')
}

/** The slug of a dataset of this name; a name without any Latin letter or digit gets one of its own. */
export function datasetSlug(name: string): string {
  return slugify(name) || `dataset-${randomBytes(4).toString('hex')}`
}

/** A slug for a column of this name that none of `taken` is. */
export function columnSlug(name: string, taken: ReadonlySet<string>): string {
  // `userQuery` and `user_query` are the same column.
  const own = slugify(split(name)) || 'column'
  let slug = own
  for (let n = 2; taken.has(slug); n++) slug = `${own}-${n}`
  return slug
}

/** Parts words that stand together in camelCase. */
function split(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
}

/** Finds columns by what callers call them: by slug, by other spellings of it, by name. */
export interface ColumnFinder {
  /** Undefined when there is none. */
  find(key: string): Column | undefined
  /** The slug that a mistyped key most likely means. */
  nearest(key: string): string | undefined
}

/** Looks up keys of rows: the exact slug goes before its snake_case and camelCase spellings, and those before the name. */
export function columnFinder(columns: readonly Column[]): ColumnFinder {
  const bySlug = new Map(columns.map((column) => [column.slug, column]))
  const byName = new Map<string, Column>()
  for (const column of columns) {
    const folded = column.name.trim().toLowerCase()
    for (const name of [column.name, folded]) if (!byName.has(name)) byName.set(name, column)
  }
  return {
    find: (key) =>
      bySlug.get(key) ?? bySlug.get(slugify(split(key))) ?? byName.get(key) ?? byName.get(key.trim().toLowerCase()),
    nearest: (key) => closest(slugify(split(key)), [...bySlug.keys()]),
  }
}
