import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page, WebSocket } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { endRun, finish, makeRun, sampleItems } from './sample-runs.ts'
import { eventually, live, openStage, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
  await stage.call('POST', '/api/v1/datasets', { name: 'Questions' })
  for (const name of ['question', 'expected', 'answer'])
    await stage.call('POST', '/api/v1/datasets/questions/columns', { name })
  const rows = Array.from({ length: 50 }, (_, at) => {
    return { question: `Number ${at}?`, expected: `${at}`, answer: at % 5 === 0 ? 'none' : `${at}` }
  })
  await stage.call('POST', '/api/v1/datasets/questions/rows', { rows })
})
beforeEach(async () => {
  const { items } = (await stage.call('GET', '/api/v1/runs?limit=200')) as { items: { run_id: string }[] }
  for (const { run_id: id } of items) await stage.call('DELETE', `/api/v1/runs/${id}`)
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

/** Ids are never used again, so each test has its own. */
let made = 0
const newId = (): string => `run-${made++}-of-many`

const rowOf = (page: Page, name: string) => page.getByRole('row', { name: `Choose ${name}`, exact: false })
const barOf = (page: Page, name: string) => page.getByRole('progressbar', { name: `Progress of ${name}` })
const doneOf = (page: Page, name: string) => barOf(page, name).getAttribute('aria-valuenow')
const names = (page: Page) =>
  page
    .getByRole('table', { name: 'Runs' })
    .getByRole('checkbox')
    .evaluateAll((boxes) => boxes.map((box) => box.ariaLabel))

/** What one can do with a run. */
async function choose(page: Page, run: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `More about ${run}` }).click()
  await page.getByRole('menuitem', { name: action }).click()
}

test('a project without runs is told how to make the first, and sees it without a reload', async () => {
  const { open, problems } = await stage.profile()
  const page = await open('/runs')
  await page.getByRole('heading', { name: 'No runs yet' }).waitFor()
  for (const tab of ['JavaScript', 'Command line', 'curl']) await page.getByRole('tab', { name: tab }).click()
  await live(page)

  const id = newId()
  const task = { kind: 'outputs', column: 'answer' }
  const rest = { dataset: 'questions', metrics_used: ['exact-match'], tags: ['nightly'] }
  await stage.call('POST', '/api/v1/runs', { run_id: id, name: 'The first', task, ...rest })
  const row = rowOf(page, 'The first')
  await row.getByText('Completed').waitFor()
  await row.getByText('nightly').waitFor()
  await eventually(() => row.getByRole('list', { name: 'Metrics of The first' }).textContent()).toMatch(
    /^exact-match0\.8 0\.\d+–0\.\d+$/,
  )
  await eventually(() => doneOf(page, 'The first')).toBe('50')
  await row.getByText('100 %').waitFor()
  expect(problems).toEqual([])
})

