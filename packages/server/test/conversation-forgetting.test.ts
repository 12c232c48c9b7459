import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Threads } from '../src/bridge/threads.ts'
import { createBridge } from '../src/bridge/create-bridge.ts'
import { registerConversations } from '../src/conversations/conversations.ts'
import { Recordings } from '../src/conversations/recordings.ts'
import { maintain } from '../src/maintenance.ts'
import { Forgetting } from '../src/recording/forgetting.ts'
import { registerTraces } from '../src/traces/traces.ts'
import { allSlices, type Ground, noon, openShelf, type Shelf, startGround } from './ground.ts'

let shelf: Shelf
let ground: Ground
let recordings: Recordings
let threads: Threads
let forgetting: Forgetting
const errors: unknown[] = []

beforeEach(async () => {
  shelf = await openShelf()
  ground = await startGround({ shelf, slices: [...allSlices, registerTraces, registerConversations(createBridge())] })
  const { store } = ground
  // As another server that works on the same store, which nobody tells anything.
  recordings = new Recordings({ store, now: () => ground.clock.now })
  threads = new Threads({ store, now: () => ground.clock.now })
  forgetting = new Forgetting(lookingOptions())
})
afterEach(async () => {
  await forgetting.stop()
  await ground.close()
  await shelf.close()
  expect(errors.splice(0)).toEqual([])
})

const lookingOptions = () => ({
  store: ground.store,
  keepers: [recordings, threads],
  everyMs: 3_600_000,
  onError: (error: unknown) => void errors.push(error),
})

const base = '/api/v1/conversations'
const tell = (thread: string, more: object = {}) =>
  ground.send({
    path: `${base}/${thread}/events`,
    body: { events: [{ kind: 'user_message', payload: { text: 'A secret' } }], ...more },
  })
/** Reads a thread as whoever shows it, and holds it as a request to its agent does. */
async function use(threadId: string): Promise<void> {
  const found = await ground.store.read(ground.access.home, 'conversation', { threadId })
  if (found === null || found === 'deleted') throw new Error(`there is no ${threadId}`)
  await recordings.turns(ground.access.home, found)
  const held = await threads.hold({ projectId: ground.access.home, threadId }, () => false)
  await held.recall()
  held.release()
}
const kept = () => [recordings, threads].map((keeper) => keeper.kept().map(({ threadId }) => threadId))

