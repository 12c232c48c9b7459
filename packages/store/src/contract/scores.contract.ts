import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { type ScoreOutcome, scoreOutcomes } from '@llm-eval/protocol'
import type { ExecutionEnd } from '../evaluation.ts'
import type { Filter, NewTrace } from '../store.ts'
import { completed, evaluate, executionOf, finish, newScore, startOne, usage } from './judging.contract.ts'
import { newTrace, newTraces, now, type Room } from './room.contract.ts'

/** Scores stand on traces: shown wherever the trace is, and gone with it. */
export function scoresContract(room: () => Promise<Room>): void {
  const shown = async (r: Room) => (await r.list()).items.map((item) => item.scores)

  describe('scores', () => {
    test('a score is on its trace wherever the trace is shown', async () => {
      const r = await room()
      const trace = newTrace()
      await r.ingest([trace])
      const { traceId } = trace
      const judge = completed({ value: 0.5, label: 'fair', passed: null, usage: usage() })
      const first = await evaluate(r, { traceId, evaluator: 'relevance', version: 'v7' }, judge)
      await evaluate(r, { traceId, evaluator: 'exact-match' })
      const scores = [
        { evaluator: 'exact-match', outcome: 'scored', value: 1, label: null, passed: true },
        { evaluator: 'relevance', outcome: 'scored', value: 0.5, label: 'fair', passed: null },
      ]
      expect(await shown(r)).toEqual([scores])
      expect((await r.read('snapshot', { limit: 5 })).items.map((item) => item.scores)).toEqual([scores])
      const whole = {
        ...judge.score,
        evaluator: 'relevance',
        evaluator_version: 'v7',
        execution_id: first.id,
        rule: null,
        at: new Date(now).toISOString(),
      }
      expect((await r.trace(traceId))?.scores[1]).toEqual(whole)
      const page = await r.read('pageTraces', { filter: {}, limit: 5, cursor: null, sliceMs: 50 })
      expect('items' in page && page.items[0]?.scores[1]).toEqual(whole)
      const [created] = await r.journal()
      expect(created).toMatchObject({ kind: 'trace_created', trace: { scores } })
    })

    test('its event tells the score, the trace and the model', async () => {
      const r = await room()
      const trace = newTrace({ model: 'gpt-4' })
      await r.ingest([trace])
      const { id, ref } = await evaluate(r, { traceId: trace.traceId })
      const event = (await r.journal()).at(-1)
      expect(event).toMatchObject({
        kind: 'scored',
        data: { execution: ref },
        model: 'gpt-4',
        trace: { trace_id: trace.traceId },
        score: {
          evaluator: 'exact-match',
          outcome: 'scored',
          value: 1,
          label: null,
          passed: true,
          execution_id: id,
        },
      })
      expect((await r.read('facts', { after: 0, limit: 10 })).at(-1)).toMatchObject({
        kind: 'scored',
        trace: null,
        score: null,
      })
    })

    test('of each evaluator the newest score counts; the executions before it can still be read', async () => {
      const r = await room()
      const trace = newTrace()
      await r.ingest([trace])
      const { traceId } = trace
      const before = await evaluate(r, { traceId }, completed({ value: 0.1, label: 'poor' }))
      await evaluate(r, { traceId, version: 'v2' }, completed({ value: 0.9, passed: false }))
      expect(await shown(r)).toEqual([
        [{ evaluator: 'exact-match', outcome: 'scored', value: 0.9, label: null, passed: false }],
      ])
      expect((await r.trace(traceId))?.scores).toMatchObject([{ evaluator_version: 'v2', value: 0.9 }])
      expect((await executionOf(r, before.id)).score?.value).toBe(0.1)
      const told = (await r.journal()).flatMap((event) => (event.kind === 'scored' ? [event.score?.value] : []))
      expect(told).toEqual([0.1, 0.9])
    })

    test('what was skipped or errored is told as such, never as a value', async () => {
      const r = await room()
      const trace = newTrace()
      await r.ingest([trace])
      const { traceId } = trace
      const none = { value: null, passed: null, label: null }
      const skipped = completed({ ...none, outcome: 'skipped', fault: 'missing_evidence' })
      await evaluate(r, { traceId, evaluator: 'a' }, skipped)
      const score = newScore({ ...none, outcome: 'errored', fault: 'timeout' })
      const failed: ExecutionEnd = { status: 'failed', score, error: { code: 'timeout', message: 'Too slow.' } }
      await evaluate(r, { traceId, evaluator: 'b' }, failed)
      expect(await shown(r)).toEqual([
        [
          { evaluator: 'a', outcome: 'skipped', ...none },
          { evaluator: 'b', outcome: 'errored', ...none },
        ],
      ])
    })

    test('an end without a score, and a cancelled one, leave the trace as it was', async () => {
      const r = await room()
      const trace = newTrace()
      await r.ingest([trace])
      const { traceId } = trace
      await evaluate(r, { traceId }, completed({ value: 0.3 }))
      await evaluate(r, { traceId }, { status: 'failed', score: null, error: { code: 'threw', message: 'No.' } })
      await evaluate(r, { traceId }, { status: 'cancelled', score: newScore(), error: null })
      expect((await shown(r))[0]).toMatchObject([{ value: 0.3 }])
      expect((await r.journal()).filter((event) => event.kind === 'scored')).toHaveLength(1)
    })

    test('executions that end together leave the score of each evaluator on each trace', async () => {
      const r = await room()
      const traces = newTraces(20)
      await r.ingest(traces)
      const started = await Promise.all(
        traces.flatMap(({ traceId }) => ['a', 'b', 'c'].map((evaluator) => startOne(r, { traceId, evaluator }))),
      )
      await Promise.all(started.map(({ ref }, i) => finish(r, ref, completed({ value: i }))))
      const values = new Map(
        (await r.list()).items.map((item) => [item.trace_id, item.scores.map(({ value }) => value)]),
      )
      for (const [i, { traceId }] of traces.entries())
        expect(values.get(traceId)).toEqual([3 * i, 3 * i + 1, 3 * i + 2])
    })
  })

  describe('deletion of evaluated traces', () => {
    const secret = 'theremindusk'
    const ways: Record<string, (r: Room, trace: NewTrace) => Promise<unknown>> = {
      deleting: (r, trace) => r.delete(trace.traceId),
      erasing: (r) => r.apply({ kind: 'eraseUser', userId: 'ann', at: now, limit: 10 }),
      expiring: (r) => r.apply({ kind: 'expireTraces', before: now, at: now, limit: 10 }),
    }
    for (const [way, remove] of Object.entries(ways)) {
      test(`${way} a trace removes its scores, and the inputs, outputs and explanations of its executions`, async () => {
        const r = await room()
        const trace = newTrace({ userId: 'ann', timestamp: now - 1_000 })
        const other = newTrace({ userId: 'bob' })
        await r.ingest([trace, other])
        const { traceId } = trace
        const telling = completed({ explanation: secret, label: secret, output: { secret }, usage: usage() })
        const evaluated = await evaluate(
          r,
          { traceId, input: JSON.stringify({ secret }), config: `"${secret}"` },
          telling,
        )
        await evaluate(
          r,
          { traceId, evaluator: 'failing' },
          {
            status: 'failed',
            score: null,
            error: { code: 'threw', message: secret },
          },
        )
        const running = await startOne(r, { traceId, input: `"${secret}"` })
        const queued = await startOne(r, { traceId: other.traceId })
        expect(await r.dump()).toContain(secret)

        await remove(r, trace)
        await r.caughtUp()
        expect(await r.dump()).not.toContain(secret)
        expect(await r.read('execution', { id: evaluated.id })).toBeNull()
        expect(await r.read('executions', { filter: { traceId }, limit: 5, cursor: null })).toEqual({
          items: [],
          nextCursor: null,
        })
        expect(await finish(r, running.ref, telling)).toEqual({ held: false })
        expect(
          await r.apply({ kind: 'noteProgress', ref: running.ref, owner: 'runner', done: 1, total: 2, at: now }),
        ).toEqual({
          held: false,
        })
        expect(await finish(r, queued.ref)).toEqual({ held: true })
        const journal = await r.journal()
        expect(JSON.stringify(journal)).not.toContain(secret)
        expect(journal.filter((event) => event.kind === 'scored').map((event) => event.score)).toMatchObject([
          null,
          { execution_id: queued.id },
        ])
        // Whoever follows the one that was running learns that it is over.
        const ends = journal.filter((event) => event.kind === 'execution_ended' && event.ref === running.ref)
        expect(ends.map((event) => 'data' in event && event.data)).toMatchObject([{ status: 'cancelled' }])
      })
    }

    test('a trace that is deleted while it is evaluated gets no score, whichever comes first', async () => {
      const r = await room()
      const traces = newTraces(40)
      await r.ingest(traces)
      const started = await Promise.all(traces.map(({ traceId }) => startOne(r, { traceId })))
      await Promise.all(
        traces.flatMap(({ traceId }, i) => {
          const finishing = () => finish(r, started[i]?.ref ?? 0)
          const deleting = () => r.delete(traceId)
          return i % 2 ? [finishing(), deleting()] : [deleting(), finishing()]
        }),
      )
      expect((await r.list()).ids).toEqual([])
      for (const { id } of started) expect(await r.read('execution', { id })).toBeNull()
      const ended = (await r.journal()).flatMap((event) => (event.kind === 'execution_ended' ? [event.ref] : []))
      expect(ended.toSorted((a, b) => a - b)).toEqual(started.map(({ ref }) => ref).toSorted((a, b) => a - b))
    })

    test('an evaluation that is started while its trace is deleted leaves nothing behind', async () => {
      const r = await room()
      const traces = newTraces(40)
      await r.ingest(traces)
      const [started] = await Promise.all([
        Promise.allSettled(traces.map(({ traceId }) => startOne(r, { traceId }))),
        ...traces.map(({ traceId }) => r.delete(traceId)),
      ])
      for (const one of started)
        if (one.status === 'fulfilled') expect(await r.read('execution', { id: one.value.id })).toBeNull()
    })
  })

  describe('lists behind scores', () => {
    let r: Room
    let known: { trace: NewTrace; scores: Map<string, Given> }[]
    beforeAll(async () => {
      r = await room()
      known = await populate(r)
    }, 60_000)

    /** What a list with this filter must hold, by brute force. */
    const expected = (filter: Filter) =>
      known
        .filter(({ trace, scores }) => matches(trace, scores, filter))
        .map(({ trace }) => ({ trace, ref: known.findIndex((one) => one.trace === trace) }))
        .sort(
          filter.q === undefined
            ? (a, b) => b.trace.timestamp - a.trace.timestamp || b.ref - a.ref
            : (a, b) => b.ref - a.ref,
        )
        .map(({ trace }) => trace.traceId)

    test('filters of scores combine with all others, over pages of any size and slices of any time', async () => {
      const optional = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })
      const filters: fc.Arbitrary<Filter> = fc.record({
        evaluator: fc.constantFrom('a', 'b', 'nobody'),
        min_score: optional(0, 0.5),
        max_score: optional(0.4, 1),
        passed: optional(true, false),
        score_outcome: optional(...scoreOutcomes),
        model_name: optional('m-0', 'm-1'),
        user_id: optional('u-0', 'u-1'),
        from: optional(now - 60_000),
        to: optional(now - 5_000),
        min_latency: optional(100),
        q: optional('even', 'common word'),
      })
      await fc.assert(
        fc.asyncProperty(
          filters,
          fc.constantFrom(1, 4, 200),
          fc.constantFrom(0, 1_000),
          async (filter, limit, sliceMs) => {
            expect((await r.list(filter, { limit, sliceMs })).ids).toEqual(expected(filter))
          },
        ),
        { numRuns: 120 },
      )
    })

    test('without an evaluator the score may be that of any', async () => {
      expect((await r.list({ min_score: 0.5 })).ids).toEqual(expected({ min_score: 0.5 }))
    })

    test('exports are filtered the same way', async () => {
      const filter = { evaluator: 'a', passed: true }
      const page = await r.read('pageTraces', { filter, limit: 200, cursor: null, sliceMs: 1_000 })
      expect('items' in page && page.items.map((item) => item.trace_id)).toEqual(expected(filter))
    })

    test('a search through many scores stops when its time is up, says how far it got, and goes on from there', async () => {
      const own = await room()
      const traces = newTraces(2_000, (i) => ({ timestamp: now - i }))
      await own.ingest(traces)
      const executions = traces.map(({ traceId }, i) => ({ traceId, value: i === 1_900 ? 1 : 0 }))
      const started = await Promise.all(executions.map(({ traceId }) => startOne(own, { traceId })))
      await Promise.all(started.map(({ ref }, i) => finish(own, ref, completed({ value: executions[i]?.value ?? 0 }))))
      const filter = { evaluator: 'exact-match', min_score: 0.5 }
      const page = await own.read('listTraces', { filter, limit: 10, cursor: null, sliceMs: 0 })
      if ('invalidCursor' in page) throw new Error('no cursor was given')
      expect(page.items).toEqual([])
      expect(page.searchedTo).toBeLessThan(now - 100)
      const { ids, pages } = await own.list(filter, { sliceMs: 0 })
      expect(ids).toEqual([traces[1_900]?.traceId])
      expect(pages).toBeGreaterThan(1)
    }, 60_000)

    test('a trace that turns out to have begun earlier takes its place in lists behind its scores', async () => {
      const own = await room()
      const older = newTrace({ timestamp: now - 5_000 })
      const span = (spanId: string, start: number) => ({
        traceId: 'spans',
        span_id: spanId,
        parent_span_id: null,
        kind: 'llm' as const,
        name: 'n',
        start: new Date(start).toISOString(),
        end: null,
        status: 'ok' as const,
        attributes: {},
        hash: spanId,
      })
      const send = (spanId: string, start: number) =>
        own.apply({ kind: 'putSpans', spans: [span(spanId, start)], at: now, model: 'm', source: null })
      await own.ingest([older])
      await send('late', now)
      await evaluate(own, { traceId: older.traceId })
      await evaluate(own, { traceId: 'spans' })
      const filter = { evaluator: 'exact-match' }
      expect((await own.list(filter, { limit: 1 })).ids).toEqual(['spans', older.traceId])
      await send('early', now - 9_000)
      expect((await own.list(filter, { limit: 1 })).ids).toEqual([older.traceId, 'spans'])
    })
  })
}

