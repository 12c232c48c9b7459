import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startWriter } from '../../test/writer.ts'
import { makeRoom, newTrace, newTraces, now, Room, statuses } from '../contract/room.contract.ts'
import { openStore, type StoreOptions } from '../open.ts'
import type { Store } from '../store.ts'
import { openConnection } from './connection.ts'
import { SearchIndexer } from './indexer.ts'
import { announceOwner, DataDirectoryBusy, ownerOf } from './ownership.ts'

const unavailable = { code: 'storage_unavailable', retryAfter: expect.any(Number) as number }

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'llm-eval-sqlite-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const path = () => join(directory, 'llm-eval.db')
const searchPath = () => join(directory, 'search.db')
const open = (options: Partial<StoreOptions> = {}) => openStore({ directory, ...options })

function roomOf(store: Store, project = 1): Room {
  return new Room(under(store), project)
}

function under(store: Store) {
  const nothing = async () => undefined
  return { store, dump: async () => '', reopen: async () => store, [Symbol.asyncDispose]: nothing }
}

/** All bytes of all files of the directory. */
function bytes(): string {
  return readdirSync(directory)
    .map((file) => readFileSync(join(directory, file), 'latin1'))
    .join('\n')
}

/** Compares what the store counted with what it holds. */
async function expectCounted(r: Room): Promise<string[]> {
  const { items, ids } = await r.list({}, { limit: 200 })
  const accepted = items.filter((item) => item.evaluation_status === 'accepted').length
  expect(await r.metrics()).toMatchObject({ total_traces: items.length, accepted_traces: accepted })
  const events = await r.journal()
  expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => i + 1))
  expect(events.filter((event) => event.kind === 'trace_created')).toHaveLength(items.length)
  expect(new Set(ids).size).toBe(ids.length)
  return ids
}

describe('a data directory', () => {
  test('has one owner, who is named to whoever comes second', async () => {
    const store = await open()
    await expect(open()).rejects.toBeInstanceOf(DataDirectoryBusy)
    await expect(open()).rejects.toThrow(`in use by process ${process.pid}.`)
    announceOwner(directory, 'http://127.0.0.1:8000')
    await expect(open()).rejects.toThrow(`process ${process.pid} (http://127.0.0.1:8000)`)
    expect(ownerOf(directory)).toEqual({ pid: process.pid, url: 'http://127.0.0.1:8000' })
    await store.close()
    expect(ownerOf(directory)).toBeNull()
    await (await open()).close()
  })

  test('is free as soon as its owner was killed', async () => {
    const writer = await startWriter({ options: { directory }, project: 1, writers: 1, name: 'w' })
    await expect(open()).rejects.toThrow(`process ${writer.process.pid}`)
    await writer.kill()
    expect(ownerOf(directory)).toBeNull()
    await (await open()).close()
  })

  test('is readable by its owner alone', async () => {
    rmSync(directory, { recursive: true })
    const store = await open()
    expect(statSync(directory).mode & 0o077).toBe(0)
    await store.close()
  })
})

describe('a process that is killed in the middle of commits', () => {
  test('has stored every trace it acknowledged, and counts what it stored, again and again', async () => {
    const acknowledged: string[] = []
    for (let round = 0; round < 3; round++) {
      const name = `round${round}`
      const writer = await startWriter({ options: { directory }, project: 1, writers: 8, name })
      await writer.reaches(30)
      await writer.kill()
      acknowledged.push(...writer.acknowledged)
    }
    const store = await open()
    const r = roomOf(store)
    const stored = new Set(await expectCounted(r))
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
    // Requests are four traces, stored whole or not at all.
    expect(stored.size % 4).toBe(0)
    await r.caughtUp()
    expect((await r.read('facets', {})).models).toEqual([{ name: 'gpt-4o', traces: stored.size }])
    expect((await r.list({ q: 'paris' }, { limit: 200 })).ids).toHaveLength(stored.size)
    await store.close()
  })
})

