import type { ServerResponse } from 'node:http'
import { describe, expect, inject, it } from 'vitest'
import { createDatabase } from '../../store/test/postgres.ts'
import { startProxy } from '../../store/test/proxy.ts'
import { until } from './faults/audit.ts'
import { type Asked, type RunServer, startRunServer, startTask } from './runs-of-tests.ts'

const rows = Array.from({ length: 40 }, (_, input) => ({ id: `case-${input}`, input }))
const indexes = rows.map(({ input }) => input)
/** Longer than a run belongs to a worker that says nothing. */
const longer = 31_000

const make = async (server: RunServer, { url }: { url: string }, { concurrency = 4, rows: cases = rows } = {}) => {
  const made = { run_id: 'run', name: 'r', dataset: 'cases', metrics_used: ['char-count'], settings: { concurrency } }
  await server.dataset('cases', cases)
  const { status } = await server.send('POST', '/api/v1/runs', { ...made, task: { kind: 'http', url } })
  expect(status).toBe(201)
}

/** A task whose first answers wait, and the others as long as it is told. */
async function startSlow(first: number, then: () => Promise<unknown> = async () => undefined) {
  const held: (() => void)[] = []
  const answer = async ({ input }: Asked, reply: ServerResponse) => {
    const which = task.came.length
    const say = () =>
      void reply.end(JSON.stringify({ output: `${String(input)} by ${which <= first ? 'one' : 'two'}` }))
    if (which <= first) return void held.push(say)
    await then()
    say()
  }
  const task = await startTask((asked, reply) => void answer(asked, reply))
  const waiting = (count = first) =>
    until(
      async () => held.length,
      (come) => come === count,
    )
  return { task, waiting, release: (count = first) => held.slice(0, count).forEach((say) => say()) }
}

/** Resolves when the server works on no run. */
function atRest({ server }: RunServer): Promise<string> {
  return until(
    async () => (await fetch(`${server.url}/metrics`)).text(),
    (text) => /^llm_eval_runs_in_flight 0$/m.test(text),
  )
}

describe('a worker whose lease ran out while it slept', () => {
  it('does no harm when it wakes and another one has done the run', async () => {
    const { url: database_url } = await createDatabase(inject('postgresUrl'))
    const slow = await startSlow(4)
    await using task = slow.task
    await using one = await startRunServer({ database_url })
    await make(one, task)
    await slow.waiting()
    await using two = await startRunServer({ database_url }, { now: () => Date.now() + longer })
    expect(await two.until('run')).toMatchObject({ status: 'completed', completed_items: 40, total_items: 40 })
    slow.release()
    await atRest(one)
    expect((await one.items('run')).map(({ output }) => output)).toEqual(indexes.map((input) => `${input} by two`))
    expect((await one.send('POST', '/api/v1/runs/run/resume')).status).toBe(200)
    expect(await one.until('run')).toMatchObject({ status: 'completed', completed_items: 40, successful_items: 40 })
  })

  it('stores what it has when it wakes, and leaves the rest to whoever took the run', async () => {
    const { url: database_url } = await createDatabase(inject('postgresUrl'))
    await using one = await startRunServer({ database_url })
    // What comes after the first answer is answered when that is stored, so that its worker knows by then.
    const stored = () => one.until('run', ({ completed_items }) => completed_items > 0)
    const slow = await startSlow(2, stored)
    await using task = slow.task
    await make(one, task, { concurrency: 1 })
    await slow.waiting(1)
    await using two = await startRunServer({ database_url }, { now: () => Date.now() + longer })
    await slow.waiting(2)
    slow.release(1)
    await atRest(one)
    const { json } = await one.send('GET', '/api/v1/runs/run')
    expect(json).toMatchObject({ status: 'running' })
    expect((await one.items('run')).length).toBeLessThan(20)
    slow.release()
    expect(await two.until('run')).toMatchObject({ status: 'completed', completed_items: 40, successful_items: 40 })
    expect((await two.items('run')).map(({ item_index }) => item_index)).toEqual(indexes)
  })
})

describe('a clock that jumps', () => {
  it.each([
    ['ahead', 3_600_000],
    ['back', -3_600_000],
  ])('%s leaves a run whole, with every item once, and its time no less than 0', async (_where, jump) => {
    let ahead = 0
    const slow = await startSlow(4)
    await using task = slow.task
    await using runs = await startRunServer({}, { now: () => Date.now() + ahead })
    await make(runs, task)
    await slow.waiting()
    ahead = jump
    // It takes its own run anew, where it thinks that nobody holds it.
    if (jump > 0)
      await until(
        async () => task.came.length,
        (count) => count > 4,
      )
    slow.release()
    const ended = await runs.until('run')
    expect(ended).toMatchObject({ status: 'completed', completed_items: 40, successful_items: 40 })
    expect(ended.duration_ms).toBeGreaterThanOrEqual(0)
    expect((await runs.items('run')).map(({ item_index }) => item_index)).toEqual(indexes)
  })
})

describe('a database that is away for a while', () => {
  it('while a run reads its dataset is no end of the dataset', async () => {
    const { url } = await createDatabase(inject('postgresUrl'))
    await using proxy = await startProxy(url)
    let ahead = 0
    const slow = await startSlow(4)
    await using task = slow.task
    await using runs = await startRunServer({ database_url: proxy.url }, { now: () => Date.now() + ahead })
    const many = Array.from({ length: 600 }, (_, input) => ({ id: `case-${input}`, input }))
    await make(runs, task, { rows: many })
    await slow.waiting()
    // Once more than a reader tries again by itself.
    const cut = () => proxy.cutNext({ when: 'before', message: 'dataset_rows', answer: '' })
    const first = cut()
    slow.release()
    await first
    await cut()
    ahead += longer
    expect(await runs.until('run')).toMatchObject({ status: 'completed', completed_items: 600, error: null })
    expect(new Set(task.came.map(({ case_id }) => case_id)).size).toBe(600)
  })

  it('holds a run up, and the rest is done when it is back', async () => {
    const { url } = await createDatabase(inject('postgresUrl'))
    await using proxy = await startProxy(url)
    let ahead = 0
    const slow = await startSlow(4)
    await using task = slow.task
    await using runs = await startRunServer({ database_url: proxy.url }, { now: () => Date.now() + ahead })
    await make(runs, task)
    await slow.waiting()
    await proxy.block()
    slow.release()
    await atRest(runs)
    await proxy.unblock()
    ahead += longer
    expect(await runs.until('run')).toMatchObject({ status: 'completed', completed_items: 40, successful_items: 40 })
    expect((await runs.items('run')).map(({ item_index }) => item_index)).toEqual(indexes)
  })
})
