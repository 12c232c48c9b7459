import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { expect, inject, test } from 'vitest'
import { createDatabase } from '../../test/postgres.ts'
import { startWriter } from '../../test/writer.ts'
import { makeRoom, newTraces, type Room, statuses } from '../contract/room.contract.ts'
import { openStore } from '../open.ts'
import type { Store } from '../store.ts'

const under = (store: Store) => ({
  store,
  dump: async () => '',
  reopen: async () => store,
  [Symbol.asyncDispose]: async () => undefined,
})

/** Requests of the writers are four traces and a verdict: they are stored whole or not at all, and counted once. */
async function expectWhole(r: Room, acknowledged: string[]): Promise<void> {
  const { items } = await r.list({}, { limit: 200 })
  const stored = new Set(items.map((item) => item.trace_id))
  expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
  expect(stored.size).toBe(items.length)
  expect(items.length % 4).toBe(0)
  const accepted = items.filter((item) => item.evaluation_status === 'accepted').length
  expect(await r.metrics()).toMatchObject({ total_traces: items.length, accepted_traces: accepted })
  const seqs = (await r.journal()).map((event) => event.seq)
  expect(seqs).toEqual(Array.from({ length: items.length + accepted }, (_, i) => i + 1))
  await r.caughtUp()
  expect((await r.read('facets', {})).models).toEqual([{ name: 'gpt-4o', traces: items.length }])
}

test('processes that write at the same time, and are killed while they do, leave a whole and gapless journal', async () => {
  await using database = await createDatabase(inject('postgresUrl'))
  const options = { directory: '', databaseUrl: database.url, poolSize: 6 }
  const store = await openStore(options)
  const r = await makeRoom(under(store))
  const stop = new AbortController()
  const followed: number[] = []
  const following = (async () => {
    for await (const { events } of store.follow(r.project, 0, { signal: stop.signal }))
      followed.push(...events.map((event) => event.seq))
  })()
  const writers = await Promise.all(
    [1, 2, 3, 4].map((n) => startWriter({ options, project: r.project, writers: 4, name: `w${n}` })),
  )
  const [first, ...others] = writers
  await Promise.all(writers.map((writer) => writer.reaches(10)))
  await first?.kill()
  await Promise.all(others.map((writer) => writer.reaches(25)))
  await Promise.all(others.map((writer) => writer.kill()))

  // What a killed process had begun is undone by the server, so nobody waits for it.
  expect(statuses(await r.ingest(newTraces(4)))).toEqual(['created', 'created', 'created', 'created'])
  const acknowledged = writers.flatMap((writer) => writer.acknowledged)
  await expectWhole(r, acknowledged)
  const { seq } = await r.read('head', {})
  await atLeast(followed, seq)
  stop.abort()
  await following
  expect(followed).toEqual(Array.from({ length: seq }, (_, i) => i + 1))
  await store.close()
})

test('a server that crashes in the middle of commits loses nothing that was acknowledged', async () => {
  await using server = await ownServer()
  const store = await openStore({ directory: '', databaseUrl: server.url })
  const r = await makeRoom(under(store))
  const acknowledged: string[] = []
  const failures: unknown[] = []
  for (let crash = 0; crash < 2; crash++) {
    const stop = new AbortController()
    const writing = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!stop.signal.aborted) {
          const traces = newTraces(4)
          try {
            await r.ingest(traces)
            acknowledged.push(...traces.map((trace) => trace.traceId))
          } catch (error) {
            failures.push(error)
          }
        }
      }),
    )
    await atLeast(acknowledged, acknowledged.length + 100)
    await crashServer(server.url)
    // It recovers by itself; writing goes on with it.
    await atLeast(acknowledged, acknowledged.length + 100)
    stop.abort()
    await writing
  }
  expect(failures.length).toBeGreaterThan(0)
  for (const failure of failures) expect(failure).toMatchObject({ code: 'storage_unavailable' })
  await expectWhole(r, acknowledged)
  await store.close()
})

/** A server that nobody else uses. */
async function ownServer(): Promise<AsyncDisposable & { url: string }> {
  const script = fileURLToPath(new URL('../../../../scripts/postgres.mjs', import.meta.url))
  const keeper = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: keeper.stdout }), 'line')) as [string]
  const { url } = JSON.parse(line) as { url: string }
  const [postmaster] = await withClient(url, async (client) => {
    const { rows } = await client.query<{ file: string }>("SELECT pg_read_file('postmaster.pid') AS file")
    return (rows[0]?.file ?? '').split('\n')
  })
  return {
    url,
    async [Symbol.asyncDispose]() {
      const ended = once(keeper, 'exit')
      // At once: a server that is asked politely while it recovers from a crash may wait for ever.
      process.kill(Number(postmaster), 'SIGQUIT')
      keeper.stdin.end()
      await ended
    },
  }
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Kills one of the server's processes, whereupon it ends all others and recovers from its log. */
async function crashServer(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const gone = new Promise((resolve) => client.once('end', resolve))
    process.kill(rows[0]?.pid ?? 0, 'SIGKILL')
    await gone
  })
}

async function atLeast(list: unknown[], length: number): Promise<void> {
  await expect.poll(() => list.length, { timeout: 25_000, interval: 5 }).toBeGreaterThanOrEqual(length)
}
