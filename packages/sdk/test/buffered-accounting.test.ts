import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Drop, LLMEvalClient } from '../src/index.ts'
import { type Behaviour, html, json, reset, startFakeServer } from './fake-server.ts'
import { ManualClock } from './manual-clock.ts'

type Status = 'created' | 'duplicate' | 'conflict' | 'invalid'

interface Item {
  trace_id: string
  metadata: { status: Status }
}

/** What the server does with one request. `judge` gives every trace the status it asks for. */
type Mood = 'judge' | 'lost answer' | 'reset' | '503' | '500' | '413' | 'garbage'

const moods: Record<Exclude<Mood, 'judge' | 'lost answer'>, Behaviour> = {
  reset,
  '503': json(503, { success: false, message: 'full', trace_ids: [], code: 'overloaded' }, { 'retry-after': '1' }),
  '500': json(500, { success: false, message: 'oops', trace_ids: [], code: 'internal' }),
  '413': html(413),
  garbage: html(200),
}

/** A small server that remembers what it stored, as the real one does. */
function judge(stored: Map<string, number>): Behaviour {
  return (response, received) => {
    const { traces } = JSON.parse(received.body) as { traces: Item[] }
    const results = traces.map(({ trace_id, metadata }) => {
      const before = stored.get(trace_id)
      const status = metadata.status === 'created' && before !== undefined ? 'duplicate' : metadata.status
      if (status === 'created' || status === 'duplicate')
        stored.set(trace_id, (before ?? 0) + (status === 'created' ? 1 : 0))
      return { trace_id, status }
    })
    const kept = results.filter(({ status }) => status === 'created' || status === 'duplicate')
    const status = kept.length === results.length ? 200 : kept.length > 0 ? 207 : 422
    const errors = kept.length === results.length ? null : ['refused']
    const message = `Processed ${kept.length} of ${results.length} traces`
    const ids = kept.map((one) => one.trace_id)
    return json(status, {
      success: kept.length > 0,
      message,
      processed_count: kept.length,
      errors,
      trace_ids: ids,
      results,
    })(response, received)
  }
}

const oneTrace = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      status: fc.constantFrom<Status>('created', 'duplicate', 'conflict', 'invalid'),
      size: fc.nat({ max: 400 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant('unserialisable' as const) },
)
const plan = fc.record({
  bursts: fc.array(fc.array(oneTrace, { maxLength: 12 }), { minLength: 1, maxLength: 5 }),
  moods: fc.array(fc.constantFrom<Mood>('judge', 'lost answer', 'reset', '503', '500', '413', 'garbage'), {
    maxLength: 8,
  }),
  options: fc.record({
    maxBatchTraces: fc.integer({ min: 1, max: 10 }),
    maxBatchBytes: fc.integer({ min: 1, max: 2_000 }),
    maxQueueTraces: fc.integer({ min: 1, max: 30 }),
    maxQueueBytes: fc.integer({ min: 100, max: 8_000 }),
    concurrency: fc.integer({ min: 1, max: 3 }),
  }),
  endsWell: fc.boolean(),
})

describe('the accounts of a buffered sender', () => {
  it('sum up to the calls at any time, and agree with what the server stored', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ bursts, moods: mood, options, endsWell }) => {
        await using server = await startFakeServer()
        const stored = new Map<string, number>()
        const judging = judge(stored)
        server.next(
          ...mood.map((each): Behaviour => {
            if (each === 'judge') return judging
            if (each !== 'lost answer') return moods[each]
            return (response, received) => {
              // Stored, but the answer never arrives.
              const nobody = { writeHead: () => ({ end: () => undefined }) } as unknown as typeof response
              judging(nobody, received)
              response.socket?.resetAndDestroy()
            }
          }),
        )
        server.usually(endsWell ? judging : reset)

        const clock = new ManualClock()
        const drops: Drop[] = []
        const sender = new LLMEvalClient(server.url, { clock, timeoutMs: 10_000_000 }).buffered({
          ...options,
          onDrop: (drop) => drops.push(drop),
        })
        let calls = 0
        const check = () => {
          const { sent, duplicates, conflicts, invalid, dropped, pending } = sender.receipt()
          expect(sent + duplicates + conflicts + invalid + dropped + pending).toBe(calls)
          expect(Math.min(sent, duplicates, conflicts, invalid, dropped, pending)).toBeGreaterThanOrEqual(0)
          expect(drops.reduce((sum, drop) => sum + drop.count, 0)).toBe(dropped)
          return pending
        }
        for (const burst of bursts) {
          for (const one of burst) {
            const metadata = one === 'unserialisable' ? { big: 1n } : { status: one.status, text: 'x'.repeat(one.size) }
            sender.send({ traceId: `t${calls++}`, modelName: 'm', userQuery: 'q', aiResponse: 'a', metadata })
            expect(check()).toBeLessThanOrEqual(options.maxQueueTraces)
          }
          clock.advance(1_000)
          // Lets requests get under way between the bursts.
          await new Promise((resolve) => setImmediate(resolve))
        }
        // Time flies, except while a request is under way, until everything is settled or the deadline of `close` is reached.
        const progress = { closed: false }
        const closing = sender.close({ timeoutMs: 400_000 }).finally(() => (progress.closed = true))
        while (!progress.closed) {
          const [next] = clock.timers()
          if (next !== undefined && next < 30_000) clock.advance(next)
          check()
          await new Promise((resolve) => setImmediate(resolve))
        }
        const receipt = await closing
        expect(check()).toBe(0)
        expect(Math.max(0, ...stored.values())).toBeLessThanOrEqual(1)
        if (endsWell && drops.length === 0 && mood.every((each) => each === 'judge')) {
          const wanted = (status: Status) =>
            bursts.flat().filter((one) => one !== 'unserialisable' && one.status === status).length
          expect(receipt).toEqual({
            sent: wanted('created'),
            duplicates: wanted('duplicate'),
            conflicts: wanted('conflict'),
            invalid: wanted('invalid') + bursts.flat().filter((one) => one === 'unserialisable').length,
            dropped: 0,
            pending: 0,
          })
        }
        if (endsWell && drops.every((drop) => drop.reason === 'full')) {
          // A trace may be stored and yet count as dropped or invalid: when its answer was lost, and then memory ran out
          // or a proxy refused it.
          const created = [...stored.values()].reduce((sum, count) => sum + count, 0)
          expect(receipt.sent).toBeLessThanOrEqual(created)
          expect(receipt.sent + receipt.duplicates + receipt.dropped + receipt.invalid).toBeGreaterThanOrEqual(created)
        }
      }),
      { numRuns: 60 },
    )
  })
})
