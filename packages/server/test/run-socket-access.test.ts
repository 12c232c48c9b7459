import { limits, type Scope } from '@llm-eval/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClientOptions } from 'ws'
import { registerRunSocketsWith } from '../src/run-sockets/run-sockets.ts'
import { allSlices, firstKey, type Ground, startGround } from './ground.ts'
import { Watcher, WrittenRun } from './run-watcher.ts'

let ground: Ground
let origin: string
let key: string
beforeAll(async () => {
  const settings = { heartbeatMs: 1_500, stallMs: 60_000, flushMs: 5, authMs: 60_000, most: 1_000 }
  const config = { cors_origins: ['https://friend.example'], rate_limits: unlimited }
  ground = await startGround({
    slices: [...allSlices, (app, deps) => registerRunSocketsWith(app, deps, settings)],
    config,
  })
  origin = await ground.origin()
  key = await firstKey(ground)
})
afterAll(() => {
  ground.closing.abort()
  return ground.close()
})

const unlimited = { traces_per_minute: 0, reads_per_minute: 0, streams_per_minute: 0 }
const watch = (path: string, options: ClientOptions = {}) => new Watcher(`${origin}${path}`, options)
const bearer = (value: string): ClientOptions => ({ headers: { authorization: `Bearer ${value}` } })
const home = () => ({ store: ground.store, projectId: ground.access.home, at: () => ground.clock.now })

async function keyOf(scopes: Scope[], project = 'default'): Promise<{ key: string; id: string }> {
  const made = await ground.send({ path: '/api/v1/keys', body: { name: 'k', scopes, project }, key })
  expect(made.text && made.status).toBe(201)
  return { key: String(made.json.key), id: String(made.json.id) }
}

async function ticketOf(owner: string): Promise<string> {
  const made = await ground.send({ method: 'POST', path: '/api/v1/ws-tickets', key: owner })
  expect(made.status).toBe(201)
  return String(made.json.ticket)
}

