import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { endRun, finish, makeRun, sampleItems } from './sample-runs.ts'
import { eventually, openStage, type Stage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
  await makeRun(stage, 'sample', { total_items: 70, name: 'A sample', model_name: 'gpt-4o', tags: ['nightly'] })
  await finish(stage, 'sample', sampleItems(70))
  await endRun(stage, 'sample')
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

const items = (page: Page) => page.getByRole('table', { name: 'Items' })
const panel = (page: Page, index: number) => page.getByRole('region', { name: `Item ${index}`, exact: true })
const fact = (page: Page, name: string) =>
  page.locator('header dl > div').filter({ has: page.locator('dt', { hasText: name }) })
const searchOf = (page: Page) => Object.fromEntries(new URL(page.url()).searchParams)
const tab = (page: Page, name: string) => page.getByRole('tab', { name })

test('a run that is over tells its numbers, and what is unknown of them', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/runs/sample')
  await page.getByRole('heading', { level: 1, name: 'A sample' }).waitFor()
  await fact(page, 'Success').getByText('85.7 %').waitFor()
  await fact(page, 'Cost').getByText('$0.063 + unknown').waitFor()
  await fact(page, 'Cost').getByText('unknown of 7 items').waitFor()
  const metrics = page.getByRole('region', { name: 'Metrics' })
  await metrics.getByText('66.7 % passed').waitFor()
  await metrics.getByText('50 scored, 5 skipped, 5 errored, 10 without a score').waitFor()
  await page.getByRole('region', { name: 'Most frequent errors' }).getByText('No answer after … s').first().waitFor()
  expect(problems).toEqual([])
})

test('metrics stand in a table with their intervals, and their distributions in one for who cannot see them', async () => {
  const page = await (await stage.profile()).open('/runs/sample?tab=metrics')
  const table = page.getByRole('table', { name: 'Means with their intervals' })
  const row = table.getByRole('row', { name: /similarity/ })
  await row.getByText(/^0\.\d+ to 0\.\d+$/).waitFor()
  await row.getByText('50 scored, 5 skipped').waitFor()
  await row.getByText('5 errored').waitFor()
  await page.getByRole('table', { name: 'Distribution of similarity' }).getByRole('row').nth(20).waitFor()
  // Of values that are 0 or 1 there are none below the lowest.
  const correct = page
    .getByRole('list', { name: 'Metrics one by one' })
    .getByRole('listitem')
    .filter({ hasText: 'correct' })
  await correct.getByRole('link', { name: 'Lowest scores' }).click()
  await page.getByText('All 20 items are shown.').waitFor()
  await page.goBack()
  await page.getByRole('link', { name: '5 errored' }).click()
  await eventually(() => searchOf(page)).toEqual({ tab: 'items', errored: 'similarity' })
  await items(page)
    .getByRole('row', { name: /case-16/ })
    .waitFor()
  await page.getByText('All 5 items are shown.').waitFor()
})

test('a single score has a mean, and no interval: in all places the same', async () => {
  await makeRun(stage, 'single', { total_items: 1, name: 'Single' })
  const scores = { similarity: { value: 0.25 }, correct: { value: 1, passed: true } }
  await finish(stage, 'single', [{ item_index: 0, scores }])
  await endRun(stage, 'single')
  const page = await (await stage.profile()).open('/runs/single')
  const card = page.getByRole('region', { name: 'Metrics' }).getByRole('listitem').filter({ hasText: 'similarity' })
  await card.getByText('0.25', { exact: true }).waitFor()
  await card.getByText('too few for an interval').waitFor()
  await tab(page, 'Metrics').click()
  const table = page.getByRole('table', { name: 'Means with their intervals' })
  for (const [name, mean] of [
    ['similarity', '0.25'],
    ['correct', '1'],
  ] as const) {
    const row = table.getByRole('row', { name: new RegExp(name) })
    await row.getByRole('cell', { name: mean, exact: true }).waitFor()
    await row.getByText('too few for one').waitFor()
    // A dot, and no whiskers.
    expect(await row.locator('circle').count()).toBe(1)
    expect(await row.locator('g line').count()).toBe(0)
  }
})

