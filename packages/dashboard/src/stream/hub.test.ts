import { beforeEach, expect, test } from 'vitest'
import { arrived, metrics, row } from '../../test/sample-traces.ts'
import { createHub, type FromTab, type Hub, type ToTab, type UpstreamHandlers } from './hub.ts'
import type { Place } from './place.ts'

let hub: Hub
let server: UpstreamHandlers
let opened: number
/** Where the stream was opened, and where it stands. */
let after: Place | null
let told: Place | null
let retries: number
let timers: (() => void)[]

beforeEach(() => {
  opened = 0
  retries = 0
  timers = []
  hub = createHub({
    open(handlers, from) {
      opened++
      server = handlers
      after = from
      told = from
      return { place: () => told, retry: () => retries++, close: () => {} }
    },
    later: (callback) => timers.push(callback),
  })
})

function flush(): void {
  for (const timer of timers.splice(0)) timer()
}

interface Tab {
  heard: ToTab[]
  say: (message: FromTab) => void
}

const openTab = (): Tab => openTabAt(null)

function openTabAt(place: Place | null): Tab {
  const heard: ToTab[] = []
  const say = hub.connect((message) => heard.push(message))
  say({ kind: 'join', place })
  return { heard, say }
}

const at = (seq: number, project = 'default'): Place => ({ project, cursor: `e.${seq}` })
const resyncs = (tab: Tab): number => tab.heard.filter(({ kind }) => kind === 'resync').length
const isWhole = (tab: Tab): boolean => tab.heard.some((message) => message.kind === 'hello' && message.whole)

const framesOf = (tab: Tab): number[] =>
  tab.heard.flatMap((message) =>
    message.kind === 'frames'
      ? message.frames.map((frame) => (frame.event === 'trace_updates' ? frame.data.ref : 0))
      : [],
  )

test('six tabs share one stream, and each gets every frame once and in order', () => {
  const tabs = Array.from({ length: 6 }, openTab)
  for (const ref of [1, 2, 3]) server.onFrame(arrived(row(ref)))
  flush()
  server.onFrame(arrived(row(4)))
  flush()
  expect(opened).toBe(1)
  for (const tab of tabs) expect(framesOf(tab)).toEqual([1, 2, 3, 4])
})

test('frames that come together travel together', () => {
  const tab = openTab()
  for (let ref = 1; ref <= 500; ref++) server.onFrame(arrived(row(ref)))
  flush()
  expect(tab.heard.filter(({ kind }) => kind === 'frames')).toHaveLength(1)
})

test('a tab that joins late learns the state of the connection and the last counters at once', () => {
  openTab()
  server.onStatus({ state: 'live', since: 5 })
  server.onFrame({ event: 'metrics_update', data: metrics({ total_traces: 7 }), timestamp: '' })
  const late = openTab()
  expect(late.heard).toEqual([
    { kind: 'hello', status: { state: 'live', since: 5 }, metrics: metrics({ total_traces: 7 }), whole: false },
  ])
})

test('a connection that does not continue an earlier one makes every tab read again', () => {
  const tabs = [openTab(), openTab()]
  server.onBegin('now')
  for (const tab of tabs) expect(tab.heard.at(-1)).toEqual({ kind: 'resync' })
})

test('the stream begins where the page of the first tab was delivered, which then need not read again', () => {
  const tab = openTabAt(at(7))
  expect(after).toEqual(at(7))
  server.onStatus({ state: 'live', since: 5 })
  server.onBegin('place')
  server.onFrame(arrived(row(8)))
  flush()
  expect(isWhole(tab)).toBe(true)
  expect(resyncs(tab)).toBe(0)
  expect(framesOf(tab)).toEqual([8])
})

test('a stream that could not begin there makes the tab read again', () => {
  const tab = openTabAt(at(7))
  server.onBegin('now')
  expect(resyncs(tab)).toBe(1)
})

test('a tab without a place makes the stream begin now, and reads again once', () => {
  const tab = openTab()
  expect(after).toBeNull()
  expect(isWhole(tab)).toBe(false)
  server.onBegin('now')
  server.onStatus({ state: 'live', since: 5 })
  server.onBegin('place')
  expect(resyncs(tab)).toBe(1)
})

test.each([
  ['the place of what was told last', at(9), true],
  ['a later place', at(12), true],
  ['an earlier place, of which some was told before it came', at(8), false],
  ['a place in another life of the journal', { project: 'default', cursor: 'f.9' }, false],
  ['the same place in the journal of another project', at(9, 'other'), false],
  ['no place', null, false],
])('a tab that joins a live stream with %s is whole: %j %s', (_what, place, whole) => {
  openTabAt(at(3))
  server.onBegin('place')
  server.onStatus({ state: 'live', since: 5 })
  told = at(9)
  const late = openTabAt(place)
  expect(isWhole(late)).toBe(whole)
  server.onFrame(arrived(row(10)))
  flush()
  expect(framesOf(late)).toEqual([10])
})

test('while the stream is away, who joins without a place reads again when it goes on; the others do not', () => {
  const first = openTabAt(at(3))
  server.onBegin('place')
  server.onStatus({ state: 'waiting', since: 5, retryAt: 9 })
  const [lost, early, well] = [openTab(), openTabAt(at(2)), openTabAt(at(4))]
  server.onBegin('place')
  server.onStatus({ state: 'live', since: 10 })
  expect([first, lost, early, well].map(resyncs)).toEqual([0, 1, 1, 0])
  server.onBegin('place')
  expect([first, lost, early, well].map(resyncs)).toEqual([0, 1, 1, 0])
})

test('nobody whose stream does not stand anywhere yet is whole', () => {
  openTab()
  const second = openTabAt(at(4))
  expect(isWhole(second)).toBe(false)
  server.onBegin('now')
  expect(resyncs(second)).toBe(1)
})

test('for a frozen tab nothing piles up; when it wakes it reads again, and then hears on', () => {
  const frozen = openTab()
  const awake = openTab()
  for (let ref = 1; ref <= 200; ref++) {
    server.onFrame(arrived(row(ref)))
    flush()
    awake.say({ kind: 'done' })
  }
  expect(framesOf(awake)).toHaveLength(200)
  const received = framesOf(frozen).length
  expect(received).toBeLessThanOrEqual(64)

  for (let count = 0; count < received; count++) frozen.say({ kind: 'done' })
  expect(frozen.heard.at(-1)).toEqual({ kind: 'resync' })
  server.onFrame(arrived(row(999)))
  flush()
  expect(framesOf(frozen).at(-1)).toBe(999)
})

test('a tab that closed hears nothing more', () => {
  const tab = openTab()
  tab.say({ kind: 'bye' })
  server.onFrame(arrived(row(1)))
  flush()
  expect(framesOf(tab)).toEqual([])
})

test('any tab can ask to connect at once', () => {
  openTab()
  openTab().say({ kind: 'retry' })
  expect(retries).toBe(1)
})