describe('who may follow runs', () => {
  it('is known by key, by ticket or by the first message, and a ticket opens one socket', async () => {
    const { id } = await WrittenRun.make(home())
    const path = `/ws/runs/${id}/progress`
    using byHeader = watch(path, bearer(key))
    expect(await byHeader.frame('connected')).toMatchObject({ run_status: 'running' })
    const ticket = await ticketOf(key)
    using byTicket = watch(`${path}?ticket=${ticket}`, { origin: 'https://elsewhere.example' })
    await byTicket.frame('connected')
    using again = watch(`${path}?ticket=${ticket}`)
    expect(await again.end()).toEqual({ code: 4401, reason: 'invalid_token' })
    for (const token of [key, await ticketOf(key)]) {
      using byMessage = await watch(path, { origin: 'https://elsewhere.example' }).opened()
      byMessage.say({ type: 'auth', token })
      expect(await byMessage.frame('connected')).toMatchObject({ run_status: 'running' })
    }
  })

  it('is refused with 4401 whose ticket is too old, or whose key is revoked since', async () => {
    const { key: short, id } = await keyOf(['read'])
    const [old, late, fresh] = [await ticketOf(key), await ticketOf(short), await ticketOf(key)]
    await ground.send({ method: 'DELETE', path: `/api/v1/keys/${id}`, key })
    using revoked = watch(`/ws?ticket=${late}`)
    expect((await revoked.end()).code).toBe(4401)
    ground.clock.now += (limits.ticketSeconds - 1) * 1_000
    using young = watch(`/ws?ticket=${fresh}`)
    await young.frame('connected')
    ground.clock.now += 2_000
    using expired = watch(`/ws?ticket=${old}`)
    expect(await expired.end()).toEqual({ code: 4401, reason: 'invalid_token' })
    using said = await watch('/ws').opened()
    said.say({ type: 'auth', token: old })
    expect(await said.end()).toEqual({ code: 4401, reason: 'invalid_key' })
  })

  it('sees with a ticket what its key sees, in the project of that, and one of several at once gets in', async () => {
    const { id } = await WrittenRun.make(home())
    const { key: other } = await keyOf(['read'], 'beside')
    const ticket = await ticketOf(other)
    const all = Array.from({ length: 5 }, () => watch(`/ws/runs/${id}/progress?ticket=${ticket}`))
    const ends = await Promise.all(
      all.map((one) => Promise.race([one.frame('connected'), one.end()]).catch(() => one.end())),
    )
    const [hello, ...others] = ends.filter((end) => 'run_status' in end)
    expect(hello).toMatchObject({ run_status: 'unknown' })
    expect(others).toEqual([])
    for (const watcher of all) watcher.drop()
  })

  it('is refused with 4401 who says something else first, or nothing true', async () => {
    for (const said of [{ type: 'ping' }, { type: 'auth', token: 'wrong' }, 'garbage', { type: 'auth' }]) {
      using watcher = await watch('/ws').opened()
      watcher.say(said)
      expect((await watcher.end()).code).toBe(4401)
      expect(watcher.frames).toEqual([])
    }
    using wrong = watch('/ws', bearer('wrong'))
    expect(await wrong.end()).toEqual({ code: 4401, reason: 'invalid_key' })
  })

  it('is refused with 4403 whose key may not read', async () => {
    const { key: writer } = await keyOf(['ingest'])
    using byHeader = watch('/ws', bearer(writer))
    expect(await byHeader.end()).toEqual({ code: 4403, reason: 'forbidden' })
    using byMessage = await watch('/ws').opened()
    byMessage.say({ type: 'auth', token: writer })
    expect(await byMessage.end()).toEqual({ code: 4403, reason: 'forbidden' })
  })

  it('is refused with 4403 on a page of another site that sends the cookie along', async () => {
    const signedIn = await ground.send({ path: '/api/v1/session', body: { key } })
    const [cookie = ''] = String(signedIn.headers['set-cookie']).split(';')
    using foreign = watch('/ws', { headers: { cookie }, origin: 'https://elsewhere.example' })
    expect(await foreign.end()).toEqual({ code: 4403, reason: 'origin_refused' })
    for (const own of [origin, 'https://friend.example']) {
      using watcher = watch('/ws', { headers: { cookie }, origin: own })
      await watcher.frame('connected')
    }
  })

  it('sees nothing of the runs of other projects', async () => {
    const { id } = await WrittenRun.make(home())
    const { key: other } = await keyOf(['read'], 'elsewhere')
    using watcher = watch(`/ws/runs/${id}/progress`, bearer(other))
    expect(await watcher.frame('connected')).toMatchObject({ run_id: id, run_status: 'unknown' })
    using statuses = watch('/ws/runs/status', bearer(other))
    expect((await statuses.frame('initial_stats')).data.total_runs).toBe(0)
    watcher.say({ type: 'get_current_status' })
    expect(await watcher.frame('refused')).toMatchObject({ code: 'run_not_found' })
    const project = await ground.store.read(0, 'project', { name: 'elsewhere' })
    const theirs = await WrittenRun.make({ ...home(), projectId: project?.id ?? 0 }, { id })
    await theirs.addAll([7])
    await watcher.until(() => watcher.lasting.length === 3)
    expect(watcher.lasting.map(({ data }) => data.item_index ?? data.type)).toEqual(['run_created', 'run_started', 7])
  })

  it('is sent away when the key is revoked', async () => {
    const { key: short, id } = await keyOf(['read'])
    using watcher = watch('/ws', bearer(short))
    await watcher.frame('connected')
    await ground.send({ method: 'DELETE', path: `/api/v1/keys/${id}`, key })
    expect(await watcher.end()).toEqual({ code: 4401, reason: 'invalid_key' })
  })

  it('may not send a query that nobody knows', async () => {
    using watcher = watch('/ws/runs/status?afterseq=1', bearer(key))
    expect((await watcher.end()).code).toBe(4400)
    expect(limits.socketAuthSeconds).toBe(5)
  })
})

describe('a socket that nobody speaks for', () => {
  it('is closed with 4408 when its time is up', async () => {
    const settings = { heartbeatMs: 60_000, stallMs: 120_000, flushMs: 5, authMs: 50, most: 1_000 }
    const short = await startGround({
      slices: [...allSlices, (app, deps) => registerRunSocketsWith(app, deps, settings)],
      config: { rate_limits: unlimited },
    })
    await firstKey(short)
    using watcher = new Watcher(`${await short.origin()}/ws`)
    expect(await watcher.end()).toEqual({ code: 4408, reason: 'auth_timeout' })
    short.closing.abort()
    await short.close()
  })
})
