import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type Store } from '@llm-eval/store'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newItem } from '../../../store/src/contract/running.contract.ts'
import { WrittenRun } from '../../test/run-watcher.ts'
import { watched } from '../../test/watched-store.ts'
import { FrameMaker, type RunShape, shapeOf } from './frames.ts'
import { Pages } from './pages.ts'
import { View } from './view.ts'

let store: Store
let directory: string
let projectId: number
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llm-eval-pages-'))
  store = await openStore({ directory, synchronous: 'normal' })
  projectId = (await store.read(1, 'project', { name: 'default' }))?.id ?? 1
})
afterAll(async () => {
  await store.close()
  await rm(directory, { recursive: true, force: true })
})

let seen: string[]
let pages: Pages
let run: WrittenRun
let shape: RunShape
let clock: number
beforeEach(async () => {
  seen = []
  clock = 0
  const spied = watched(store, seen)
  const maker = new FrameMaker(spied, projectId, 'epoch')
  pages = new Pages({ store: spied, projectId, maker, elapsed: () => clock })
  run = await WrittenRun.make({ store, projectId, at: () => 0 })
  shape = shapeOf(run.run)
})
const reads = () => seen.filter((query) => query === 'runEvents').length
const everything = { since: 0, stale: 0 }

describe('pages of events', () => {
  it('are read once for a crowd, whoever stands in the middle of one gets its rest, and all end up with the same', async () => {
    await run.addAll(Array.from({ length: 250 }, (_, i) => i))
    const head = (await store.read(projectId, 'head', {})).seq
    const first = head - 250
    const follow = async (from: number) => {
      const got: number[] = []
      for (let position = from; position < head; ) {
        const read = await pages.after(shape, { position, ...everything })
        const page = read?.page.after(position)
        if (!page) break
        got.push(...page.told.map(({ seq }) => seq))
        position = page.last
      }
      return got
    }
    const whole = await follow(first)
    const once = reads()
    expect(whole).toEqual(Array.from({ length: 250 }, (_, i) => first + 1 + i))
    const crowd = await Promise.all(Array.from({ length: 60 }, (_, i) => follow(first + 3 * i)))
    for (const [i, got] of crowd.entries()) expect(got).toEqual(whole.slice(3 * i))
    expect(reads()).toBe(once)
  })

  it('that are read in small pieces at the head of the journal are one for those who are behind', async () => {
    const first = (await store.read(projectId, 'head', {})).seq
    const pieces = []
    for (let at = 0; at < 120; at += 10) {
      await run.addAll(Array.from({ length: 10 }, (_, i) => at + i))
      pieces.push((await pages.after(shape, { position: first + at, ...everything }))?.page)
    }
    expect(pieces.map((page) => [page?.first, page?.last])).toEqual(
      pieces.map((_, i) => [first + 10 * i + 1, first + 10 * i + 10]),
    )
    const whole = await pages.after(shape, { position: first, ...everything })
    expect(whole?.page.told.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => first + 1 + i))
    expect(whole?.numbers.seq).toBe(first + 100)
    const rest = await pages.after(shape, { position: first + 95, ...everything })
    expect(rest?.page.after(first + 95).last).toBeGreaterThanOrEqual(first + 100)
    // They are as old as their oldest piece: who came since gets none of them.
    const since = pages.reads - 1
    const fresh = await pages.after(shape, { position: first + 110, since, stale: 0 })
    expect(fresh?.page).toBe(pieces.at(-1))
    expect(reads()).toBe(pieces.length)
    expect((await pages.after(shape, { position: first + 100, since, stale: 0 }))?.page.first).toBe(first + 101)
    expect(reads()).toBe(pieces.length + 1)
  })

  it('are not remembered for long, nor for those who came after they were read', async () => {
    await run.addAll([0])
    const position = (await store.read(projectId, 'head', {})).seq - 1
    const told = async (since = 0) => {
      const read = await pages.after(shape, { position, since, stale: 0 })
      return read?.page.told.flatMap(({ frames }) => frames.map(({ type }) => type))
    }
    expect(await told()).toEqual(['result'])
    await run.delete()
    expect(await told()).toEqual(['result'])
    expect(await told(pages.reads)).not.toContain('result')
    clock = 1_001
    expect(await told()).not.toContain('result')
  })

  it('that were asked for before there was something new are not waited for', async () => {
    const position = (await store.read(projectId, 'head', {})).seq
    const early = pages.after(shape, { position, ...everything })
    const shared = pages.after(shape, { position, ...everything })
    expect(shared).toBe(early)
    await run.addAll([0])
    const late = pages.after(shape, { position, since: 0, stale: pages.reads })
    expect(late).not.toBe(early)
    expect((await late)?.page.first).toBe(position + 1)
    await early
  })

  it('hold the bytes of a view once, and any number of views see what is theirs', async () => {
    await run.add(newItem(0), newItem(1, { status: 'failed', error: { code: 'timeout', message: 'late' } }))
    const position = (await store.read(projectId, 'head', {})).seq - 2
    const page = (await pages.after(shape, { position, ...everything }))?.page
    const all = page?.encode(new View({}))
    expect(all).toBe(page?.encode(new View({})))
    for (let value = 0; value < 20; value++) {
      const failed = page?.encode(new View({ failed: true, events: ['error', 'result'] }))?.toString()
      expect(failed).toContain('late')
      expect(failed).not.toContain('"result"')
      expect(page?.encode(new View({ below: { metric: 'none', value } }))).toBeUndefined()
    }
  })
})
