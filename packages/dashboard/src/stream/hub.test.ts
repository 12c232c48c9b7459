import { beforeEach, expect, test } from 'vitest'
import { arrived, metrics, row } from '../../test/sample-traces.ts'
import { createHub, type FromTab, type Hub, type ToTab, type UpstreamHandlers } from './hub.ts'

let hub: Hub
let server: UpstreamHandlers
let opened: number
let retries: number
let timers: (() => void)[]

beforeEach(() => {
  opened = 0
  retries = 0
  timers = []
  hub = createHub({
    open(handlers) {
      opened++
      server = handlers
      return { retry: () => retries++, close: () => {} }
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

function openTab(): Tab {
  const heard: ToTab[] = []
  const say = hub.connect((message) => heard.push(message))
  say({ kind: 'join' })
  return { heard, say }
}

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
    { kind: 'hello', status: { state: 'live', since: 5 }, metrics: metrics({ total_traces: 7 }) },
  ])
})

test('a connection that does not continue an earlier one makes every tab read again', () => {
  const tabs = [openTab(), openTab()]
  server.onFresh()
  for (const tab of tabs) expect(tab.heard.at(-1)).toEqual({ kind: 'resync' })
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