interface Given {
  outcome: ScoreOutcome
  value: number | null
  passed: boolean | null
}

async function populate(r: Room): Promise<{ trace: NewTrace; scores: Map<string, Given> }[]> {
  const traces = Array.from({ length: 80 }, (_, i) =>
    newTrace(
      {
        traceId: `scored-${(i * 37) % 80}`,
        timestamp: now - ((i * 53) % 70) * 1_000,
        model: `m-${i % 3}`,
        userId: i % 4 ? `u-${i % 3}` : null,
        latencyMs: (i * 31) % 300,
      },
      { user_query: `common word ${i % 2 ? 'odd' : 'even'}` },
    ),
  )
  await r.ingest(traces)
  const known = traces.map((trace) => ({ trace, scores: new Map<string, Given>() }))
  for (const [i, { trace, scores }] of known.entries()) {
    for (const [j, evaluator] of ['a', 'b'].entries()) {
      if ((i + j) % 3 === 0) continue
      const outcome = scoreOutcomes[i % 7] ?? 'scored'
      const value = outcome === 'scored' && i % 5 ? ((i * 7) % 11) / 10 : null
      const given = { outcome, value, passed: outcome === 'scored' && i % 6 ? i % 2 === 0 : null }
      await evaluate(r, { traceId: trace.traceId, evaluator }, completed({ value: 0.05, passed: null }))
      await evaluate(r, { traceId: trace.traceId, evaluator }, completed(given))
      scores.set(evaluator, given)
    }
  }
  await r.caughtUp()
  return known
}

function matches(trace: NewTrace, scores: Map<string, Given>, filter: Filter): boolean {
  const equal = (wanted: unknown, value: unknown) => wanted === undefined || wanted === value
  const asked = filter.evaluator === undefined ? [...scores.values()] : [scores.get(filter.evaluator)]
  const fits = asked.some(
    (score) =>
      score !== undefined &&
      (filter.min_score === undefined || (score.value !== null && score.value >= filter.min_score)) &&
      (filter.max_score === undefined || (score.value !== null && score.value <= filter.max_score)) &&
      equal(filter.passed, score.passed) &&
      equal(filter.score_outcome, score.outcome),
  )
  return (
    fits &&
    equal(filter.model_name, trace.model) &&
    equal(filter.user_id, trace.userId) &&
    (filter.from === undefined || trace.timestamp >= filter.from) &&
    (filter.to === undefined || trace.timestamp < filter.to) &&
    (filter.min_latency === undefined || (trace.latencyMs ?? 0) >= filter.min_latency) &&
    (filter.q ?? '').split(' ').every((word) => trace.body.includes(word))
  )
}