test('what the empty page says to make a run with does make one', async () => {
  const page = await (await stage.profile()).open('/runs')
  const script = (await page.getByLabel('the JavaScript code').textContent()) ?? ''
  await page.getByRole('tab', { name: 'curl' }).click()
  const request = (await page.getByLabel('the curl command').textContent()) ?? ''
  const [, address = '', body = ''] = /^curl (\S+)[^]* -d '([^]*)'$/.exec(request) ?? []
  expect(address).toBe(`${stage.url}/api/v1/runs`)
  await stage.call('POST', '/api/v1/runs', JSON.parse(body))
  await rowOf(page, 'First run').getByText('Completed').waitFor()

  // In here the packages that it imports are found.
  const folder = await mkdtemp(join(fileURLToPath(new URL('../../../.cache', import.meta.url)), 'sample-'))
  try {
    await writeFile(join(folder, 'sample.mjs'), script)
    const node = [process.execPath, ['--conditions=llm-eval-source', join(folder, 'sample.mjs')]] as const
    const { stdout } = await promisify(execFile)(...node)
    expect(stdout).toMatch(new RegExp(`^completed ${stage.url}/runs/`))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  await eventually(() => names(page)).toHaveLength(2)
})

test('a run moves on every screen while it goes on, over one socket of each page', async () => {
  const ids = [newId(), newId(), newId()]
  for (const id of ids) await makeRun(stage, id, { total_items: 40 })
  const { context, open, problems } = await stage.profile()
  const sockets = new Set<WebSocket>()
  const follow = (socket: WebSocket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  }
  context.on('page', (page) => page.on('websocket', follow))
  const [page, other] = [await open('/runs'), await open('/runs')]
  const [first = '', second = ''] = ids
  await barOf(page, first).waitFor()
  await rowOf(page, first).getByText('waits for its events').waitFor()
  for (const tab of [page, other]) await live(tab)

  await finish(stage, first, sampleItems(10))
  for (const tab of [page, other]) await eventually(() => doneOf(tab, first)).toBe('10')
  await finish(stage, second, sampleItems(20))
  await finish(stage, first, sampleItems(10, 10))
  for (const tab of [page, other]) {
    await eventually(() => doneOf(tab, first)).toBe('20')
    await eventually(() => doneOf(tab, second)).toBe('20')
    await rowOf(tab, first).getByText('Running').waitFor()
  }
  // How fast it goes shows, once there is something to tell it from.
  await rowOf(page, first)
    .getByText(/^\d+ (s|min) left$/)
    .waitFor()

  await finish(stage, first, sampleItems(20, 20))
  await endRun(stage, first)
  for (const tab of [page, other]) {
    await rowOf(tab, first).getByText('Completed').waitFor()
    await eventually(() => doneOf(tab, first)).toBe('40')
  }
  // One item has a cost that nobody knows.
  await rowOf(page, first).getByText('≥ $0.036').waitFor()
  expect(sockets.size).toBe(2)
  expect(problems).toEqual([])
})

test('a socket that is cut off comes back by itself, goes on where it was, and shows what happened meanwhile', async () => {
  const [id, later] = [newId(), newId()]
  await makeRun(stage, id, { total_items: 30 })
  await finish(stage, id, sampleItems(5))
  const { context, open } = await stage.profile()
  const sockets: URL[] = []
  let isAway = false
  let greetings = 0
  let cut = async (): Promise<void> => {}
  await context.routeWebSocket(/\/ws\//, async (socket) => {
    sockets.push(new URL(socket.url()))
    if (isAway) return socket.close({ code: 1012 })
    socket.connectToServer().onMessage((message) => {
      socket.send(message)
      if (message.includes('"connected"')) greetings++
    })
    cut = () => socket.close({ code: 1012 })
  })
  const page = await open('/runs')
  await live(page)
  await eventually(() => doneOf(page, id)).toBe('5')
  await eventually(() => greetings).toBe(1)

  isAway = true
  await cut()
  await page.locator('[data-link-state=waiting]').waitFor()
  await finish(stage, id, sampleItems(7, 5))
  await makeRun(stage, later, { name: 'Made meanwhile' })
  isAway = false
  await live(page)
  await eventually(() => doneOf(page, id)).toBe('12')
  await rowOf(page, 'Made meanwhile').waitFor()
  expect(sockets[0]?.searchParams.has('after_seq')).toBe(false)
  expect(sockets.at(-1)?.searchParams.get('after_seq')).toMatch(/^\w+\.\d+$/)
  // Each socket has a ticket of its own.
  expect(new Set(sockets.map(({ searchParams }) => searchParams.get('ticket'))).size).toBe(sockets.length)
})

test('a server that goes away and comes back finds its watchers again', async () => {
  const id = newId()
  await makeRun(stage, id, { total_items: 30 })
  await finish(stage, id, sampleItems(5))
  const { open } = await stage.profile()
  const page = await open('/runs')
  await live(page)
  await eventually(() => doneOf(page, id)).toBe('5')
  await stage.stopServer()
  await page.locator('[data-link-state=waiting]').waitFor()
  await stage.startAgain()
  await finish(stage, id, sampleItems(10, 5))
  await live(page)
  await eventually(() => doneOf(page, id)).toBe('15')
})

