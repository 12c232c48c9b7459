import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually, live, openStage, type Stage } from './stage.ts'

const adminKey = `llmeval_${'operators-own-key-'.repeat(2)}`
let stage: Stage

beforeAll(async () => {
  stage = await openStage({ admin_key: adminKey })
  await stage.send({ trace_id: 'kept', user_query: 'Only for those with a key' })
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

test('whoever has no key is asked for one, and then taken where they wanted to go', async () => {
  const { open } = await stage.profile()
  const page = await open('/traces?model=gpt-4')
  await page.getByRole('heading', { name: 'Sign in to llm-eval' }).waitFor()
  const field = page.getByLabel('API key')
  await field.fill('llmeval_wrong')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page
    .getByRole('alert')
    .getByText(/unknown, revoked or expired/)
    .waitFor()

  await field.fill(adminKey)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('row', { name: /Only for those with a key/ }).waitFor()
  await eventually(() => new URL(page.url()).pathname + new URL(page.url()).search).toBe('/traces?model=gpt-4')
  await live(page)
  // The key itself is nowhere in the page's reach.
  const reach = await page.evaluate(() =>
    JSON.stringify([document.cookie, Object.entries(localStorage), Object.entries(sessionStorage)]),
  )
  expect(reach).not.toContain(adminKey)
})

test.each(['//example.com/', '/\\example.com', 'https://example.com/', 'javascript:alert(1)'])(
  'nobody is sent to %s after signing in',
  async (next) => {
    const { open, problems } = await stage.profile()
    const page = await open(`/signin?next=${encodeURIComponent(next)}`)
    await page.getByLabel('API key').fill(adminKey)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Sign in to llm-eval' }).waitFor({ state: 'detached' })
    expect(new URL(page.url()).origin).toBe(stage.url)
    expect(problems).toEqual([])
  },
)

test('who signs in for another project sees it in every tab, and nothing of the one before', async () => {
  const made = await stage.call('POST', '/api/v1/keys', {
    name: 'Others',
    scopes: ['read', 'ingest'],
    project: 'other',
  })
  const key = String(Object.entries(made ?? {}).find(([name]) => name === 'key')?.[1])
  const { context, open } = await stage.profile()
  const page = await open('/signin?next=/traces')
  await page.getByLabel('API key').fill(adminKey)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('row', { name: /Only for those with a key/ }).waitFor()
  await live(page)
  // The journal of the other project goes on beyond the place where this one stands.
  for (let count = 0; count < 20; count++) {
    const query = `Of others ${count}`
    const body = { trace_id: query, user_query: query, model_name: 'm', ai_response: 'a' }
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
    const answer = await fetch(`${stage.url}/webhook/trace`, { method: 'POST', headers, body: JSON.stringify(body) })
    expect(answer.status).toBe(200)
  }
  const second = await context.newPage()
  await second.goto(`${stage.url}/signin?next=/conversations`)
  await second.getByLabel('API key').fill(key)
  await second.getByRole('button', { name: 'Sign in' }).click()
  await second.getByRole('heading', { name: 'No conversations yet' }).waitFor()
  await page.getByRole('row', { name: /Of others 19/ }).waitFor()
  expect(await page.getByRole('row', { name: /Only for those with a key/ }).count()).toBe(0)
})

test('a key is made, shown once, used by somebody who may only read, and revoked', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/signin?next=/settings')
  await page.getByLabel('API key').fill(adminKey)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'New key' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Reader')
  await dialog.getByRole('checkbox', { name: /ingest/ }).uncheck()
  await dialog.getByRole('checkbox', { name: /read/ }).check()
  await dialog.getByLabel('Expires').selectOption('30')
  await dialog.getByRole('button', { name: 'Make the key' }).click()
  const key = await page.locator('[data-new-key]').innerText()
  await page.getByRole('button', { name: 'I have it' }).click()
  const row = page.getByRole('list', { name: 'API keys' }).getByRole('listitem').filter({ hasText: 'Reader' }).first()
  await row.getByText(/never used/).waitFor()
  expect(await page.content()).not.toContain(key)

  const reader = await (await stage.profile()).open('/signin?next=/traces/kept')
  await reader.getByLabel('API key').fill(key)
  await reader.getByRole('button', { name: 'Sign in' }).click()
  await reader.getByText('This key may read, but not decide.', { exact: false }).waitFor()
  expect(await reader.getByRole('button', { name: 'Accept' }).count()).toBe(0)
  await reader.getByRole('link', { name: 'Settings' }).first().click()
  await reader.getByText('Only a key with the scope admin may see and change the keys.').waitFor()

  await row.getByRole('button', { name: 'Revoke Reader' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await row.getByText(/revoked/).waitFor()
  await reader.getByRole('link', { name: 'Traces' }).first().click()
  await reader.getByRole('heading', { name: 'Sign in to llm-eval' }).waitFor()
  expect(problems.filter((problem) => !problem.includes('401'))).toEqual([])
})

test('signing out ends the session in every tab, and signing in again lets every tab go on', async () => {
  const { open } = await stage.profile()
  const page = await open('/signin?next=/settings')
  await page.getByLabel('API key').fill(adminKey)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
  const other = await open('/traces')
  await live(other)
  await page.getByRole('button', { name: 'Sign out' }).click()
  for (const tab of [page, other]) await tab.getByRole('heading', { name: 'Sign in to llm-eval' }).waitFor()

  await page.getByLabel('API key').fill(adminKey)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await other.getByRole('row', { name: /Only for those with a key/ }).waitFor()
})

test('the link that a new server prints signs in once', async () => {
  // A name of this machine that is not one of the well-known ones: such a server asks for a key from its first start on.
  const fresh = await openStage({ host: '127.1' })
  try {
    const link = fresh.server.signInUrl ?? ''
    const { open } = await fresh.profile()
    const path = new URL(link).pathname + new URL(link).search
    const page = await open(path)
    await page.getByRole('heading', { name: 'Send your first trace' }).waitFor()
    await eventually(() => new URL(page.url()).search).toBe('')
    await eventually(() => page.getByLabel('the curl command').innerText()).toContain('Authorization: Bearer')

    const second = await (await fresh.profile()).open(path)
    await second
      .getByRole('alert')
      .getByText(/unknown, used or expired/)
      .waitFor()
  } finally {
    await fresh.close()
  }
})
