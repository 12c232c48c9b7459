import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { backupDirectory, type NewTrace, openStore } from '../src/index.ts'

const base = mkdtempSync(join(tmpdir(), 'llm-eval-backup-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

function trace(traceId: string, text = 'hello'): NewTrace {
  return {
    traceId,
    timestamp: 1_700_000_000_000,
    receivedAt: 1_700_000_000_000,
    model: 'gpt-4',
    source: null,
    sessionId: null,
    userId: null,
    batchId: null,
    latencyMs: 10,
    costNano: null,
    tokens: null,
    queryPreview: text.slice(0, 100),
    responsePreview: text.slice(0, 100),
    captured: 1,
    hash: `hash of ${traceId}`,
    body: JSON.stringify({
      user_query: text,
      ai_response: text,
      system_prompt: '',
      functions_called: [],
      metadata: {},
      extra: {},
    }),
  }
}

const traces = (from: number, count: number, text?: string) =>
  Array.from({ length: count }, (_, index) => trace(`trace-${from + index}`, text))

async function totalIn(directory: string): Promise<{ total: number; epoch: string }> {
  const store = await openStore({ directory })
  try {
    const { total_traces: total } = await store.read(1, 'metrics', { day: 0 })
    const { epoch } = await store.read(1, 'head', {})
    return { total, epoch }
  } finally {
    await store.close()
  }
}

/** A directory that holds nothing but the copy. */
function restored(name: string, copy: string): string {
  const directory = join(base, name)
  mkdirSync(directory)
  renameSync(copy, join(directory, 'llm-eval.db'))
  return directory
}

describe('backupDirectory', () => {
  test('copies a directory that a store holds and goes on writing to; what came before is in the copy', async () => {
    const directory = join(base, 'held')
    const store = await openStore({ directory })
    await store.ingest(1, { traces: traces(0, 3_000, 'x'.repeat(3_000)) })
    const { epoch } = await store.read(1, 'head', {})
    let later = 3_000
    let writing: Promise<unknown> = Promise.resolve()
    const shares: number[] = []
    const copy = join(base, 'held.db')
    const size = await backupDirectory(directory, {
      to: copy,
      onProgress: (share) => {
        shares.push(share)
        writing = writing.then(() => store.ingest(1, { traces: traces((later += 10), 10) }))
      },
    })
    await writing
    expect(size).toBe(statSync(copy).size)
    expect(shares.length).toBeGreaterThan(1)
    expect(statSync(copy).mode & 0o777).toBe(0o600)
    expect((await store.read(1, 'metrics', { day: 0 })).total_traces).toBeGreaterThan(3_000)
    await store.close()
    const found = await totalIn(restored('held-restored', copy))
    expect(found.total).toBe(3_000)
    expect(found.epoch).not.toBe(epoch)
  })

  test('copies a directory that nobody holds', async () => {
    const directory = join(base, 'free')
    const store = await openStore({ directory })
    await store.ingest(1, { traces: traces(0, 5) })
    await store.close()
    await backupDirectory(directory, { to: join(base, 'free.db') })
    expect((await totalIn(restored('free-restored', join(base, 'free.db')))).total).toBe(5)
    expect((await totalIn(directory)).total).toBe(5)
  })

  test('leaves nothing behind when it is broken off, and overwrites nothing', async () => {
    const directory = join(base, 'broken')
    const store = await openStore({ directory })
    await store.ingest(1, { traces: traces(0, 3_000, 'x'.repeat(3_000)) })
    await store.close()
    const abort = new AbortController()
    const to = join(base, 'broken-copy', 'copy.db')
    mkdirSync(join(base, 'broken-copy'))
    const backup = backupDirectory(directory, { to, signal: abort.signal, onProgress: () => abort.abort() })
    await expect(backup).rejects.toThrow()
    expect(readdirSync(join(base, 'broken-copy'))).toEqual([])
    await expect(backupDirectory(directory, { to: join(directory, 'llm-eval.db') })).rejects.toMatchObject({
      code: 'EEXIST',
    })
    await expect(backupDirectory(join(base, 'nowhere'), { to })).rejects.toMatchObject({ code: 'ENOENT' })
    expect(existsSync(to)).toBe(false)
  })
})