describe('what is kept in memory of conversations', () => {
  it('goes with a conversation that another server deleted, and with those of a user who is erased', async () => {
    await tell('a')
    await tell('b', { user_id: 'ann' })
    await tell('c')
    for (const thread of ['a', 'b', 'c']) await use(thread)
    await forgetting.look()
    expect(kept()).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ])
    await ground.send({ method: 'DELETE', path: `${base}/a` })
    await forgetting.look()
    expect(kept()).toEqual([
      ['b', 'c'],
      ['b', 'c'],
    ])
    expect((await ground.send({ method: 'DELETE', path: '/api/v1/users/ann' })).json).toEqual({ deleted: 1 })
    await forgetting.look()
    expect(kept()).toEqual([['c'], ['c']])
  })

  it('goes with what retention takes, also where the id is that of another conversation by then', async () => {
    await tell('a')
    await tell('b')
    await use('a')
    await use('b')
    ground.clock.now = noon + 40 * 86_400_000
    await maintain({ ...ground.deps, config: { ...ground.deps.config, retention_days: 30 } })
    await tell('b')
    await forgetting.look()
    expect(kept()[0]).toEqual([])
    expect(kept()[1]).not.toContain('a')
  })

  it('is never taken for that of another conversation with the same id', async () => {
    await tell('a')
    await use('a')
    ground.clock.now = noon + 40 * 86_400_000
    await maintain({ ...ground.deps, config: { ...ground.deps.config, retention_days: 30 } })
    const events = [{ kind: 'user_message', payload: { text: 'Another' } }]
    await ground.send({ path: `${base}/a/events`, body: { events } })
    const found = await ground.store.read(ground.access.home, 'conversation', { threadId: 'a' })
    if (found === null || found === 'deleted') throw new Error('it was told again')
    expect(await recordings.turns(ground.access.home, found)).toMatchObject([{ user: { text: 'Another' } }])
  })

  it('goes after five minutes, though nobody reads anything', async () => {
    await tell('a')
    await use('a')
    ground.clock.now = noon + 300_000
    await forgetting.look()
    expect(kept()[0]).toEqual(['a'])
    ground.clock.now = noon + 300_001
    await forgetting.look()
    expect(kept()[0]).toEqual([])
  })

  it('is not asked for where nothing is kept, nor again before something happens', async () => {
    const asked: string[] = []
    const read: typeof ground.store.read = (...args) => {
      asked.push(args[1])
      return ground.store.read(...args)
    }
    await forgetting.stop()
    forgetting = new Forgetting({ ...lookingOptions(), store: { read } })
    const looked = async () => {
      asked.length = 0
      await forgetting.look()
      return asked
    }
    await tell('a')
    expect(await looked()).toEqual([])
    await use('a')
    expect(await looked()).toEqual(['head', 'conversationRefs'])
    expect(await looked()).toEqual(['head'])
    await tell('b')
    expect(await looked()).toEqual(['head', 'conversationRefs'])
    // What was read before a deletion may be kept after it was looked at.
    const found = await ground.store.read(ground.access.home, 'conversation', { threadId: 'b' })
    if (found === null || found === 'deleted') throw new Error('there is no b')
    await ground.send({ method: 'DELETE', path: `${base}/b` })
    expect(await looked()).toEqual(['head', 'conversationRefs'])
    await recordings.turns(ground.access.home, found)
    expect(kept()).toEqual([['a', 'b'], ['a']])
    expect(await looked()).toEqual(['head', 'conversationRefs'])
    expect(kept()).toEqual([['a'], ['a']])
    await ground.send({ method: 'DELETE', path: `${base}/a` })
    expect(await looked()).toEqual(['head', 'conversationRefs'])
    expect(kept()).toEqual([[], []])
    expect(await looked()).toEqual([])
  })

  it('stays of a thread that is held, whose first events are not stored yet', async () => {
    const place = { projectId: ground.access.home, threadId: 'new' }
    const first = await threads.hold(place, () => false)
    const known = await first.recall()
    await forgetting.look()
    await tell('new')
    known.last = 1
    first.release()
    await forgetting.look()
    const second = await threads.hold(place, () => false)
    expect(await second.recall()).toBe(known)
    second.release()
    await ground.send({ method: 'DELETE', path: `${base}/new` })
    await forgetting.look()
    expect(kept()[1]).toEqual([])
  })

  it('is looked at by itself, and an outage is told once, however many looks fail', async () => {
    await tell('a')
    await use('a')
    await forgetting.stop()
    let isBroken = true
    let failed = 0
    const read: typeof ground.store.read = (...args) => {
      if (!isBroken) return ground.store.read(...args)
      failed++
      return Promise.reject(new Error('is away'))
    }
    const told: unknown[] = []
    const onError = (error: unknown) => void told.push(error)
    forgetting = new Forgetting({ ...lookingOptions(), store: { read }, everyMs: 5, onError })
    await expect.poll(() => failed, { timeout: 30_000 }).toBeGreaterThan(4)
    expect(told).toHaveLength(1)
    await ground.send({ method: 'DELETE', path: `${base}/a` })
    isBroken = false
    await expect.poll(kept, { timeout: 30_000 }).toEqual([[], []])
    expect(told).toHaveLength(1)
    await tell('b')
    await use('b')
    isBroken = true
    await expect.poll(() => told.length, { timeout: 30_000 }).toBe(2)
  })
})

describe('a conversation that is deleted', () => {
  it('is gone from the memory of the server that deletes it with the answer', async () => {
    const forgotten: string[] = []
    const keeper = {
      kept: () => [],
      tidy: () => undefined,
      forget: ({ threadId }: { threadId: string }) => void forgotten.push(threadId),
    }
    const bridge = createBridge()
    const own = await startGround({
      shelf,
      slices: [
        ...allSlices,
        registerConversations((deps) => Object.defineProperty(bridge(deps), 'threads', { value: keeper })),
      ],
    })
    await tell('a')
    expect((await own.send({ method: 'DELETE', path: `${base}/a` })).status).toBe(200)
    expect(forgotten).toEqual(['a'])
    await own.close()
  })
})
