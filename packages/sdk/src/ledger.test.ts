import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Ledger, type Outcome } from './ledger.ts'

const noLimit = () => () => undefined

describe('a ledger', () => {
  it('lets a waiter go when the calls before it are settled, and not for later ones', async () => {
    const ledger = new Ledger()
    const first = ledger.enter()
    const second = ledger.enter()
    const order: string[] = []
    const waiting = ledger.whenSettled(noLimit).then(() => order.push('released'))
    const later = [ledger.enter(), ledger.enter()]
    for (const call of later) ledger.settle(call, 'invalid')
    ledger.settle(second, 'sent')
    expect(ledger.awaited).toBe(true)
    await Promise.resolve()
    order.push('last')
    ledger.settle(first, 'dropped')
    await waiting
    expect(order).toEqual(['last', 'released'])
    expect(ledger.awaited).toBe(false)
    expect(ledger.receipt()).toEqual({ sent: 1, duplicates: 0, conflicts: 0, invalid: 2, dropped: 1, pending: 0 })
  })

  it('calls a time limit off when the waiter leaves, by whichever way', async () => {
    const ledger = new Ledger()
    let running = 0
    const limit = () => {
      running++
      return () => void running--
    }
    await ledger.whenSettled(limit)
    expect(running).toBe(0)
    const call = ledger.enter()
    const waiting = ledger.whenSettled(limit)
    expect(running).toBe(1)
    ledger.settle(call, 'sent')
    await waiting
    expect(running).toBe(0)
    ledger.enter()
    const released = ledger.whenSettled(limit)
    ledger.release()
    await released
    expect(running).toBe(0)
  })

  it('counts every call once, in whatever order calls are settled', () => {
    const outcomes = fc.array(fc.constantFrom<Outcome>('sent', 'duplicates', 'conflicts', 'invalid', 'dropped'))
    fc.assert(
      fc.property(outcomes, fc.nat({ max: 10 }), (settled, open) => {
        const ledger = new Ledger()
        const calls = Array.from({ length: settled.length + open }, () => ledger.enter())
        for (const [index, outcome] of settled.entries()) ledger.settle(calls.at(-1 - index) ?? 0, outcome)
        const { pending, ...counts } = ledger.receipt()
        expect(pending).toBe(open)
        for (const [outcome, count] of Object.entries(counts))
          expect(count).toBe(settled.filter((one) => one === outcome).length)
      }),
    )
  })
})
