import { describe, expect, it } from 'vitest'
import { addressBucket, createMemoryLimiter } from './rate-limits.ts'

const minute = 60_000

describe('the limiter', () => {
  it('gives a minute worth at once, then refuses and says when to come back', () => {
    const limiter = createMemoryLimiter()
    const take = (cost: number, at: number) => limiter.take({ bucket: 'a', cost, perMinute: 60, at })
    expect(take(60, 0)).toMatchObject({ allowed: true, remaining: 0, fullIn: 60, retryAfter: 0 })
    expect(take(1, 0)).toMatchObject({ allowed: false, remaining: 0, retryAfter: 1 })
    expect(take(30, 0)).toMatchObject({ allowed: false, retryAfter: 30 })
  })

  it('refills steadily, and never beyond a minute worth', () => {
    const limiter = createMemoryLimiter()
    const take = (cost: number, at: number) => limiter.take({ bucket: 'a', cost, perMinute: 60, at })
    take(60, 0)
    expect(take(1, 999).allowed).toBe(false)
    expect(take(1, 1_000).allowed).toBe(true)
    expect(take(60, 1_000 + 10 * minute)).toMatchObject({ allowed: true, remaining: 0 })
  })

  it('takes nothing for what it refuses', () => {
    const limiter = createMemoryLimiter()
    const take = (cost: number, at: number) => limiter.take({ bucket: 'a', cost, perMinute: 60, at })
    take(50, 0)
    for (let i = 0; i < 100; i++) expect(take(20, 0).allowed).toBe(false)
    expect(take(10, 0).allowed).toBe(true)
  })

  it('lets a cost above the whole budget pass when the bucket is full, and then waits for it', () => {
    const limiter = createMemoryLimiter()
    const take = (cost: number, at: number) => limiter.take({ bucket: 'a', cost, perMinute: 60, at })
    expect(take(100, 0)).toMatchObject({ allowed: true, remaining: 0, fullIn: 100 })
    expect(take(1, 40_000).allowed).toBe(false)
    expect(take(1, 41_000).allowed).toBe(true)
  })

  it('keeps callers apart', () => {
    const limiter = createMemoryLimiter()
    limiter.take({ bucket: 'a', cost: 60, perMinute: 60, at: 0 })
    expect(limiter.take({ bucket: 'a', cost: 1, perMinute: 60, at: 0 })).toMatchObject({ allowed: false })
    expect(limiter.take({ bucket: 'b', cost: 60, perMinute: 60, at: 0 })).toMatchObject({ allowed: true })
  })

  it('is not fooled by a clock that goes back', () => {
    const limiter = createMemoryLimiter()
    limiter.take({ bucket: 'a', cost: 60, perMinute: 60, at: minute })
    expect(limiter.take({ bucket: 'a', cost: 1, perMinute: 60, at: 0 })).toMatchObject({ allowed: false })
  })

  it('forgets the least recently used callers, so that memory stays bounded', () => {
    const limiter = createMemoryLimiter(100)
    limiter.take({ bucket: 'busy', cost: 60, perMinute: 60, at: 0 })
    for (let i = 0; i < 1_000; i++) {
      limiter.take({ bucket: `address ${i}`, cost: 1, perMinute: 60, at: 0 })
      if (i % 50 === 0) limiter.take({ bucket: 'busy', cost: 1, perMinute: 60, at: 0 })
    }
    expect(limiter.size()).toBe(100)
    expect(limiter.take({ bucket: 'busy', cost: 1, perMinute: 60, at: 0 })).toMatchObject({ allowed: false })
  })
})

describe('the address a limit counts by', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001::9', '2001:db8:1:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('of %s is %s', (ip, bucket) => {
    expect(addressBucket(ip)).toBe(bucket)
  })
})
