import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newTraces } from '../contract/room.contract.ts'
import { openStore } from '../open.ts'
import { listTraces } from '../queries/list.ts'
import type { Reading } from '../reading.ts'
import type { Filter } from '../store.ts'
import { kyselyOn } from './session.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'llm-eval-plans-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('a search', () => {
  it.each<Filter>([{}, { user_id: 'u' }, { source: 's' }, { model_name: 'gpt-4' }, { evaluation_status: 'pending' }])(
    'with %j looks at the traces it found, and at no index of all others',
    async (filter) => {
      const store = await openStore({ directory })
      await store.ingest(1, { traces: newTraces(400, () => ({ model: 'gpt-4' })) })
      await store.close()
      const statements: string[] = []
      const database = new Database(join(directory, 'llm-eval.db'), {
        verbose: (text) => statements.push(String(text)),
      })
      let at = 0
      const reading: Reading = {
        db: kyselyOn(database),
        dialect: 'sqlite',
        projectId: 1,
        clock: () => (at += 1_000),
        modelName: async () => 'gpt-4',
        // More than the time of a slice allows: it is told how far it came.
        search: async () => ({ refs: Array.from({ length: 400 }, (_, i) => 400 - i), reached: 1 }),
        searchLag: async () => 0,
      }
      const page = { filter: { q: 'word', ...filter }, limit: 500, cursor: null, sliceMs: 50 }
      await listTraces(reading, page)
      const looked = statements.filter((text) => /from "traces"/.test(text))
      expect(looked).toHaveLength(2)
      const plan = looked.flatMap((text) =>
        database.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${text}`).all(),
      )
      const details = plan.map(({ detail }) => detail).join('\n')
      expect(details.match(/USING INTEGER PRIMARY KEY/g)).toHaveLength(2)
      expect(details).not.toContain('USING INDEX')
      database.close()
    },
  )
})
