import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newTraces, Room } from '../contract/room.contract.ts'
import { openStore } from '../open.ts'
import type { Store } from '../store.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'llm-eval-lean-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const lags = (store: Store) => store.read(1, 'lags', {})
const roomOf = (store: Store) =>
  new Room({ store, dump: async () => '', reopen: async () => store, [Symbol.asyncDispose]: async () => undefined }, 1)

test('a lean store reads what it writes, and leaves the rest to whoever opens it next', {
  timeout: 30_000,
}, async () => {
  const store = await openStore({ directory, lean: new Promise(() => undefined) })
  await roomOf(store).ingest(newTraces(20))
  expect((await roomOf(store).list({}, { limit: 50 })).items).toHaveLength(20)
  expect(await lags(store)).toEqual({ search: 20, rollups: 20 })
  await store.close()

  const next = await openStore({ directory })
  await roomOf(next).caughtUp()
  expect((await roomOf(next).list({}, { limit: 50 })).items).toHaveLength(20)
  await next.close()
})

test('a lean store becomes whole when it is told', { timeout: 90_000 }, async () => {
  const { promise: lean, resolve: grow } = Promise.withResolvers<void>()
  const store = await openStore({ directory, lean })
  await roomOf(store).ingest(newTraces(5))
  grow()
  await roomOf(store).ingest(newTraces(5))
  await roomOf(store).caughtUp()
  expect((await roomOf(store).list({}, { limit: 50 })).items).toHaveLength(10)
  await store.close()
})
