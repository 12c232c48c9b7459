import Database from 'better-sqlite3'
import type { SearchTerm } from '../search.ts'
import { existsSync } from 'node:fs'
import type { Connection } from './connection.ts'
import { hexadecimal, indexVersion, spell, tableOf } from './indexer.ts'

/** Matches fetched at once. */
const matchRefs = 400

/** A term in FTS5's language. What begins in ASCII may go on in other letters, and is spelled in hexadecimal then. */
function matchOf({ token, prefix }: SearchTerm): string {
  if (!prefix) return `"${spell(token)}"`
  return spell(token) === token ? `("${token}" * OR "${hexadecimal(token)}" *)` : `"${spell(token)}" *`
}

/** The reading side, on a reader's connection. */
export class SearchReader {
  readonly #connection: Connection
  readonly #path: string
  #index: Connection | undefined

  constructor(connection: Connection, path: string) {
    this.#connection = connection
    this.#path = path
  }

  find(projectId: number, terms: SearchTerm[], below: number): { refs: number[]; reached: number } {
    const index = this.#open()
    if (!index || this.#progress(projectId) === undefined) return { refs: [], reached: 0 }
    const match = terms.map(matchOf).join(' AND ')
    const rows = index
      .prepare<[string, number, number], { rowid: number }>(
        `SELECT rowid FROM ${tableOf(projectId)} WHERE ${tableOf(projectId)} MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?`,
      )
      .all(match, below, matchRefs)
    const refs = rows.map((row) => row.rowid)
    return { refs, reached: refs.length < matchRefs ? 0 : (refs.at(-1) ?? 0) }
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
