import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../test/postgres.ts'
import { completed, newExecution } from './contract/judging.contract.ts'
import { newTraces, statuses } from './contract/room.contract.ts'
import { leaseMs, newRun } from './contract/running.contract.ts'
import { migrate, migrationNames } from './migrations.ts'
import { openStore, type StoreOptions } from './open.ts'
import { withClient } from './postgres/connection.ts'
import { openConnection } from './sqlite/connection.ts'
import { kyselyOn } from './sqlite/session.ts'
import type { Tables } from './tables.ts'

interface Place extends AsyncDisposable {
  options: StoreOptions
  /** Works on the bare database. */
  on(work: (db: Kysely<Tables>) => Promise<void>): Promise<void>
}

const places = {
  async sqlite(): Promise<Place> {
    const directory = mkdtempSync(join(tmpdir(), 'llm-eval-migrations-'))
    return {
      options: { directory },
      async on(work) {
        const connection = openConnection(join(directory, 'llm-eval.db'), { write: 'full' })
        try {
          await work(kyselyOn(connection))
        } finally {
          connection.close()
        }
      },
      [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true }),
    }
  },
  async postgres(): Promise<Place> {
    const database: TestDatabase = await createDatabase(inject('postgresUrl'))
    return {
      options: { directory: '', databaseUrl: database.url },
      on: (work) => withClient(database.url, (session) => work(session.db)),
      [Symbol.asyncDispose]: async () => database[Symbol.asyncDispose](),
    }
  },
}

/** A trace with its event, as version 0001 wrote them. */
async function storeAsFirstVersion(db: Kysely<Tables>): Promise<void> {
  const body = { user_query: 'Capital of France?', ai_response: 'Paris.', system_prompt: '', functions_called: [] }
  await db.insertInto('models').values({ id: 1, project_id: 1, name: 'gpt-4' }).execute()
  const trace = {
    ref: 1,
    project_id: 1,
    trace_id: 'old',
    ts: 1_000,
    received_at: 1_000,
    model_id: 1,
    status: 0,
    query_preview: '',
    response_preview: '',
    captured: 0,
    hash: 'h',
    open: 0,
    version: 0,
  }
  await db.insertInto('traces').values(trace).execute()
  const whole = { ...body, metadata: {}, extra: {} }
  await db
    .insertInto('bodies')
    .values({ ref: 1, body: JSON.stringify(whole) })
    .execute()
  await db
    .insertInto('events')
    .values({ project_id: 1, seq: 1, at: 1_000, kind: 1, ref: 1, data: '[1,0,null,null,null]' })
    .execute()
  await db.updateTable('heads').set({ seq: 1, total: 1 }).execute()
}

