import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Outbox, type Queued } from './outbox.ts'

type Action =
  | { do: 'push'; bytes: number }
  | { do: 'shift' }
  | { do: 'take'; traces: number; bytes: number; back: boolean }

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('push' as const), bytes: fc.integer({ min: 1, max: 50 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'shift' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      traces: fc.integer({ min: 1, max: 8 }),
      bytes: fc.integer({ min: 1, max: 120 }),
      back: fc.boolean(),
    }),
  },
)

const sizeOf = (items: Queued[]) => items.reduce((sum, item) => sum + item.bytes, 0)

describe('an outbox', () => {
  it('is a plain queue, whatever is done to it, and knows its size', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const outbox = new Outbox()
        const model: Queued[] = []
        let seq = 0
        for (const each of actions) {
          if (each.do === 'push') {
            const item = { seq: seq++, json: '', bytes: each.bytes }
            outbox.push(item)
            model.push(item)
          } else if (each.do === 'shift') {
            expect(outbox.shift()).toBe(model.shift())
          } else {
            const batch = outbox.take(each)
            expect(batch).toEqual(model.slice(0, batch.length))
            expect(batch.length).toBeLessThanOrEqual(each.traces)
            if (batch.length > 1) expect(sizeOf(batch)).toBeLessThanOrEqual(each.bytes)
            const next = model[batch.length]
            if (next && batch.length < each.traces)
              expect(batch.length > 0 && sizeOf(batch) + next.bytes > each.bytes).toBe(true)
            if (each.back) outbox.putBack(batch)
            else model.splice(0, batch.length)
          }
          expect([outbox.traces, outbox.bytes]).toEqual([model.length, sizeOf(model)])
        }
      }),
    )
  })

  it('keeps its order over many thousands', () => {
    const outbox = new Outbox()
    const seen: number[] = []
    for (let seq = 0; seq < 20_000; seq++) {
      outbox.push({ seq, json: '', bytes: 1 })
      if (seq % 3 > 0) seen.push(outbox.shift()?.seq ?? -1)
    }
    for (let item = outbox.shift(); item; item = outbox.shift()) seen.push(item.seq)
    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, index) => index))
    expect([outbox.traces, outbox.bytes]).toEqual([0, 0])
  })
})