test('what is done to a run in one tab shows in the other: cancelled, judged and renamed', async () => {
  const id = newId()
  await makeRun(stage, id, { name: 'Long one', total_items: 30 })
  await finish(stage, id, sampleItems(5))
  const { open, problems } = await stage.profile()
  const [page, other] = [await open('/runs'), await open('/runs')]
  for (const tab of [page, other]) {
    await live(tab)
    await rowOf(tab, 'Long one').getByText('Running').waitFor()
  }
  await choose(page, 'Long one', 'Cancel')
  await rowOf(other, 'Long one').getByText('Cancelled').waitFor()

  await rowOf(page, 'Long one').getByText('Cancelled').waitFor()
  await choose(page, 'Long one', 'Reject…')
  await page.getByLabel('Note (optional)').fill('Too slow')
  await page.getByRole('button', { name: 'Reject', exact: true }).click()
  await rowOf(other, 'Long one').getByText('Rejected').waitFor()
  expect(await stage.call('GET', `/api/v1/runs/${id}`)).toMatchObject({
    approval: { state: 'rejected', note: 'Too slow' },
  })

  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await choose(page, 'Long one', 'Rename and tag…')
  await page.getByLabel('Name', { exact: true }).fill('Short one')
  await page.getByLabel('Tags, with commas').fill('slow, slow , old')
  await page.getByRole('button', { name: 'Save' }).click()
  await rowOf(other, 'Short one').getByText('old').waitFor()

  expect(problems).toEqual([])
})

test('a run that was judged goes on, and loses its verdict; deleted in one tab it is gone in the other', async () => {
  const id = newId()
  await makeRun(stage, id, { name: 'Short one', total_items: 30 })
  await stage.call('POST', `/api/v1/runs/${id}/cancel`, {})
  await stage.call('POST', `/api/v1/runs/${id}/reject`, {})
  const { open, problems } = await stage.profile()
  const [page, other] = [await open('/runs'), await open('/runs')]
  for (const tab of [page, other]) {
    await live(tab)
    await rowOf(tab, 'Short one').getByText('Rejected').waitFor()
  }
  await choose(page, 'Short one', 'Resume')
  await rowOf(other, 'Short one').getByText('Queued').waitFor()
  await eventually(() => rowOf(other, 'Short one').getByText('Rejected').count()).toBe(0)

  await rowOf(page, 'Short one').getByText('Queued').waitFor()
  await choose(page, 'Short one', 'Delete…')
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  for (const tab of [page, other]) await tab.getByRole('heading', { name: 'No runs yet' }).waitFor()
  expect(problems).toEqual([])
})

test('filters and the order stand in the address, and are undone there', async () => {
  await makeRun(stage, newId(), { name: 'Alpha', tags: ['nightly', 'old'], created_by: 'Ana', model_name: 'gpt-5' })
  const over = newId()
  await makeRun(stage, over, { name: 'Beta', tags: ['nightly'], created_by: 'Ben', dataset_name: 'others' })
  await finish(stage, over, sampleItems(3))
  await endRun(stage, over)
  const { open, problems } = await stage.profile()
  const page = await open('/runs')
  await eventually(() => names(page)).toEqual(['Choose Beta', 'Choose Alpha'])

  await page.getByRole('combobox', { name: 'Status', exact: true }).selectOption('completed')
  await eventually(() => names(page)).toEqual(['Choose Beta'])
  await eventually(() => new URL(page.url()).search).toBe('?status=completed')
  await page.getByRole('button', { name: 'Clear all' }).click()
  await page.getByRole('combobox', { name: 'Order', exact: true }).selectOption('name')
  await page.getByRole('button', { name: 'Descending' }).click()
  await eventually(() => names(page)).toEqual(['Choose Alpha', 'Choose Beta'])
  await eventually(() => new URL(page.url()).search).toBe('?order=name&dir=up')

  await page.getByRole('combobox', { name: 'Dataset', exact: true }).selectOption('others')
  await eventually(() => names(page)).toEqual(['Choose Beta'])
  await page.getByRole('button', { name: 'Clear all' }).click()
  await page.getByRole('button', { name: 'More', exact: true }).click()
  const more = page.getByRole('form', { name: 'More filters' })
  await more.getByLabel('Tags, all of').fill('nightly,old')
  await more.getByLabel('Made by').fill('Ana')
  await more.getByLabel('Model').fill('gpt-5')
  await more.getByRole('button', { name: 'Apply' }).click()
  await eventually(() => names(page)).toEqual(['Choose Alpha'])
  await page.reload()
  await eventually(() => names(page)).toEqual(['Choose Alpha'])
  await page.getByRole('button', { name: 'Remove the filter made by Ana' }).click()
  await page.getByRole('button', { name: 'Remove the filter model: gpt-5' }).click()
  await page.getByRole('button', { name: 'Remove the filter tags: nightly, old' }).click()
  await eventually(() => names(page)).toEqual(['Choose Alpha', 'Choose Beta'])

  await page.getByRole('searchbox').fill('bet')
  await eventually(() => names(page)).toEqual(['Choose Beta'])
  await page.getByRole('searchbox').fill('nothing like it')
  await page.getByRole('heading', { name: 'No run matches' }).waitFor()
  await page.getByRole('button', { name: 'Clear all filters' }).click()
  await eventually(() => names(page)).toEqual(['Choose Beta', 'Choose Alpha'])
  expect(problems).toEqual([])
})

