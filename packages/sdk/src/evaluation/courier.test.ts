import { expect, it } from 'vitest'
import { Courier } from './courier.ts'

it('as many events as a request takes do not wait for others', async () => {
  const sent: number[] = []
  const { promise: heard, resolve } = Promise.withResolvers<void>()
  const courier = new Courier({
    open: async () => undefined,
    send: async (events) => {
      sent.push(events.length)
      resolve()
      return { applied: events.length, status: 'running', results: [] }
    },
    state: 'open',
    worker: 'sdk-1',
    // On this clock nothing that lingers ever ends by itself.
    clock: { now: () => 0, after: () => () => undefined },
    random: () => 0,
    bufferBytes: 1_000,
    heartbeatMs: 1_000,
    mostEvents: 3,
    onStatus: () => undefined,
    onWarning: () => undefined,
  })
  courier.add({ type: 'heartbeat' })
  // It has begun to linger by then.
  await new Promise(setImmediate)
  courier.add({ type: 'heartbeat' })
  courier.add({ type: 'heartbeat' })
  await heard
  expect(sent).toEqual([3])
  expect(await courier.close(1_000)).toEqual({ delivered: 3, undelivered: 0, refused: 0 })
})
