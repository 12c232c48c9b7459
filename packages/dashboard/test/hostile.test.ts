import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { overflow } from './outlook.ts'
import { eventually, live, openStage, type Stage } from './stage.ts'

let stage: Stage

const tag = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
const backwards = '\u202Ereversed \u2066isolated \u200F'
const hostile = {
  trace_id: `hostile/${tag}?#%`,
  user_query: tag,
  ai_response: `${tag}\n\`\`\`html\n${tag}\n\`\`\`\n[link](javascript:alert(3)) ${backwards}`,
  system_prompt: tag,
  model_name: `m${tag}`,
  source: `s${tag}`,
  session_id: `<b>${tag}`,
  user_id: `"'><svg onload=alert(4)>`,
  functions_called: [
    { name: tag, parameters: { [tag]: tag }, result: { constructor: { prototype: { polluted: true } } } },
  ],
  metadata: JSON.parse(
    `{"__proto__":{"polluted":true},"toString":"x","${backwards}":1,"hasOwnProperty":null,"":2}`,
  ) as object,
}

beforeAll(async () => {
  stage = await openStage()
  await stage.send(
    hostile,
    { ...hostile, trace_id: 'pending', timestamp: '2030-01-01T00:00:00Z' },
    {
      trace_id: 'long-line',
      user_query: 'A'.repeat(100_000),
      ai_response: `${'W'.repeat(100_000)} ${'😀'.repeat(2_000)}`,
      metadata: {
        long: 'z'.repeat(100_000),
        many: Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`key ${at}`, at])),
      },
    },
  )
  await stage.review(hostile.trace_id, { status: 'rejected', reason: 'other', note: tag, reviewer: tag.slice(0, 60) })
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

const address = `/traces/${encodeURIComponent(hostile.trace_id)}`

test('markup, scripts and strange keys in a trace are shown as the text they are, on every page', async () => {
  const { open, problems } = await stage.profile({ viewport: { width: 1_000, height: 700 } })
  for (const path of ['/', '/traces', address, `${address}?tab=functions`, `${address}?tab=metadata`, '/review']) {
    const page = await open(path)
    await live(page)
    await page.locator('main').getByText('onerror').filter({ visible: true }).first().waitFor()
    expect(await page.locator('img[src=x]').count()).toBe(0)
    expect(await page.locator('main script, main a[href^="javascript:"], svg[onload]').count()).toBe(0)
    expect(await page.evaluate(() => Reflect.get({}, 'polluted') as unknown)).toBeUndefined()
    expect(await overflow(page)).toBe(0)
  }
  expect(problems).toEqual([])
})

test('keys that every object has are shown like any other key', async () => {
  const page = await (await stage.profile()).open(`${address}?tab=metadata`)
  const tree = page.getByRole('list', { name: 'metadata' })
  for (const key of ['__proto__', 'polluted', 'toString', 'hasOwnProperty'])
    await tree.getByText(key, { exact: true }).waitFor()
})

test('a trace whose texts run backwards does not turn around what stands beside them', async () => {
  const page = await (await stage.profile()).open(address)
  const heading = page.getByRole('heading', { level: 2, name: 'Verdict' })
  await heading.waitFor()
  const wide = await page.evaluate(() => getComputedStyle(document.documentElement).direction)
  expect(wide).toBe('ltr')
  for (const text of await page.locator('.foreign, .foreign-block').all()) {
    expect(await text.evaluate((element) => getComputedStyle(element).unicodeBidi)).toMatch(/isolate|plaintext/)
  }
})

test('a line of 100,000 characters is shown in part, wholly when asked, and never makes the page wider', async () => {
  const { open, problems } = await stage.profile({ viewport: { width: 400, height: 800 } })
  const page = await open('/traces/long-line')
  const answer = page.getByRole('article', { name: 'gpt-4' })
  await answer.getByRole('button', { name: /Show all 104K characters/ }).click()
  await eventually(async () => (await answer.innerText()).length).toBeGreaterThan(104_000)
  expect(await overflow(page)).toBe(0)
  expect(problems).toEqual([])
})

test('a big object is drawn a part at a time', async () => {
  const page = await (await stage.profile()).open('/traces/long-line?tab=metadata')
  const tree = page.getByRole('list', { name: 'metadata' })
  await tree.getByText('show all 100K characters').waitFor()
  await tree.getByRole('button', { name: /many.*3000 keys/ }).click()
  await tree.getByText('key 99', { exact: true }).waitFor()
  expect(await tree.getByText('key 100', { exact: true }).count()).toBe(0)
  await tree.getByRole('button', { name: '2900 more' }).click()
  await tree.getByText('key 199', { exact: true }).waitFor()
})
