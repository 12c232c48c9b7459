import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { limits } from '@llm-eval/protocol'
import { type Kysely, sql } from 'kysely'
import { describe, expect, inject, test } from 'vitest'
import { createDatabase } from '../test/postgres.ts'
import { append, find, newEvent } from './contract/conversations.contract.ts'
import { now, Room, type StoreUnderTest } from './contract/room.contract.ts'
import { reopenable } from './contract/reopen.contract.ts'
import { withClient } from './postgres/connection.ts'
import { openConnection } from './sqlite/connection.ts'
import { kyselyOn } from './sqlite/session.ts'
import type { Tables } from './tables.ts'

interface Place extends AsyncDisposable {
  under: StoreUnderTest
  /** Works on the bare database. */
  on: (work: (db: Kysely<Tables>) => Promise<void>) => Promise<void>
}

const dump = () => Promise.resolve('')

const places = {
  async sqlite(): Promise<Place> {
    const directory = mkdtempSync(join(tmpdir(), 'llm-eval-conversations-'))
    const end = async () => rmSync(directory, { recursive: true })
    const under = await reopenable({ directory }, { dump, end })
    return {
      under,
      [Symbol.asyncDispose]: () => under[Symbol.asyncDispose](),
      async on(work) {
        const connection = openConnection(join(directory, 'llm-eval.db'), { write: 'full' })
        await work(kyselyOn(connection)).finally(() => connection.close())
      },
    }
  },
  async postgres(): Promise<Place> {
    const database = await createDatabase(inject('postgresUrl'))
    const end = async () => database[Symbol.asyncDispose]()
    const under = await reopenable({ directory: '', databaseUrl: database.url }, { dump, end })
    return {
      under,
      [Symbol.asyncDispose]: () => under[Symbol.asyncDispose](),
      on: (work) => withClient(database.url, (session) => work(session.db)),
    }
  },
}

// What the caps count is written into the database: to make so many would take long.
for (const dialect of ['sqlite', 'postgres'] as const) {
  describe(`conversations on ${dialect} have limits:`, () => {
    const many = (count: number) => Array.from({ length: count }, () => newEvent())

    test(`one holds ${limits.conversationEvents} events, all of a request or none`, async () => {
      await using place = await places[dialect]()
      const r = new Room(place.under, 1)
      await append(r, 't')
      await place.on(async (db) => {
        await sql`UPDATE conversation_events SET seq = ${limits.conversationEvents - 9}`.execute(db)
        await sql`UPDATE conversations SET events = ${limits.conversationEvents - 9}`.execute(db)
      })
      expect(await append(r, 't', { events: many(10) })).toEqual({ result: 'full' })
      expect((await find(r, 't')).events).toBe(limits.conversationEvents - 9)
      expect(await append(r, 't', { events: many(9) })).toMatchObject({ last: limits.conversationEvents })
      expect(await append(r, 't', { events: many(1) })).toEqual({ result: 'full' })
      expect(await append(r, 't', { events: [] })).toMatchObject({ result: 'ok', last: limits.conversationEvents })
    })

    test(`a project holds ${limits.conversations} of them, and whoever deletes one makes room`, async () => {
      await using place = await places[dialect]()
      const r = new Room(place.under, 1)
      await append(r, 'a')
      await place.on(async (db) => {
        await sql`UPDATE conversation_counts SET conversations = ${limits.conversations - 1}`.execute(db)
      })
      expect(await append(r, 'b')).toMatchObject({ result: 'ok' })
      expect(await append(r, 'c')).toEqual({ result: 'too_many' })
      expect(await append(r, 'a')).toMatchObject({ result: 'ok', last: 2 })
      await r.apply({ kind: 'deleteConversation', threadId: 'a', at: now, limit: 10 })
      expect(await append(r, 'c')).toMatchObject({ result: 'ok' })
      expect(await append(r, 'd')).toEqual({ result: 'too_many' })
    })
  })
}

describe('what a conversation is found by', () => {
  test('is looked for in a bounded number of them at once: a page may be empty and have a next one', async () => {
    await using place = await places.sqlite()
    const r = new Room(place.under, 1)
    await append(r, 'oldest', { events: [newEvent({ title: 'needle' })] })
    await place.on(async (db) => {
      await sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO conversations (project_id, thread_id, app_name, user_id, title, searched, state, started_at, updated_at, heard_at, events, turns,
          tool_calls, agents, models)
        SELECT 1, 't' || i, 'a', 'u', 'hay', 'hay', 1, ${now}, ${now} + i, ${now}, 0, 0, 0, '[]', '[]' FROM n`.execute(
        db,
      )
    })
    const find = (cursor: string | null) =>
      r.read('conversations', { filter: { q: 'needle' }, limit: 5, cursor, silentBefore: 0 })
    const first = await find(null)
    if ('invalidCursor' in first) throw new Error('it is none')
    expect([first.items, first.nextCursor]).toEqual([[], expect.any(String)])
    expect(await find(first.nextCursor)).toMatchObject({ items: [{ threadId: 'oldest' }], nextCursor: null })
  })

  test('stands in an index, on SQLite too', async () => {
    await using place = await places.sqlite()
    const r = new Room(place.under, 1)
    await append(r, 't', { userId: 'u', target: 'x' })
    await place.on(async (db) => {
      const planOf = async (where: string) => {
        const text = `EXPLAIN QUERY PLAN SELECT updated_at, ref FROM conversations WHERE project_id = 1 AND thread_id IS NOT NULL AND ${where}
          ORDER BY updated_at DESC, ref DESC LIMIT 5`
        const { rows } = await sql.raw<{ detail: string }>(text).execute(db)
        return rows.map(({ detail }) => detail).join('\n')
      }
      const after = '(updated_at, ref) < (5, 6)'
      for (const [where, index] of [
        [after, 'conversations_by_time'],
        [`user_id = 'u' AND ${after}`, 'conversations_by_user_id'],
        [`target = 'x' AND ${after}`, 'conversations_by_target'],
      ] as const) {
        const plan = await planOf(where)
        expect(plan).toContain(`INDEX ${index}`)
        expect(plan).not.toContain('TEMP B-TREE')
      }
      const { rows } = await sql<{ detail: string }>`EXPLAIN QUERY PLAN SELECT ref FROM conversations
        WHERE project_id = 1 AND thread_id = 't'`.execute(db)
      expect(rows[0]?.detail).toContain('conversations_id')
    })
  })
})
