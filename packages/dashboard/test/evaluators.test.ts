import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { says, startProvider } from '../../engine/test/provider.ts'
import { eventually, live, openStage, type Stage } from './stage.ts'

let stage: Stage
let provider: Awaited<ReturnType<typeof startProvider>>

beforeAll(async () => {
  provider = await startProvider({
    answer: () => says({ choice: 'polite', reason: 'It says please.' }, { usage: { input: 100, output: 20 } }),
  })
  stage = await openStage({
    providers: { local: { api: 'openai', base_url: provider.base('openai'), api_key: 'none', models: [] } },
    default_model: 'local/judge-1',
  })
})
afterEach(() => stage.clear())
afterAll(async () => {
  await stage.close()
  await provider.close()
})

test('the catalogue is filtered by words and kinds, which stand in the address', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/evaluators')
  await page.getByRole('link', { name: 'Exact match' }).waitFor()
  await page.getByRole('searchbox', { name: 'Search evaluators' }).fill('rouge')
  await page.getByLabel('Kind').selectOption('code')
  await eventually(() => page.getByRole('list', { name: 'Evaluators' }).getByRole('link').allInnerTexts()).toEqual([
    'ADK response match',
    'ROUGE-1',
    'ROUGE-2',
    'ROUGE-L',
    'ROUGE-Lsum',
  ])
  await eventually(() => new URL(page.url()).search).toBe('?q=rouge&kind=code')
  await page.reload()
  await eventually(() => page.getByRole('list', { name: 'Evaluators' }).getByRole('link').count()).toBe(5)
  expect(problems).toEqual([])
})

test('an evaluator is tried in a form made of its schemas, and tells what is wrong with the input', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/evaluators/json-valid')
  const result = page.getByRole('region', { name: 'Result' })
  await page.getByLabel('text', { exact: true }).fill('{"a": 1}')
  await page.getByRole('button', { name: 'Evaluate' }).click()
  await result.getByText('passed').waitFor({ state: 'attached' })
  await page.getByLabel('text', { exact: true }).fill('{"a": 1')
  await page.getByRole('button', { name: 'Evaluate' }).click()
  await result.getByText('failed').waitFor({ state: 'attached' })
  expect(problems).toEqual([])
})

test('a judge of one’s own is made, tried with live result and cost, and versioned', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/evaluators')
  await page.getByRole('button', { name: 'New evaluator' }).click()
  await page.getByLabel('Slug').fill('polite-answer')
  await page.getByLabel('Name (optional)').fill('A polite answer')
  await page.getByRole('button', { name: 'Create' }).click()
  await page.getByRole('heading', { level: 1, name: 'A polite answer' }).waitFor()
  await page.getByLabel('query', { exact: true }).fill('May I?')
  await page.getByLabel('response', { exact: true }).fill('Please do.')
  await page.getByRole('button', { name: 'Evaluate' }).click()
  const result = page.getByRole('region', { name: 'Result' })
  await result.getByRole('paragraph').filter({ hasText: 'It says please.' }).waitFor()
  await result.getByText('100 tokens in, 20 out').waitFor()
  await page.getByRole('list', { name: 'Versions' }).getByRole('listitem').waitFor()
  expect(problems).toEqual([])
})

test('a score asked for elsewhere appears on the open page of its trace and in its row', async () => {
  await stage.send({ trace_id: 'scored', ai_response: 'Yes, please.' })
  const { open, problems } = await stage.profile()
  const [page, list] = [await open('/traces/scored'), await open('/traces?columns=contains,word-count')]
  await live(page)
  await live(list)
  await page.getByText('No evaluator has looked at this trace yet.').waitFor()
  const evaluators = [{ slug: 'contains', config: { values: ['please'] } }, { slug: 'rouge-l' }]
  await stage.call('POST', '/api/v1/traces/scored/evaluate', { evaluators })
  const scores = page.getByRole('list', { name: 'Scores of the trace' })
  await scores.getByRole('listitem').filter({ hasText: 'contains' }).getByText('passed').waitFor({ state: 'attached' })
  // A reference is missing: that is no zero.
  await scores.getByRole('listitem').filter({ hasText: 'rouge-l' }).getByText('skipped').waitFor()
  await list.getByRole('row').filter({ hasText: 'Yes, please.' }).getByText('passed').waitFor({ state: 'attached' })

  await page.getByRole('button', { name: 'Evaluate…' }).click()
  await page.getByRole('checkbox', { name: 'Word count' }).first().check()
  await page.getByRole('dialog').getByRole('button', { name: 'Evaluate' }).click()
  await scores.getByRole('listitem').filter({ hasText: 'word-count' }).waitFor()
  expect(problems).toEqual([])
})

