import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'
import type { SearchTerm } from './search.ts'
import type { Tables } from './tables.ts'

/** What a query works with: a connection that sees one consistent state, and what differs between the drivers. */
export interface Reading {
  readonly db: Kysely<Tables>
  readonly dialect: Dialect
  readonly projectId: number
  /** Milliseconds of a monotonic clock, for slices of bounded time. */
  readonly clock: () => number
  /** Names of the project's models by id; fetched once and whenever an id is unknown. */
  modelName(id: number): Promise<string>
  /** Refs below `below` of traces in which every term occurs, newest first, and how far down that is complete (0: to the end). */
  search(terms: SearchTerm[], below: number): Promise<{ refs: number[]; reached: number }>
  /** Events that the search index has not read yet. */
  searchLag(): Promise<number>
}

/** Remembers the names of models, which never change, for as long as the connection lives. */
export class ModelNames {
  readonly #names = new Map<number, string>()

  async name(db: Kysely<Tables>, id: number): Promise<string> {
    const known = this.#names.get(id)
    if (known !== undefined) return known
    const row = await db.selectFrom('models').select('name').where('id', '=', id).executeTakeFirst()
    // A model row is committed before anything that refers to it, so this is a damaged database, not a race.
    if (!row) throw new Error(`the database refers to a model that it does not hold: ${id}`)
    this.#names.set(id, row.name)
    return row.name
  }
}
