import { sql } from '#kysely'
import type { Kysely } from 'kysely'
import type { SearchTerm } from '../search.ts'
import type { Tables } from '../tables.ts'

/** Matches fetched at once. */
const matchRefs = 400
/** Refs looked at by the first step, and by the largest. */
const firstWindow = 2_000
const largestWindow = 256_000
/** Milliseconds that a step is to take, about: the window is adapted to it. */
const goodStep = 15

/**
 * Finds traces by words, newest first, in windows of refs: a common word fills a page from the newest few thousand, a rare
 * one is looked up in the index over ever larger windows. No step is unbounded, whatever the words.
 */
export class PostgresSearch {
  readonly #db: Kysely<Tables>
  readonly #projectId: number
  readonly #clock: () => number
  #window = firstWindow

  constructor(db: Kysely<Tables>, projectId: number, clock: () => number) {
    this.#db = db
    this.#projectId = projectId
    this.#clock = clock
  }

  async find(terms: SearchTerm[], below: number): Promise<{ refs: number[]; reached: number }> {
    const newest = await this.#db
      .selectFrom('search_documents')
      .select('ref')
      .where('project_id', '=', this.#projectId)
      .where('ref', '<', below)
      .orderBy('ref', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (!newest) return { refs: [], reached: 0 }
    const floor = Math.max(0, newest.ref - this.#window)
    const started = this.#clock()
    const rows = await this.#db
      .selectFrom('search_documents')
      .select('ref')
      .where('project_id', '=', this.#projectId)
      .where('ref', '<=', newest.ref)
      .where('ref', '>', floor)
      .where(sql<boolean>`tokens @@ ${queryOf(terms)}::tsquery`)
      .orderBy('ref', 'desc')
      .limit(matchRefs)
      .execute()
    this.#adapt(this.#clock() - started)
    const refs = rows.map((row) => row.ref)
    // Complete down to the last match when there are more in the window, else down to its floor (whose own ref is not in it).
    return { refs, reached: refs.length === matchRefs ? (refs.at(-1) ?? 0) : floor === 0 ? 0 : floor + 1 }
  }

  /** How many events the index has not read yet. */
  async lag(): Promise<number> {
    const row = await this.#db
      .selectFrom('heads')
      .leftJoin('consumers', (join) =>
        join.onRef('consumers.project_id', '=', 'heads.project_id').on('consumers.name', '=', 'search'),
      )
      .select(['heads.seq', 'consumers.seq as read'])
      .where('heads.project_id', '=', this.#projectId)
      .executeTakeFirst()
    return row ? row.seq - (row.read ?? 0) : 0
  }

  #adapt(ms: number): void {
    if (ms < goodStep / 2) this.#window = Math.min(this.#window * 4, largestWindow)
    else if (ms > goodStep * 2) this.#window = Math.max(Math.floor(this.#window / 4), firstWindow)
  }
}

/** All words must occur. Tokens hold letters, digits, marks and underscores only; quoting them makes sure of it. */
function queryOf(terms: readonly SearchTerm[]): string {
  return terms
    .map(({ token, prefix }) => `'${token.replaceAll("'", "''").replaceAll('\\', '\\\\')}'${prefix ? ':*' : ''}`)
    .join(' & ')
}
