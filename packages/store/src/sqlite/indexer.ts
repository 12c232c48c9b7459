import { rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { indexTokens } from '../search.ts'
import { eventKinds } from '../transaction.ts'
import type { Connection } from './connection.ts'

/** A file of another version, or of none, is made anew. */
export const indexVersion = 4
/** Events, or traces, of one step: a step is one transaction. */
const stepRows = 500

/** FTS5's own tokenizer sees ASCII only: what is not is spelled in hexadecimal, so both drivers agree on every script. */
export function spell(token: string): string {
  return /^[a-z0-9_]+$/.test(token) ? token : hexadecimal(token)
}

export const hexadecimal = (token: string) => `~${Buffer.from(token).toString('hex')}`

export const tableOf = (projectId: number) => `documents_${projectId}`

/** Statements kept prepared. */
const preparedStatements = 100

interface Progress {
  epoch: string
  /** Place in the journal that was read up to. */
  seq: number
  /** While the index is filled from the traces themselves, newest first: the ref that was read down to. Null when that is done. */
  filled: number | null
}

/**
 * Follows the journal and keeps the search index of SQLite, a file of its own, which can be deleted and is filled again
 * then: a full-text table a project (so that no project pays for another's words) and how far it has come. Runs in a thread
 * of its own, beside the writer.
 */
export class SearchIndexer {
  readonly #index: Connection
  readonly #reading: Statements
  readonly #writing: Statements

  constructor(path: string, main: Connection) {
    this.#index = openIndex(path)
    this.#reading = new Statements(main)
    this.#writing = new Statements(this.#index)
  }

  /** Indexes the next part of a project; false when there was none left. */
  step(projectId: number, now: number): boolean {
    const progress = this.#progressOf(projectId)
    return progress.filled === null
      ? this.#follow(projectId, progress.seq, now)
      : this.#fill(projectId, progress.filled)
  }

  /** Takes the words of traces that were deleted before a time out of the file, where they are only marked so far. Rewrites a project's index. */
  purge(before: number): void {
    const due = this.#index
      .prepare<[number], { project_id: number }>('SELECT project_id FROM progress WHERE deleted_at <= ?')
      .all(before)
    for (const { project_id } of due) {
      const table = tableOf(project_id)
      this.#index.exec(`INSERT INTO ${table} (${table}) VALUES ('optimize')`)
      this.#index.prepare('UPDATE progress SET deleted_at = NULL WHERE project_id = ?').run(project_id)
    }
    if (due.length === 0) return
    // What was merged away lingers in free pages, and in the log.
    this.#index.exec('VACUUM')
    this.#index.pragma('wal_checkpoint(TRUNCATE)')
  }

  close(): void {
    this.#index.close()
  }

  #follow(projectId: number, seq: number, now: number): boolean {
    const events = this.#reading.of<
      [number, number, number],
      { seq: number; kind: number; ref: number | null; body: string | null }
    >(
      `SELECT e.seq, e.kind, e.ref, b.body FROM events e LEFT JOIN bodies b ON b.ref = e.ref AND e.kind IN (${eventKinds.trace_created}, ${eventKinds.trace_updated})
       WHERE e.project_id = ? AND e.seq > ? ORDER BY e.seq LIMIT ?`,
    )
    let last = seq
    this.#index.transaction(() => {
      let removed = false
      // One body at a time in memory: they may be large.
      for (const event of events.iterate(projectId, seq, stepRows)) {
        last = event.seq
        if (event.ref === null) continue
        if (event.kind === eventKinds.trace_deleted) {
          this.#writing.of(`DELETE FROM ${tableOf(projectId)} WHERE rowid = ?`).run(event.ref)
          removed = true
        } else if (event.body !== null) this.#insertion(projectId).run(event.ref, spelledTokens(event.body))
      }
      if (last > seq) this.#writing.of('UPDATE progress SET seq = ? WHERE project_id = ?').run(last, projectId)
      // Deletion only marks: when it began is kept until the marked words are taken out.
      if (removed)
        this.#writing
          .of('UPDATE progress SET deleted_at = coalesce(deleted_at, ?) WHERE project_id = ?')
          .run(now, projectId)
    })()
    return last > seq
  }

  /**
   * Reads traces instead of events, because old events may be gone. Those that were there when it began, and no newer one:
   * what changes meanwhile is in the events after `seq`, and what FTS5 is given twice it merges ever more slowly.
   */
  #fill(projectId: number, filled: number): boolean {
    const first = this.#reading
      .of<[number, number, number], { ref: number | null }>(
        'SELECT min(ref) AS ref FROM (SELECT ref FROM traces WHERE project_id = ? AND ref < ? ORDER BY ref DESC LIMIT ?)',
      )
      .get(projectId, filled, stepRows)?.ref
    // FTS5 wants ascending refs within a transaction.
    const traces = this.#reading.of<[number, number, number], { ref: number; body: string }>(
      'SELECT t.ref, b.body FROM traces t JOIN bodies b ON b.ref = t.ref WHERE t.project_id = ? AND t.ref >= ? AND t.ref < ? ORDER BY t.ref',
    )
    this.#index.transaction(() => {
      const insert = this.#insertion(projectId)
      for (const trace of traces.iterate(projectId, first ?? filled, filled))
        insert.run(trace.ref, spelledTokens(trace.body))
      this.#writing.of('UPDATE progress SET filled = ? WHERE project_id = ?').run(first ?? null, projectId)
    })()
    return true
  }

  #insertion(projectId: number): Database.Statement<[number, string]> {
    return this.#writing.of(`INSERT OR REPLACE INTO ${tableOf(projectId)} (rowid, tokens) VALUES (?, ?)`)
  }

  #progressOf(projectId: number): Progress {
    const life = this.#reading
      .of<[number], { epoch: string; seq: number; first_seq: number; ref: number | null }>(
        "SELECT meta.value AS epoch, seq, first_seq, (SELECT max(ref) FROM traces) AS ref FROM heads JOIN meta ON meta.name = 'epoch' WHERE project_id = ?",
      )
      .get(projectId)
    if (!life) throw new RangeError(`there is no project ${projectId}`)
    const progress = this.#writing
      .of<[number], Progress>('SELECT epoch, seq, filled FROM progress WHERE project_id = ?')
      .get(projectId)
    // Made for another life of the database, or events are gone that it had not read yet: from the beginning.
    if (progress?.epoch === life.epoch && progress.seq + 1 >= life.first_seq) return progress
    const begun = { epoch: life.epoch, seq: life.seq, filled: (life.ref ?? 0) + 1 }
    this.#index.transaction(() => {
      const table = tableOf(projectId)
      this.#index.exec(`DROP TABLE IF EXISTS ${table}`)
      this.#index.exec(
        // One letter or two begin so many words that merging their matches for each question would take a second.
        `CREATE VIRTUAL TABLE ${table} USING fts5(tokens, content='', contentless_delete=1, detail=none, prefix='1 2', tokenize="ascii tokenchars '_~'")`,
      )
      this.#writing
        .of('INSERT OR REPLACE INTO progress (project_id, epoch, seq, filled) VALUES (?,?,?,?)')
        .run(projectId, begun.epoch, begun.seq, begun.filled)
    })()
    return begun
  }
}