for (const dialect of ['sqlite', 'postgres'] as const) {
  describe(`migrations of ${dialect}`, () => {
    let place: Place
    beforeAll(async () => {
      place = await places[dialect]()
    })
    afterAll(async () => place[Symbol.asyncDispose]())

    for (const from of migrationNames(dialect)) {
      test(`a database at ${from} is brought to this version, and works`, async () => {
        await using old = await places[dialect]()
        await old.on((db) => migrate(db, dialect, from))
        const store = await openStore(old.options)
        expect(statuses(await store.ingest(1, { traces: newTraces(2) }))).toEqual(['created', 'created'])
        await store.close()
      })
    }

    test('what the first version stored is all there, and can be evaluated', async () => {
      await using old = await places[dialect]()
      await old.on(async (db) => {
        await migrate(db, dialect, '0001_ground')
        await storeAsFirstVersion(db)
      })
      const store = await openStore(old.options)
      try {
        const list = { filter: {}, limit: 5, cursor: null, sliceMs: 50 }
        expect(await store.read(1, 'listTraces', list)).toMatchObject({ items: [{ trace_id: 'old', scores: [] }] })
        const { events } = await store.read(1, 'events', { after: 0, limit: 5, bytes: 1e6 })
        expect(events).toMatchObject([{ kind: 'trace_created', trace: { trace_id: 'old' } }])
        const executions = [newExecution({ traceId: 'old' })]
        const asked = { executions, owner: 'o', at: 0, leaseMs: 1_000 }
        const { refs } = await store.apply(1, { kind: 'startExecutions', ...asked })
        const end = completed({ value: 0.5 })
        await store.apply(1, { kind: 'finishExecution', ref: refs[0] ?? 0, owner: 'o', end, at: 0 })
        expect(await store.read(1, 'trace', { traceId: 'old' })).toMatchObject({
          ai_response: 'Paris.',
          scores: [{ value: 0.5 }],
        })
      } finally {
        await store.close()
      }
    })

    test('runs of foreign clients are those of experiments from then on, and the journal goes on with runs in it', async () => {
      await using old = await places[dialect]()
      await old.on(async (db) => {
        await migrate(db, dialect, '0004_experiments')
        await sql`INSERT INTO runs (project_id, id, experiment_id, dataset_id, dataset_version, evaluators, metadata, created_at)
          VALUES (1, 'theirs', 'e', 'd', 'v1', '["a"]', '{}', 5)`.execute(db)
        await sql`INSERT INTO events (project_id, seq, at, kind, ref, data) VALUES (1, 1, 0, 5, NULL, '[2]')`.execute(
          db,
        )
        await sql`UPDATE heads SET seq = 1`.execute(db)
      })
      const store = await openStore(old.options)
      try {
        expect(await store.read(1, 'experimentRun', { id: 'theirs' })).toMatchObject({
          experimentId: 'e',
          createdAt: 5,
        })
        expect(await store.read(1, 'run', { id: 'theirs' })).toBeNull()
        const run = newRun({ id: 'theirs' })
        await store.apply(1, { kind: 'createRun', run, owner: null, at: 0, leaseMs })
        const { events } = await store.read(1, 'events', { after: 0, limit: 5, bytes: 1e6 })
        expect(events.map(({ seq, kind }) => [seq, kind])).toEqual([
          [1, 'traces_expired'],
          [2, 'run_created'],
        ])
      } finally {
        await store.close()
      }
    })

    test('replays of before know whose words they say again, where what they say again is still there', async () => {
      await using old = await places[dialect]()
      await old.on(async (db) => {
        await migrate(db, dialect, '0011_conversation_copies')
        const threads: [thread: string | null, user: string, replayOf: string | null, project?: number][] = [
          ['and again', 'target', 'again'],
          ['again', 'target', 't'],
          ['t', 'ann', null],
          ['t', 'bob', null, 2],
          ['again', 'target', 't', 2],
          ['of what is gone', 'target', 'gone'],
          ['and again of that', 'target', 'of what is gone'],
          ['itself', 'target', 'itself'],
          [null, '', null],
        ]
        for (const [thread, user, replayOf, project = 1] of threads)
          await sql`INSERT INTO conversations (project_id, thread_id, app_name, user_id, title, searched, state, started_at, updated_at, heard_at,
            events, turns, tool_calls, agents, models, replay_of)
            VALUES (${project}, ${thread}, 'a', ${user}, '', '', 0, 1, 1, 1, 0, 0, 0, '[]', '[]', ${replayOf})`.execute(
            db,
          )
      })
      await (await openStore(old.options)).close()
      await old.on(async (db) => {
        const threads = await db.selectFrom('conversations').select(['thread_id', 'words_of']).orderBy('ref').execute()
        expect(threads.map((row) => [row.thread_id, row.words_of])).toEqual([
          ['and again', 'ann'],
          ['again', 'ann'],
          ['t', null],
          ['t', null],
          ['again', 'bob'],
          ['of what is gone', null],
          ['and again of that', null],
          ['itself', null],
          [null, null],
        ])
      })
    })

    test('running them again changes nothing', async () => {
      const first = await openStore(place.options)
      await first.ingest(1, { traces: newTraces(3) })
      const head = await first.read(1, 'head', {})
      await first.close()
      await place.on((db) => migrate(db, dialect))
      const second = await openStore(place.options)
      expect(await second.read(1, 'head', {})).toEqual(head)
      expect((await second.read(1, 'metrics', { day: 0 })).total_traces).toBe(3)
      await second.close()
    })

    test('a database of a newer version is refused in words that say what to do', async () => {
      await using newer = await places[dialect]()
      await (await openStore(newer.options)).close()
      await newer.on(async (db) => {
        const step = { name: '9999_the_future', timestamp: new Date(0).toISOString() }
        await sql`INSERT INTO kysely_migration (name, timestamp) VALUES (${step.name}, ${step.timestamp})`.execute(db)
      })
      await expect(openStore(newer.options)).rejects.toThrow(
        'The database was written by a newer version of llm-eval (it has taken the step 9999_the_future)',
      )
      // The refusal lets go of everything: another try gets the same answer.
      await expect(openStore(newer.options)).rejects.toThrow('newer version')
    })
  })
}