test('a run that is over is summed up once, however often the page connects', async () => {
  const { context, open } = await stage.profile()
  const asked: string[] = []
  context.on('request', (request) => asked.push(new URL(request.url()).pathname))
  const page = await open('/runs/sample?tab=metrics')
  await page.getByRole('table', { name: 'Means with their intervals' }).waitFor()
  // The run itself is read again when the socket is there: something may have become of it meanwhile.
  await eventually(() => asked.filter((path) => path === '/api/v1/runs/sample').length).toBeGreaterThan(1)
  await page.getByRole('heading', { level: 3, name: 'similarity' }).waitFor()
  expect(asked.filter((path) => path === '/api/v1/runs/sample/metrics')).toHaveLength(1)
})

test('the tab stands in the address, and so does what is filtered', async () => {
  const page = await (await stage.profile()).open('/runs/sample')
  await tab(page, 'Items').click()
  await eventually(() => searchOf(page)).toEqual({ tab: 'items' })
  await page.getByRole('button', { name: 'failed', exact: true }).click()
  await page.getByText('All 10 items are shown.').waitFor()
  await page.getByLabel('Search', { exact: true }).fill('AFTER 17')
  await page.getByLabel('Search', { exact: true }).press('Enter')
  await page.getByText('One item.').waitFor()
  await eventually(() => searchOf(page)).toEqual({ tab: 'items', status: 'failed', q: 'AFTER 17' })
  await page.getByRole('button', { name: 'Clear', exact: true }).click()
  await page.getByRole('combobox', { name: /^Metric/ }).selectOption('similarity')
  await page.getByLabel('Bound').fill('0.2')
  await page.getByLabel('Bound').press('Enter')
  await eventually(() => searchOf(page)).toEqual({ tab: 'items', metric: 'similarity', below: '0.2' })
  await page.getByRole('combobox', { name: /^Side/ }).selectOption('above')
  await eventually(() => searchOf(page)).toEqual({ tab: 'items', metric: 'similarity', above: '0.2' })
  await page.reload()
  await items(page)
    .getByRole('row', { name: /case-1\b/ })
    .waitFor()
  await page.getByLabel('Search', { exact: true }).fill('nobody says this')
  await page.getByLabel('Search', { exact: true }).press('Enter')
  await page.getByRole('heading', { name: 'No item fits' }).waitFor()
  await page.getByRole('button', { name: 'Clear all filters' }).click()
  await items(page)
    .getByRole('row', { name: /case-0\b/ })
    .waitFor()
})

test('a link to an item opens it, and keys lead on, back and away', async () => {
  const { open, problems } = await stage.profile({ viewport: { width: 1_300, height: 800 } })
  const page = await open('/runs/sample?item=17')
  await panel(page, 17).getByText('No answer after 17 s').waitFor()
  await items(page).locator('[aria-current=true]').getByText('case-17').waitFor()
  await page.keyboard.press('j')
  await panel(page, 18).getByText('question 18', { exact: true }).waitFor()
  await page.keyboard.press('k')
  await page.keyboard.press('k')
  await panel(page, 16).getByText('The provider answered 429 to request 16').waitFor()
  await eventually(() => searchOf(page)).toEqual({ tab: 'items', item: '16' })
  await page.keyboard.press('Escape')
  await eventually(() => searchOf(page)).toEqual({ tab: 'items' })
  await eventually(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
    'Item 16, case-16',
  )
  await page.keyboard.press('j')
  await eventually(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
    'Item 17, case-17',
  )
  await page.keyboard.press('Enter')
  await panel(page, 17).getByText('No answer after 17 s').waitFor()
  expect(problems).toEqual([])
})

