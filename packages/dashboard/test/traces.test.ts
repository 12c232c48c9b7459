import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { eventually, live, openStage, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
  const start = Date.now() - 3_600_000
  await stage.send(
    ...Array.from({ length: 300 }, (_, at) => ({
      trace_id: `trace-${at}`,
      user_query: at % 10 === 0 ? `Where is my refund ${at}?` : `Question number ${at}`,
      model_name: at % 2 === 0 ? 'gpt-4' : 'claude',
      response_time_ms: at,
      cost: at / 1000,
      timestamp: new Date(start + at * 1000).toISOString(),
    })),
  )
  await stage.review('trace-10', { status: 'rejected', reason: 'poor_quality' })
  // The search index follows a little later.
  await vi.waitFor(async () => expect((await stage.list('q=refund&limit=200')).items).toHaveLength(30), 20_000)
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

const row = (page: Page, name: string | RegExp) => page.getByRole('row', { name })

test('filters stand in the address, survive a reload, and can be taken away', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/traces')
  await page.getByRole('searchbox').fill('refund')
  await page.getByLabel('Model').selectOption('gpt-4')
  await page.getByLabel('Status').selectOption('rejected')
  await row(page, /Where is my refund 10\?/).waitFor()
  await eventually(() => Object.fromEntries(new URL(page.url()).searchParams)).toEqual({
    q: 'refund',
    model: 'gpt-4',
    status: 'rejected',
  })
  await eventually(() => page.getByRole('row').count()).toBe(2)

  await page.reload()
  await row(page, /Where is my refund 10\?/).waitFor()
  await eventually(() => page.getByRole('searchbox').inputValue()).toBe('refund')
  await eventually(() => page.getByLabel('Status').inputValue()).toBe('rejected')
  await eventually(() => page.getByRole('row').count()).toBe(2)

  await page.getByRole('button', { name: 'Clear all' }).click()
  await row(page, /Question number 299/).waitFor()
  await eventually(() => new URL(page.url()).search).toBe('')
  expect(problems).toEqual([])
})

test('limits of latency, cost and time are set together, told in words and taken away one by one', async () => {
  const page = await (await stage.profile()).open('/traces')
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByLabel('Latency from, ms').fill('42')
  await page.getByLabel('Latency to, ms').fill('44')
  await page.getByLabel('Cost to, $').fill('0.043')
  await page.getByRole('button', { name: 'Apply' }).click()
  await row(page, /Question number 43/).waitFor()
  await eventually(() => page.getByRole('row').count()).toBe(3)
  await page.getByRole('button', { name: 'Remove the filter cost up to $0.043' }).click()
  await row(page, /Question number 44/).waitFor()
  await eventually(() => new URL(page.url()).search).toBe('?min_latency=42&max_latency=44')
})

test('a filter that matches nothing says so and offers the way back', async () => {
  const page = await (await stage.profile()).open('/traces?q=nothinglikethis')
  await page.getByRole('heading', { name: 'No trace matches' }).waitFor()
  await page.getByRole('button', { name: 'Clear all filters' }).click()
  await row(page, /Question number 299/).waitFor()
})

test('a long list is read page by page while only what is visible exists in the document', async () => {
  const page = await (await stage.profile()).open('/traces')
  await row(page, /Question number 299/).waitFor()
  const scroller = page.locator('[data-scroll-restoration-id=traces]')
  const first = row(page, /Where is my refund 0\?/)
  await eventually(async () => {
    await scroller.evaluate((box) => box.scrollTo({ top: box.scrollHeight }))
    return await first.count()
  }).toBe(1)
  await page.getByText('All 300 traces are shown.').waitFor()
  await eventually(() => page.getByRole('row').count()).toBeLessThan(80)
})

test('new matching traces are announced, and shown when asked', async () => {
  const page = await (await stage.profile()).open('/traces?model=new-model')
  await live(page)
  await page.getByRole('heading', { name: 'No trace matches' }).waitFor()
  await stage.send(
    { trace_id: 'announced', model_name: 'new-model', user_query: 'Announced first' },
    { trace_id: 'not-announced', model_name: 'gpt-4' },
  )
  await page.getByRole('button', { name: '1 new', exact: true }).click()
  await row(page, /Announced first/).waitFor()
  await page.locator('[data-new-pill]').waitFor({ state: 'detached' })
})

test('the list is walked by keys, a trace opened with Enter, and the next one is a key away', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/traces?model=claude')
  await row(page, /Question number 299/).waitFor()
  for (const key of ['j', 'ArrowDown', 'j', 'k']) await page.keyboard.press(key)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Question number 297' }).waitFor()
  await page.getByText('2 of 100+').waitFor()
  await page.keyboard.press('j')
  await page.getByRole('heading', { level: 1, name: 'Question number 295' }).waitFor()
  await page.keyboard.press('k')
  await page.keyboard.press('k')
  await page.getByRole('heading', { level: 1, name: 'Question number 299' }).waitFor()
  await page.getByRole('link', { name: 'Traces' }).last().click()
  await eventually(() => new URL(page.url()).search).toBe('?model=claude')
  expect(problems).toEqual([])
})

test('a slash goes to the search, and typing there moves nothing', async () => {
  const page = await (await stage.profile()).open('/traces')
  await row(page, /Question number 299/).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('jjj gt')
  await eventually(() => page.getByRole('searchbox').inputValue()).toBe('jjj gt')
  await eventually(() => new URL(page.url()).search).toBe('?q=jjj+gt')
})

test('everything that matches the filter is exported, as CSV and as JSON Lines', async () => {
  const page = await (await stage.profile()).open('/traces?q=refund')
  await row(page, /Where is my refund 290\?/).waitFor()
  for (const [name, lines] of [
    ['JSON Lines', 30],
    ['CSV', 31],
  ] as const) {
    await page.getByRole('button', { name: 'Export' }).click()
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name }).click()])
    const text = await readFile(await download.path(), 'utf8')
    expect(text.trim().split('\n')).toHaveLength(lines)
    expect(text).toContain('Where is my refund 290?')
  }
})

test('a list that cannot be read says why, and is read again when asked', async () => {
  const page = await (await stage.profile()).open('/settings')
  await page.route('**/api/v1/traces?*', (route) =>
    route.fulfill({
      status: 500,
      contentType: 'application/problem+json',
      json: {
        code: 'internal',
        detail: 'Something went wrong on the server.',
        next: 'See the log.',
        request_id: 'r-1',
      },
    }),
  )
  await page.getByRole('link', { name: 'Traces' }).first().click()
  const trouble = page.getByRole('alert')
  await trouble.getByText('Something went wrong on the server. See the log.').waitFor()
  await trouble.getByText('request r-1').waitFor()
  await page.unroute('**/api/v1/traces?*')
  await page.getByRole('button', { name: 'Try again' }).click()
  await row(page, /Question number 299/).waitFor()
})

test('a deleted trace disappears from the lists of other tabs, and its page says so', async () => {
  await stage.send({ trace_id: 'doomed', user_query: 'Soon gone', model_name: 'doomed-model' })
  const { open } = await stage.profile()
  const [list, watching, page] = [
    await open('/traces?model=doomed-model'),
    await open('/traces/doomed'),
    await open('/traces/doomed'),
  ]
  for (const tab of [list, watching, page]) await live(tab)
  await row(list, /Soon gone/).waitFor()
  await page.getByRole('button', { name: 'More about this trace' }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('The trace was deleted.').waitFor()
  await row(list, /Soon gone/).waitFor({ state: 'detached' })
  await watching.getByRole('heading', { name: 'This trace was deleted' }).waitFor()
})
