import { limits, type Score } from '@llm-eval/protocol'
import { describe, expect, test, vi } from 'vitest'
import type { NewRule } from '../evaluation.ts'
import type { Change, Consumer, StoredEvent } from '../store.ts'
import { completed, evaluate, finish, leaseMs, newExecution, owner, startOne, take, usage } from './judging.contract.ts'
import { newTrace, newTraces, now, type OpenStoreUnderTest, type Room, makeRoom } from './room.contract.ts'

const today = Math.floor(now / 86_400_000)

function newRule(fields: Partial<NewRule> = {}): NewRule {
  return {
    id: 'r-1',
    name: 'All of it',
    enabled: true,
    filter: { model_name: 'gpt-4', source: 'web' },
    sampling_rate: 0.25,
    evaluators: [{ slug: 'relevance', config: { strict: true } }, { slug: 'exact-match' }],
    dailyCostLimitNano: 5_000_000_000,
    ...fields,
  }
}

/** Rules, what they spend, and the consumers that follow them. */
export function rulesContract(room: () => Promise<Room>, open: OpenStoreUnderTest): void {
  const put = (r: Room, fields: Partial<NewRule> = {}, more: Partial<Change<'putRule'>> = {}) =>
    r.apply({ kind: 'putRule', rule: newRule(fields), at: now, mode: 'create', ...more })
  const spent = (r: Room, day = today) => r.read('ruleDay', { ruleId: 'r-1', day })

  describe('rules', () => {
    test('a rule is kept as it was made, in its own project', async () => {
      const [r, other] = [await room(), await room()]
      expect(await put(r)).toEqual({ result: 'ok' })
      expect(await r.read('rules', {})).toEqual([{ ...newRule(), createdAt: now, updatedAt: now }])
      expect(await other.read('rules', {})).toEqual([])
    })

    test('a rule is replaced whole, and one that is not there is not made by that', async () => {
      const r = await room()
      await put(r)
      const changed = { name: 'None', enabled: false, filter: {}, evaluators: [], dailyCostLimitNano: null }
      expect(await put(r, changed, { mode: 'update', at: now + 1_000 })).toEqual({ result: 'ok' })
      expect(await r.read('rules', {})).toEqual([{ ...newRule(changed), createdAt: now, updatedAt: now + 1_000 }])
      expect(await put(r, { id: 'r-2' }, { mode: 'update' })).toEqual({ result: 'not_found' })
    })

    test(`a project holds ${limits.rules} rules`, async () => {
      const r = await room()
      await Promise.all(Array.from({ length: limits.rules }, (_, i) => put(r, { id: `r-${i}` })))
      expect(await r.read('rules', {})).toHaveLength(limits.rules)
      expect(await put(r, { id: 'one more' })).toEqual({ result: 'too_many' })
      expect(await put(r, { id: 'r-3' }, { mode: 'update' })).toEqual({ result: 'ok' })
      expect(await r.apply({ kind: 'deleteRule', id: 'r-3' })).toEqual({ found: true })
      expect(await put(r, { id: 'one more' })).toEqual({ result: 'ok' })
    })

    test('a score tells the name of the rule that asked for it, also when the rule is gone', async () => {
      const r = await room()
      const trace = newTrace()
      await r.ingest([trace])
      await put(r)
      await evaluate(r, { traceId: trace.traceId, ruleId: 'r-1' })
      await evaluate(r, { traceId: trace.traceId, evaluator: 'asked for' })
      expect(await r.apply({ kind: 'deleteRule', id: 'r-1' })).toEqual({ found: true })
      expect(await r.apply({ kind: 'deleteRule', id: 'r-1' })).toEqual({ found: false })
      expect((await r.trace(trace.traceId))?.scores.map(({ rule }) => rule)).toEqual([null, 'All of it'])
    })

    test('what a rule looks at is told of the traces that are there', async () => {
      const r = await room()
      const fields = { model: 'gpt-4', source: 'web', sessionId: 's', userId: null }
      const [trace, doomed] = newTraces(2, () => fields)
      if (!trace || !doomed) throw new Error('two traces')
      await r.ingest([trace, doomed])
      const refs = (await r.journal()).flatMap((event) => (event.kind === 'trace_created' ? [event.ref] : []))
      await r.delete(doomed.traceId)
      expect(await r.read('ruleTraces', { refs: [] })).toEqual([])
      expect(await r.read('ruleTraces', { refs: [...refs, 999_999_999] })).toEqual([
        { ref: refs[0], traceId: trace.traceId, state: 'closed', ...fields },
      ])
    })
  })

  describe('days of rules', () => {
    const none = { executions: 0, costNano: 0, unknownCosts: 0, limited: 0 }

    test('the day of a rule adds up what its executions cost; unknown is counted, never taken for nothing', async () => {
      const r = await room()
      await put(r)
      const costs: [Score['usage'], number, number][] = [
        [usage({ cost: 0.25 }), 250_000_000, 0],
        [usage({ cost: null }), 0, 1],
        [usage({ cost: 0.5, cached: true }), 0, 0],
        [null, 0, 0],
      ]
      let expected = none
      for (const [used, costNano, unknown] of costs) {
        const { ref } = await startOne(r, { ruleId: 'r-1' })
        await finish(r, ref, completed({ usage: used }))
        expected = {
          executions: expected.executions + 1,
          costNano: expected.costNano + costNano,
          unknownCosts: expected.unknownCosts + unknown,
          limited: 0,
        }
        expect(await spent(r)).toEqual(expected)
      }
      const { ref } = await startOne(r)
      await finish(r, ref, completed({ usage: usage() }))
      expect(await spent(r)).toEqual(expected)
      expect(await spent(r, today + 1)).toEqual(none)
    })

    test('of what was cancelled or interrupted on its way, nobody knows the cost', async () => {
      const r = await room()
      await put(r)
      const cancelled = await startOne(r, { ruleId: 'r-1' })
      await r.apply({ kind: 'cancelExecution', id: cancelled.id, at: now })
      await startOne(r, { ruleId: 'r-1' })
      expect(await take(r, { at: now + leaseMs, maxAttempts: 1 })).toMatchObject({ abandoned: 1 })
      const trace = newTrace()
      await r.ingest([trace])
      await startOne(r, { ruleId: 'r-1', traceId: trace.traceId })
      await r.delete(trace.traceId)
      expect(await spent(r)).toEqual({ executions: 3, costNano: 0, unknownCosts: 3, limited: 0 })
    })

    test('costs are of the UTC day on which the execution ends', async () => {
      const r = await room()
      await put(r)
      const { ref } = await startOne(r, { ruleId: 'r-1' })
      await finish(r, { ref, at: (today + 1) * 86_400_000 }, completed({ usage: usage({ cost: 1 }) }))
      expect([await spent(r), (await spent(r, today + 1)).costNano]).toEqual([none, 1_000_000_000])
    })

    test('traces that are passed over are counted with the events they came in; what never began cost nothing', async () => {
      const r = await room()
      await put(r)
      const traces = newTraces(3)
      await r.ingest(traces)
      await r.apply({ kind: 'claimConsumer', name: 'c', owner, at: now, leaseMs })
      const executions = [newExecution({ traceId: traces[0]?.traceId ?? '', ruleId: 'r-1' })]
      const limited = [
        { ruleId: 'r-1', day: today, count: 2 },
        { ruleId: 'gone', day: today, count: 9 },
      ]
      const effects: Change<'advanceConsumer'>['effects'] = [{ kind: 'executions', executions, limited, at: now }]
      await r.apply({ kind: 'advanceConsumer', name: 'c', owner, from: 0, to: 3, effects })
      await r.apply({ kind: 'cancelExecution', id: executions[0]?.id ?? '', at: now })
      expect(await spent(r)).toEqual({ ...none, limited: 2 })
      expect(await r.read('ruleDay', { ruleId: 'gone', day: today })).toEqual(none)
      await r.apply({ kind: 'deleteRule', id: 'r-1' })
      expect(await spent(r)).toEqual(none)
    })
  })

  describe('consumers', () => {
    /** Evaluates each new trace, and notes what it was given. */
    function follower(name: string, seen: Map<number, number[]>, signal: AbortSignal): Consumer {
      return {
        name,
        signal,
        digest: async (events: readonly StoredEvent[], projectId) => {
          seen.set(projectId, [...(seen.get(projectId) ?? []), ...events.map((event) => event.seq)])
          const created = events.filter((event) => event.kind === 'trace_created')
          const executions = created.map((event) => newExecution({ id: `of-${event.ref}`, batchId: name }))
          return {
            effects: [{ kind: 'executions', executions, limited: [], at: now }],
            to: events.at(-1)?.seq ?? 0,
          }
        },
      }
    }

    test('a new one begins after what is there, in projects made later with the first event, and goes on where it stood', async () => {
      await using under = await open()
      const r = await makeRoom(under)
      await r.ingest(newTraces(3))
      const head = (await r.read('head', {})).seq
      const seen = new Map<number, number[]>()
      const first = new AbortController()
      const working = under.store.consume(follower('mine', seen, first.signal))
      // It is there once it follows; what it begins with is not told.
      const count = async (project: Room) => (await project.read('batchExecutions', { batchId: 'mine' })).length
      await vi.waitFor(
        async () => {
          await r.ingest([newTrace()])
          expect(seen.get(r.project)?.length).toBeGreaterThan(0)
        },
        { timeout: 25_000, interval: 50 },
      )
      expect(Math.min(...(seen.get(r.project) ?? []))).toBeGreaterThan(head)
      const later = await makeRoom(under)
      await later.ingest(newTraces(2))
      await vi.waitFor(async () => expect(await count(later)).toBe(2), { timeout: 25_000, interval: 50 })
      expect(seen.get(later.project)?.[0]).toBe(1)
      first.abort()
      await working

      await later.ingest(newTraces(3))
      const store = await under.reopen()
      const second = new AbortController()
      const resumed = store.consume(follower('mine', new Map(), second.signal))
      await vi.waitFor(
        async () => expect(await store.read(later.project, 'batchExecutions', { batchId: 'mine' })).toHaveLength(5),
        { timeout: 25_000, interval: 50 },
      )
      second.abort()
      await resumed
    }, 90_000)

    test('closing the store ends them, after what they are at', async () => {
      await using under = await open()
      const never = new AbortController().signal
      const working = under.store.consume(follower('mine', new Map(), never))
      await under.store.close()
      await working
      expect(never.aborted).toBe(false)
    }, 60_000)
  })
}
