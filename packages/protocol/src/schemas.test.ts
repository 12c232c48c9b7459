import { describe, expect, it } from 'vitest'
import { limits } from './limits.ts'
import { seriesQuery, streamEventsQuery, streamMetricsQuery } from './schemas.ts'

describe('what can be asked for', () => {
  it('is a series of 1,500 points, and not of one more', () => {
    const from = Date.parse('2025-01-27T12:00:00Z')
    const over = (minutes: number) =>
      seriesQuery.safeParse({
        from: new Date(from).toISOString(),
        to: new Date(from + minutes * 60_000).toISOString(),
      }).success
    expect(over(limits.seriesPoints)).toBe(true)
    expect(over(limits.seriesPoints + 1)).toBe(false)
  })

  it('is the counters each second to each hour, and not more or less often', () => {
    const every = (seconds: number) => [
      streamMetricsQuery.safeParse({ interval: String(seconds) }).success,
      streamEventsQuery.safeParse({ metrics_interval: String(seconds) }).success,
    ]
    expect(every(limits.metricsIntervalMin)).toEqual([true, true])
    expect(every(limits.metricsIntervalMin - 1)).toEqual([false, false])
    expect(every(limits.metricsIntervalMax)).toEqual([true, true])
    expect(every(limits.metricsIntervalMax + 1)).toEqual([false, false])
  })
})