/** Statements of a connection by their text. A step follows every commit, and preparing them took longer than most steps do. */
class Statements {
  readonly #connection: Connection
  readonly #prepared = new Map<string, Database.Statement>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- who writes the statement knows its rows
  of<Values extends unknown[], Row = unknown>(text: string): Database.Statement<Values, Row> {
    const known = this.#prepared.get(text)
    if (known) return known as Database.Statement<Values, Row>
    const statement = this.#connection.prepare<Values, Row>(text)
    // Some name the table of a project.
    if (this.#prepared.size >= preparedStatements) this.#prepared.clear()
    this.#prepared.set(text, statement)
    return statement
  }
}

/** Opens the index; a file that is no database, is damaged, or is of another version is replaced by an empty one. */
function openIndex(path: string): Connection {
  try {
    const index = new Database(path)
    try {
      // The index can be filled again, so a power cut may cost its last steps.
      index.pragma('journal_mode = WAL')
      index.pragma('synchronous = NORMAL')
      index.pragma('cache_size = -16000')
      if (index.pragma('user_version', { simple: true }) === indexVersion) return index
      if (index.prepare('SELECT count(*) AS tables FROM sqlite_master').pluck().get() === 0) return prepared(index)
    } catch (error) {
      index.close()
      throw error
    }
    index.close()
  } catch (error) {
    const damaged = error instanceof Database.SqliteError && /^SQLITE_(NOTADB|CORRUPT)/.test(error.code)
    if (!damaged) throw error
  }
  for (const ending of ['', '-wal', '-shm']) rmSync(`${path}${ending}`, { force: true })
  return openIndex(path)
}

function prepared(index: Connection): Connection {
  index.exec(
    'CREATE TABLE progress (project_id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL, filled INTEGER, deleted_at INTEGER)',
  )
  index.pragma(`user_version = ${indexVersion}`)
  return index
}

function spelledTokens(body: string): string {
  const { user_query, ai_response } = JSON.parse(body) as { user_query: string; ai_response: string }
  return indexTokens(`${user_query}\n${ai_response}`).map(spell).join(' ')
}
