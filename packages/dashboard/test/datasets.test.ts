import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually, openStage, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

test('a dataset is made, filled from a file with some bad rows, published and downloaded', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/datasets')
  await page.getByRole('heading', { name: 'No datasets yet' }).waitFor()
  await page.getByRole('button', { name: 'New dataset' }).click()
  await page.getByLabel('Name').fill('Capital cities')
  await page.getByRole('button', { name: 'Create' }).click()
  await page.getByRole('heading', { level: 1, name: 'Capital cities' }).waitFor()

  await page.getByRole('button', { name: 'Import…' }).first().click()
  const buffer = Buffer.from('question,answer\nFrance?,Paris\nItaly?,Rome,one too many\nSpain?,Madrid\n')
  await page.getByLabel('File of rows').setInputFiles({ name: 'cities.csv', mimeType: 'text/csv', buffer })
  await page.getByText('rows were added').waitFor()
  await page.getByRole('list', { name: 'Refused rows' }).getByText('line 3').waitFor()
  await page.getByRole('button', { name: 'Done' }).click()
  const rows = page.getByRole('table', { name: 'Rows' })
  await rows.getByText('Madrid').waitFor()

  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('Published as v1.').waitFor()
  await page.getByRole('button', { name: 'Edit row 1' }).click()
  await page.getByLabel('answer').fill('Lyon')
  await page.getByRole('button', { name: 'Save' }).click()
  await rows.getByText('Lyon').waitFor()
  await page.getByLabel('Version').selectOption('v1')
  await rows.getByText('Paris').waitFor()
  await eventually(() => new URL(page.url()).search).toBe('?version=v1')

  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()])
  expect(await readFile(await download.path(), 'utf8')).toContain('Paris')
  expect(problems).toEqual([])
})

test('a trace becomes a row, and the row leads back to it', async () => {
  await stage.send({ trace_id: 'mistake', user_query: 'What is two and two?', ai_response: 'Five.' })
  const { open, problems } = await stage.profile()
  const page = await open('/traces/mistake')
  await page.getByRole('button', { name: 'More about this trace' }).click()
  await page.getByRole('menuitem', { name: 'Add to dataset…' }).click()
  await page.getByRole('combobox', { name: 'Dataset' }).selectOption({ label: 'A new one…' })
  await page.getByLabel('Name').fill('Mistakes')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  await page.getByText('Added to mistakes.').waitFor()
  const other = await open('/datasets/mistakes')
  await other.getByText('Five.').waitFor()
  await other.getByRole('link', { name: 'The trace it was made of' }).click()
  await other.getByRole('heading', { level: 1, name: 'What is two and two?' }).waitFor()
  expect(problems).toEqual([])
})

test('a thousand rows are read page by page while only what is visible exists in the document', async () => {
  await stage.call('POST', '/api/v1/datasets', { name: 'Many' })
  for (let part = 0; part < 10; part++) {
    const rows = Array.from({ length: 100 }, (_, at) => ({ question: `Number ${part * 100 + at}` }))
    if (part === 0) await stage.call('POST', '/api/v1/datasets/many/columns', { name: 'question' })
    await stage.call('POST', '/api/v1/datasets/many/rows', { rows })
  }
  const page = await (await stage.profile()).open('/datasets/many')
  const rows = page.getByRole('table', { name: 'Rows' })
  await rows.getByText('Number 0', { exact: true }).waitFor()
  await page.getByText('1,000 rows', { exact: true }).waitFor()
  await eventually(async () => {
    await rows.evaluate((box) => box.scrollTo({ top: box.scrollHeight }))
    return rows.getByText('Number 999', { exact: true }).count()
  }).toBe(1)
  await eventually(() => rows.getByRole('row').count()).toBeLessThan(80)
})
