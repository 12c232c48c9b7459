import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually, live, openStage, type Stage } from './stage.ts'

const adminKey = `llmeval_${'operators-own-key-'.repeat(2)}`
let stage: Stage

beforeAll(async () => {
  stage = await openStage({ admin_key: adminKey })
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

async function addDataset(name: string, answers: readonly string[]): Promise<void> {
  await stage.call('POST', '/api/v1/datasets', { name })
  const slug = name.toLowerCase()
  for (const column of ['question', 'expected', 'answer'])
    await stage.call('POST', `/api/v1/datasets/${slug}/columns`, { name: column })
  const rows = answers.map((answer, at) => ({ question: `Capital number ${at}?`, expected: 'Paris', answer }))
  await stage.call('POST', `/api/v1/datasets/${slug}/rows`, { rows })
  await stage.call('POST', `/api/v1/datasets/${slug}/publish`, {})
}

/** Somebody who signed in, at a place. */
async function signedIn(path: string) {
  const profile = await stage.profile()
  const page = await profile.open(`/signin?next=${encodeURIComponent(path)}`)
  await page.getByLabel('API key').fill(adminKey)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1 }).and(page.getByText(/run/i)).waitFor({ state: 'attached' })
  return { ...profile, page }
}

const pick = (page: Page, label: string, value: string) =>
  page.getByRole('combobox', { name: label, exact: true }).selectOption(value)
const textbox = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true })
const focused = (page: Page) =>
  page.evaluate(() =>
    document.activeElement instanceof HTMLInputElement ? document.activeElement.labels?.[0]?.textContent : '',
  )

test('without a dataset the form says what is needed first', async () => {
  const { page, problems } = await signedIn('/new-run')
  await page.getByRole('heading', { name: 'A run needs a dataset' }).waitFor()
  await page.getByRole('link', { name: 'Make a dataset' }).click()
  await eventually(() => new URL(page.url()).pathname).toBe('/datasets')
  // The sign-in page asks who one is before one has said it.
  expect(problems.filter((problem) => !problem.includes('401'))).toEqual([])
})

test('a run is made in the form, followed live by somebody who signed in, and made again from there', async () => {
  await addDataset('Capitals', ['Paris', 'Rome', 'Paris', 'Paris'])
  const { page, open } = await signedIn('/runs')
  await page.getByRole('heading', { name: 'No runs yet' }).waitFor()
  await live(page)
  const form = await open('/runs')
  await form.getByRole('link', { name: 'New run' }).click()
  await textbox(form, 'Name').fill('From the form')
  await textbox(form, 'Tags (optional)').fill('by-hand')
  // The only dataset there is, is chosen; its first case shows what it is.
  await form.getByText('Capital number 0?').waitFor()
  await form.getByText('4 cases will be asked.').waitFor()
  await pick(form, 'Column with the answers', 'answer')
  await form.getByLabel('Find an evaluator').fill('exact match')
  await form.getByRole('checkbox', { name: /^Exact match/ }).check()
  await form.getByText('Pace and limits').click()
  await form.getByLabel('Repetitions').fill('2')
  await form.getByText('4 cases × 2 = 8 items').waitFor()
  await form.getByRole('button', { name: 'Start' }).click()
  await form.getByRole('heading', { level: 1, name: 'From the form' }).waitFor()
  await form.getByRole('link', { name: 'Run again' }).click()
  await eventually(() => new URL(form.url()).pathname).toBe('/new-run')
  await eventually(() => textbox(form, 'Name').inputValue()).toBe('From the form')

  const row = page.getByRole('row', { name: /From the form/ })
  await row.getByText('Completed').waitFor()
  await row.getByText('Capitals@v1').waitFor()
  await row.getByText(/^0\.75/).waitFor()

  await page.getByRole('button', { name: 'More about From the form' }).click()
  await page.getByRole('menuitem', { name: 'Run again…' }).click()
  await page.getByRole('heading', { level: 1, name: 'Run again' }).waitFor()
  await eventually(() => textbox(page, 'Name').inputValue()).toBe('From the form')
  await eventually(() => page.getByRole('combobox', { name: 'Version' }).inputValue()).toBe('v1')
  await eventually(() => page.getByLabel('Repetitions').inputValue()).toBe('2')
  await textbox(page, 'Name').fill('Once more')
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByRole('heading', { level: 1, name: 'Once more' }).waitFor()
  await eventually(() => stage.call('GET', '/api/v1/runs?search=Once')).toMatchObject({
    items: [{ status: 'completed', total_items: 8, tags: ['by-hand'], metrics_used: [{ evaluator: 'exact-match' }] }],
  })
})

test('what is missing or wrong is said at its field, by the form or by the server, and nothing typed is lost', async () => {
  await addDataset('Rivers', ['Seine'])
  const { page } = await signedIn('/new-run?dataset=rivers')
  await page.getByText('Capital number 0?').waitFor()
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByRole('alert').getByText('3 fields need another look.').waitFor()
  await eventually(() => focused(page)).toBe('Name')
  await page.getByText('Choose at least one.').waitFor()

  await textbox(page, 'Name').fill('Asks nobody')
  await page.getByRole('radio', { name: /^HTTP endpoint/ }).check()
  await textbox(page, 'URL').fill('http://127.0.0.1:9/answer')
  await textbox(page, 'Headers (optional)').fill('authorization: Bearer secret')
  await page
    .getByRole('checkbox', { name: /^Contains/ })
    .first()
    .check()
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByText(/127\.0\.0\.1 is no public address/).waitFor()
  await eventually(() => focused(page)).toBe('URL')

  await page.getByRole('radio', { name: /^Prompt/ }).check()
  await textbox(page, 'Template').fill('Answer {{question}} of {{river}}')
  await page.getByText('No column is called river: nothing would stand there.').waitFor()
  await page.getByText('Answer Capital number 0? of', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByText('needs a provider that is configured').waitFor()
  await eventually(() => focused(page)).toBe('Model (optional)')
  expect(await textbox(page, 'Name').inputValue()).toBe('Asks nobody')
  expect(await stage.call('GET', '/api/v1/runs?search=Asks')).toMatchObject({ items: [] })
})

test('a request that was not answered is sent again as the same run', async () => {
  await addDataset('Mountains', ['Everest'])
  const { page, context } = await signedIn('/new-run?dataset=mountains')
  await page.getByText('Capital number 0?').waitFor()
  await textbox(page, 'Name').fill('Sent twice')
  await pick(page, 'Column with the answers', 'answer')
  await page.getByRole('checkbox', { name: /^Exact match/ }).check()
  const path = /\/api\/v1\/runs$/
  await context.route(path, async (route) => {
    if (route.request().method() !== 'POST') return route.fallback()
    // It arrives; the answer does not.
    await route.fetch()
    await route.abort()
  })
  await page.getByRole('button', { name: 'Start' }).click()
  await page
    .getByRole('alert')
    .getByText(/The server cannot be reached/)
    .waitFor()
  await context.unroute(path)
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByRole('heading', { level: 1, name: 'Sent twice' }).waitFor()
  const { items } = (await stage.call('GET', '/api/v1/runs?search=Sent')) as { items: object[] }
  expect(items).toHaveLength(1)
})
