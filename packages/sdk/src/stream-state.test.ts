import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LLMEvalError } from './error.ts'
import {
  startStream,
  step,
  type StreamPhase,
  type StreamSignal,
  type StreamState,
  streamTiming,
  wakeAt,
} from './stream-state.ts'

const { minWait, maxWait, maxAsked, connect, silence, stable } = streamTiming
const error = new LLMEvalError('interrupted', 'broke off')
const at = 1_000_000
const place = { cursor: 'e.5', tries: 2, retryMs: minWait }

/** One state of each phase, all reached long enough ago that nothing is due at `at`. */
const states: { [P in StreamPhase]: Extract<StreamState, { phase: P }> } = {
  connecting: { ...place, phase: 'connecting', since: at - 1 },
  live: { ...place, phase: 'live', since: at - 1, heardAt: at - 1 },
  waiting: { ...place, phase: 'waiting', until: at + 1, error },
  done: { ...place, phase: 'done' },
  failed: { ...place, phase: 'failed', error },
}

/** One signal of each type. */
const signals: { [T in StreamSignal['type']]: Extract<StreamSignal, { type: T }> } = {
  begun: { type: 'begun', at },
  opened: { type: 'opened', at },
  heard: { type: 'heard', at },
  moved: { type: 'moved', cursor: 'e.6' },
  paced: { type: 'paced', retryMs: 2_000 },
  dropped: { type: 'dropped', at, jitter: 0, error },
  refused: { type: 'refused', error },
  ended: { type: 'ended' },
  ticked: { type: 'ticked', at, jitter: 0, error },
}

/** What each phase makes of each signal: the same object, or these changes. A missing row or column does not compile. */
const expected: Record<StreamPhase, Record<StreamSignal['type'], 'same' | Partial<StreamState>>> = {
  connecting: {
    begun: { phase: 'connecting', since: at },
    opened: { phase: 'live', since: at, heardAt: at },
    heard: 'same',
    moved: { phase: 'connecting', cursor: 'e.6' },
    paced: { phase: 'connecting', retryMs: 2_000 },
    dropped: { phase: 'waiting', tries: 3, until: at + minWait, error },
    refused: { phase: 'failed', error },
    ended: { phase: 'done' },
    ticked: 'same',
  },
  live: {
    begun: 'same',
    opened: 'same',
    heard: { phase: 'live', heardAt: at },
    moved: { phase: 'live', cursor: 'e.6' },
    paced: { phase: 'live', retryMs: 2_000 },
    dropped: { phase: 'waiting', tries: 3, until: at + minWait, error },
    refused: { phase: 'failed', error },
    ended: { phase: 'done' },
    ticked: 'same',
  },
  waiting: {
    begun: 'same',
    opened: 'same',
    heard: 'same',
    moved: 'same',
    paced: { phase: 'waiting', retryMs: 2_000 },
    dropped: 'same',
    refused: { phase: 'failed', error },
    ended: { phase: 'done' },
    ticked: 'same',
  },
  done: {
    begun: 'same',
    opened: 'same',
    heard: 'same',
    moved: 'same',
    paced: 'same',
    dropped: 'same',
    refused: 'same',
    ended: 'same',
    ticked: 'same',
  },
  failed: {
    begun: 'same',
    opened: 'same',
    heard: 'same',
    moved: 'same',
    paced: 'same',
    dropped: 'same',
    refused: 'same',
    ended: 'same',
    ticked: 'same',
  },
}

const cases = Object.entries(expected).flatMap(([phase, row]) =>
  Object.entries(row).map(([type, change]) => [phase as StreamPhase, type as StreamSignal['type'], change] as const),
)

describe('a stream', () => {
  it.each(cases)('that is %s and hears "%s" goes where the table says', (phase, type, change) => {
    const state = states[phase]
    const next = step(state, signals[type])
    if (change === 'same') expect(next).toBe(state)
    else expect(next).toMatchObject({ cursor: state.cursor, tries: state.tries, retryMs: state.retryMs, ...change })
  })

  it('begins by connecting, from a cursor or from now', () => {
    expect(startStream(5, 'e.1')).toEqual({ phase: 'connecting', cursor: 'e.1', tries: 0, retryMs: minWait, since: 5 })
    expect(startStream(5, undefined).cursor).toBeUndefined()
  })

  it('keeps its cursor over a lost connection', () => {
    const lost = step(step(states.live, signals.moved), signals.dropped)
    expect(step(lost, { ...signals.ticked, at: at + maxWait })).toMatchObject({ phase: 'connecting', cursor: 'e.6' })
  })

  it('connects again when its wait is over and not a moment before', () => {
    const { waiting } = states
    expect(wakeAt(waiting)).toBe(waiting.until)
    expect(step(waiting, { ...signals.ticked, at: waiting.until - 1 })).toBe(waiting)
    expect(step(waiting, { ...signals.ticked, at: waiting.until })).toMatchObject({
      phase: 'connecting',
      since: waiting.until,
    })
  })

  it('gives a request up when no answer came in time', () => {
    const { connecting } = states
    const end = connecting.since + connect
    expect(wakeAt(connecting)).toBe(end)
    expect(step(connecting, { ...signals.ticked, at: end - 1 })).toBe(connecting)
    expect(step(connecting, { ...signals.ticked, at: end })).toMatchObject({ phase: 'waiting', tries: 3, error })
  })

  it('takes a connection for dead when not even a heartbeat came, counted from the last byte', () => {
    const heard = step(states.live, { type: 'heard', at: at + 10_000 })
    const end = at + 10_000 + silence
    expect(wakeAt(heard)).toBe(end)
    expect(step(heard, { ...signals.ticked, at: end - 1 })).toBe(heard)
    expect(step(heard, { ...signals.ticked, at: end })).toMatchObject({ phase: 'waiting', error })
  })

  it('depends on time no more when it is over', () => {
    expect(wakeAt(states.done)).toBeUndefined()
    expect(wakeAt(states.failed)).toBeUndefined()
  })

  it('starts counting its tries anew only after a connection that lasted', () => {
    const brief = step(states.live, { ...signals.dropped, at: states.live.since + stable - 1 })
    const lasting = step(states.live, { ...signals.dropped, at: states.live.since + stable })
    expect(brief.tries).toBe(3)
    expect(lasting.tries).toBe(1)
    const silent = step({ ...states.live, heardAt: at }, { ...signals.ticked, at: at + silence })
    expect(silent.tries).toBe(1)
  })
})

