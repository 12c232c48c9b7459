import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/manual-clock.ts'
import { LLMEvalError } from '../inside.ts'
import { Courier, type CourierOptions } from './courier.ts'
import type { Receipt } from './run-server.ts'

/** A courier whose requests are answered by hand, on a clock that stands still. */
function scene(options: Partial<CourierOptions> = {}) {
  const clock = new ManualClock()
  const requests: { events: number; answer: () => void }[] = []
  let came: () => void = () => undefined
  const courier = new Courier({
    open: async () => undefined,
    send: (events) => {
      const { promise, resolve } = Promise.withResolvers<Receipt>()
      const receipt: Receipt = { applied: events.length, status: 'running', results: [] }
      requests.push({ events: events.length, answer: () => resolve(receipt) })
      came()
      return promise
    },
    state: 'open',
    worker: 'sdk-1',
    clock,
    random: () => 0,
    bufferBytes: 10_000_000,
    heartbeatMs: 1_000_000,
    mostEvents: 500,
    onStatus: () => undefined,
    onWarning: () => undefined,
    ...options,
  })
  const add = (count: number) => {
    for (let made = 0; made < count; made++) courier.add({ type: 'heartbeat' })
  }
  /** The request of this number, once it is there. */
  const request = async (number: number) => {
    while (requests.length < number) await new Promise<void>((resolve) => (came = resolve))
    return requests[number - 1]
  }
  return { courier, clock, add, request }
}

describe('a courier', () => {
  it('sends as many events as a request takes without waiting for others', async () => {
    const { courier, add, request } = scene({ mostEvents: 3 })
    add(1)
    // It has begun to linger by then.
    await new Promise(setImmediate)
    add(2)
    const sent = await request(1)
    expect(sent?.events).toBe(3)
    sent?.answer()
    expect(await courier.close(1_000)).toEqual({ delivered: 3, undelivered: 0, refused: 0 })
  })

  it('has room for a thousand events, and again when the server has taken some', async () => {
    const { courier, add, request } = scene()
    add(999)
    expect(courier.room()).toBeNull()
    add(1)
    const room = courier.room()
    expect(room).not.toBeNull()
    ;(await request(1))?.answer()
    await room
    expect(courier.room()).toBeNull()
    ;(await request(2))?.answer()
    expect(await courier.close(1_000)).toMatchObject({ delivered: 1_000, undelivered: 0 })
  })

  it('lets nobody wait for long for a server that says nothing, and again when it speaks', async () => {
    const { courier, clock, add, request } = scene()
    add(1_200)
    const room = courier.room()
    const first = await request(1)
    clock.advance(1_000)
    await room
    expect(courier.room()).toBeNull()
    add(500)
    first?.answer()
    const second = await request(2)
    expect(courier.room()).not.toBeNull()
    second?.answer()
    ;(await request(3))?.answer()
    const closing = courier.close(1_000)
    ;(await request(4))?.answer()
    expect(await closing).toMatchObject({ delivered: 1_700, undelivered: 0 })
  })

  it('lets nobody wait for a server that is away, or was never there', async () => {
    const gone = scene({
      send: () => Promise.reject(new LLMEvalError('unreachable', 'It is gone.')),
      random: () => 0.5,
    })
    gone.add(1_000)
    await gone.courier.room()
    expect(gone.courier.room()).toBeNull()
    const never = scene({ state: 'unopened', open: () => new Promise(() => undefined) })
    never.add(1_000)
    expect(never.courier.room()).toBeNull()
    const closing = gone.courier.close(1_000)
    // It tries once more, and rests again.
    await gone.clock.timer((ms) => ms > 0 && ms < 1_000)
    gone.clock.advance(1_000)
    expect(await closing).toMatchObject({ delivered: 0, undelivered: 1_000 })
  })
})
