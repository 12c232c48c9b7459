import { Failure } from '@llm-eval/protocol'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { createDatabase, type TestDatabase } from '../../test/postgres.ts'
import { type Proxy, startProxy } from '../../test/proxy.ts'
import { makeRoom, newTrace, newTraces, now, Room, statuses } from '../contract/room.contract.ts'
import { openStore } from '../open.ts'
import type { Store } from '../store.ts'

const unavailable = { code: 'storage_unavailable', retryAfter: expect.any(Number) as number }

/** A client of one's own beside the store. */
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

const ask = (url: string, sql: string) =>
  withClient(url, async (client) => Object.values((await client.query<Record<string, unknown>>(sql)).rows[0] ?? {})[0])

let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase(inject('postgresUrl'))
})
afterAll(async () => database[Symbol.asyncDispose]())

function open(
  options: { databaseUrl?: string; poolSize?: number; synchronous?: 'full' | 'normal' } = {},
): Promise<Store> {
  return openStore({ directory: '', databaseUrl: database.url, ...options })
}

function roomIn(store: Store): Promise<Room> {
  return makeRoom({
    store,
    dump: async () => '',
    reopen: async () => store,
    [Symbol.asyncDispose]: async () => undefined,
  })
}

/** Ends all sessions of the stores, as an administrator may. */
async function terminateAll(): Promise<void> {
  await ask(
    inject('postgresUrl'),
    `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '${new URL(database.url).pathname.slice(1)}'`,
  )
}

/** It is the event that counts; how long it takes is the machine's business. */
const patient = { timeout: 20_000 }

