import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

/** Who holds a data directory. `url` is absent until the server listens. */
export interface Owner {
  pid: number
  url?: string
}

/** Somebody else holds the data directory. */
export class DataDirectoryBusy extends Error {
  override readonly name = 'DataDirectoryBusy'
  readonly owner: Owner | null

  constructor(directory: string, owner: Owner | null) {
    const who = owner ? `process ${owner.pid}${owner.url ? ` (${owner.url})` : ''}` : 'another process'
    super(`The data directory ${directory} is in use by ${who}. Stop it, or pass another --data directory.`)
    this.owner = owner
  }
}

const ownerFile = (directory: string) => join(directory, 'owner.json')

/**
 * Takes a data directory for this process. The hold is a lock of the operating system on `lock.db`, which ends with the
 * process however that dies; `owner.json` beside it only tells others who it is.
 */
export function claimDataDirectory(directory: string): { release(): void } {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const lock = new Database(join(directory, 'lock.db'), { timeout: 0 })
  try {
    lock.pragma('journal_mode = MEMORY')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY'))
      throw new DataDirectoryBusy(directory, readOwner(directory))
    throw error
  }
  writeOwner(directory, { pid: process.pid })
  return {
    release() {
      rmSync(ownerFile(directory), { force: true })
      lock.close()
    },
  }
}

/** Tells others where the holder of the directory listens. */
export function announceOwner(directory: string, url: string): void {
  writeOwner(directory, { pid: process.pid, url })
}

/** Who holds a data directory now; null when nobody does. */
export function ownerOf(directory: string): Owner | null {
  const owner = readOwner(directory)
  if (!owner) return null
  try {
    claimDataDirectory(directory).release()
    return null
  } catch (error) {
    if (error instanceof DataDirectoryBusy) return owner
    throw error
  }
}

function writeOwner(directory: string, owner: Owner): void {
  writeFileSync(ownerFile(directory), `${JSON.stringify(owner)}\n`, { mode: 0o600 })
}

function readOwner(directory: string): Owner | null {
  try {
    const owner: unknown = JSON.parse(readFileSync(ownerFile(directory), 'utf8'))
    if (typeof owner !== 'object' || owner === null || !('pid' in owner) || typeof owner.pid !== 'number') return null
    return 'url' in owner && typeof owner.url === 'string' ? { pid: owner.pid, url: owner.url } : { pid: owner.pid }
  } catch {
    return null
  }
}
