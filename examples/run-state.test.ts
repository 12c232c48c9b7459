import { beforeAll, describe, expect, it } from 'vitest'
import { range } from './scene.ts'

interface State {
  status: string | null
  progress: { completed_items: number } | null
  rate: number | null
  eta: number | null
  errors: { item_index: number }[]
  failure: { message: string } | null
  samples: unknown[]
}
let runState: { unknown: (runId: string) => State; after: (state: State, frame: object) => State }

beforeAll(async () => {
  // A classic script, as a page loads it.
  const script = './seed-002/run-state.js'
  await import(script)
  runState = Reflect.get(globalThis, 'runState') as typeof runState
})

const time = (seconds: number) => new Date(Date.UTC(2025, 7, 2, 12) + seconds * 1_000).toISOString()
const progress = (seconds: number, completed: number, total: number | null = 100) => ({
  type: 'progress',
  timestamp: time(seconds),
  data: { total_items: total, completed_items: completed },
})
const ended = (status: string) => ({
  type: 'status_update',
  data: {
    type: `run_${status}`,
    run_data: { status },
    ...(status === 'failed' ? { error_data: { message: 'broken' } } : {}),
  },
})
const error = (item_index: number) => ({ type: 'error', timestamp: time(0), data: { item_index } })
const after = (...frames: object[]) =>
  frames.reduce<State>((state, frame) => runState.after(state, frame), runState.unknown('r'))

describe('the state of a run', () => {
  it('is unknown before anything is told, and a single progress tells no rate', () => {
    expect(runState.unknown('r')).toMatchObject({ status: null, progress: null, rate: null, eta: null, failure: null })
    expect(after(progress(0, 10))).toMatchObject({ rate: null, eta: null, progress: { completed_items: 10 } })
  })

  it('has the rate of the last ten seconds, and the time that is left at that rate', () => {
    expect(after(progress(0, 0), progress(2, 10))).toMatchObject({ rate: 5, eta: 18 })
    // Fast at first, slower since.
    const slower = after(
      progress(0, 0),
      progress(1, 50),
      ...range(2, 20).map((second) => progress(second, 49 + second)),
    )
    expect(slower).toMatchObject({ rate: 1, eta: 32 })
  })

  it('has a rate where items take longer than that, over the last five of them', () => {
    const frames = range(0, 10).map((minute) => progress(minute * 60, minute < 4 ? minute * 10 : 40 + minute))
    expect(after(...frames)).toMatchObject({ rate: 1 / 60, eta: 51 * 60 })
  })

  it('knows no time that is left where the total is unknown, nothing moves, or the run is over', () => {
    expect(after(progress(0, 0, null), progress(1, 5, null))).toMatchObject({ rate: 5, eta: null })
    expect(after(progress(0, 5), progress(1, 5))).toMatchObject({ rate: 0, eta: null })
    expect(after(progress(0, 90), progress(1, 100))).toMatchObject({ eta: null })
    for (const status of ['completed', 'failed', 'cancelled', 'abandoned'])
      expect(after(progress(0, 5), progress(1, 6), ended(status))).toMatchObject({ status, eta: null })
  })

  it('keeps as many errors as are shown, the newest first, and samples for no longer than they are used', () => {
    const { errors } = after(...range(0, 70).map(error))
    expect(errors.map(({ item_index }) => item_index)).toEqual(range(20, 70).reverse())
    const long = after(...range(0, 1_000).map((i) => progress(i / 10, i)))
    expect(long.samples.length).toBeLessThanOrEqual(102)
  })

  it('begins anew where the server cannot go on, and keeps why a run failed', () => {
    const lost = after(progress(0, 5), error(1), { type: 'resync_required', data: { reason: 'expired' } })
    expect(lost).toMatchObject({ errors: [], samples: [] })
    expect(after(ended('failed'))).toMatchObject({ status: 'failed', failure: { message: 'broken' } })
    expect(after({ type: 'connected', run_status: 'unknown' }, { type: 'refused' })).toMatchObject({ status: null })
  })
})