describe('the wait before a connection', () => {
  const jitter = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const waitOf = (state: StreamState, spread: number, retryAfter?: number) => {
    const cause = new LLMEvalError('failed', 'x', { retryAfter })
    const next = step(state, { type: 'dropped', at, jitter: spread, error: cause })
    if (next.phase !== 'waiting') throw new Error(`is ${next.phase}`)
    return next.until - at
  }

  it('is never shorter than the least nor longer than the most, whatever came before', () => {
    fc.assert(
      fc.property(jitter, fc.nat({ max: 1_000 }), (spread, tries) => {
        const wait = waitOf({ ...states.connecting, tries }, spread)
        expect(wait).toBeGreaterThanOrEqual(minWait)
        expect(wait).toBeLessThanOrEqual(maxWait)
      }),
    )
  })

  it('doubles its ceiling from try to try', () => {
    const ceilings = [0, 1, 2, 3, 4, 5, 6, 7, 50].map((tries) =>
      Math.round(waitOf({ ...states.connecting, tries }, 1 - 1e-12)),
    )
    expect(ceilings).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  it('is spread from the first try on, so that watchers do not all return at once', () => {
    expect(waitOf({ ...states.live, tries: 0 }, 0.25)).not.toBe(waitOf({ ...states.live, tries: 0 }, 0.75))
  })

  it('is at least what Retry-After asks, up to an hour', () => {
    expect(waitOf({ ...states.connecting, tries: 0 }, 0, 7)).toBe(7_000 + minWait)
    expect(waitOf({ ...states.connecting, tries: 0 }, 0, 1e9)).toBe(maxAsked + minWait)
  })

  it('keeps to the pace the server set with retry:, spread upwards, and is not fooled by extremes', () => {
    const paced = (retryMs: number) => step(states.live, { type: 'paced', retryMs })
    expect(waitOf({ ...paced(5_000), tries: 0 }, 0)).toBe(5_000)
    expect(waitOf({ ...paced(5_000), tries: 0 }, 0.5)).toBe(7_500)
    expect(waitOf({ ...paced(60_000), tries: 0 }, 0.5)).toBe(90_000)
    expect(waitOf({ ...paced(0), tries: 0 }, 0)).toBe(minWait)
    expect(waitOf({ ...paced(Number.MAX_SAFE_INTEGER), tries: 9 }, 0)).toBe(maxAsked)
  })
})

describe('any history of signals', () => {
  const signal: fc.Arbitrary<StreamSignal> = fc.oneof(
    fc.constantFrom<StreamSignal>({ type: 'ended' }, { type: 'refused', error }),
    fc.nat({ max: 100 }).map((seq): StreamSignal => ({ type: 'moved', cursor: `e.${seq}` })),
    fc.nat({ max: 100_000 }).map((retryMs): StreamSignal => ({ type: 'paced', retryMs })),
    fc
      .tuple(fc.constantFrom('begun', 'opened', 'heard', 'dropped', 'ticked'), fc.nat({ max: 10 ** 6 }))
      .map(([type, time]): StreamSignal => ({ type, at: time, jitter: 0.5, error })),
  )

  it('ends for good once it has ended, and until then always has a time at which it goes on by itself', () => {
    fc.assert(
      fc.property(fc.array(signal), (history) => {
        let state = startStream(0, undefined)
        for (const each of history) {
          const over = state.phase === 'done' || state.phase === 'failed'
          const next = step(state, each)
          if (over) expect(next).toBe(state)
          state = next
          expect(wakeAt(state) === undefined).toBe(state.phase === 'done' || state.phase === 'failed')
        }
      }),
    )
  })

  it('never loses its cursor', () => {
    fc.assert(
      fc.property(fc.array(signal), (history) => {
        let state = startStream(0, 'e.0')
        for (const each of history) {
          const before = state
          state = step(state, each)
          const listening = before.phase === 'live' || before.phase === 'connecting'
          expect(state.cursor).toBe(each.type === 'moved' && listening ? each.cursor : before.cursor)
        }
      }),
    )
  })
})
