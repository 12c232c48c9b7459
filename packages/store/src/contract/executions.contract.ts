import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { executionStatuses } from '@llm-eval/protocol'
import type { ExecutionEnd, ExecutionFilter, ExecutionNumbers, NewExecution } from '../evaluation.ts'
import type { Change, Queries, StoredEvent } from '../store.ts'
import {
  completed,
  executionOf,
  finish,
  leaseMs,
  newExecution,
  newScore,
  owner,
  start,
  startOne,
  take,
} from './judging.contract.ts'
import { newTrace, newTraces, now, type Room } from './room.contract.ts'

type ExecutionEvent = Extract<StoredEvent, { data: ExecutionNumbers }>

function isOfExecution(event: StoredEvent): event is ExecutionEvent {
  return event.kind.startsWith('execution_')
}

/** Executions: stored before they run, held by one at a time, ended once. */
export function executionsContract(room: () => Promise<Room>): void {
  const events = async (r: Room) => (await r.journal()).filter(isOfExecution)

  describe('executions', () => {
    test('a started execution is kept with what it takes to run it, and told in the journal', async () => {
      const r = await room()
      const execution = newExecution({ batchId: 'b', taskId: 't', ruleId: 'r', config: '{"strict":true}' })
      const [ref] = await start(r, [execution])
      expect(await executionOf(r, execution.id)).toEqual({
        ...execution,
        ref,
        status: 'running',
        attempt: 1,
        score: null,
        error: null,
        createdAt: now,
        completedAt: null,
      })
      expect(await r.journal()).toEqual([
        {
          seq: 1,
          at: now,
          kind: 'execution_started',
          ref,
          data: { status: 'running', done: null, total: null },
        },
      ])
    })

    test('many are started with one change, in their order; those of traces that do not exist are left out', async () => {
      const r = await room()
      const trace = newTrace()
      await r.ingest([trace])
      const wanted = [{}, { traceId: trace.traceId }, { traceId: 'nowhere' }, {}]
      const refs = await start(
        r,
        wanted.map((fields) => newExecution({ ...fields, batchId: 'b' })),
      )
      expect(refs[2]).toBeNull()
      const kept = refs.filter((ref) => ref !== null)
      expect(kept).toEqual(kept.toSorted((a, b) => a - b))
      expect((await r.read('batchExecutions', { batchId: 'b' })).map(({ ref }) => ref)).toEqual(kept)
      expect((await events(r)).map((event) => event.ref)).toEqual(kept)
    })

    test('inputs of any size and any character come back as they were given', async () => {
      const r = await room()
      const inputs = [
        JSON.stringify({ text: 'x'.repeat(2_000_000) }),
        JSON.stringify({ text: 'nul \0, half \ud800, quote \' " \\, 文字, 🦆' }),
        '{"big":12345678901234567890.10}',
      ]
      const executions = inputs.map((input) => newExecution({ input }))
      await start(r, executions)
      for (const { id, input } of executions) expect((await executionOf(r, id)).input).toBe(input)
    })

    test('whoever holds an execution ends it, once, and the result can be read for ever after', async () => {
      const r = await room()
      const { id, ref } = await startOne(r)
      const end = completed({ explanation: 'nul \0, half \ud800', label: 'good', output: { deep: [1.5, null] } })
      expect(await finish(r, { ref, owner: 'somebody else' }, end)).toEqual({ held: false })
      expect(await finish(r, { ref, at: now + 500 }, end)).toEqual({ held: true })
      expect(await finish(r, ref, completed({ value: 0 }))).toEqual({ held: false })
      expect(await finish(r, ref + 1_000_000)).toEqual({ held: false })
      const kept = await executionOf(r, id)
      expect(kept).toMatchObject({ status: 'completed', score: end.score, error: null, completedAt: now + 500 })
      expect((await events(r)).map((event) => [event.kind, event.data.status])).toEqual([
        ['execution_started', 'running'],
        ['execution_ended', 'completed'],
      ])
    })

    test('of those who end one execution at the same time, one does', async () => {
      const r = await room()
      const { id, ref } = await startOne(r)
      const fates = await Promise.all(Array.from({ length: 20 }, (_, i) => finish(r, ref, completed({ value: i }))))
      expect(fates.filter((fate) => fate.held)).toHaveLength(1)
      expect((await executionOf(r, id)).score?.value).toBe(fates.findIndex((fate) => fate.held))
      expect((await events(r)).filter((event) => event.kind === 'execution_ended')).toHaveLength(1)
    })

    test('a failure keeps its reason, and the errored score beside it', async () => {
      const r = await room()
      const { id, ref } = await startOne(r)
      const score = newScore({ outcome: 'errored', value: null, passed: null, fault: 'timeout' })
      const error = { code: 'timeout', message: 'It took longer than 10 s.' }
      await finish(r, ref, { status: 'failed', score, error })
      expect(await executionOf(r, id)).toMatchObject({ status: 'failed', score, error })
    })

    test('progress is told by whoever holds it, until it is over', async () => {
      const r = await room()
      const { ref } = await startOne(r)
      const note = (who: string) => r.apply({ kind: 'noteProgress', ref, owner: who, done: 2, total: 5, at: now })
      expect(await note('somebody else')).toEqual({ held: false })
      expect(await note(owner)).toEqual({ held: true })
      await finish(r, ref)
      expect(await note(owner)).toEqual({ held: false })
      expect((await events(r)).map((event) => event.data)).toEqual([
        { status: 'running', done: null, total: null },
        { status: 'running', done: 2, total: 5 },
        { status: 'completed', done: null, total: null },
      ])
    })

    test('an execution is cancelled while it is not over, and its holder is told when it comes to end it', async () => {
      const r = await room()
      const { id, ref } = await startOne(r)
      const cancel = (which: string) => r.apply({ kind: 'cancelExecution', id: which, at: now })
      expect(await cancel(id)).toEqual({ result: 'cancelled' })
      expect(await finish(r, ref)).toEqual({ held: false })
      expect(await cancel(id)).toEqual({ result: 'over', status: 'cancelled' })
      expect(await cancel('nobody')).toEqual({ result: 'not_found' })
      const over = await startOne(r)
      await finish(r, over.ref)
      expect(await cancel(over.id)).toEqual({ result: 'over', status: 'completed' })
      expect((await executionOf(r, id)).status).toBe('cancelled')
    })

    test("executions of one project are nobody else's business", async () => {
      const [r, other] = [await room(), await room()]
      const { id, ref } = await startOne(r, { batchId: 'b' })
      expect(await other.read('execution', { id })).toBeNull()
      expect(await other.read('batchExecutions', { batchId: 'b' })).toEqual([])
      expect(await finish(other, ref)).toEqual({ held: false })
      expect(await other.apply({ kind: 'cancelExecution', id, at: now })).toEqual({ result: 'not_found' })
      expect(await take(other, { at: now + leaseMs })).toEqual({ executions: [], abandoned: 0 })
      // The same id is another execution there.
      expect(await start(other, [newExecution({ id })])).not.toEqual([null])
    })
  })

  describe('leases of executions', () => {
    test("what is held is nobody else's until the time is up; then the next one has it", async () => {
      const r = await room()
      const { id, ref } = await startOne(r)
      expect(await take(r, { owner: 'next', at: now + leaseMs - 1 })).toEqual({ executions: [], abandoned: 0 })
      const taken = await take(r, { owner: 'next', at: now + leaseMs })
      expect(taken.executions).toEqual([{ ...(await executionOf(r, id)), attempt: 2, status: 'running' }])
      expect(await finish(r, ref)).toEqual({ held: false })
      expect(await finish(r, { ref, owner: 'next' }, completed())).toEqual({ held: true })
    })

    test('who holds on keeps what it names, and who lets go gives all of it back at once', async () => {
      const r = await room()
      const own = await start(r, [newExecution(), newExecution(), newExecution()])
      const others = await start(r, [newExecution()], { owner: 'other' })
      const refs = [...own.slice(1), ...others].map((ref) => ref ?? 0)
      const hold = { kind: 'holdExecutions', refs, owner, at: now + leaseMs - 1, leaseMs } as const
      expect(await r.apply(hold)).toEqual({ held: 2 })
      expect(await r.apply({ ...hold, refs: [] })).toEqual({ held: 0 })
      const { executions } = await take(r, { owner: 'next', at: now + leaseMs })
      expect(executions.map(({ ref }) => ref)).toEqual([own[0], others[0]])
      expect(await r.apply({ kind: 'releaseExecutions', owner, after: 'stop' })).toEqual({ released: 2 })
      expect(await r.apply({ ...hold })).toEqual({ held: 0 })
      expect((await take(r, { owner: 'next', at: now + 1 })).executions).toHaveLength(2)
    })

    test('what was interrupted too often ends as failed instead of being tried for ever', async () => {
      const r = await room()
      const { id, ref } = await startOne(r)
      for (const attempt of [2, 3]) {
        const { executions, abandoned } = await take(r, { at: now + attempt * leaseMs })
        expect([executions.map((execution) => execution.attempt), abandoned]).toEqual([[attempt], 0])
      }
      expect(await take(r, { at: now + 9 * leaseMs })).toEqual({ executions: [], abandoned: 1 })
      expect(await take(r, { at: now + 10 * leaseMs })).toEqual({ executions: [], abandoned: 0 })
      const kept = await executionOf(r, id)
      expect(kept).toMatchObject({ status: 'failed', error: { code: 'interrupted' }, completedAt: now + 9 * leaseMs })
      expect((await events(r)).at(-1)).toMatchObject({ kind: 'execution_ended', ref, data: { status: 'failed' } })
    })

    test('what was let go of in good order was not interrupted, however often that happens', async () => {
      const r = await room()
      const { id, ref } = await startOne(r)
      for (let restart = 0; restart < 10; restart++) {
        expect(await r.apply({ kind: 'releaseExecutions', owner, after: 'stop' })).toEqual({ released: 1 })
        const { executions, abandoned } = await take(r, { at: now + 1 })
        expect([executions.map((execution) => [execution.ref, execution.attempt]), abandoned]).toEqual([[[ref, 2]], 0])
      }
      expect(await executionOf(r, id)).toMatchObject({ status: 'running' })
    })

    test('what a process held when it died counts as interrupted', async () => {
      const r = await room()
      await startOne(r)
      for (const attempt of [2, 3]) {
        expect(await r.apply({ kind: 'releaseExecutions', owner, after: 'death' })).toEqual({ released: 1 })
        expect((await take(r, { at: now + 1 })).executions).toMatchObject([{ attempt }])
      }
      expect(await r.apply({ kind: 'releaseExecutions', owner, after: 'death' })).toEqual({ released: 1 })
      expect(await take(r, { at: now + 1 })).toEqual({ executions: [], abandoned: 1 })
    })

    test('the oldest are taken first, as many as are asked for', async () => {
      const r = await room()
      const refs = await start(
        r,
        Array.from({ length: 7 }, () => newExecution()),
      )
      const at = now + leaseMs
      const first = await take(r, { at, limit: 5 })
      expect(first.executions.map(({ ref }) => ref)).toEqual(refs.slice(0, 5))
      expect((await take(r, { at, limit: 5 })).executions.map(({ ref }) => ref)).toEqual(refs.slice(5))
    })

    test('two who take at the same time never get the same', async () => {
      const r = await room()
      const refs = await start(
        r,
        Array.from({ length: 60 }, () => newExecution()),
      )
      const at = now + leaseMs
      const hands = await Promise.all(
        Array.from({ length: 12 }, (_, i) => take(r, { owner: `hand-${i}`, at, limit: 10 })),
      )
      const taken = hands.flatMap((hand) => hand.executions.map(({ ref }) => ref))
      expect(taken.toSorted((a, b) => a - b)).toEqual(refs)
    })

    test('projects with work for whoever has time are named', async () => {
      const [r, idle] = [await room(), await room()]
      await startOne(r)
      const { ref } = await startOne(idle)
      await finish(idle, ref)
      const free = async (at: number) =>
        (await r.read('freeExecutions', { at })).filter((id) => id === r.project || id === idle.project)
      expect(await free(now + leaseMs - 1)).toEqual([])
      expect(await free(now + leaseMs)).toEqual([r.project])
    })
  })

  describe('old executions', () => {
    test('results that stand on no trace and no task are deleted when they are old, the oldest first', async () => {
      const r = await room()
      const trace = newTrace()
      await r.ingest([trace])
      const secret = 'zitherplum'
      const input = JSON.stringify({ secret })
      const old = [await startOne(r, { input }), await startOne(r, { input }), await startOne(r, { input })]
      const kept = [await startOne(r, { traceId: trace.traceId }), await startOne(r, { taskId: 't' })]
      for (const [i, { ref }] of [...old, ...kept].entries())
        await finish(r, { ref, at: now - 1_000 + i }, completed({ explanation: i < old.length ? secret : 'kept' }))
      const open = await startOne(r)
      const young = await startOne(r)
      await finish(r, young.ref)
      const expire = { kind: 'expireExecutions', before: now, limit: 2 } as const
      expect(await r.apply(expire)).toEqual({ deleted: 2, more: true })
      expect(await r.read('execution', { id: old[0]?.id ?? '' })).toBeNull()
      expect(await r.read('execution', { id: old[2]?.id ?? '' })).not.toBeNull()
      expect(await r.apply(expire)).toEqual({ deleted: 1, more: false })
      expect(await r.apply(expire)).toEqual({ deleted: 0, more: false })
      for (const { id } of [...kept, open, young]) expect(await r.read('execution', { id })).not.toBeNull()
      expect(await r.dump()).not.toContain(secret)
    })
  })

  describe('lists of executions', () => {
    let r: Room
    let known: { execution: NewExecution; status: ExecutionEnd['status'] | 'running' }[]
    beforeAll(async () => {
      r = await room()
      const traces = newTraces(2)
      await r.ingest(traces)
      const executions = Array.from({ length: 90 }, (_, i) =>
        newExecution({
          evaluator: `e-${i % 3}`,
          batchId: i % 4 ? `b-${i % 5}` : null,
          traceId: i % 3 ? (traces[i % 2]?.traceId ?? null) : null,
        }),
      )
      const refs = await start(r, executions)
      const ends = ['running', 'completed', 'failed', 'cancelled'] as const
      known = executions.map((execution, i) => ({ execution, status: ends[i % 4] ?? 'running' }))
      await Promise.all(
        known.map(async ({ execution, status }, i) => {
          if (status === 'cancelled') await r.apply({ kind: 'cancelExecution', id: execution.id, at: now })
          else if (status !== 'running') await finish(r, refs[i] ?? 0, { ...completed(), status })
        }),
      )
    }, 60_000)

    async function list(filter: ExecutionFilter, limit: number) {
      const items: Exclude<Queries['executions']['out'], { invalidCursor: true }>['items'] = []
      let cursor: string | null = null
      do {
        const page: Queries['executions']['out'] = await r.read('executions', { filter, limit, cursor })
        if ('invalidCursor' in page) throw new Error('the store refused its own cursor')
        expect(page.items.length).toBeLessThanOrEqual(limit)
        items.push(...page.items)
        cursor = page.nextCursor
      } while (cursor !== null)
      return items
    }

    test('filters combine with AND, newest first, over pages of any size', async () => {
      const optional = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })
      const traceIds = known.flatMap(({ execution }) => execution.traceId ?? [])
      const filters: fc.Arbitrary<ExecutionFilter> = fc.record({
        evaluator: optional('e-0', 'e-1', 'e-9'),
        status: optional(...executionStatuses),
        batchId: optional('b-0', 'b-3', 'nobody'),
        traceId: optional(traceIds[0] ?? '', traceIds[1] ?? '', 'nowhere'),
      })
      await fc.assert(
        fc.asyncProperty(filters, fc.constantFrom(1, 7, 200), async (filter, limit) => {
          const expected = known.filter(
            ({ execution, status }) =>
              (filter.evaluator ?? execution.evaluator) === execution.evaluator &&
              (filter.status ?? status) === status &&
              (filter.batchId ?? execution.batchId) === execution.batchId &&
              (filter.traceId ?? execution.traceId) === execution.traceId,
          )
          expect((await list(filter, limit)).map((item) => item.execution_id)).toEqual(
            expected.map(({ execution }) => execution.id).toReversed(),
          )
        }),
        { numRuns: 60 },
      )
    })

    test('an entry says how the execution stands', async () => {
      const [newest] = await list({ status: 'completed' }, 1)
      const wanted = known.findLast(({ status }) => status === 'completed')?.execution
      expect(newest).toEqual({
        execution_id: wanted?.id,
        evaluator: wanted?.evaluator,
        evaluator_version: 'v1',
        status: 'completed',
        trace_id: wanted?.traceId,
        batch_id: wanted?.batchId,
        score: completed().score,
        error: null,
        created_at: new Date(now).toISOString(),
        completed_at: new Date(now).toISOString(),
      })
    })

    test('a cursor that the store did not make is refused', async () => {
      for (const cursor of ['', 'x', Buffer.from('x').toString('base64url'), Buffer.from('t1.2').toString('base64url')])
        expect(await r.read('executions', { filter: {}, limit: 5, cursor })).toEqual({ invalidCursor: true })
    })
  })

  describe('queues of executions', () => {
    test('what a consumer asks for waits for whoever takes it, and is told as queued', async () => {
      const r = await room()
      const [trace] = newTraces(1)
      await r.ingest(trace ? [trace] : [])
      await r.apply({ kind: 'claimConsumer', name: 'c', owner, at: now, leaseMs })
      const executions = [newExecution({ traceId: trace?.traceId ?? '' }), newExecution({ traceId: 'gone' })]
      const effects: Change<'advanceConsumer'>['effects'] = [{ kind: 'executions', executions, limited: [], at: now }]
      const advance = { kind: 'advanceConsumer', name: 'c', owner, from: 0, to: 1, effects } as const
      expect(await r.apply(advance)).toEqual({ advanced: true })
      expect(await r.apply(advance)).toEqual({ advanced: false })
      const [queued] = executions
      expect(await executionOf(r, queued?.id ?? '')).toMatchObject({ status: 'queued', attempt: 0 })
      expect(await r.read('execution', { id: executions[1]?.id ?? '' })).toBeNull()
      expect(await r.read('freeExecutions', { at: now })).toContain(r.project)
      const { executions: taken } = await take(r)
      expect(taken).toMatchObject([{ id: queued?.id, status: 'running', attempt: 1 }])
      expect((await events(r)).map((event) => [event.kind, event.data.status])).toEqual([
        ['execution_started', 'queued'],
        ['execution_progress', 'running'],
      ])
    })
  })
}
