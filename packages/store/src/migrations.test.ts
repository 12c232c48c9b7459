import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../test/postgres.ts'
import { newTraces, statuses } from './contract/room.contract.ts'
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
