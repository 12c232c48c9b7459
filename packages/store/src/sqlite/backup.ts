import { existsSync } from 'node:fs'
import { open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { newEpoch } from '../epoch.ts'

/** How a data directory is backed up. */
export interface BackupOptions {
  /** The file to write; it must not exist yet. */
  to: string
  /** Called now and then with the share that is done, from 0 to 1. */
  onProgress?: (share: number) => void
  signal?: AbortSignal
}

/** Pages copied between two looks at the signal. */
const step = 2_000

/**
 * Copies the database of a data directory into one file, whether or not a server holds the directory: what was committed
 * when it begins is in the copy, what comes later is not. The server goes on meanwhile; its log file grows until the copy is
 * done. The file appears whole or not at all. Put as `llm-eval.db` into an empty directory it is a store with a journal of its
 * own: cursors of the original do not fit it.
 *
 * @returns the size of the file in bytes
 * @throws an error with the code `ENOENT` when the directory holds no database, `EEXIST` when the file is there already
 */
export async function backupDirectory(directory: string, options: BackupOptions): Promise<number> {
  const { to, onProgress, signal } = options
  const path = join(directory, 'llm-eval.db')
  if (!existsSync(path)) throw systemError('ENOENT', path)
  if (existsSync(to)) throw systemError('EEXIST', to)
  const partial = `${to}.${process.pid}.partial`
  // Made first, so that the copy is never readable by others.
  await writeFile(partial, '', { mode: 0o600, flag: 'wx' })
  try {
    const source = new Database(path, { readonly: true, timeout: 5_000 })
    try {
      // An open snapshot: without it every commit of the server would make the copy begin again.
      source.exec('BEGIN')
      source.prepare('SELECT count(*) FROM meta').get()
      await source.backup(partial, {
        progress({ totalPages, remainingPages }) {
          signal?.throwIfAborted()
          onProgress?.(totalPages === 0 ? 0 : 1 - remainingPages / totalPages)
          return step
        },
      })
    } finally {
      source.close()
    }
    beginNewLife(partial)
    await flush(partial)
    await rename(partial, to)
    return (await stat(to)).size
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

/** A restored copy is another life of the journal: cursors of the original must not fit it by chance. */
function beginNewLife(path: string): void {
  const copy = new Database(path)
  try {
    copy.prepare("UPDATE meta SET value = ? WHERE name = 'epoch'").run(newEpoch())
    copy.pragma('journal_mode = DELETE')
  } finally {
    copy.close()
  }
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, path })
}
