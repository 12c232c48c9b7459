import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { newTraces } from './contract/room.contract.ts'
import { CommitBell, followJournal } from './follow.ts'
import { openStore } from './open.ts'
import type { Store } from './store.ts'

let directory: string
let store: Store
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'llm-eval-follow-'))
  store = await openStore({ directory })
})
afterAll(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

test('a follower that nobody wakes finds what was committed by looking for itself', async () => {
  // A bell that is never rung: every wake is lost.
  const bell = new CommitBell()
  const stop = new AbortController()
  const pages = followJournal(store, bell, { projectId: 1, after: 0, signal: stop.signal })
  const seen: number[] = []
  for (let round = 1; round <= 2; round++) {
    const next = pages.next()
    await store.ingest(1, { traces: newTraces(3) })
    const page = await next
    if (page.done) throw new Error('the follower ended')
    seen.push(...page.value.events.map((event) => event.seq))
  }
  expect(seen).toEqual([1, 2, 3, 4, 5, 6])
  stop.abort()
})

test('a commit between two pages is not slept through', async () => {
  const bell = new CommitBell()
  const { seq } = await store.read(1, 'head', {})
  let reads = 0
  // Commits right after the follower has read that there is nothing, and rings before it listens again.
  const racing: Pick<Store, 'read'> = {
    async read(projectId, query, args) {
      const answer = await store.read(projectId, query, args)
      reads++
      if (reads === 1) {
        const committed = await store.ingest(1, { traces: newTraces(1) })
        bell.ring(1, committed.seq)
      }
      return answer
    },
  }
  const stop = new AbortController()
  // Without timers nobody looks by himself: only the ring can wake the follower.
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const pages = followJournal(racing, bell, { projectId: 1, after: seq, signal: stop.signal })
  expect(await pages.next()).toMatchObject({ value: { events: [{ seq: seq + 1 }] } })
  expect(reads).toBe(2)
  stop.abort()
})

test('a bell wakes those who wait for the project that rang, and those who wait for any', async () => {
  const bell = new CommitBell()
  const stop = new AbortController()
  const woken: string[] = []
  const waiting = [
    bell.next(1, stop.signal).then(() => woken.push('one')),
    bell.next(2, stop.signal).then(() => woken.push('two')),
    bell.any(stop.signal).then(() => woken.push('any')),
  ]
  bell.ring(2, 5)
  await Promise.all(waiting.slice(1))
  expect(woken.sort()).toEqual(['any', 'two'])
  stop.abort()
  await Promise.all(waiting)
  await bell.next(1, stop.signal)
})