test('traces are found by what an evaluator said, with columns that stand in the address', async () => {
  await stage.send({ trace_id: 'short', ai_response: 'No.' }, { trace_id: 'long', ai_response: 'Certainly not today.' })
  const evaluators = [{ slug: 'word-count' }]
  for (const id of ['short', 'long'])
    await stage.call('POST', `/api/v1/traces/${id}/evaluate`, { evaluators, wait: 30 })
  const { open, problems } = await stage.profile()
  const page = await open('/traces')
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByLabel('Evaluator', { exact: true }).fill('word-count')
  await page.getByLabel('Score to').fill('2')
  await page.getByLabel('Score columns').fill('word-count')
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.getByRole('columnheader', { name: 'word-count' }).waitFor()
  await page.getByRole('row').filter({ hasText: 'No.' }).waitFor()
  await eventually(() => page.getByRole('row').filter({ hasText: 'Certainly' }).count()).toBe(0)
  await eventually(() => new URL(page.url()).search).toContain('columns=word-count')
  await page.getByRole('button', { name: 'Remove the filter word-count, score up to 2' }).click()
  await page.getByRole('row').filter({ hasText: 'Certainly' }).waitFor()
  await page.getByRole('columnheader', { name: 'word-count' }).waitFor()
  expect(problems).toEqual([])
})

test('an evaluator is measured against people, with its errors linked to their traces', async () => {
  for (const at of [0, 1, 2, 3, 4, 5]) {
    await stage.send({ trace_id: `judged-${at}`, ai_response: at < 3 ? 'yes please' : 'no' })
    const evaluators = [{ slug: 'starts-with', config: { values: ['yes'] } }]
    await stage.call('POST', `/api/v1/traces/judged-${at}/evaluate`, { evaluators, wait: 30 })
    const rejected = { status: 'rejected', reason: 'other' }
    await stage.review(`judged-${at}`, at === 0 || at > 3 ? rejected : { status: 'accepted' })
  }
  await stage.call('POST', '/api/v1/evaluators', {
    slug: 'says-yes',
    definition: { kind: 'preset', base: 'starts-with', config: { values: ['yes'] } },
  })
  for (const at of [0, 1, 2, 3, 4, 5])
    await stage.call('POST', `/api/v1/traces/judged-${at}/evaluate`, { evaluators: [{ slug: 'says-yes' }], wait: 30 })
  const { open, problems } = await stage.profile()
  const page = await open('/evaluators/says-yes')
  await page.getByText('It was never measured.').waitFor()
  await page.getByRole('button', { name: 'Measure' }).click()
  const table = page.getByRole('table', { name: 'Confusion matrix' })
  await eventually(() => table.getByRole('cell').allInnerTexts()).toEqual(['', '2', '1', '1', '2'])
  await page.getByRole('region', { name: 'It passed, people rejected' }).getByRole('link', { name: 'judged-0' }).click()
  await page.getByRole('list', { name: 'Scores of the trace' }).waitFor()
  expect(problems).toEqual([])
})

test('a rule is made, turned off and deleted', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/evaluators?view=rules')
  await page.getByRole('heading', { name: 'No rules yet' }).waitFor()
  await page.getByRole('button', { name: 'New rule' }).click()
  await page.getByLabel('Name').fill('All of gpt-4')
  await page.getByLabel('Evaluators (slugs)').fill('word-count')
  await page.getByLabel('Model (any if empty)').fill('gpt-4')
  await page.getByRole('button', { name: 'Create' }).click()
  const row = page.getByRole('list', { name: 'Rules' }).getByRole('listitem')
  await row.getByText('100.0 % of model gpt-4 · word-count').waitFor()
  await stage.send({ trace_id: 'by-rule' })
  await eventually(async () => (await stage.trace('by-rule')).scores.map(({ evaluator }) => evaluator)).toEqual([
    'word-count',
  ])
  await row.getByRole('button', { name: 'On' }).click()
  await row.getByRole('button', { name: 'Off' }).waitFor()
  await row.getByRole('button', { name: 'Delete All of gpt-4' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('heading', { name: 'No rules yet' }).waitFor()
  expect(problems).toEqual([])
})
