import { describe, expect, test } from 'vitest'
import { arrived, deleted, detail, judged, metrics, row } from '../../test/sample-traces.ts'
import { collectChanges, createRecent, reviseDetail, revisePages, reviseRow, reviseRows } from './changes.ts'

describe('what frames mean for the screen', () => {
  test('new traces keep the order in which they were stored, and the newest counters win', () => {
    const changes = collectChanges([
      arrived(row(1)),
      { event: 'metrics_update', data: metrics({ total_traces: 1 }), timestamp: '' },
      arrived(row(2)),
      { event: 'metrics_update', data: metrics({ total_traces: 2 }), timestamp: '' },
    ])
    expect(changes.created.map(({ ref }) => ref)).toEqual([1, 2])
    expect(changes.metrics?.total_traces).toBe(2)
    expect(changes.stale).toBe(false)
  })

  test('a new trace that was deleted before it was delivered has no row', () => {
    const frame = arrived(row(1))
    if (frame.event === 'trace_updates') delete frame.data.trace
    expect(collectChanges([frame]).created).toEqual([])
  })

  test('the last of several verdicts counts', () => {
    const changes = collectChanges([judged(1), judged(1, { status: 'pending', version: 2 })])
    expect(changes.verdicts.get('trace-1')).toEqual({ status: 'pending', version: 2 })
  })

  test('a lost stretch of the journal, expired traces and an erased user make everything be read again', () => {
    const lost = { event: 'resync_required', data: { reason: 'expired', message: '' }, timestamp: '' } as const
    const expired = {
      event: 'system_updates',
      data: { event_type: 'traces_expired', count: 9 },
      timestamp: '',
    } as const
    const erased = { event: 'system_updates', data: { event_type: 'user_erased', count: 2 }, timestamp: '' } as const
    for (const frame of [lost, expired, erased]) expect(collectChanges([frame]).stale).toBe(true)
    const data = { action: 'quarantine_set' } as const
    const { stale, agentTests } = collectChanges([{ event: 'agent_test_updates', data, timestamp: '' }])
    expect([stale, agentTests]).toEqual([false, true])
  })
})

describe('a row after changes', () => {
  test('gets a newer verdict and its version', () => {
    expect(reviseRow(row(1), collectChanges([judged(1)]))).toMatchObject({ evaluation_status: 'accepted', version: 1 })
  })

  test('keeps what it has when the verdict is older than the row', () => {
    const newer = row(1, { evaluation_status: 'rejected', version: 3 })
    expect(reviseRow(newer, collectChanges([judged(1, { version: 2 })]))).toBe(newer)
  })

  test('is gone when its trace was deleted', () => {
    expect(reviseRow(row(1), collectChanges([deleted(1)]))).toBeNull()
  })

  test('stays in its place when its filter no longer fits, so that the list does not move under the reader', () => {
    const rows = [row(3), row(2), row(1)]
    const revised = reviseRows(rows, collectChanges([judged(2)]))
    expect(revised.map(({ ref, evaluation_status }) => [ref, evaluation_status])).toEqual([
      [3, 'pending'],
      [2, 'accepted'],
      [1, 'pending'],
    ])
  })

  test('is the same object when nothing touched it, so that nothing is drawn again', () => {
    const rows = [row(2), row(1)]
    expect(reviseRows(rows, collectChanges([judged(9), deleted(8)]))).toBe(rows)
    const data = { pages: [{ items: rows, next_cursor: null, searched_to: null }], pageParams: [] }
    expect(revisePages(data, collectChanges([judged(9)]))).toBe(data)
    expect(revisePages(data, collectChanges([judged(1)])).pages[0]?.items[0]).toBe(rows[0])
  })

  test('of a whole trace only status and version change: its history is read again', () => {
    expect(reviseDetail(detail(1), collectChanges([judged(1)]))).toMatchObject({
      evaluation_status: 'accepted',
      version: 1,
    })
    const other = detail(2)
    expect(reviseDetail(other, collectChanges([judged(1)]))).toBe(other)
  })
})

describe('an answer that was on its way while the stream told more', () => {
  const page = { items: [row(2), row(1)], next_cursor: null, searched_to: null }

  test('does not bring back an older verdict or a deleted trace', () => {
    const recent = createRecent()
    recent.remember(collectChanges([judged(2), deleted(1)]))
    expect(recent.correct(page).items).toEqual([{ ...row(2), evaluation_status: 'accepted', version: 1 }])
    expect(recent.versionOf('trace-2')).toBe(1)
    expect(recent.versionOf('trace-7')).toBe(-1)
  })

  test('is laid over the latest changes only: the memory is bounded', () => {
    const recent = createRecent(2)
    recent.remember(collectChanges([judged(1), judged(2), judged(3)]))
    expect([1, 2, 3].map((ref) => recent.versionOf(`trace-${ref}`))).toEqual([-1, 1, 1])
  })

  test('a trace that is judged again counts among the latest', () => {
    const recent = createRecent(2)
    recent.remember(collectChanges([judged(1), judged(2)]))
    recent.remember(collectChanges([judged(1, { version: 2 }), judged(3)]))
    expect([1, 2, 3].map((ref) => recent.versionOf(`trace-${ref}`))).toEqual([2, -1, 1])
  })
})