test('items of a kind of error are a click away, and keys lead along them', async () => {
  const page = await (await stage.profile({ viewport: { width: 1_300, height: 800 } })).open('/runs/sample?tab=errors')
  const kind = page.getByRole('list', { name: 'Kinds of errors' }).getByRole('listitem').filter({ hasText: 'timeout' })
  await kind.first().getByText('5×').waitFor()
  await kind.first().getByRole('link', { name: 'Show the items' }).click()
  await page.getByText('All 5 items are shown.').waitFor()
  await items(page).getByRole('link', { name: 'Item 10, case-10' }).click()
  await panel(page, 10).getByText('No answer after 10 s').waitFor()
  await page.keyboard.press('j')
  await panel(page, 24).getByText('No answer after 24 s').waitFor()
  await tab(page, 'Errors').click()
  await page.getByRole('link', { name: 'case-16' }).click()
  await panel(page, 16).waitFor()
  await eventually(() => searchOf(page)).toEqual({ tab: 'items', item: '16', errored: 'similarity' })
})

test('an item shows what was expected beside what came, or the difference between them', async () => {
  await makeRun(stage, 'different', { total_items: 2 })
  await finish(stage, 'different', [
    { item_index: 0, expected: 'The capital is Paris.', output: 'The capital is Rome.', trace_id: 'trace-of-it' },
    { item_index: 1, expected: { a: [1, 2] }, output: { a: [1, 3] } },
  ])
  await endRun(stage, 'different')
  const page = await (await stage.profile({ viewport: { width: 1_300, height: 800 } })).open('/runs/different?item=0')
  await panel(page, 0).getByRole('link', { name: 'trace-of-it' }).waitFor()
  await panel(page, 0).getByRole('button', { name: 'difference' }).click()
  const shown = panel(page, 0).getByRole('group', { name: 'Difference' })
  await shown.locator('del', { hasText: 'Paris' }).waitFor()
  await shown.locator('ins', { hasText: 'Rome' }).waitFor()
  await page.keyboard.press('j')
  await panel(page, 1).getByRole('button', { name: 'difference' }).click()
  await panel(page, 1).locator('ins', { hasText: '3' }).waitFor()
})

test('items that user code numbers in its own way are listed one after the other', async () => {
  await makeRun(stage, 'odd', { total_items: 2 })
  await finish(
    stage,
    'odd',
    [3, 70, 9_000].map((index) => ({ item_index: index })),
  )
  await endRun(stage, 'odd')
  const page = await (await stage.profile({ viewport: { width: 1_300, height: 800 } })).open('/runs/odd?tab=items')
  await page.getByText('All 3 items are shown.').waitFor()
  await items(page).getByRole('link', { name: 'Item 70, case-70' }).click()
  await page.keyboard.press('j')
  await panel(page, 9_000).getByText('question 9000', { exact: true }).waitFor()
})

test('any place of a long run is reached at once, with few rows in the document', async () => {
  await makeRun(stage, 'long', { total_items: 1_500 })
  await finish(stage, 'long', sampleItems(1_500))
  await endRun(stage, 'long')
  const page = await (await stage.profile()).open('/runs/long?tab=items')
  await items(page).getByText('case-3', { exact: true }).waitFor()
  await items(page).evaluate((box) => box.scrollTo({ top: box.scrollHeight }))
  await items(page).getByText('case-1499', { exact: true }).waitFor()
  await items(page).evaluate((box) => box.scrollTo({ top: box.scrollHeight / 2 }))
  await items(page).getByText('case-750', { exact: true }).waitFor()
  expect(await items(page).getByRole('row').count()).toBeLessThan(80)
  // A filter reads on as its end comes near.
  await page.goto(`${stage.url}/runs/long?tab=items&status=success`)
  await eventually(async () => {
    await items(page).evaluate((box) => box.scrollTo({ top: box.scrollHeight }))
    return page.getByText('All 1,286 items are shown.').count()
  }).toBe(1)
  expect(await items(page).getByRole('row').count()).toBeLessThan(80)
})
