import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clientOf, startTask } from '../runs-of-tests.ts'
import { until } from './audit.ts'
import { startServerProcess } from './server-process.ts'

let data: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'llm-eval-runs-'))
})
afterEach(() => rm(data, { recursive: true, force: true }))

const config = { allow_private_evaluators: true }
const rows = Array.from({ length: 60 }, (_, n) => ({ id: `case-${n}`, input: n, expected: n }))

describe('a run of a server that is killed', () => {
  it('goes on under the next one with what is missing, and has every item once', { timeout: 180_000 }, async () => {
    let open = false
    const held: (() => void)[] = []
    await using task = await startTask(({ input }, reply) => {
      const answer = () => reply.end(JSON.stringify({ output: input, cost: 0.25 }))
      if (open || Number(input) < 30) answer()
      else held.push(answer)
      return undefined
    })
    const first = await startServerProcess({ data, config })
    const before = clientOf(first.url)
    await before.dataset('cases', rows)
    const made = { run_id: 'killed', name: 'r', dataset: 'cases', metrics_used: ['exact-match'] }
    await before.send('POST', '/api/v1/runs', {
      ...made,
      task: { kind: 'http', url: task.url },
      settings: { concurrency: 4 },
    })
    await before.until('killed', ({ completed_items }) => completed_items === 30)
    await until(
      async () => held.length,
      (count) => count === 4,
    )
    await first.kill()

    open = true
    const second = await startServerProcess({ data, config })
    const after = clientOf(second.url)
    const ended = await after.until('killed')
    expect(ended).toMatchObject({
      status: 'completed',
      completed_items: 60,
      successful_items: 60,
      cost: 15,
      metrics: { 'exact-match': { n: 60, mean: 1 } },
    })
    const items = await after.items('killed')
    expect(items.map(({ item_index }) => item_index)).toEqual(rows.map(({ input }) => input))
    // Those that were finished are not asked again; those in flight are.
    expect(task.came).toHaveLength(64)
    expect(await second.stop()).toBe(0)
  })

  it('is let go of by one that is stopped in good order, and taken up at once', { timeout: 180_000 }, async () => {
    let open = false
    await using task = await startTask(({ input }) => (open || Number(input) < 10 ? { output: input } : undefined))
    const first = await startServerProcess({ data, config })
    const before = clientOf(first.url)
    await before.dataset('cases', rows)
    const made = { run_id: 'stopped', name: 'r', dataset: 'cases', metrics_used: ['exact-match'] }
    await before.send('POST', '/api/v1/runs', { ...made, task: { kind: 'http', url: task.url } })
    await before.until('stopped', ({ completed_items }) => completed_items === 10)
    expect(await first.stop()).toBe(0)
    open = true
    const second = await startServerProcess({ data, config })
    expect(await clientOf(second.url).until('stopped')).toMatchObject({ status: 'completed', completed_items: 60 })
    expect(await second.stop()).toBe(0)
  })
})
