import { readFile } from 'node:fs/promises'
import type { Run } from '@llm-eval/protocol'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { endRun, finish, makeRun, sampleItems } from './sample-runs.ts'
import { eventually, openStage, type Stage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

const runOf = async (id: string) => (await stage.call('GET', `/api/v1/runs/${id}`)) as Run
const header = (page: Page) => page.locator('main header')

async function choose(page: Page, action: string): Promise<void> {
  await page.getByRole('button', { name: 'More about this run' }).click()
  await page.getByRole('menuitem', { name: action }).click()
}

test('a run is renamed, cancelled, resumed, rejected with a note, approved and deleted', async () => {
  await makeRun(stage, 'acted', { total_items: 10 })
  await finish(stage, 'acted', sampleItems(4))
  const { open, problems } = await stage.profile()
  const page = await open('/runs/acted')
  await page.getByRole('button', { name: 'Rename the run' }).click()
  await page.getByLabel('Name', { exact: true }).fill('A better name')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { level: 1, name: 'A better name' }).waitFor()

  await page.getByRole('button', { name: 'Cancel run' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the run' }).click()
  await header(page).getByText('Cancelled', { exact: true }).waitFor()
  await page.getByText('Somebody cancelled it.').waitFor()

  await choose(page, 'Reject…')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Note').fill('Too few items.')
  await dialog.getByLabel('Your name').fill('Ada')
  await dialog.getByRole('button', { name: 'Reject' }).click()
  await header(page).getByText('Rejected', { exact: true }).first().waitFor()
  await header(page).getByText('Too few items.').waitFor()
  expect((await runOf('acted')).approval).toMatchObject({ state: 'rejected', note: 'Too few items.', by: 'Ada' })

  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByText('It waits for its worker.').waitFor()
  await eventually(() => header(page).getByText('Rejected', { exact: true }).count()).toBe(0)
  await finish(stage, 'acted', sampleItems(6, 4))
  await endRun(stage, 'acted')
  await header(page).getByText('Completed', { exact: true }).waitFor()
  await choose(page, 'Approve…')
  await eventually(() => page.getByRole('dialog').getByLabel('Your name').inputValue()).toBe('Ada')
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
  await header(page).getByText('Approved', { exact: true }).first().waitFor()

  await choose(page, 'Delete…')
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await eventually(() => new URL(page.url()).pathname).toBe('/runs')
  // The page may still have asked for the run when it was gone.
  expect(problems.filter((problem) => !problem.includes('410'))).toEqual([])
})

test('the items of a run are downloaded', async () => {
  await makeRun(stage, 'taken', { total_items: 12 })
  await finish(stage, 'taken', sampleItems(12))
  await endRun(stage, 'taken')
  const page = await (await stage.profile()).open('/runs/taken')
  await page.getByRole('button', { name: 'More about this run' }).click()
  const coming = page.waitForEvent('download')
  await page.getByRole('menuitem', { name: 'Export as JSON Lines' }).click()
  const file = await coming
  expect(file.suggestedFilename()).toBe('run-taken.jsonl')
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { item_index: number }).item_index)).toEqual([...lines.keys()])
  expect(lines).toHaveLength(12)
})

test('a run is compared with others over the same dataset, the first chosen as the baseline', async () => {
  for (const [id, dataset] of [
    ['before', 'same'],
    ['after', 'same'],
    ['elsewhere', 'another'],
  ] as const) {
    await makeRun(stage, id, { dataset_name: dataset, total_items: 3 })
    await finish(stage, id, sampleItems(3))
    await endRun(stage, id)
  }
  const page = await (await stage.profile()).open('/runs/after')
  await page.getByRole('button', { name: 'Compare with…' }).click()
  const runs = page.getByRole('dialog').getByRole('list', { name: 'Runs' })
  await runs.getByText('before', { exact: true }).waitFor()
  expect(await runs.getByRole('listitem').count()).toBe(1)
  await runs.getByRole('checkbox', { name: 'before' }).check()
  await runs.getByText('baseline').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'all runs' }).click()
  await runs.getByRole('checkbox', { name: 'elsewhere' }).check()
  await page.getByRole('dialog').getByRole('button', { name: 'Compare' }).click()
  await eventually(() => new URL(page.url()).pathname).toBe('/compare')
  expect(new URL(page.url()).searchParams.get('runs')).toBe('before,elsewhere,after')
})

test('a run that ended early can be resumed, and what user code does is not run again by the server', async () => {
  await makeRun(stage, 'decided', { total_items: 4 })
  await finish(stage, 'decided', sampleItems(2))
  await endRun(stage, 'decided', { stopped_by: 'decided' })
  const page = await (await stage.profile()).open('/runs/decided')
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByText('It waits for its worker.').waitFor()
  expect(await page.getByRole('link', { name: 'Run again' }).count()).toBe(0)
})