test('a share of success and a time filter runs, too', async () => {
  const [bad, good] = [newId(), newId()]
  await makeRun(stage, bad, { name: 'Half failed' })
  await finish(stage, bad, [sampleItems(1, 3), sampleItems(1, 4)].flat())
  await makeRun(stage, good, { name: 'All well' })
  await finish(stage, good, sampleItems(2))
  const page = await (await stage.profile()).open('/runs?min_success=0.9')
  await eventually(() => names(page)).toEqual(['Choose All well'])
  await page.getByRole('button', { name: 'Remove the filter success from 90.0 %' }).click()
  await eventually(() => names(page)).toEqual(['Choose All well', 'Choose Half failed'])
  await page.getByRole('button', { name: 'More', exact: true }).click()
  await page.getByLabel('Success from, %').fill('60')
  await page.getByLabel('Made after').fill('2020-01-01T00:00')
  await page.getByRole('button', { name: 'Apply' }).click()
  await eventually(() => names(page)).toEqual(['Choose All well'])
  await eventually(() => new URL(page.url()).searchParams.get('min_success')).toBe('0.6')
  await page.getByLabel('Made before').fill('2020-01-02T00:00')
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.getByRole('heading', { name: 'No run matches' }).waitFor()
})

test('the keyboard alone chooses two runs and compares them, the older one first', async () => {
  const [older, newer, last] = [newId(), newId(), newId()]
  for (const [id, name] of [
    [older, 'Older'],
    [newer, 'Newer'],
    [last, 'Last'],
  ] as const) {
    await makeRun(stage, id, { name })
    await finish(stage, id, sampleItems(5))
    await endRun(stage, id)
  }
  const { open, problems } = await stage.profile()
  const page = await open('/')
  await live(page)
  for (const key of ['g', 'u']) await page.keyboard.press(key)
  await eventually(() => names(page)).toEqual(['Choose Last', 'Choose Newer', 'Choose Older'])
  for (const key of ['j', 'j', 'x', 'j', 'x']) await page.keyboard.press(key)
  const bar = page.getByRole('region', { name: 'Chosen runs' })
  await bar.getByText('2 runs chosen').waitFor()
  await page.keyboard.press('c')
  await eventually(() => new URL(page.url()).pathname + new URL(page.url()).search).toBe(
    `/compare?runs=${encodeURIComponent(`${older},${newer}`)}`,
  )
  await page.getByRole('table', { name: 'Runs' }).waitFor({ state: 'detached' })
  await page.goBack()
  await eventually(() => names(page)).toHaveLength(3)
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await eventually(() => new URL(page.url()).pathname).toBe(`/runs/${last}`)
  expect(problems).toEqual([])
})

