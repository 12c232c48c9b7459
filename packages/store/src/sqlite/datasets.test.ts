import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { limits } from '@llm-eval/protocol'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openStore } from '../open.ts'

const row = (id: string) => ({ id, values: '{}', traceId: null })

test('a dataset holds so many rows, and not one more; replacing them makes room', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'llm-eval-datasets-'))
  const store = await openStore({ directory })
  try {
    const given = { id: 'ds_1', slug: 'qa', name: 'QA', description: null, columns: [], at: 0 }
    await store.apply(1, { kind: 'createDataset', ...given })
    // A million rows are taken for stored.
    const database = new Database(join(directory, 'llm-eval.db'))
    database.prepare('UPDATE datasets SET row_count = ?').run(limits.datasetRows - 2)
    database.close()
    const add = (mode: 'append' | 'replace', ...ids: string[]) =>
      store.apply(1, { kind: 'addRows', dataset: 'qa', rows: ids.map(row), mode, at: 0 })
    expect(await add('append', 'a', 'b', 'c')).toEqual({ result: 'full', room: 2 })
    expect(await add('append', 'a', 'b')).toMatchObject({ result: 'ok' })
    expect(await add('append', 'c')).toEqual({ result: 'full', room: 0 })
    expect(await store.read(1, 'dataset', { dataset: 'qa' })).toMatchObject({ total_rows: limits.datasetRows })
    expect(await add('replace', 'd')).toMatchObject({ result: 'ok' })
    expect(await store.read(1, 'dataset', { dataset: 'qa' })).toMatchObject({ total_rows: 1 })
  } finally {
    await store.close()
    rmSync(directory, { recursive: true })
  }
})
