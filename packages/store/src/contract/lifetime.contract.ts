import { Failure, limits } from '@llm-eval/protocol'
import { describe, expect, test, vi } from 'vitest'
import { newExecution, start } from './judging.contract.ts'
import { makeRoom, newTrace, newTraces, now, type OpenStoreUnderTest, Room, statuses } from './room.contract.ts'

/** Overload, closing, and what a store is after it was opened again. */
export function lifetimeContract(open: OpenStoreUnderTest): void {
  describe('overload', () => {
    test('a full queue refuses at once, and nothing of what it refused is stored', async () => {
      await using under = await open()
      const r = await makeRoom(under)
      const batches = Array.from({ length: limits.commitQueueTraces / 100 + 20 }, () => newTraces(100))
      const settled = await Promise.allSettled(batches.map((batch) => r.ingest(batch)))
      const refused = batches.filter((_, i) => settled[i]?.status === 'rejected')
      expect(refused).toHaveLength(20)
      for (const one of settled) if (one.status === 'rejected') expectFailure(one.reason, 'overloaded')
      expect((await r.metrics()).total_traces).toBe(limits.commitQueueTraces)
      for (const batch of refused) expect(await r.trace(batch[0]?.traceId ?? '')).toBeNull()
      // There is room again.
      expect(statuses(await r.ingest(refused[0] ?? []))).toEqual(Array.from({ length: 100 }, () => 'created'))
      await r.caughtUp()
      await vi.waitFor(() => expect(r.store.stats()).toMatchObject({ queuedTraces: 0, queuedBytes: 0 }), {
        timeout: 20_000,
      })
    })

    test('texts that wait are bounded in bytes', async () => {
      await using under = await open()
      const r = await makeRoom(under)
      const text = 'x'.repeat(4 * 1024 * 1024)
      const traces = Array.from({ length: limits.commitQueueBytes / text.length + 2 }, () =>
        newTrace({}, { ai_response: text }),
      )
      const settled = await Promise.allSettled(traces.map((trace) => r.ingest([trace])))
      const refused = settled.filter((one) => one.status === 'rejected')
      expect(refused.length).toBeGreaterThan(0)
      for (const one of refused) expectFailure(one.reason, 'overloaded')
      expect((await r.metrics()).total_traces).toBe(traces.length - refused.length)
    })

    test('inputs of executions that wait are bounded the same way', async () => {
      await using under = await open()
      const r = await makeRoom(under)
      const input = JSON.stringify('x'.repeat(4 * 1024 * 1024))
      const count = Math.floor(limits.commitQueueBytes / input.length) + 2
      const started = Array.from({ length: count }, () => start(r, [newExecution({ input, batchId: 'b' })]))
      const settled = await Promise.allSettled(started)
      const refused = settled.filter((one) => one.status === 'rejected')
      expect(refused.length).toBeGreaterThan(0)
      for (const one of refused) expectFailure(one.reason, 'overloaded')
      expect(await r.read('batchExecutions', { batchId: 'b' })).toHaveLength(count - refused.length)
    })
  })

  describe('a store that is closed', () => {
    test('commits what is queued first, then refuses, and has everything when it is opened again', async () => {
      await using under = await open()
      const r = await makeRoom(under)
      const batches = Array.from({ length: 50 }, () => newTraces(20))
      const reviewed = newTrace()
      await r.ingest([reviewed])
      const { store } = under
      const pending = [...batches.map((batch) => r.ingest(batch)), r.review(reviewed.traceId, 'accepted')]
      const reopened = under.reopen()
      await expect(store.ingest(r.project, { traces: [newTrace()] })).rejects.toThrow('shutting down')
      await Promise.all(pending)
      await reopened
      const again = { day: Math.floor(now / 86_400_000) }
      expect(await under.store.read(r.project, 'metrics', again)).toMatchObject({
        total_traces: 1_001,
        accepted_traces: 1,
      })
      expect(await under.store.read(r.project, 'head', {})).toMatchObject({ seq: 1_002 })
    })

    test('may be closed more than once', async () => {
      await using under = await open()
      await Promise.all([under.store.close(), under.store.close()])
      await under.store.close()
    })

    test('ends its followers with a failure instead of silence', async () => {
      await using under = await open()
      const r = await makeRoom(under)
      await r.ingest(newTraces(1))
      const stop = new AbortController()
      const seen: number[] = []
      const following = (async () => {
        for await (const { events } of r.store.follow(r.project, 0, { signal: stop.signal })) {
          seen.push(...events.map((event) => event.seq))
          if (seen.length === 1) void r.store.close()
        }
      })()
      await expect(following).rejects.toThrow()
      expect(seen).toEqual([1])
    })
  })

  describe('a store that is opened again', () => {
    test('has the same epoch, salt, models and refs, and goes on counting', async () => {
      await using under = await open()
      const r = await makeRoom(under)
      const [kept, gone] = newTraces(2)
      if (!kept || !gone) throw new Error('two traces')
      await r.ingest([kept, gone])
      await r.delete(gone.traceId)
      const head = await r.read('head', {})
      const store = await under.reopen()
      expect(await store.read(r.project, 'head', {})).toEqual(head)
      const next = newTrace()
      expect(statuses(await store.ingest(r.project, { traces: [kept, gone, next] }))).toEqual([
        'duplicate',
        'deleted',
        'created',
      ])
      const read = async (traceId: string) => store.read(r.project, 'trace', { traceId })
      // A ref that was deleted is never given again, or an old event would tell of a new trace.
      expect((await read(next.traceId))?.ref).toBeGreaterThan(((await read(kept.traceId))?.ref ?? 0) + 1)
      expect((await store.read(r.project, 'facets', {})).models).toHaveLength(1)
    })

    test('catches up with what its index and roll-ups had not read', async () => {
      await using under = await open()
      const r = await makeRoom(under)
      await r.ingest(newTraces(500))
      await under.reopen()
      const again = new Room(under, r.project)
      await again.caughtUp()
      expect((await again.list({ q: 'paris' }, { limit: 200 })).ids).toHaveLength(500)
      const { models } = await again.read('facets', {})
      expect(models).toEqual([{ name: 'gpt-4o', traces: 500 }])
    })
  })

  describe('the state of a store', () => {
    test('commits are counted and timed until somebody looks', async () => {
      await using under = await open()
      const { store } = under
      await store.ingest(1, { traces: newTraces(10) })
      const first = store.stats()
      expect(first.committedTraces).toBeGreaterThanOrEqual(10)
      expect(first.commits).toBeGreaterThanOrEqual(1)
      expect(first.commitMs.length).toBeGreaterThanOrEqual(1)
      for (const ms of first.commitMs) expect(ms).toBeGreaterThan(0)
      expect(store.stats().committedTraces).toBeGreaterThanOrEqual(first.committedTraces)
    })

    test('a store that works answers a ping', async () => {
      await using under = await open()
      await expect(under.store.ping()).resolves.toBeUndefined()
    })
  })
}

function expectFailure(error: unknown, code: string): void {
  expect(error).toBeInstanceOf(Failure)
  expect(error).toMatchObject({ code, retryAfter: expect.any(Number) as number })
}
