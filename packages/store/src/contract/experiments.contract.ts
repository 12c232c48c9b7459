import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { NewExecution } from '../evaluation.ts'
import { now, type Room } from './room.contract.ts'

function startRun(r: Room, slug = 'exp', id = `run-${randomUUID()}`) {
  const run = { id, datasetId: 'ds_1', datasetVersion: 'v1', evaluators: ['exact-match', 'b'], metadata: '{"k":1}' }
  return r.apply({
    kind: 'startExperimentRun',
    experimentId: `exp-${randomUUID()}`,
    slug,
    metadata: '{}',
    run,
    at: now,
  })
}

const task = (runId: string, id = `task-${randomUUID()}`) => ({
  id,
  runId,
  input: '{"q":1}',
  output: '{"a":"é"}',
  error: null,
})

/** Runs of foreign clients, whose tasks they execute themselves. */
export function experimentsContract(room: () => Promise<Room>): void {
  describe('experiments', () => {
    test('the first run makes the experiment, and every call makes a run of it', async () => {
      const r = await room()
      const first = await startRun(r)
      const second = await startRun(r)
      expect(second.experiment).toEqual(first.experiment)
      expect(second.run.id).not.toBe(first.run.id)
      expect(await r.read('experiment', { key: 'exp' })).toEqual(first.experiment)
      expect(await r.read('experiment', { key: first.experiment.id })).toMatchObject({ slug: 'exp', createdAt: now })
      expect(await r.read('experimentRun', { id: first.run.id })).toEqual(first.run)
      expect([await r.read('experimentRun', { id: 'none' }), await r.read('experiment', { key: 'none' })]).toEqual([
        null,
        null,
      ])
      const other = await room()
      expect(await other.read('experimentRun', { id: first.run.id })).toBeNull()
      expect(await other.read('experiment', { key: 'exp' })).toBeNull()
    })

    test('of many that make one experiment at once, one does', async () => {
      const r = await room()
      const all = await Promise.all(Array.from({ length: 10 }, () => startRun(r, 'same')))
      expect(new Set(all.map(({ experiment }) => experiment.id)).size).toBe(1)
      expect(new Set(all.map(({ run }) => run.id)).size).toBe(10)
    })

    test('tasks come in the order in which they were added, page by page, and only to a run that exists', async () => {
      const r = await room()
      const { run } = await startRun(r)
      const tasks = Array.from({ length: 7 }, (_, n) => task(run.id, `task-${n}`))
      const failed = { ...task(run.id), output: null, error: 'boom' }
      expect(await r.apply({ kind: 'addTasks', tasks: [...tasks, failed], at: now })).toEqual({ result: 'ok' })
      const refused = await r.apply({ kind: 'addTasks', tasks: [task(run.id), task('none')], at: now })
      expect(refused).toEqual({ result: 'run_not_found' })
      const first = await r.read('tasks', { runId: run.id, limit: 5, after: null })
      const rest = await r.read('tasks', { runId: run.id, limit: 5, after: first.at(-1)?.task.id ?? '' })
      expect([...first, ...rest].map((item) => item.task)).toEqual(
        [...tasks, failed].map((item) => ({ ...item, createdAt: now })),
      )
      const other = await room()
      expect(await other.read('tasks', { runId: run.id, limit: 5, after: null })).toEqual([])
      expect(await r.read('task', { id: failed.id })).toEqual({ ...failed, createdAt: now })
      expect(await r.read('task', { id: 'none' })).toBeNull()
      expect(await other.read('task', { id: failed.id })).toBeNull()
    })

    test('a task is told with its executions', async () => {
      const r = await room()
      const { run } = await startRun(r)
      const [one, two] = [task(run.id), task(run.id)]
      await r.apply({ kind: 'addTasks', tasks: [one, two], at: now })
      const execution = (id: string): NewExecution => ({
        id,
        evaluator: 'exact-match',
        version: 'v',
        input: '{}',
        config: null,
        traceId: null,
        ruleId: null,
        batchId: null,
        taskId: one.id,
      })
      const [first, second] = [randomUUID(), randomUUID()]
      const executions = [execution(first), execution(second)]
      await r.apply({ kind: 'startExecutions', executions, owner: 'me', at: now, leaseMs: 1_000 })
      const told = await r.read('tasks', { runId: run.id, limit: 5, after: null })
      expect(told.map((item) => item.executions)).toEqual([
        [first, second].map((id) => ({ id, evaluator: 'exact-match', status: 'running', score: null, error: null })),
        [],
      ])
    })

    test('annotations of a task are told newest first, all or of one entity', async () => {
      const r = await room()
      const add = (id: string, entity: string) =>
        r.apply({ kind: 'addAnnotation', id, task: 'thumbs', entity, data: '{"up":true}', at: now })
      await add('one', 'chat-1')
      await add('two', 'chat-2')
      await add('three', 'chat-1')
      const told = async (entity: string | null, limit = 10) =>
        (await r.read('annotations', { task: 'thumbs', entity, limit })).map(({ id }) => id)
      expect(await told(null)).toEqual(['three', 'two', 'one'])
      expect(await told(null, 1)).toEqual(['three'])
      expect(await told('chat-1')).toEqual(['three', 'one'])
      expect(await r.read('annotations', { task: 'thumbs', entity: 'chat-2', limit: 1 })).toEqual([
        { id: 'two', entity: 'chat-2', data: '{"up":true}', at: now },
      ])
      expect(await r.read('annotations', { task: 'other', entity: null, limit: 1 })).toEqual([])
      expect(await (await room()).read('annotations', { task: 'thumbs', entity: null, limit: 1 })).toEqual([])
    })
  })
}
