import { datasetRow } from '@llm-eval/protocol/dataset-schemas'
import { run } from '@llm-eval/protocol/run-schemas'
import { expect, it } from 'vitest'
import { startRunServer, startTask } from './runs-of-tests.ts'

it('a run over a draft that changes while it is interrupted asks what it did not ask, once, and loses nothing', async () => {
  await using runs = await startRunServer()
  let open = false
  await using task = await startTask(({ case_id: id }) => (open || id === 'a' ? { output: id } : undefined))
  const columns = [{ name: 'id', slug: 'id', type: 'string' }]
  await runs.send('POST', '/api/v1/datasets', { name: 'draft', slug: 'draft', columns })
  const add = async (...ids: string[]) => {
    const { json } = await runs.send('POST', '/api/v1/datasets/draft/rows', { rows: ids.map((id) => ({ id })) })
    return (json as { items: unknown[] }).items.map((row) => datasetRow.parse(row).id)
  }
  const [first] = await add('a', 'b', 'c')
  const body = { name: 'r', dataset: 'draft', metrics_used: ['char-count'], task: { kind: 'http', url: task.url } }
  const made = run.parse((await runs.send('POST', '/api/v1/runs', { ...body, settings: { repetitions: 2 } })).json)
  expect(made).toMatchObject({ dataset_version: null, total_items: 6 })
  await runs.until(made.run_id, ({ completed_items }) => completed_items === 2)
  await runs.send('POST', `/api/v1/runs/${made.run_id}/cancel`)
  expect((await runs.send('DELETE', `/api/v1/datasets/draft/rows/${first}`)).status).toBe(204)
  await add('d')
  open = true
  task.came.length = 0
  await runs.send('POST', `/api/v1/runs/${made.run_id}/resume`)
  expect(await runs.until(made.run_id)).toMatchObject({ status: 'completed', completed_items: 8, total_items: 8 })
  const asked = task.came.map(({ case_id, repetition }) => `${case_id}#${repetition}`).toSorted()
  expect(asked).toEqual(['b#1', 'b#2', 'c#1', 'c#2', 'd#1', 'd#2'])
  const items = await runs.items(made.run_id)
  expect(items.map(({ item_id }) => item_id).toSorted()).toEqual(['a#1', 'a#2', ...asked])
  expect(items.every(({ output, case_id }) => output === case_id)).toBe(true)
})