describe('a disk that is full', () => {
  test('is storage that is unavailable, nothing is half-stored, and writing goes on where there is room again', async () => {
    const store = await open({ maxPages: 400 })
    const r = roomOf(store)
    const acknowledged: string[] = []
    const refused: string[][] = []
    while (refused.length < 3) {
      const traces = newTraces(25, () => ({ body: JSON.stringify({ text: 'x'.repeat(1_500) }) }))
      const ids = traces.map((trace) => trace.traceId)
      const outcome = await r.ingest(traces).catch((error: unknown) => error)
      if (outcome instanceof Error) {
        expect(outcome).toMatchObject(unavailable)
        refused.push(ids)
      } else acknowledged.push(...ids)
    }
    expect(acknowledged.length).toBeGreaterThan(0)
    const { total_traces } = await r.metrics()
    expect(total_traces).toBe(acknowledged.length)
    expect(await r.trace(refused[0]?.[0] ?? '')).toBeNull()
    await store.close()

    const larger = await open()
    const again = roomOf(larger)
    expect(new Set(await expectCounted(again))).toEqual(new Set(acknowledged))
    expect(statuses(await again.ingest(newTraces(2)))).toEqual(['created', 'created'])
    await larger.close()
  })
})

describe('a database that another connection locks', () => {
  test('is storage that is unavailable until it lets go', async () => {
    const store = await open()
    const r = roomOf(store)
    await r.ingest(newTraces(3))
    await r.caughtUp()
    const other = new Database(path())
    other.exec('BEGIN IMMEDIATE')
    const refused = newTraces(2)
    await expect(r.ingest(refused)).rejects.toMatchObject(unavailable)
    // Reading goes on.
    expect((await r.metrics()).total_traces).toBe(3)
    other.exec('ROLLBACK')
    other.close()
    expect(statuses(await r.ingest(refused))).toEqual(['created', 'created'])
    await expectCounted(r)
    await store.close()
  })
})

describe('a backup', () => {
  test('is a whole database with another epoch, made while traces arrive', async () => {
    const store = await open()
    const r = roomOf(store)
    await r.ingest(newTraces(50))
    const stop = new AbortController()
    const writing = (async () => {
      while (!stop.signal.aborted) await r.ingest(newTraces(5))
    })()
    const elsewhere = mkdtempSync(join(tmpdir(), 'llm-eval-backup-'))
    const to = join(elsewhere, 'llm-eval.db')
    await store.backup(to)
    stop.abort()
    await writing
    await expect(store.backup(to)).rejects.toThrow('exists already')
    const { epoch } = await r.read('head', {})
    await store.close()

    const copy = await openStore({ directory: elsewhere })
    const restored = roomOf(copy)
    expect((await expectCounted(restored)).length).toBeGreaterThanOrEqual(50)
    expect((await restored.read('head', {})).epoch).not.toBe(epoch)
    await restored.caughtUp()
    expect((await restored.list({ q: 'paris' }, { limit: 200 })).ids.length).toBeGreaterThanOrEqual(50)
    await copy.close()
    rmSync(elsewhere, { recursive: true })
  })
})

describe('a project whose journal is damaged', () => {
  test('is reported, and does not hold up the others', async () => {
    const first = await open()
    const [damaged, sound] = [await makeRoom(under(first)), await makeRoom(under(first))]
    await first.close()
    const main = new Database(path())
    main.prepare("INSERT INTO events (project_id, seq, at, kind, data) VALUES (?, 1, 0, 99, '[]')").run(damaged.project)
    main.prepare('UPDATE heads SET seq = 1 WHERE project_id = ?').run(damaged.project)
    main.close()
    const faults: unknown[] = []
    const store = await open({ onError: (error) => faults.push(error) })
    const r = roomOf(store, sound.project)
    await r.ingest(newTraces(5))
    await r.caughtUp()
    await expect.poll(() => String(faults[0])).toContain('unknown kind of event: 99')
    await store.close()
  })
})