test('names that are code, or that turn texts around, stay texts', async () => {
  const name = '<img src=x onerror=alert(1)> \u202Egnorw'
  const tags = ['<script>alert(2)</script>', 'x'.repeat(200)]
  await makeRun(stage, newId(), { name, tags, created_by: '"><b>', dataset_name: '{{constructor}}', total_items: 3 })
  const { open, problems } = await stage.profile()
  const page = await open('/runs')
  await page.getByRole('link', { name }).waitFor()
  await page.getByRole('table', { name: 'Runs' }).getByText('{{constructor}}').waitFor()
  await page.getByRole('table', { name: 'Runs' }).getByText('<script>alert(2)</script>').waitFor({ state: 'attached' })
  await choose(page, name, 'Delete…')
  await page.getByRole('dialog').getByText('<img src=x').waitFor()
  expect(problems).toEqual([])
})

test('ten runs are chosen at most, and one alone is not compared', async () => {
  for (let at = 0; at < 11; at++) await makeRun(stage, newId(), { name: `Number ${at}` })
  const page = await (await stage.profile()).open('/runs')
  await page.getByLabel('Choose Number 0', { exact: true }).check()
  const compare = page.getByRole('button', { name: 'Compare' })
  await compare.waitFor()
  expect(await compare.isDisabled()).toBe(true)
  for (let at = 1; at < 10; at++) await page.getByLabel(`Choose Number ${at}`, { exact: true }).check()
  await page.getByText('More cannot be compared at once.').waitFor()
  await eventually(() => page.getByLabel('Choose Number 10').isDisabled()).toBe(true)
  await page.keyboard.press('Escape')
  await eventually(() => page.getByLabel('Choose Number 10').isDisabled()).toBe(false)
})

test('many runs are read page by page while only what is visible exists in the document', async () => {
  for (let at = 0; at < 70; at++) await makeRun(stage, newId(), { name: `Many ${at}` })
  const page = await (await stage.profile()).open('/runs')
  const table = page.getByRole('table', { name: 'Runs' })
  await table.getByText('Many 69', { exact: true }).waitFor()
  await eventually(async () => {
    await page.locator('[data-scroll-restoration-id=runs]').evaluate((box) => box.scrollTo({ top: box.scrollHeight }))
    return table.getByText('Many 0', { exact: true }).count()
  }).toBe(1)
  await page.getByText('All 70 runs are shown.').waitFor()
  await eventually(() => table.getByRole('row').count()).toBeLessThan(40)
})

test('whoever looks at runs far down keeps them in their place when others come or go above', async () => {
  for (let at = 0; at < 60; at++) await makeRun(stage, newId(), { name: `Steady ${at}` })
  const page = await (await stage.profile()).open('/runs?q=Steady')
  const row = page.getByRole('row', { name: /Steady 30/ })
  await page.locator('[data-scroll-restoration-id=runs]').evaluate((box) => {
    box.scrollTop = 25 * 62
  })
  await row.waitFor()
  const place = async () => Math.round((await row.boundingBox())?.y ?? Number.NaN)
  const before = await place()
  const [first, second] = [newId(), newId()]
  for (const id of [first, second]) await makeRun(stage, id, { name: 'Steady above' })
  await eventually(() => row.getAttribute('aria-rowindex')).toBe('32')
  await eventually(place).toBe(before)
  for (const id of [first, second]) await stage.call('DELETE', `/api/v1/runs/${id}`)
  await eventually(() => row.getAttribute('aria-rowindex')).toBe('30')
  await eventually(place).toBe(before)
})

test('a list that cannot be read says so, and is read when asked again', async () => {
  await makeRun(stage, newId(), { name: 'Hidden at first' })
  const { context, open } = await stage.profile()
  await context.route(/\/api\/v1\/runs\?/, async (route) => {
    // The list is read by itself too, when the socket begins to tell of runs: only who presses the button gets it.
    const isPressed = () => document.activeElement?.textContent === 'Try again'
    if (await route.request().frame().evaluate(isPressed)) await route.continue()
    else await route.fulfill({ status: 500, json: { title: 'Something broke', code: 'internal' } })
  })
  const page = await open('/runs')
  await page.getByRole('heading', { name: 'The runs cannot be listed' }).waitFor()
  const again = page.getByRole('button', { name: 'Try again' })
  await eventually(async () => {
    // It goes away as soon as there is a list.
    await again.click({ timeout: 2_000 }).catch(() => undefined)
    return rowOf(page, 'Hidden at first').count()
  }).toBe(1)
})
