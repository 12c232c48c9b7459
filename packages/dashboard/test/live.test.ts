import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually, live, openStage, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

test('an empty server teaches how to send a trace, and the first one sent appears without a reload', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/')
  await live(page)
  await page.getByRole('heading', { name: 'Send your first trace' }).waitFor()
  await eventually(() => page.getByLabel('the curl command').innerText()).toContain(`curl ${stage.url}/webhook/trace`)

  await stage.send({ trace_id: 'first', user_query: 'Is anybody there?' })
  await page.getByRole('row', { name: /Is anybody there\?/ }).waitFor()
  await page.getByRole('heading', { name: 'Send your first trace' }).waitFor({ state: 'detached' })
  const columns = page.getByRole('table', { name: 'Newest traces' }).getByRole('columnheader')
  await eventually(() => columns.allInnerTexts()).toEqual(
    expect.arrayContaining(['Status', 'Time', 'Query', 'Response', 'Model', 'Latency', 'Tokens', 'Cost']),
  )
  await page.locator('dl[aria-label=Counters] div', { hasText: 'Traces' }).getByText('1', { exact: true }).waitFor()
  expect(problems).toEqual([])
})

test('what was not measured is a dash in the counters, and a mean says what it goes over', async () => {
  await stage.send({ trace_id: 'measured', response_time_ms: 850, cost: 0.0012 })
  const page = await (await stage.profile()).open('/')
  const counter = (name: string) => page.locator('dl[aria-label=Counters] > div', { hasText: name })
  await counter('Mean latency').getByText('850 ms').waitFor()
  await counter('Mean latency').getByText('over 1 of 2 traces').waitFor()
  await counter('Acceptance rate').getByText('–').waitFor()
  await counter('Acceptance rate').getByText('none decided yet').waitFor()
})

test('an accept in one tab shows in another, in a list and on the page of the trace', async () => {
  const { open, problems } = await stage.profile()
  await stage.send({ trace_id: 'shared', user_query: 'Seen by two' })
  const [list, watching, deciding] = [await open('/'), await open('/traces/shared'), await open('/traces/shared')]
  for (const page of [list, watching, deciding]) await live(page)
  await deciding.getByRole('button', { name: 'Accept' }).click()
  await watching.getByRole('alert').getByText('Somebody else just reviewed this').waitFor()
  await watching.getByRole('list', { name: 'Review history' }).getByText('Accepted').waitFor()
  await list.getByRole('row', { name: /Accepted.*Seen by two/ }).waitFor()
  expect((await stage.trace('shared')).evaluation_status).toBe('accepted')
  expect(problems).toEqual([])
})

test('six tabs share one stream, and the server still answers each of them', async () => {
  const { open, problems } = await stage.profile()
  const pages = await Promise.all(['/', '/traces', '/review', '/settings', '/', '/traces'].map(open))
  for (const page of pages) await live(page)
  await eventually(() => stage.openStreams()).toBe(1)

  for (const page of pages) {
    const total = await page.evaluate(async () => (await fetch('/api/v1/metrics')).status)
    expect(total).toBe(200)
  }
  await stage.send({ trace_id: 'for-six', user_query: 'Heard by six tabs' })
  for (const page of [pages[0], pages[4]]) await page?.getByRole('row', { name: /Heard by six tabs/ }).waitFor()
  for (const page of [pages[1], pages[5]]) await page?.getByRole('button', { name: '1 new', exact: true }).waitFor()
  expect(problems).toEqual([])
})

test('a paused or scrolled tail stands still, counts what waits, and follows again when asked', async () => {
  await stage.send(...Array.from({ length: 60 }, (_, at) => ({ trace_id: `tail-${at}`, user_query: `tail ${at}` })))
  const { open, problems } = await stage.profile()
  const page = await open('/')
  await live(page)
  await page.getByRole('row', { name: /tail 59/ }).waitFor()
  const tail = page.getByRole('region', { name: 'Newest traces' })
  const scroller = tail.locator('.overflow-y-auto')
  await scroller.evaluate((box) => box.scrollTo({ top: 400 }))
  const before = await scroller.evaluate((box) => box.scrollTop)
  const row = tail.getByRole('row', { name: /tail 45/ })
  const place = (await row.boundingBox())?.y

  await stage.send(...[1, 2, 3].map((at) => ({ trace_id: `late-${at}`, user_query: `late ${at}` })))
  await tail.getByRole('button', { name: '3 new' }).waitFor()
  expect(await scroller.evaluate((box) => box.scrollTop)).toBe(before)
  expect((await row.boundingBox())?.y).toBe(place)

  await tail.getByRole('button', { name: '3 new' }).click()
  await tail.getByRole('row', { name: /late 3/ }).waitFor()
  await page.keyboard.press('Space')
  await tail.getByRole('button', { name: 'Follow' }).waitFor()
  expect(problems).toEqual([])
})

test('a server that goes away is shown as lost, and what came while it was away appears when it is back', async () => {
  const { open } = await stage.profile()
  const page = await open('/')
  await live(page)
  await stage.stopServer()
  await page
    .locator('[data-link-state=waiting]')
    .getByText(/Reconnecting in/)
    .first()
    .waitFor()
  await stage.startAgain()
  await stage.send({ trace_id: 'meanwhile', user_query: 'Sent while nobody listened' })
  await live(page)
  await page.getByRole('row', { name: /Sent while nobody listened/ }).waitFor()
})

test('without shared workers the tabs elect one to hold the stream, and another takes over when it is closed', async () => {
  const { context, open, problems } = await stage.profile()
  await context.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedWorker'))
  const [first, second] = [await open('/'), await open('/')]
  await live(first)
  await live(second)
  await eventually(() => stage.openStreams()).toBe(1)
  await stage.send({ trace_id: 'elected', user_query: 'Told by the leader' })
  for (const page of [first, second]) await page.getByRole('row', { name: /Told by the leader/ }).waitFor()

  await first.close()
  await eventually(() => stage.openStreams()).toBe(1)
  await live(second)
  await stage.send({ trace_id: 'inherited', user_query: 'Told by the heir' })
  await second.getByRole('row', { name: /Told by the heir/ }).waitFor()
  expect(problems).toEqual([])
})
