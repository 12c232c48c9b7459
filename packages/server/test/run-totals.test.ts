import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { emptyTotals, type RunTotals, totalsFrom, withItem } from '@llm-eval/engine'
import { type NewRunItem, openStore } from '@llm-eval/store'
import type { Score } from '@llm-eval/protocol'
import { expect, test } from 'vitest'

const names = ['one', 'two']

const score: fc.Arbitrary<Score> = fc
  .record({
    outcome: fc.constantFrom('scored' as const, 'skipped' as const, 'errored' as const),
    value: fc.option(fc.oneof(fc.constantFrom(0, 1), fc.double({ min: -100, max: 100, noNaN: true }))),
    passed: fc.option(fc.boolean()),
  })
  .map((known) => ({ ...known, label: null, explanation: null, fault: null, output: {}, usage: null, duration_ms: 0 }))

const items = fc.array(
  fc.record({
    status: fc.constantFrom('success' as const, 'failed' as const),
    costNano: fc.option(fc.nat(1e9)),
    scores: fc.dictionary(fc.constantFrom(...names), score),
  }),
  { maxLength: 40 },
)

function toStored(
  itemIndex: number,
  {
    status,
    costNano,
    scores,
  }: { status: 'success' | 'failed'; costNano: number | null; scores: Record<string, Score> },
): NewRunItem {
  return {
    itemIndex,
    caseId: `case-${itemIndex}`,
    repetition: 1,
    status,
    costNano,
    spent: { costNano: costNano ?? 0, unknown: costNano === null },
    scores: names.map((name) => scores[name] ?? null),
    responseMs: null,
    tokens: null,
    attempts: 1,
    startedAt: null,
    completedAt: 0,
    hash: String(itemIndex),
    preview: null,
    error: null,
    traceId: null,
    sourceTraceId: null,
    body: { input: 'null', expected: null, output: null, scores: '{}' },
  }
}

test('the store counts items as the engine does, so that each goes on from the numbers of the other', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'llm-eval-totals-'))
  const store = await openStore({ directory })
  let made = 0
  const title = { description: null, tags: [], metadata: '{}', config: '{}', modelName: null, modelVersion: null }
  const about = { taskType: null, environment: null, datasetId: null, datasetName: 'd', datasetVersion: null }
  try {
    await fc.assert(
      fc.asyncProperty(items, async (given) => {
        const id = `run-${made++}`
        const texts = { task: '{}', settings: '{}', metrics: '[]', metricNames: names, createdBy: null, total: null }
        const run = { id, hash: id, name: id, worker: 'client' as const, ...title, ...about, ...texts }
        await store.apply(1, { kind: 'createRun', run, owner: 'o', at: 0, leaseMs: 1_000 })
        await store.apply(1, {
          kind: 'addItems',
          id,
          items: given.map((item, i) => toStored(i, item)),
          lease: null,
          at: 0,
        })
        const kept = await store.read(1, 'run', { id })
        if (kept === null || kept === 'deleted') throw new Error('the run is not there')
        const { completed, successful, costNano, unknownCosts, totals } = kept
        const stored = totalsFrom({ completed, successful, cost: costNano / 1e9, unknownCosts }, totals)
        const counted = given.reduce<RunTotals>(
          (sum, { costNano: cost, ...item }) =>
            withItem(sum, { ...item, cost: cost === null ? null : cost / 1e9 }, names),
          emptyTotals(names.length),
        )
        expect(stored).toHaveLength(counted.length)
        for (const [at, number] of counted.entries()) {
          // Both add the cost; the engine keeps apart what rounding takes.
          if (at === 3) continue
          expect(Math.abs((stored[at] ?? Number.NaN) - number)).toBeLessThanOrEqual(
            1e-9 * Math.max(1, Math.abs(number)),
          )
        }
      }),
      { numRuns: 25 },
    )
  } finally {
    await store.close()
    rmSync(directory, { recursive: true })
  }
}, 120_000)
