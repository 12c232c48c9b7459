import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { limits } from '@llm-eval/protocol'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { newTrace } from '../contract/room.contract.ts'
import { leaseMs, newItem, newItems, newRun, worker } from '../contract/running.contract.ts'
import { openStore } from '../open.ts'
import { answer } from '../queries/answer.ts'
import type { Reading } from '../reading.ts'
import type { Change } from '../store.ts'
import { kyselyOn } from './session.ts'
import { SqliteWriter } from './writer.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'llm-eval-run-plans-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** The statements of some work on the bare database that look at runs, with the way that each takes. */
async function plansOf(
  work: (database: Database.Database) => Promise<void>,
): Promise<{ text: string; details: string[] }[]> {
  const statements: string[] = []
  const database = new Database(join(directory, 'llm-eval.db'), { verbose: (text) => statements.push(String(text)) })
  await work(database)
  const looked = [...new Set(statements)].filter((text) => /\bruns\b|run_|events/.test(text))
  const plans = looked.map((text) => {
    const rows = database.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${text}`).all()
    return { text, details: rows.map(({ detail }) => detail) }
  })
  database.close()
  return plans
}

/** No table of runs is read whole, nor all that a project has in one, but for what is to be removed. */
function expectNarrow(plans: { text: string; details: string[] }[]): void {
  const wide = plans.filter(({ details }) =>
    details.some(
      (detail) =>
        /SCAN (runs|run_\w+|i|t|d|events)\b/.test(detail) ||
        /INDEX (?!(?:runs|conversations)_doomed)\w+ \(project_id=\?\)/.test(detail),
    ),
  )
  expect(wide).toEqual([])
}

const by = { owner: worker, at: 0, leaseMs }

it('changes of runs look at the runs and items they are about, and at no others', async () => {
  const store = await openStore({ directory })
  const traces = [newTrace(), newTrace({ userId: 'ann' })]
  await store.ingest(1, { traces })
  const [first, second, third] = [newRun(), newRun({ worker: 'server' }), newRun()]
  for (const run of [first, second, third]) await store.apply(1, { kind: 'createRun', run, ...by, owner: null })
  await store.close()
  const items = newItems(20, (i) => ({ sourceTraceId: traces[i]?.traceId ?? null }))
  const changes: Change[] = [
    { kind: 'startRun', id: first.id, ...by },
    { kind: 'addItems', id: first.id, items, lease: null, at: 0 },
    { kind: 'addItems', id: first.id, items: [newItem(3)], lease: { owner: worker, leaseMs }, at: 0 },
    { kind: 'updateRun', id: first.id, set: { name: 'other' }, at: 0 },
    { kind: 'takeRuns', ...by, limit: 5, maxAttempts: 3 },
    { kind: 'holdRuns', refs: [1, 2], ...by },
    { kind: 'abandonRuns', at: 0, limit: 5 },
    { kind: 'endRun', id: first.id, owner: worker, status: 'completed', stoppedBy: null, error: null, at: 0 },
    { kind: 'resumeRun', id: first.id, ...by },
    { kind: 'cancelRun', id: first.id, at: 0 },
    { kind: 'deleteTrace', traceId: traces[0]?.traceId ?? '', at: 0 },
    { kind: 'eraseUser', userId: 'ann', at: 0, limit: 5 },
    { kind: 'deleteRun', id: first.id, at: 0, limit: 5 },
    { kind: 'expireRuns', before: 1, at: 0, limit: 5 },
  ]
  const plans = await plansOf(async (database) => {
    const writer = new SqliteWriter(database)
    for (const change of changes) {
      const { settled } = await writer.commitGroup([{ projectId: 1, change }])
      expect(settled).toMatchObject([{ ok: true }])
    }
  })
  expect(plans.length).toBeGreaterThan(30)
  expectNarrow(plans)
})

it('questions about one run look at it, its items and its events, and status events are found among all others', async () => {
  const store = await openStore({ directory })
  const run = newRun()
  await store.apply(1, { kind: 'createRun', run, ...by })
  await store.apply(1, { kind: 'addItems', id: run.id, items: newItems(20), lease: null, at: 0 })
  await store.close()
  const page = { ref: 1, limit: 5, cursor: null, sliceMs: 50, bytes: 1e6 } as const
  const plans = await plansOf(async (database) => {
    const reading: Reading = {
      db: kyselyOn(database),
      dialect: 'sqlite',
      projectId: 1,
      clock: () => 0,
      modelName: async () => '',
      search: async () => ({ refs: [], reached: 0 }),
      searchLag: async () => 0,
    }
    await answer(reading, 'run', { id: run.id })
    await answer(reading, 'run', { id: 'nobody' })
    await answer(reading, 'runItems', { ...page, filter: {}, bodies: 'with' })
    await answer(reading, 'runItems', { ...page, filter: { status: 'failed' }, bodies: 'without' })
    const sought = {
      search: 'x',
      errored: 1,
      error: 'timeout',
      troubled: true,
      above: { metric: 0, value: 0 },
    } as const
    await answer(reading, 'runItems', { ...page, filter: sought, bodies: 'beginnings', from: 3 })
    await answer(reading, 'runItems', { ...page, filter: { troubled: true }, bodies: 'scores' })
    await answer(reading, 'runItems', {
      ...page,
      filter: { caseId: 'x', below: { metric: 0, value: 1 } },
      bodies: 'without',
    })
    await answer(reading, 'runItem', { ref: 1, itemIndex: 3 })
    await answer(reading, 'runItemIds', { ref: 1, after: 3, limit: 5 })
    await answer(reading, 'runColumns', { ref: 1, after: 3, limit: 5 })
    for (const ref of [1, null]) await answer(reading, 'runEvents', { ref, after: 2, limit: 5, bytes: 1e6 })
  })
  expect(plans.length).toBeGreaterThan(12)
  expectNarrow(plans)
  const details = plans.flatMap((plan) => plan.details).join('\n')
  for (const index of ['run_items_failed', 'events_by_run', 'events_of_runs']) expect(details).toContain(index)
})

it('a project holds so many runs, and not one more; deleting one makes room', async () => {
  const store = await openStore({ directory })
  try {
    const create = () => store.apply(1, { kind: 'createRun', run: newRun(), ...by })
    const first = await create()
    if (!('run' in first)) throw new Error('the first run was not made')
    // All but one of the others are written past the store.
    const database = new Database(join(directory, 'llm-eval.db'))
    const columns =
      'project_id, hash, name, status, worker, lease_until, attempt, dataset_name, created_at, updated_at, totals'
    database
      .prepare(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO runs (id, ${columns}) SELECT 'copy-' || i, ${columns} FROM n, runs WHERE id = ?`,
      )
      .run(limits.runs - 2, first.run.id)
    database.close()
    expect((await create()).result).toBe('created')
    expect(await create()).toEqual({ result: 'too_many' })
    await store.apply(1, { kind: 'deleteRun', id: first.run.id, at: 0, limit: 5 })
    expect((await create()).result).toBe('created')
    expect(await create()).toEqual({ result: 'too_many' })
  } finally {
    await store.close()
  }
})
