import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { endRun, finish, makeRun, sampleItems } from './sample-runs.ts'
import { eventually, live, openStage, type Stage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

const bar = (page: Page) => page.getByRole('progressbar', { name: 'Progress of the run' })
const newest = (page: Page) => page.getByRole('region', { name: 'Newest results' })
const metric = (page: Page, name: string) =>
  page.getByRole('region', { name: 'Metrics' }).getByRole('listitem').filter({ hasText: name })

/** Finishes one item after the other until the page hears of them. Returns the index of the next one. */
async function heard(page: Page, id: string): Promise<number> {
  let next = 0
  await eventually(async () => {
    await finish(stage, id, sampleItems(1, next++))
    return newest(page).getByRole('link').count()
  }).toBeGreaterThan(0)
  return next
}

test('a run that goes on moves by itself: its bar, its means, its newest results, and its end', async () => {
  await makeRun(stage, 'going', { total_items: 1_000 })
  const { open, problems } = await stage.profile()
  const page = await open('/runs/going')
  await page.getByText('It has not begun yet.').or(page.getByText('They appear here as they come.')).waitFor()
  await metric(page, 'correct').getByText('nothing is scored yet').waitFor()
  const next = await heard(page, 'going')
  const some = sampleItems(10, next)
  await finish(stage, 'going', some)
  await eventually(() => bar(page).getAttribute('aria-valuenow')).toBe(String(next + 10))
  await newest(page)
    .getByRole('link', { name: `case-${next + 9}`, exact: true })
    .waitFor()
  const failed = some.find(({ status }) => status === 'failed')?.item_index
  await newest(page).getByText(`No answer after ${failed} s`).waitFor()
  const scored = sampleItems(next + 10).filter(({ status }) => status !== 'failed').length
  await metric(page, 'correct')
    .getByText(`${scored} scored, ${next + 10 - scored} without a score`)
    .waitFor()
  await finish(stage, 'going', sampleItems(990 - next, next + 10))
  await eventually(() => bar(page).getAttribute('aria-valuenow')).toBe('1000')
  await endRun(stage, 'going')
  await page.getByText('Completed', { exact: true }).waitFor()
  await bar(page).waitFor({ state: 'detached' })
  await page.getByRole('region', { name: 'Most frequent errors' }).waitFor()
  expect(problems).toEqual([])
})

test('rows of items that are not finished are there, and filled as they are', async () => {
  await makeRun(stage, 'filling', { total_items: 300 })
  await finish(stage, 'filling', sampleItems(5))
  const page = await (await stage.profile({ viewport: { width: 1_300, height: 800 } })).open('/runs/filling?tab=items')
  const rows = page.getByRole('table', { name: 'Items' })
  await rows.getByRole('row', { name: /case-4/ }).waitFor()
  await rows.getByRole('row', { name: /Item 5\b.*not finished yet/ }).waitFor()
  await rows.getByRole('link', { name: 'Item 5', exact: true }).click()
  await page.getByRole('heading', { name: 'Not finished yet' }).waitFor()
  await finish(stage, 'filling', sampleItems(3, 5))
  await page.getByRole('region', { name: 'Item 5' }).getByText('question 5', { exact: true }).waitFor()
  await rows.getByRole('row', { name: /case-7/ }).waitFor()
})

test('after the server was away the page goes on where it was, without a reload, and misses nothing', async () => {
  await makeRun(stage, 'cut', { total_items: 1_000 })
  const page = await (await stage.profile()).open('/runs/cut')
  const next = await heard(page, 'cut')
  await stage.stopServer()
  await page.locator('[data-link-state=waiting]').waitFor()
  await stage.startAgain()
  // What is finished before the page is back is told when it is.
  for (const index of [next, next + 1, next + 2, next + 3]) await finish(stage, 'cut', sampleItems(1, index))
  await eventually(() => bar(page).getAttribute('aria-valuenow')).toBe(String(next + 4))
  await eventually(() => newest(page).getByRole('link').first().innerText()).toBe(`case-${next + 3}`)
  const told = await newest(page).getByRole('link').allInnerTexts()
  expect(told.length).toBeGreaterThan(4)
  expect(told).toEqual(told.map((_, at) => `case-${next + 3 - at}`))
})

test('a thousand results at once are drawn in a moment, and no more of them are kept than are shown', async () => {
  await makeRun(stage, 'fast', { total_items: 3_000 })
  const page = await (await stage.profile()).open('/runs/fast')
  await page.getByText('They appear here as they come.').or(page.getByText('It has not begun yet.')).waitFor()
  await page.evaluate(() => {
    const counted = globalThis as { changes?: number }
    counted.changes = 0
    new MutationObserver(() => (counted.changes = (counted.changes ?? 0) + 1)).observe(document.body, {
      subtree: true,
      childList: true,
    })
  })
  await finish(stage, 'fast', sampleItems(3_000))
  await eventually(() => bar(page).getAttribute('aria-valuenow')).toBe('3000')
  expect(await newest(page).getByRole('listitem').count()).toBeLessThanOrEqual(12)
  // One picture for many results, and not one for each.
  expect(await page.evaluate(() => (globalThis as { changes?: number }).changes)).toBeLessThan(1_500)
})

test('a run that is looked for before it is made appears when it is', async () => {
  const page = await (await stage.profile()).open('/runs/to-come')
  await page.getByRole('heading', { name: 'There is no such run' }).waitFor()
  await makeRun(stage, 'to-come', { name: 'Made later' })
  await page.getByRole('heading', { level: 1, name: 'Made later' }).waitFor()
})

test('a run that is deleted while somebody looks at it says so, also who comes later', async () => {
  await makeRun(stage, 'doomed')
  await finish(stage, 'doomed', sampleItems(3))
  const { open } = await stage.profile()
  const page = await open('/runs/doomed')
  await page.getByRole('heading', { level: 1, name: 'doomed' }).waitFor()
  await live(page)
  await stage.call('DELETE', '/api/v1/runs/doomed')
  await page.getByText('It was deleted while you looked at it, with all of its items.').waitFor()
  const later = await open('/runs/doomed')
  await later.getByRole('heading', { name: 'This run was deleted' }).waitFor()
})
