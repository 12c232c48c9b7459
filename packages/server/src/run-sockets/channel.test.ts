import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { limits } from '@llm-eval/protocol'
import { openStore, type Store } from '@llm-eval/store'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WrittenRun } from '../../test/run-watcher.ts'
import { socketPair } from '../../test/socket-pair.ts'
import { Breath } from './breath.ts'
import { Channel, type Subscription } from './channel.ts'
import { FrameMaker, shapeOf } from './frames.ts'
import type { SocketOutlet } from './outlet.ts'
import { Pages } from './pages.ts'
import { View } from './view.ts'

let store: Store
let directory: string
let projectId: number
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llm-eval-channel-'))
  store = await openStore({ directory, synchronous: 'normal' })
  projectId = (await store.read(1, 'project', { name: 'default' }))?.id ?? 1
})
afterAll(async () => {
  await store.close()
  await rm(directory, { recursive: true, force: true })
})

/** Moved by tests alone. */
let clock: number
let run: WrittenRun
let channel: Channel
beforeEach(async () => {
  clock = 0
  const elapsed = () => clock
  run = await WrittenRun.make({ store, projectId, at: () => 0 })
  const pages = new Pages({ store, projectId, maker: new FrameMaker(store, projectId, 'epoch'), elapsed })
  const onError = (error: unknown) => {
    throw error
  }
  channel = new Channel({ pages, breath: new Breath(elapsed), elapsed, onError }, shapeOf(run.run))
})

const head = async () => (await store.read(projectId, 'head', {})).seq
const announce = async () => channel.announce(await head())

async function subscribe(outlet: SocketOutlet): Promise<Subscription> {
  const progress = { seq: -1, sentAt: Number.NEGATIVE_INFINITY }
  const position = await head()
  return { outlet, view: new View({}), since: 0, position, progress, onDeleted: () => undefined }
}

/** The kinds of frames that a client gets, one after the other. */
function kindsAt(client: { on: (event: 'message', listen: (data: Buffer) => void) => unknown }): string[] {
  const kinds: string[] = []
  client.on('message', (data) => kinds.push((JSON.parse(data.toString()) as { type: string }).type))
  return kinds
}

describe('what a channel tells', () => {
  it('ends with the end, however long ago the last numbers were', async () => {
    using pair = await socketPair()
    const kinds = kindsAt(pair.client)
    channel.add(await subscribe(pair.outlet))
    await run.addAll([0])
    await announce()
    while (!kinds.includes('result')) await once(pair.client, 'message')
    clock += 10 * limits.runProgressMs
    await run.addAll([1])
    await run.end()
    await announce()
    pair.outlet.close(1000, '')
    await once(pair.client, 'close')
    expect(kinds.slice(-4)).toEqual(['result', 'progress', 'status_update', 'completed'])
  })

  it('brings numbers along with results when they are due, and by themselves when no more results come', async () => {
    using pair = await socketPair()
    const kinds = kindsAt(pair.client)
    channel.add(await subscribe(pair.outlet))
    for (const [item, later] of [0, limits.runProgressMs, limits.runProgressMs - 1].entries()) {
      clock += later
      await run.addAll([item])
      await announce()
      // The first one is pulled: it is told to one who has yet to join the others.
      while (kinds.filter((kind) => kind === 'result').length <= item) await once(pair.client, 'message')
    }
    const told = ['result', 'progress', 'result', 'progress', 'result']
    expect(kinds.slice(kinds.indexOf('result'))).toEqual(told)
    clock += 1
    while (kinds.at(-1) !== 'progress') await once(pair.client, 'message')
    expect(kinds.slice(kinds.indexOf('result'))).toEqual([...told, 'progress'])
  })
})
