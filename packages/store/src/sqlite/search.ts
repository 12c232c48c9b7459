import Database from 'better-sqlite3'
import type { SearchTerm } from '../search.ts'
import { existsSync } from 'node:fs'
import type { Connection } from './connection.ts'
import { hexadecimal, indexVersion, spell, tableOf } from './indexer.ts'

/** Matches fetched at once. */
const matchRefs = 400
/** Refs looked at by the first step, and by the largest: two common words that never meet would read both their lists to the end. */
const firstWindow = 32_000
const largestWindow = 8_192_000
/** Milliseconds that a step is to take, about: the window is adapted to it. */
const goodStep = 15

/** A term in FTS5's language. What begins in ASCII may go on in other letters, and is spelled in hexadecimal then. */
function matchOf({ token, prefix }: SearchTerm): string {
  if (!prefix) return `"${spell(token)}"`
  return spell(token) === token ? `("${token}" * OR "${hexadecimal(token)}" *)` : `"${spell(token)}" *`
}

/** The reading side, on a reader's connection. */
export class SearchReader {
  readonly #connection: Connection
  readonly #path: string
  readonly #clock: () => number
  #index: Connection | undefined
  #window = firstWindow

  /** @param clock milliseconds of a monotonic clock */
  constructor(connection: Connection, path: string, clock: () => number) {
    this.#connection = connection
    this.#path = path
    this.#clock = clock
  }

  find(projectId: number, terms: SearchTerm[], below: number): { refs: number[]; reached: number } {
    const index = this.#open()
    if (!index || this.#progress(projectId) === undefined) return { refs: [], reached: 0 }
    const table = tableOf(projectId)
    const newest = index
      .prepare<[number], number | null>(`SELECT max(id) FROM ${table}_docsize WHERE id < ?`)
      .pluck()
      .get(below)
    if (newest === null || newest === undefined) return { refs: [], reached: 0 }
    // A beginning is looked up anew, with all the words it begins, for each window: one window is best then.
    const floor = terms.some((term) => term.prefix) ? 0 : Math.max(0, newest - this.#window)
    const started = this.#clock()
    const refs = index
      .prepare<[string, number, number, number], number>(
        `SELECT rowid FROM ${table} WHERE ${table} MATCH ? AND rowid <= ? AND rowid > ? ORDER BY rowid DESC LIMIT ?`,
      )
      .pluck()
      .all(terms.map(matchOf).join(' AND '), newest, floor, matchRefs)
    this.#adapt(this.#clock() - started)
    // Complete down to the last match when there are more in the window, else down to its floor (whose own ref is not in it).
    return { refs, reached: refs.length === matchRefs ? (refs.at(-1) ?? 0) : floor === 0 ? 0 : floor + 1 }
  }

  lag(projectId: number): number {
    const head =
      this.#connection.prepare<[number], { seq: number }>('SELECT seq FROM heads WHERE project_id = ?').get(projectId)
        ?.seq ?? 0
    const progress = this.#progress(projectId)
    // While the index is filled from the traces, nobody knows how much of the journal that is.
    return progress && progress.filled === null ? Math.max(0, head - progress.seq) : head
  }

  close(): void {
    this.#index?.close()
  }

  #adapt(ms: number): void {
    if (ms < goodStep / 2) this.#window = Math.min(this.#window * 4, largestWindow)
    else if (ms > goodStep * 2) this.#window = Math.max(this.#window / 4, firstWindow)
  }

  #progress(projectId: number): { seq: number; filled: number | null } | undefined {
    return this.#open()
      ?.prepare<[number], { seq: number; filled: number | null }>(
        'SELECT seq, filled FROM progress WHERE project_id = ?',
      )
      .get(projectId)
  }

  /** The index comes into being beside this thread: until it is complete, there is none. */
  #open(): Connection | undefined {
    if (this.#index || !existsSync(this.#path)) return this.#index
    const index = new Database(this.#path, { readonly: true, timeout: 5_000 })
    if (index.pragma('user_version', { simple: true }) !== indexVersion) {
      index.close()
      return undefined
    }
    index.pragma('cache_size = -8000')
    this.#index = index
    return index
  }
}