describe('the search index', () => {
  const found = async (r: Room, q: string) => (await r.list({ q }, { limit: 200 })).ids.length

  /** A store with traces in two projects, one of them deleted, closed. */
  async function written(): Promise<number> {
    const store = await open()
    const r = await makeRoom(under(store))
    const gone = newTrace({}, { ai_response: 'a secretword' })
    await r.ingest([...newTraces(1_200), gone])
    await roomOf(store).ingest(newTraces(3))
    await r.caughtUp()
    await r.delete(gone.traceId)
    await r.caughtUp()
    await store.close()
    return r.project
  }

  const damages: [name: string, damage: () => void][] = [
    ['deleted', () => rmSync(searchPath())],
    ['garbage', () => writeFileSync(searchPath(), 'this is no database'.repeat(1_000))],
    ['empty', () => writeFileSync(searchPath(), '')],
    [
      'of another version',
      () => {
        const index = new Database(searchPath())
        index.pragma('user_version = 1')
        index.close()
      },
    ],
  ]
  for (const [name, damage] of damages) {
    test(`a file that is ${name} is filled again from the traces`, async () => {
      const project = await written()
      damage()
      const faults: unknown[] = []
      const store = await open({ onError: (error) => faults.push(error) })
      const r = roomOf(store, project)
      await r.ingest(newTraces(1))
      await r.caughtUp()
      expect(await found(r, 'paris')).toBe(1_201)
      expect(await found(r, 'secretword')).toBe(0)
      expect(faults).toEqual([])
      await store.close()
    })
  }

  test('an index that missed events which are gone is filled again', async () => {
    const project = await written()
    const index = new Database(searchPath())
    index.prepare('UPDATE progress SET seq = 10 WHERE project_id = ?').run(project)
    index.close()
    const main = new Database(path())
    main.prepare('DELETE FROM events WHERE project_id = ? AND seq < 1000').run(project)
    main.prepare('UPDATE heads SET first_seq = 1000 WHERE project_id = ?').run(project)
    main.close()
    const store = await open()
    const r = roomOf(store, project)
    await r.caughtUp()
    expect(await found(r, 'paris')).toBe(1_200)
    expect(await found(r, 'secretword')).toBe(0)
    await store.close()
  })

  test('traces that come while the index is filled are read once, and nothing is indexed twice', async () => {
    const store = await open()
    const r = await makeRoom(under(store))
    await r.ingest(newTraces(1_200))
    await store.close()
    // It may not have been begun.
    rmSync(searchPath(), { force: true })
    const main = openConnection(path(), {})
    const index = new SearchIndexer(searchPath(), main)
    index.step(r.project, now)
    const writing = await open()
    await roomOf(writing, r.project).ingest(newTraces(1_200))
    await writing.close()
    while (index.step(r.project, now));
    index.close()
    main.close()
    const file = new Database(searchPath(), { readonly: true })
    // FTS5 numbers its writes, and notes for each document which one it came with: one of which nothing is left was overwritten.
    const [documents, writes, seen] =
      file
        .prepare<[], number[]>(
          `SELECT count(*), max(origin), count(DISTINCT origin) FROM documents_${r.project}_docsize`,
        )
        .raw()
        .get() ?? []
    file.close()
    expect(documents).toBe(2_400)
    expect(seen).toBe(writes)
  })

  test('the words of deleted traces leave the file, even after a restart', async () => {
    const project = await written()
    const main = openConnection(path(), {})
    const index = new SearchIndexer(searchPath(), main)
    index.purge(now)
    expect(bytes()).toContain('secretword')
    index.purge(Date.now())
    expect(index.step(project, now)).toBe(false)
    index.close()
    main.close()
    expect(bytes()).not.toContain('secretword')
    const store = await open()
    expect(await found(roomOf(store, project), 'paris')).toBe(1_200)
    await store.close()
  })

  test('knows the matches of one or two first letters without merging those of all words', async () => {
    const store = await open()
    await roomOf(store).ingest(newTraces(1))
    await roomOf(store).caughtUp()
    await store.close()
    const index = new Database(searchPath(), { readonly: true })
    const made = index.prepare<[], { sql: string }>("SELECT sql FROM sqlite_master WHERE name = 'documents_1'").get()
    expect(made?.sql).toContain("prefix='1 2'")
    index.close()
  })

  test('nothing of a deleted trace is left in the bytes of the database', async () => {
    const store = await open()
    const r = roomOf(store)
    const secret = 'xylophonequark'
    const doomed = newTraces(30, (i) => ({ traceId: `${secret}-${i}`, userId: secret, body: bodyOf(secret) }))
    await r.ingest([...doomed, ...newTraces(30)])
    await r.caughtUp()
    expect(bytes()).toContain(secret)
    await r.apply({ kind: 'eraseUser', userId: secret, at: now, limit: 100 })
    await r.caughtUp()
    await store.close()
    const main = openConnection(path(), {})
    const index = new SearchIndexer(searchPath(), main)
    index.purge(Date.now())
    index.close()
    main.close()
    expect(bytes()).not.toContain(secret)
  })
})

function bodyOf(text: string): string {
  return JSON.stringify({ user_query: text, ai_response: text.repeat(300) })
}