describe('opening', () => {
  test('many stores may be opened on an empty database at the same time', async () => {
    await using empty = await createDatabase(inject('postgresUrl'))
    const stores = await Promise.all(Array.from({ length: 6 }, () => open({ databaseUrl: empty.url })))
    const heads = await Promise.all(stores.map((store) => store.read(1, 'head', {})))
    expect(new Set(heads.map((head) => head.epoch)).size).toBe(1)
    await Promise.all(stores.map((store) => store.close()))
  })

  test('a database that cannot be opened is named with the reason, and without the password', async () => {
    const nowhere = open({ databaseUrl: 'postgresql://nobody:hidden@127.0.0.1:1/none' })
    await expect(nowhere).rejects.toThrow('The database none at 127.0.0.1:1 cannot be opened: connect ECONNREFUSED')
    await expect(nowhere).rejects.not.toThrow('hidden')
    const wrong = new URL(database.url)
    wrong.password = 'wrong'
    await expect(open({ databaseUrl: wrong.href })).rejects.toThrow('password authentication failed')
  })

  test('a database that cannot hold every text is refused', async () => {
    const name = `test_ascii_${Date.now()}`
    await ask(
      inject('postgresUrl'),
      `CREATE DATABASE ${name} ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER 'libc' TEMPLATE template0`,
    )
    const url = new URL(database.url)
    url.pathname = `/${name}`
    await expect(open({ databaseUrl: url.href })).rejects.toThrow('stores text as SQL_ASCII')
    await ask(inject('postgresUrl'), `DROP DATABASE ${name} WITH (FORCE)`)
  })

  test('an ordinary role that owns its database needs no other right', async () => {
    await using plain = await createDatabase(inject('postgresUrl'))
    const [name, role] = [new URL(plain.url).pathname.slice(1), `role_${Date.now()}`]
    await ask(inject('postgresUrl'), `CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
    await ask(inject('postgresUrl'), `ALTER DATABASE ${name} OWNER TO ${role}`)
    const url = new URL(plain.url)
    url.username = role
    url.password = 'secret'
    const store = await open({ databaseUrl: url.href })
    const r = await roomIn(store)
    await r.ingest(newTraces(5))
    await r.caughtUp()
    expect((await r.list({ q: 'paris' })).ids).toHaveLength(5)
    await store.close()
    await ask(plain.url, `DROP OWNED BY ${role}`)
    await ask(inject('postgresUrl'), `ALTER DATABASE ${name} OWNER TO CURRENT_USER`)
    await ask(inject('postgresUrl'), `DROP ROLE ${role}`)
  })

  test('a pool has room for a writer and a reader, and its use can be seen', async () => {
    await expect(open({ poolSize: 1 })).rejects.toThrow('at least 2')
    const store = await open({ poolSize: 2 })
    expect(store.stats().pool).toMatchObject({ size: 2 })
    const r = await roomIn(store)
    await Promise.all(newTraces(20).map((trace) => r.ingest([trace])))
    expect((await r.metrics()).total_traces).toBe(20)
    await vi.waitFor(() => expect(store.stats().pool).toEqual({ used: 0, size: 2 }), patient)
    await store.close()
  })

  test('a backup is left to pg_dump', async () => {
    const store = await open()
    await expect(store.backup('/nowhere')).rejects.toThrow('pg_dump')
    await store.close()
  })

  test('a restored database has another epoch, a database that is opened again the same', async () => {
    await using original = await createDatabase(inject('postgresUrl'))
    const epochOf = async (url: string) => {
      const store = await open({ databaseUrl: url })
      const { epoch } = await store.read(1, 'head', {})
      await store.close()
      return epoch
    }
    const epoch = await epochOf(original.url)
    expect(await epochOf(original.url)).toBe(epoch)
    const [name, copy] = [new URL(original.url).pathname.slice(1), new URL(original.url)]
    copy.pathname = `/${name}_copy`
    await ask(inject('postgresUrl'), `CREATE DATABASE ${name}_copy TEMPLATE ${name}`)
    try {
      const renewed = await epochOf(copy.href)
      expect(renewed).not.toBe(epoch)
      expect(await epochOf(copy.href)).toBe(renewed)
    } finally {
      await ask(inject('postgresUrl'), `DROP DATABASE ${name}_copy WITH (FORCE)`)
    }
  })
})

describe('several stores on one database', () => {
  test('make one gapless journal, which a follower of yet another reads while they write', async () => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => open({ poolSize: 6 })))
    const [reader, ...writers] = stores
    if (!reader) throw new Error('five stores')
    const r = await roomIn(reader)
    const shared = newTraces(60)
    const stop = new AbortController()
    const seqs: number[] = []
    let kinds = new Map<string, number>()
    let end = Infinity
    const following = (async () => {
      for await (const { events } of reader.follow(r.project, 0, { signal: stop.signal, limit: 50 })) {
        for (const event of events) {
          seqs.push(event.seq)
          kinds = kinds.set(event.kind, (kinds.get(event.kind) ?? 0) + 1)
        }
        if (seqs.length >= end) return
      }
    })()
    const created = await Promise.all(
      writers.map(async (store, w) => {
        const own = new Room(roomOf(store), r.project)
        let count = 0
        for (let i = 0; i < 12; i++) {
          const results = await Promise.all([
            own.ingest(newTraces(20)),
            own.ingest([...(w % 2 ? shared : shared.toReversed()), ...newTraces(2)]),
            own.review(shared[i]?.traceId ?? '', w % 2 ? 'accepted' : 'rejected'),
            own.delete(shared[30 + i]?.traceId ?? ''),
          ])
          count += [...statuses(results[0]), ...statuses(results[1])].filter((status) => status === 'created').length
        }
        return count
      }),
    )
    end = (await r.read('head', {})).seq
    // Nothing else is written, so the follower finds the end by itself, whoever committed it.
    await following
    stop.abort()
    expect(seqs).toEqual(Array.from({ length: end }, (_, i) => i + 1))
    const total = created.reduce((sum, count) => sum + count, 0)
    expect(kinds.get('trace_created')).toBe(total)
    const { items } = await r.list({}, { limit: 200 })
    expect(new Set(items.map((item) => item.trace_id)).size).toBe(items.length)
    expect(items).toHaveLength(total - (kinds.get('trace_deleted') ?? 0))
    expect(await r.metrics()).toMatchObject({
      total_traces: items.length,
      accepted_traces: items.filter((item) => item.evaluation_status === 'accepted').length,
      rejected_traces: items.filter((item) => item.evaluation_status === 'rejected').length,
      cost_count: items.length,
    })
    await r.caughtUp()
    const { models } = await r.read('facets', {})
    expect(models).toEqual([{ name: 'gpt-4o', traces: items.length }])
    await Promise.all(stores.map((store) => store.close()))
  })

  test('a token is redeemed, and a job is taken, by one of them', async () => {
    const stores = await Promise.all(Array.from({ length: 3 }, () => open({ poolSize: 4 })))
    const first = await roomIn(stores[0] ?? (await open()))
    const rooms = stores.map((store) => new Room(roomOf(store), first.project))
    const hash = `token-${now}-${Math.random()}`
    await first.apply({ kind: 'createToken', hash, tokenKind: 'ticket', keyId: null, expiresAt: now + 1 })
    const redeemed = await Promise.all(
      [...rooms, ...rooms].map((r) => r.apply({ kind: 'redeemToken', hash, tokenKind: 'ticket', at: now })),
    )
    expect(redeemed.filter((one) => one !== null)).toHaveLength(1)
    for (let i = 0; i < 30; i++)
      await first.apply({ kind: 'enqueueJob', queue: 'q', payload: i, runAt: now, maxAttempts: 1 })
    const taken: unknown[] = []
    await Promise.all(
      rooms.map(async (r, i) => {
        // Jobs that another is about to take are passed over, so whoever gets none asks again.
        while (taken.length < 30) {
          const lease = { queue: 'q', owner: `o${i}`, at: now, leaseMs: 1_000, limit: 4 }
          taken.push(...(await r.apply({ kind: 'leaseJobs', ...lease })).jobs.map((job) => job.payload))
        }
      }),
    )
    expect(taken.sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 30 }, (_, i) => i))
    await Promise.all(stores.map((store) => store.close()))
  })

  test('a transaction that is the victim of a deadlock is done again', async () => {
    const store = await open()
    const r = await roomIn(store)
    const trace = newTrace()
    await r.ingest([trace])
    let version = 0
    await withClient(database.url, async (rival) => {
      // Where the rival comes to its second lock late, it is the victim itself: then once more.
      for (let again = true; again; ) {
        await rival.query('BEGIN')
        await rival.query('SELECT 1 FROM traces WHERE project_id = $1 AND trace_id = $2 FOR UPDATE', [
          r.project,
          trace.traceId,
        ])
        const reviewing = r.review(trace.traceId, version % 2 ? 'rejected' : 'accepted')
        await vi.waitFor(async () => {
          const waiting = `SELECT count(*)::int FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
          expect(await ask(database.url, waiting)).toBeGreaterThan(0)
        }, patient)
        // The store holds its turn and waits for the trace; the rival holds the trace and waits for the turn.
        again = await rival
          .query("SELECT pg_advisory_xact_lock(hashtextextended('llm-eval: traces of project ' || $1, 0))", [
            String(r.project),
          ])
          .then(
            () => false,
            (error: { code?: string }) => {
              if (error.code !== '40P01') throw error
              return true
            },
          )
        await rival.query('ROLLBACK')
        expect(await reviewing).toMatchObject({ result: 'ok', version: ++version })
      }
    })
    expect((await r.journal()).map((event) => event.seq)).toEqual(Array.from({ length: version + 1 }, (_, i) => i + 1))
    await store.close()
  })

  test('readers that are stuck do not hold up a write', async () => {
    const store = await open({ poolSize: 4 })
    const r = await roomIn(store)
    const trace = newTrace()
    await r.ingest([trace])
    await withClient(database.url, async (blocker) => {
      await blocker.query('BEGIN')
      await blocker.query('LOCK TABLE bodies IN ACCESS EXCLUSIVE MODE')
      const stuck = Array.from({ length: 20 }, () => r.trace(trace.traceId))
      expect(await r.review(trace.traceId, 'accepted')).toMatchObject({ result: 'ok' })
      await blocker.query('COMMIT')
      for (const read of await Promise.all(stuck)) expect(read?.trace_id).toBe(trace.traceId)
    })
    await store.close()
  })
})

