import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createDatabase } from '../../store/test/postgres.ts'
import { until } from './faults/audit.ts'
import { clientOf, type RunServer, startRunServer, startTask } from './runs-of-tests.ts'

describe('servers', () => {
  it('on one database work a run off once', async () => {
    const { url: database_url } = await createDatabase(inject('postgresUrl'))
    await using task = await startTask(({ input }) => ({ output: input }))
    await using one = await startRunServer({ database_url })
    await using two = await startRunServer({ database_url })
    const rows = Array.from({ length: 40 }, (_, n) => ({ id: `case-${n}`, input: n }))
    await one.dataset('cases', rows)
    const ids = Array.from({ length: 6 }, (_, n) => `run-${n}`)
    for (const [n, run_id] of ids.entries()) {
      const made = { run_id, name: 'r', dataset: 'cases', metrics_used: ['char-count'] }
      await (n % 2 ? two : one).send('POST', '/api/v1/runs', { ...made, task: { kind: 'http', url: task.url } })
    }
    for (const id of ids) expect(await two.until(id)).toMatchObject({ status: 'completed', completed_items: 40 })
    expect(task.came).toHaveLength(ids.length * rows.length)
  })

  it('on one database hear of what the other one was told: a run that is cancelled there ends here', async () => {
    const { url: database_url } = await createDatabase(inject('postgresUrl'))
    let go = false
    await using task = await startTask(({ input }) => (go || input === 0 ? { output: input } : undefined))
    await using one = await startRunServer({ database_url })
    await one.dataset('cases', [{ input: 0 }, { input: 1 }])
    const made = { run_id: 'shared', name: 'r', dataset: 'cases', metrics_used: ['char-count'] }
    await one.send('POST', '/api/v1/runs', { ...made, task: { kind: 'http', url: task.url } })
    await one.until('shared', ({ completed_items }) => completed_items === 1)
    await using two = await startRunServer({ database_url })
    expect((await two.send('POST', '/api/v1/runs/shared/cancel')).json).toMatchObject({ status: 'cancelled' })
    go = true
    expect((await two.send('POST', '/api/v1/runs/shared/resume')).status).toBe(200)
    expect(await two.until('shared')).toMatchObject({ status: 'completed', completed_items: 2, successful_items: 2 })
  })

  it('begin anew what is cancelled and resumed while its task hangs', async () => {
    let go = false
    await using task = await startTask(({ input }) => (go ? { output: input } : undefined))
    await using one = await startRunServer()
    await one.dataset('cases', [{ input: 0 }])
    const made = { run_id: 'again', name: 'r', dataset: 'cases', metrics_used: ['char-count'] }
    await one.send('POST', '/api/v1/runs', { ...made, task: { kind: 'http', url: task.url } })
    for (let times = 1; times <= 5; times++) {
      await until(
        async () => task.came.length,
        (asked) => asked >= times,
      )
      await one.send('POST', '/api/v1/runs/again/cancel')
      go = times === 5
      expect((await one.send('POST', '/api/v1/runs/again/resume')).status).toBe(200)
    }
    expect(await one.until('again')).toMatchObject({ status: 'completed', successful_items: 1 })
  })
})

describe('runs of projects', () => {
  let runs: RunServer
  const keys: Record<string, string> = {}
  beforeAll(async () => {
    runs = await startRunServer()
    const make = async (project: string, scopes: string[]) => {
      const key = keys['default/admin']
      const client = clientOf(runs.server.url, key === undefined ? {} : { authorization: `Bearer ${key}` })
      const { json } = await client.send('POST', '/api/v1/keys', {
        name: `${project} ${scopes.join()}`,
        project,
        scopes,
      })
      keys[`${project}/${scopes.join()}`] = (json as { key: string }).key
    }
    await make('default', ['admin'])
    await make('other', ['admin'])
    await make('default', ['read'])
    await make('default', ['write'])
    await make('default', ['ingest'])
  })
  afterAll(() => runs[Symbol.asyncDispose]())
  const as = (name: string) => clientOf(runs.server.url, { authorization: `Bearer ${keys[name]}` })
  const made = { run_id: 'mine', name: 'r', metrics_used: ['mine'] }
  const beat = { schema_version: 1, events: [{ event_id: '1', sequence: 1, type: 'heartbeat' }] }

  it('are seen by nobody else', async () => {
    expect((await as('default/admin').send('POST', '/api/v1/runs', made)).status).toBe(201)
    const other = as('other/admin')
    for (const path of ['', '/items', '/items/0', '/metrics'])
      expect((await other.send('GET', `/api/v1/runs/mine${path}`)).status).toBe(404)
    for (const path of ['/cancel', '/resume', '/approve', '/reject'])
      expect((await other.send('POST', `/api/v1/runs/mine${path}`)).status).toBe(404)
    expect((await other.send('POST', '/api/v1/runs/mine/events', beat)).status).toBe(404)
    expect((await other.send('PATCH', '/api/v1/runs/mine', { name: 'x' })).status).toBe(404)
    expect((await other.send('DELETE', '/api/v1/runs/mine')).status).toBe(404)
    expect((await other.send('GET', '/api/v1/comparisons?run_ids=mine,other')).status).toBe(404)
    expect((await other.send('GET', '/api/v1/runs')).json).toMatchObject({ items: [] })
    // The same id is another run there.
    expect((await other.send('POST', '/api/v1/runs', { ...made, name: 'theirs' })).status).toBe(201)
    expect((await as('default/admin').send('GET', '/api/v1/runs/mine')).json).toMatchObject({ name: 'r' })
  })

  it('are read by those who may read, and changed by those who may write', async () => {
    const [reader, writer, sender] = [as('default/read'), as('default/write'), as('default/ingest')]
    expect((await reader.send('GET', '/api/v1/runs/mine')).status).toBe(200)
    expect((await sender.send('GET', '/api/v1/runs/mine')).status).toBe(403)
    expect((await reader.send('POST', '/api/v1/runs/mine/events', beat)).status).toBe(403)
    expect((await writer.send('POST', '/api/v1/runs/mine/events', beat)).status).toBe(200)
    for (const path of ['/cancel', '/resume', '/approve', '/reject'])
      expect((await reader.send('POST', `/api/v1/runs/mine${path}`)).status).toBe(403)
    expect((await reader.send('DELETE', '/api/v1/runs/mine')).status).toBe(403)
    expect((await clientOf(runs.server.url).send('GET', '/api/v1/runs/mine')).status).toBe(401)
  })
})
