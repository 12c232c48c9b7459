import { formatCursor, type RunProgressData, type RunStatus } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RunSaid, RunUpdate } from './run-frames.ts'
import { hear, nothingKnown, recentNews, type RunKnown } from './run-known.ts'

const runId = 'one'
const cursor = (seq: number): string => formatCursor({ epoch: 'e1', seq })

function progress(completed: number): RunProgressData {
  return {
    status: 'processing',
    total_items: 1_000,
    completed_items: completed,
    successful_items: completed,
    success_rate: completed === 0 ? null : 1,
    cost: 0,
    unknown_costs: 0,
    metrics: {},
  }
}

function news(index: number, seq: number, status: 'completed' | 'failed' = 'completed'): RunSaid {
  return {
    kind: 'news',
    runId,
    seq: cursor(seq),
    news: {
      item_index: index,
      case_id: `case-${index}`,
      repetition: 1,
      status,
      scores: {},
      execution_time: null,
      output: null,
      error: null,
      message: null,
    },
  }
}

const greeting = (seq: number, status: RunStatus = 'running'): RunSaid => {
  return { kind: 'greeting', runId, status, seq: cursor(seq) }
}
const through = (said: readonly RunSaid[], known: RunKnown = nothingKnown): RunKnown =>
  said.reduce((before, one) => hear(before, one), known)

describe('what is known of a run', () => {
  test('grows with its items, and keeps the last of them', () => {
    const items = Array.from({ length: recentNews + 5 }, (_, at) => news(at, at + 1, at % 2 ? 'failed' : 'completed'))
    const known = through([greeting(0), ...items])
    expect([known.told, known.failed]).toEqual([recentNews + 5, 102])
    expect(known.recent).toHaveLength(recentNews)
    expect(known.recent.at(-1)?.item_index).toBe(recentNews + 4)
    expect(known.seq).toBe(cursor(recentNews + 5))
  })

  test('is the same when an item is told again', () => {
    const once = through([greeting(0), news(0, 1), news(1, 2)])
    expect(hear(once, news(1, 2))).toBe(once)
    expect(hear(once, news(0, 1))).toBe(once)
  })

  test('takes what comes after another life of the journal, however low its numbers are', () => {
    const said = { ...news(7, 1), seq: formatCursor({ epoch: 'e2', seq: 1 }) } as RunSaid
    expect(through([greeting(50), said]).told).toBe(1)
  })

  test('ends with what becomes of the run, and a deleted one is gone', () => {
    const update: RunUpdate = {
      type: 'run_cancelled',
      runId,
      ref: 1,
      status: 'cancelled',
      stoppedBy: 'cancelled',
      name: 'One',
      total: 3,
      completed: 1,
      successful: 1,
      successRate: 1,
    }
    const cancelled = through([greeting(0), news(0, 1), { kind: 'update', seq: cursor(9), update }])
    expect(cancelled.status).toBe('cancelled')
    // The place of a status is none of the run's own items.
    expect(hear(cancelled, news(1, 5)).told).toBe(2)
    const deleted: RunSaid = { kind: 'update', seq: cursor(10), update: { ...update, type: 'run_deleted' } }
    expect(hear(cancelled, deleted).status).toBe('deleted')
    expect(hear(nothingKnown, { kind: 'refused', runId, code: 'run_deleted' }).status).toBe('deleted')
  })

  test('goes on after a gap with what comes then', () => {
    const known = through([greeting(0), news(0, 5), { kind: 'gap', runId, seq: cursor(2) }, news(1, 3)])
    expect([known.told, known.seq]).toEqual([2, cursor(3)])
  })
})

/** A fact of the journal: an item, or the end, which is told by two frames of which only the last has a place. */
type Fact = { seq: number; frames: RunSaid[] }

const facts = fc
  .array(fc.record({ failed: fc.boolean(), gap: fc.integer({ min: 1, max: 3 }) }), { maxLength: 30 })
  .map((items): Fact[] => {
    let seq = 0
    const told = items.map(({ failed, gap }, at): Fact => {
      seq += gap
      return { seq, frames: [news(at, seq, failed ? 'failed' : 'completed')] }
    })
    const end: Fact = {
      seq: ++seq,
      frames: [
        { kind: 'progress', runId, progress: progress(items.length) },
        { kind: 'completed', runId, seq: cursor(seq) },
      ],
    }
    return [...told, end]
  })

/** A connection: frames after a cursor, with numbers strewn in, until it is cut after so many of them. */
function connection(journal: readonly Fact[], after: number, { strewn, cutAfter }: Cut): RunSaid[] {
  const head = journal.findLast(({ seq }) => seq <= after)?.seq ?? after
  const frames = journal
    .filter(({ seq }) => seq > after)
    .flatMap(({ frames: told, seq }): RunSaid[] => {
      const done = journal.filter((fact) => fact.seq <= seq).length - (seq === journal.at(-1)?.seq ? 1 : 0)
      return strewn.includes(seq % 5) ? [...told, { kind: 'progress', runId, progress: progress(done) }] : told
    })
  return [greeting(head, frames.length === 0 ? 'completed' : 'running'), ...frames].slice(0, cutAfter)
}

interface Cut {
  strewn: number[]
  cutAfter: number
}

test('however often the connection is cut, the same is known in the end as without a cut', () => {
  const cuts = fc.array(
    fc.record({
      strewn: fc.array(fc.integer({ min: 0, max: 4 })),
      cutAfter: fc.integer({ min: 0, max: 12 }),
    }),
    { maxLength: 8 },
  )
  fc.assert(
    fc.property(facts, cuts, (journal, dropped) => {
      const whole = through(connection(journal, 0, { strewn: [0, 1, 2, 3, 4], cutAfter: 1_000 }))
      let known = nothingKnown
      const places = new Map(journal.map(({ seq }) => [cursor(seq), seq]))
      for (const cut of [...dropped, { strewn: [], cutAfter: 1_000 }])
        known = through(connection(journal, places.get(known.seq ?? '') ?? 0, cut), known)
      expect(known).toEqual(whole)
    }),
    { numRuns: 300 },
  )
})