describe('durability', () => {
  test('a server that would acknowledge before the disk has it is told otherwise, unless that is wanted', async () => {
    await using lax = await createDatabase(inject('postgresUrl'))
    await (await open({ databaseUrl: lax.url })).close()
    await withClient(lax.url, async (client) => {
      await client.query(`ALTER DATABASE ${new URL(lax.url).pathname.slice(1)} SET synchronous_commit = off`)
      await client.query('CREATE TABLE seen (setting text)')
      await client.query(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$`)
      await client.query('CREATE TRIGGER note AFTER UPDATE ON heads FOR EACH ROW EXECUTE FUNCTION note()')
    })
    for (const [synchronous, setting] of [
      ['full', 'on'],
      ['normal', 'off'],
    ] as const) {
      await ask(lax.url, 'DELETE FROM seen')
      const store = await open({ databaseUrl: lax.url, synchronous })
      await store.ingest(1, { traces: newTraces(1) })
      await store.close()
      expect(await ask(lax.url, 'SELECT setting FROM seen LIMIT 1')).toBe(setting)
    }
  })
})

describe('when the connection breaks', () => {
  let proxy: Proxy
  let store: Store
  let r: Room
  beforeAll(async () => {
    proxy = await startProxy(database.url)
    store = await open({ databaseUrl: proxy.url })
    r = await roomIn(store)
  })
  afterAll(async () => {
    await store.close()
    await proxy[Symbol.asyncDispose]()
  })

  test('before COMMIT reaches the server, nothing was stored, and the same may be sent again', async () => {
    const traces = newTraces(3)
    const cut = proxy.cutNext({ when: 'before', message: 'write_ledger', answer: '' })
    await expect(r.ingest(traces)).rejects.toMatchObject(unavailable)
    await cut
    expect(await r.trace(traces[0]?.traceId ?? '')).toBeNull()
    expect(statuses(await r.ingest(traces))).toEqual(['created', 'created', 'created'])
  })

  test('after the server has committed, nobody is told that it is stored, and sending it again finds it', async () => {
    const traces = newTraces(3)
    const before = (await r.metrics()).total_traces
    const cut = proxy.cutNext({ when: 'after', message: 'write_ledger', answer: 'COMMIT\0' })
    await expect(r.ingest(traces)).rejects.toMatchObject(unavailable)
    await cut
    expect(statuses(await r.ingest(traces))).toEqual(['duplicate', 'duplicate', 'duplicate'])
    expect((await r.metrics()).total_traces).toBe(before + 3)
  })

  test('everything fails with one clear failure until the server is back, and then works again', async () => {
    const [stored, refused] = newTraces(2)
    if (!stored || !refused) throw new Error('two traces')
    await r.ingest([stored])
    await proxy.block()
    await expect(r.ingest([refused])).rejects.toMatchObject(unavailable)
    await expect(r.trace(stored.traceId)).rejects.toMatchObject(unavailable)
    await expect(store.ping()).rejects.toMatchObject(unavailable)
    await proxy.unblock()
    expect(statuses(await r.ingest([refused, stored]))).toEqual(['created', 'duplicate'])
    await store.ping()
    await r.caughtUp()
  })

  test('connections that died unused are replaced without anybody noticing', async () => {
    await Promise.all(newTraces(10).map((trace) => r.ingest([trace])))
    await terminateAll()
    expect(statuses(await r.ingest(newTraces(1)))).toEqual(['created'])
    await terminateAll()
    await store.ping()
    // One that is found dead by its user: nothing was begun on it, so another one is taken.
    const dead = proxy.cutNext({ when: 'before', message: 'begin_settings', answer: '' })
    expect(statuses(await r.ingest(newTraces(1)))).toEqual(['created'])
    await dead
    // A reader may find several dead ones, one after the other.
    const deaf = [1, 2].map(() => proxy.cutNext({ when: 'before', message: 'from "traces"', answer: '' }))
    expect((await r.list({}, { limit: 200 })).ids.length).toBeGreaterThan(10)
    await Promise.all(deaf)
  })

  test('sessions that are ended again and again in the middle of commits lose nothing that was acknowledged', async () => {
    const { seq: start } = await r.read('head', {})
    const { total_traces: before } = await r.metrics()
    const acknowledged: string[] = []
    const attempted: string[] = []
    const stop = new AbortController()
    const writing = Promise.all(
      Array.from({ length: 6 }, async () => {
        while (!stop.signal.aborted) {
          const traces = newTraces(5)
          attempted.push(...traces.map((trace) => trace.traceId))
          try {
            await r.ingest(traces)
            acknowledged.push(...traces.map((trace) => trace.traceId))
          } catch (error) {
            if (!(error instanceof Failure) || error.code !== 'storage_unavailable') throw error
          }
        }
      }),
    )
    for (let round = 0; round < 12; round++) {
      const target = acknowledged.length + 20
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(target), { timeout: 20_000, interval: 5 })
      await terminateAll()
    }
    stop.abort()
    await writing
    const { ids } = await r.list({}, { limit: 200 })
    const stored = new Set(ids)
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
    // Requests are stored whole or not at all, whatever their callers were told.
    const mine = attempted.filter((id) => stored.has(id))
    expect(mine.length % 5).toBe(0)
    expect((await r.metrics()).total_traces).toBe(before + mine.length)
    const seqs = (await r.journal()).map((event) => event.seq).filter((seq) => seq > start)
    expect(seqs).toEqual(Array.from({ length: mine.length }, (_, i) => start + i + 1))
  })

  test('a database that takes no connections, or no writes, is unavailable until it does', async () => {
    const name = new URL(database.url).pathname.slice(1)
    const admin = (sql: string) => ask(inject('postgresUrl'), sql)
    await admin(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
    await terminateAll()
    await expect(r.ingest(newTraces(1))).rejects.toMatchObject(unavailable)
    await expect(r.metrics()).rejects.toMatchObject(unavailable)
    await admin(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
    expect(statuses(await r.ingest(newTraces(1)))).toEqual(['created'])

    await admin(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
    await terminateAll()
    await expect(r.ingest(newTraces(1))).rejects.toMatchObject(unavailable)
    expect((await r.metrics()).total_traces).toBeGreaterThan(0)
    await admin(`ALTER DATABASE ${name} RESET default_transaction_read_only`)
    expect(statuses(await r.ingest(newTraces(1)))).toEqual(['created'])
  })
})

function roomOf(store: Store) {
  const nothing = async () => undefined
  return { store, dump: async () => '', reopen: async () => store, [Symbol.asyncDispose]: nothing }
}
