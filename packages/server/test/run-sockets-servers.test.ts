import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, expect, inject, it } from 'vitest'
import { createDatabase } from '../../store/test/postgres.ts'
import { type Config, configSchema } from '../src/config/config.ts'
import { type RunningServer, startServer } from '../src/main.ts'
import { Watcher, WrittenRun } from './run-watcher.ts'

const stack: (() => PromiseLike<unknown>)[] = []
afterEach(async () => {
  for (const undo of stack.splice(0).reverse()) await undo()
})

async function start(databaseUrl: string): Promise<RunningServer> {
  const data = await mkdtemp(join(tmpdir(), 'llm-eval-run-servers-'))
  stack.push(() => rm(data, { recursive: true, force: true }))
  const config: Config = configSchema.parse({ data, port: 0, database_url: databaseUrl })
  const server = await startServer({ config, log: pino({ level: 'silent' }) })
  stack.push(() => server.close())
  return server
}

it('a run is watched on one server while another one stores it, and gone on with on either', async () => {
  const database = await createDatabase(inject('postgresUrl'))
  stack.push(() => database[Symbol.asyncDispose]())
  const [writing, watching] = [await start(database.url), await start(database.url)]
  const path = (server: RunningServer, query = '') => `${server.url}/ws/runs/far${query}`
  using watcher = new Watcher(path(watching, '/progress'))
  using statuses = new Watcher(`${watching.url}/ws/runs/status`)
  expect(await watcher.frame('connected')).toMatchObject({ run_status: 'unknown' })
  await statuses.frame('initial_stats')
  const { id: projectId = 0 } = (await writing.store.read(0, 'project', { name: 'default' })) ?? {}
  const run = await WrittenRun.make({ store: writing.store, projectId, at: Date.now }, { id: 'far' })
  await run.addAll([0, 1, 2])
  await run.end()
  await watcher.frame('completed')
  const told = watcher.lasting.map(({ type, data }) => data.item_index ?? data.type ?? type)
  expect(told).toEqual(['run_created', 'run_started', 0, 1, 2, 'run_completed', 'completed'])
  await statuses.until(() => statuses.lasting.length === 3)
  statuses.say({ type: 'get_run_statistics' })
  expect((await statuses.frame('run_statistics')).data).toMatchObject({ total_runs: 1, by_status: { completed: 1 } })
  const seq = watcher.lasting[2]?.seq ?? ''
  using again = new Watcher(path(writing, `/progress?after_seq=${seq}`))
  await again.frame('completed')
  expect(again.lasting).toEqual(watcher.lasting.slice(3))
})
