import type { Store } from '@llm-eval/store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { registerRunSocketsWith } from '../src/run-sockets/run-sockets.ts'
import { until } from './faults/audit.ts'
import { allSlices, type Ground, startGround } from './ground.ts'
import { Watcher, WrittenRun } from './run-watcher.ts'

/** How many follow the journal at this moment, and how often runs were looked up. */
const use = { followers: 0, reads: 0 }
let ground: Ground
let origin: string
beforeAll(async () => {
  const settings = { heartbeatMs: 60_000, stallMs: 120_000, flushMs: 5, authMs: 60_000, most: 1_000 }
  ground = await startGround({
    slices: [...allSlices, (app, deps) => registerRunSocketsWith(app, deps, settings)],
    wrap: counted,
  })
  origin = await ground.origin()
})
afterAll(() => {
  ground.closing.abort()
  return ground.close()
})

function counted(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'follow') return (...args: Parameters<Store['follow']>) => followed(target.follow(...args))
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (name === 'read' && args[1] === 'runEvents') use.reads++
        return Reflect.apply(value, target, args) as unknown
      }
    },
  })
}

async function* followed<T>(events: AsyncIterable<T>): AsyncIterable<T> {
  use.followers++
  try {
    yield* events
  } finally {
    use.followers--
  }
}

async function openSockets(): Promise<number> {
  const { text } = await ground.send({ path: '/metrics' })
  return Number(/^llm_eval_streams\{kind="run_sockets"\} (\d+)$/m.exec(text)?.[1])
}

it('connections leave nothing behind, however they end: no socket, no follower, nothing that is looked up for them', async () => {
  const run = await WrittenRun.make({
    store: ground.store,
    projectId: ground.access.home,
    at: () => ground.clock.now,
  })
  for (let round = 0; round < 3; round++) {
    const paths = [`/ws/runs/${run.id}/progress`, '/ws/runs/status', '/ws', '/ws/runs/not-there-yet/progress']
    const watchers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => new Watcher(`${origin}${paths[at % 4] ?? ''}`).opened()),
    )
    await Promise.all(watchers.map((one) => one.frame('connected')))
    for (const id of [run.id, 'never-made']) {
      for (const one of watchers) one.say({ type: 'subscribe', run_id: id })
      await Promise.all(
        watchers.map((one) =>
          one.until(() => one.frames.some(({ type, run_id }) => type === 'subscribed' && run_id === id)),
        ),
      )
    }
    expect(await openSockets()).toBe(20)
    expect(use.followers).toBe(1)
    // Some say goodbye, some break off, and some go on talking while they leave.
    for (const [at, one] of watchers.entries()) {
      if (at % 3 === 0) one.socket.close()
      else if (at % 3 === 1) one.drop()
      else {
        for (let i = 0; i < 5; i++) one.say({ type: 'subscribe', run_id: `late-${i}` })
        one.drop()
      }
    }
    expect(await until(openSockets, (open) => open === 0)).toBe(0)
    expect(
      await until(
        () => Promise.resolve(use.followers),
        (followers) => followers === 0,
      ),
    ).toBe(0)
  }
  const before = use.reads
  await run.addAll([0, 1, 2])
  expect(await openSockets()).toBe(0)
  expect(use.reads).toBe(before)
  // Who comes now has a follower of their own.
  using later = new Watcher(`${origin}/ws/runs/${run.id}/progress`)
  await later.frame('connected')
  await run.addAll([3])
  await later.frame('result')
  expect(later.lasting.map(({ data }) => data.item_index)).toEqual([3])
})
