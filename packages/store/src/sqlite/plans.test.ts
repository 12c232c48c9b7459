import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { completed, newExecution } from '../contract/judging.contract.ts'
import { newTraces } from '../contract/room.contract.ts'
import { openStore } from '../open.ts'
import { listTraces } from '../queries/list.ts'
import type { Reading } from '../reading.ts'
import type { Filter } from '../store.ts'
import { kyselyOn } from './session.ts'
import { SqliteWriter } from './writer.ts'

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

describe('an evaluation', () => {
  it('looks at the executions and traces it is about, and at no others', async () => {
    const store = await openStore({ directory })
    const traces = newTraces(20)
    await store.ingest(1, { traces })
    await store.close()
    const path = join(directory, 'llm-eval.db')
    const statements: string[] = []
    const database = new Database(path, { verbose: (text) => statements.push(String(text)) })
    const writer = new SqliteWriter(database)
    const executions = traces.map(({ traceId }) => newExecution({ traceId, ruleId: 'r', config: '{}' }))
    const starting = { kind: 'startExecutions', executions, owner: 'o', at: 0, leaseMs: 1_000 } as const
    await writer.commitGroup([{ projectId: 1, change: starting }])
    const refs = Array.from({ length: 10 }, (_, i) => i + 1)
    const ends = refs.map((ref) => ({ kind: 'finishExecution', ref, owner: 'o', end: completed(), at: 0 }) as const)
    await writer.commitGroup(ends.map((change) => ({ projectId: 1, change })))
    const hold = { kind: 'holdExecutions' as const, refs: [11, 12], owner: 'o', at: 0, leaseMs: 1_000 }
    await writer.commitGroup([{ projectId: 1, change: hold }])
    for (const change of [
      { kind: 'noteProgress', ref: 11, owner: 'o', done: 1, total: 2, at: 0 },
      { kind: 'releaseExecutions', owner: 'o', after: 'stop' },
      { kind: 'takeExecutions', owner: 'p', at: 0, leaseMs: 1_000, limit: 5, maxAttempts: 3 },
      { kind: 'cancelExecution', id: executions[12]?.id ?? '', at: 0 },
      { kind: 'expireExecutions', before: 1, limit: 5 },
      { kind: 'deleteTrace', traceId: traces[0]?.traceId ?? '', at: 0 },
    ] as const)
      await writer.commitGroup([{ projectId: 1, change }])
    const looked = statements.filter((text) => /executions|scores|traces AS/.test(text))
    expect(looked.length).toBeGreaterThan(12)
    for (const text of looked) {
      const plan = database.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${text}`).all()
      for (const { detail } of plan) {
        expect([text, detail]).not.toEqual([text, expect.stringMatching(/SCAN (e|t|r|executions|traces|scores)\b/)])
        // By the project alone would be all of it.
        expect([text, detail]).not.toEqual([text, expect.stringMatching(/\(project_id=\?\)/)])
      }
    }
    database.close()
  })
})
