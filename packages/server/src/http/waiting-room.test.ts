import { Failure } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import { createWaitingRoom } from './waiting-room.ts'

const limited = (retryAfter: number) => new Failure('rate_limited', { values: { limit: 1 }, retryAfter })
const stays = () => false

/** A room whose waits end at once, and how long they were meant to be. */
function room(most = 10) {
  const waits: number[] = []
  const wait = async (ms: number) => void waits.push(ms)
  return { waits, room: createWaitingRoom({ seconds: 10, most, wait }) }
}

/** Refuses so many times. */
function refusing(times: number, retryAfter: number): () => void {
  let left = times
  return () => {
    if (left-- > 0) throw limited(retryAfter)
  }
}

describe('a request of a client that does not try again', () => {
  it('waits for its rate limit as long as it is told to', async () => {
    const { waits, room: waiting } = room()
    await waiting.charge(refusing(3, 2), stays)
    expect(waits).toEqual([2_000, 2_000, 2_000])
  })

  it('is refused when that would take longer than ten seconds in all', async () => {
    const first = room()
    await first.room.charge(refusing(5, 2), stays)
    expect(first.waits).toHaveLength(5)
    const second = room()
    await expect(second.room.charge(refusing(6, 2), stays)).rejects.toMatchObject({ code: 'rate_limited' })
    await expect(room().room.charge(refusing(1, 11), stays)).rejects.toMatchObject({ code: 'rate_limited' })
  })

  it('is not kept for any other failure, nor when nobody waits for the answer', async () => {
    const { waits, room: waiting } = room()
    const broken = () => Promise.reject(new Failure('storage_unavailable'))
    await expect(waiting.charge(broken, stays)).rejects.toMatchObject({ code: 'storage_unavailable' })
    await expect(waiting.charge(refusing(1, 1), () => true)).rejects.toMatchObject({ code: 'rate_limited' })
    expect(waits).toEqual([])
  })

  it('is refused at once when as many wait as may, and taken again when one has left', async () => {
    const { promise: door, resolve: open } = Promise.withResolvers<void>()
    const waiting = createWaitingRoom({ most: 2, wait: () => door })
    const both = [waiting.charge(refusing(1, 1), stays), waiting.charge(refusing(1, 1), stays)]
    await expect(waiting.charge(refusing(1, 1), stays)).rejects.toMatchObject({ code: 'rate_limited' })
    open()
    await Promise.all(both)
    await waiting.charge(refusing(1, 1), stays)
  })
})
