import { beforeEach, describe, expect, test } from 'vitest'
import { ApiError } from '../api/client.ts'
import { createCell } from './cell.ts'
import type { LinkStatus } from './hub.ts'
import type { SocketHandlers } from './run-line.ts'
import { RunWatch } from './run-watch.ts'

/** A connection as the server sees it. */
interface Opened {
  query: URLSearchParams
  handlers: SocketHandlers
  said: { type: string; run_id?: string; after_seq?: string; filter?: { events: string[] } }[]
  closed: boolean
}

let opened: Opened[]
let timers: { at: number; callback: () => void }[]
let now: number
let tickets: () => Promise<string>
let gaps: (string | null)[]
let updates: string[]
let signedOut: number
let status: ReturnType<typeof createCell<LinkStatus | null>>
let watch: RunWatch

beforeEach(() => {
  opened = []
  timers = []
  now = 1_700_000_000_000
  tickets = async () => 'a-ticket'
  gaps = []
  updates = []
  signedOut = 0
  status = createCell<LinkStatus | null>(null)
  watch = new RunWatch({
    status,
    ticket: () => tickets(),
    open(query, handlers) {
      const connection: Opened = { query, handlers, said: [], closed: false }
      opened.push(connection)
      return {
        send: (text) => connection.said.push(JSON.parse(text)),
        close: () => {
          connection.closed = true
        },
      }
    },
    later(callback, ms) {
      const timer = { at: now + ms, callback }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    now: () => now,
    random: () => 1,
    onUpdate: ({ type }) => updates.push(type),
    onGap: (runId) => gaps.push(runId),
    onSignedOut: () => signedOut++,
  })
})

/** Lets time go by, with all that is due in it. */
async function pass(ms: number): Promise<void> {
  const end = now + ms
  for (;;) {
    await settled()
    const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
    if (!next) break
    timers = timers.filter((other) => other !== next)
    now = Math.max(now, next.at)
    next.callback()
  }
  now = end
}

/** Tickets come a few turns later. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
}

function latest(): Opened {
  const connection = opened.at(-1)
  if (!connection) throw new Error('nothing was opened')
  return connection
}

const tell = (frame: object): void => latest().handlers.onText(JSON.stringify({ timestamp: '', ...frame }))
const greet = (seq: number): void => tell({ type: 'connected', run_id: null, run_status: null, seq: `e.${seq}` })
const subscribed = (runId: string, seq: number): void =>
  tell({ type: 'subscribed', run_id: runId, run_status: 'running', seq: `e.${seq}` })
const result = (runId: string, seq: number, index = seq): void =>
  tell({
    type: 'result',
    run_id: runId,
    seq: `e.${seq}`,
    data: { item_index: index, case_id: 'c', repetition: 1, scores: {}, output: 'x', status: 'completed' },
  })
const progress = (runId: string, completed: number): void =>
  tell({
    type: 'progress',
    run_id: runId,
    data: {
      total_items: 10,
      completed_items: completed,
      successful_items: completed,
      success_rate: 1,
      cost: 0,
      unknown_costs: 0,
      metrics: {},
      status: 'processing',
    },
  })
const runData = { ref: 1, status: 'running', name: 'One', total_items: 3, completed_items: 0, successful_items: 0 }
const update = (type: string, seq: number, runId: string | null): void =>
  tell({ type: 'status_update', run_id: runId, seq: `e.${seq}`, data: { type, run_id: runId, run_data: runData } })

const follow = (runId: string, closeness: 'numbers' | 'items') => {
  const cell = watch.follow(runId, closeness)
  return { cell, stop: cell.subscribe(() => {}) }
}
const asks = ({ said }: Opened) => said.filter(({ type }) => type !== 'ping')

describe('one connection', () => {
  test('serves all who watch, and asks for each run once', async () => {
    watch.watchAll()
    follow('a', 'numbers')
    follow('a', 'numbers')
    const b = follow('b', 'items')
    await settled()
    greet(5)
    expect(opened).toHaveLength(1)
    expect(opened[0]?.query.get('ticket')).toBe('a-ticket')
    expect(asks(latest())).toEqual([
      { type: 'subscribe', run_id: 'a', filter: { events: ['progress', 'completed'] } },
      { type: 'subscribe', run_id: 'b', filter: { events: ['progress', 'result', 'error', 'completed'] } },
    ])
    follow('b', 'items')
    follow('b', 'numbers')
    expect(asks(latest())).toHaveLength(2)
    subscribed('b', 5)
    progress('b', 4)
    expect(b.cell.get().progress?.completed_items).toBe(4)
    expect(b.cell.get().status).toBe('running')
  })

  test('is left a moment after the last one went, and whoever comes back in that moment finds it', async () => {
    const { stop } = follow('a', 'numbers')
    await settled()
    greet(5)
    stop()
    const again = follow('a', 'numbers')
    await pass(2_000)
    expect([latest().closed, asks(latest()).length]).toEqual([false, 1])
    again.stop()
    await pass(2_000)
    expect([latest().closed, status.get(), opened.length]).toEqual([true, null, 1])
  })

  test('stops asking for a run that nobody watches any more', async () => {
    watch.watchAll()
    const { stop } = follow('a', 'numbers')
    await settled()
    greet(5)
    stop()
    await pass(2_000)
    expect(latest().said.at(-1)).toEqual({ type: 'unsubscribe', run_id: 'a' })
    expect(latest().closed).toBe(false)
  })

  test('asks anew for a run that is looked at more closely, and has what was read of it read again', async () => {
    follow('a', 'numbers')
    await settled()
    greet(5)
    subscribed('a', 5)
    gaps = []
    follow('a', 'items')
    expect(latest().said.at(-1)?.filter?.events).toContain('result')
    subscribed('a', 7)
    expect(gaps).toEqual(['a'])
  })
})

describe('a broken connection', () => {
  test('is resumed after the last place of each stream, so that nothing is missed or told twice', async () => {
    const { cell } = follow('a', 'items')
    await settled()
    greet(5)
    subscribed('a', 5)
    result('a', 6)
    update('run_updated', 9, 'b')
    gaps = []
    latest().handlers.onClose(1006)
    expect(status.get()?.state).toBe('waiting')
    await pass(1_000)
    expect(opened).toHaveLength(2)
    expect(latest().query.get('after_seq')).toBe('e.9')
    greet(9)
    expect(latest().said[0]).toMatchObject({ type: 'subscribe', run_id: 'a', after_seq: 'e.6' })
    subscribed('a', 6)
    result('a', 6)
    result('a', 7)
    expect(cell.get().told).toBe(2)
    expect(gaps).toEqual([])
    expect(status.get()).toEqual({ state: 'live', since: now })
  })

  test('brings only the newest numbers of runs that are not looked at closely', async () => {
    follow('a', 'numbers')
    await settled()
    greet(5)
    subscribed('a', 5)
    latest().handlers.onClose(1012)
    await pass(1_000)
    greet(5)
    expect(latest().said[0]).not.toHaveProperty('after_seq')
  })

  test('is waited for longer each time, and at once when somebody asks', async () => {
    watch.watchAll()
    await settled()
    const waits: number[] = []
    for (let turn = 0; turn < 8; turn++) {
      latest().handlers.onClose(1006)
      const state = status.get()
      if (state?.state !== 'waiting') throw new Error('it does not wait')
      waits.push(state.retryAt - now)
      await pass(state.retryAt - now)
    }
    expect(waits).toEqual([400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000])
    latest().handlers.onClose(1006)
    const before = opened.length
    watch.retry()
    await settled()
    expect(opened).toHaveLength(before + 1)
    greet(1)
    latest().handlers.onClose(1013)
    expect(status.get()).toMatchObject({ retryAt: now + 2_000 })
  })

  test('is noticed when nobody says anything any more', async () => {
    watch.watchAll()
    await settled()
    greet(5)
    await pass(30_000)
    tell({ type: 'ping' })
    await pass(40_000)
    expect(opened).toHaveLength(1)
    await pass(30_000)
    expect([opened.length, opened[0]?.closed]).toEqual([2, true])
    expect(opened[0]?.said.every(({ type }) => type === 'ping')).toBe(true)
    // What the old one still says is not heard.
    opened[0]?.handlers.onText('{"type":"connected","seq":"e.1"}')
    opened[0]?.handlers.onClose(1006)
    await settled()
    expect(opened).toHaveLength(2)
  })

  test('has everything read again when the server no longer knows the place', async () => {
    watch.watchAll()
    await settled()
    greet(5)
    latest().handlers.onClose(1006)
    await pass(1_000)
    gaps = []
    greet(90)
    tell({ type: 'resync_required', run_id: null, seq: 'f.90', data: { reason: 'expired', message: '' } })
    expect(gaps).toEqual([null])
    latest().handlers.onClose(1006)
    await pass(1_000)
    expect(latest().query.get('after_seq')).toBe('f.90')
  })
})

describe('who is not let in', () => {
  test.each([
    [4401, 'signed_out', 1],
    [4403, 'refused', 0],
    [4404, 'refused', 0],
  ])('by code %i is told so, and does not try again', async (code, state, times) => {
    watch.watchAll()
    await settled()
    latest().handlers.onClose(code)
    await pass(120_000)
    expect([status.get()?.state, opened.length, signedOut]).toEqual([state, 1, times])
  })

  test('may have signed in when they look again', async () => {
    watch.watchAll()
    await settled()
    latest().handlers.onClose(4401)
    watch.watchAll()
    await settled()
    expect(opened).toHaveLength(2)
    greet(5)
    expect(status.get()?.state).toBe('live')
  })

  test('because nobody said who they are comes with a new ticket', async () => {
    watch.watchAll()
    await settled()
    tickets = async () => 'another-ticket'
    latest().handlers.onClose(4408)
    await pass(1_000)
    expect(latest().query.get('ticket')).toBe('another-ticket')
  })

  test.each([
    [401, 'signed_out'],
    [403, 'refused'],
    [503, 'waiting'],
  ])('when the ticket is refused with %i is %s', async (code, state) => {
    tickets = () => Promise.reject(new ApiError('no', { status: code }))
    watch.watchAll()
    await settled()
    expect([status.get()?.state, opened.length]).toEqual([state, 0])
  })
})

describe('what becomes of runs', () => {
  test('is handed on, and a deleted run is known to be', async () => {
    const { cell } = follow('a', 'items')
    await settled()
    greet(5)
    update('run_created', 6, 'b')
    update('run_deleted', 7, 'a')
    update('run_deleted', 8, null)
    expect(updates).toEqual(['run_created', 'run_deleted', 'run_deleted'])
    expect(cell.get().status).toBe('deleted')
    tell({ type: 'refused', run_id: 'a', code: 'run_deleted', error: '' })
    expect(cell.get().status).toBe('deleted')
  })

  test('in words that cannot be read counts as missed', async () => {
    watch.watchAll()
    await settled()
    greet(5)
    gaps = []
    tell({ type: 'status_update', seq: 'e.6', data: {} })
    latest().handlers.onText('garbage')
    tell({ type: 'something_new' })
    expect(gaps).toEqual([null, null])
  })
})
