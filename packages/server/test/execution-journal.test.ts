import type { NewExecution } from '@llm-eval/store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ExecutionJournal, type Watcher } from '../src/judging/journal.ts'
import { openShelf, type Shelf } from './ground.ts'

let shelf: Shelf
beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())

const execution = (id: string): NewExecution => ({
  id,
  evaluator: 'exact-match',
  version: 'v',
  input: null,
  config: null,
  traceId: null,
  ruleId: null,
  batchId: null,
  taskId: null,
})

/** A watcher of one execution, and when it hears of its end. */
function watcherOf(ref: number): { watcher: Watcher; ended: Promise<void> } {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const watcher: Watcher = {
    refs: new Set([ref]),
    onEvent: ({ kind }) => kind === 'execution_ended' && resolve(),
    onLost: () => reject(new Error('the journal was lost')),
  }
  return { watcher, ended: promise }
}

it('who begins to watch in the moment in which the last watcher leaves is told all the same', async () => {
  const { store } = shelf
  const { id: project } = (await store.read(0, 'project', { name: 'default' })) ?? { id: 0 }
  const journal = new ExecutionJournal(store, () => undefined)
  const executions = [execution('exe_1')]
  const start = { kind: 'startExecutions' as const, executions, owner: 'o', at: 1, leaseMs: 1_000 }
  const [ref] = (await store.apply(project, start)).refs
  const { watcher, ended } = watcherOf(ref ?? 0)
  const first = await journal.watch(project, watcherOf(-1).watcher)
  const joining = journal.watch(project, watcher)
  first.stop()
  const second = await joining
  await store.apply(project, { kind: 'cancelExecution', id: 'exe_1', at: 2 })
  await expect(ended).resolves.toBeUndefined()
  second.stop()
  journal.close()
})
