import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Evaluator } from '../packages/sdk/src/evaluation/index.ts'
import { faintTexts, obstacles, overflow } from '../packages/dashboard/test/outlook.ts'
import { eventually, type Ground, LiveRun, openBrowser, openGround, range, serveFolder } from './scene.ts'

const key = 'an-admin-key-made-elsewhere'
const onDisk = `file://${join(import.meta.dirname, 'seed-002/websocket-client.html')}`

let ground: Ground
let locked: Ground
let files: Awaited<ReturnType<typeof serveFolder>>
let browser: Browser

beforeAll(async () => {
  ground = await openGround()
  locked = await openGround({ admin_key: key })
  files = await serveFolder('seed-002')
  browser = await openBrowser(ground.url)
}, 120_000)
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()))
})
afterAll(async () => {
  await browser?.close()
  await files?.close()
  await ground?.close()
  await locked?.close()
})

/** The page, and what went wrong in it: errors, dialogs, breaches of its security policy. */
async function open(
  settings: { from?: string; server?: string; run?: string; context?: BrowserContextOptions } = {},
): Promise<{ page: Page; problems: string[] }> {
  const { from = `${files.url}/websocket-client.html`, server = ground.url, run = '', context = {} } = settings
  const profile = await browser.newContext({ locale: 'en-US', ...context })
  const problems: string[] = []
  const page = await profile.newPage()
  page.setDefaultTimeout(60_000)
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ violatedDirective }) =>
      Reflect.set(globalThis, 'breach', violatedDirective),
    )
  })
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(`${from}?${new URLSearchParams({ server, run }).toString()}`)
  return { page, problems }
}

const ofRun = (page: Page) => page.getByRole('region', { name: 'Progress of a run' })
const ofAll = (page: Page) => page.getByRole('region', { name: 'Status of all runs' })
const connect = async (monitor: ReturnType<typeof ofRun>) => {
  await monitor.getByRole('button', { name: 'Connect', exact: true }).click()
}
const linkOf = (monitor: ReturnType<typeof ofRun>) => monitor.locator('.link')
const live = (monitor: ReturnType<typeof ofRun>) => linkOf(monitor).and(monitor.locator('[data-state=live]')).waitFor()
const numberOf = (page: Page, name: string) =>
  ofRun(page)
    .locator('dt', { hasText: new RegExp(`^${name}$`) })
    .locator('xpath=following-sibling::dd')
    .textContent()
const texts = (page: Page) => page.locator('#messages .text').allTextContents()
const kindsShown = async (page: Page) => [...new Set(await page.locator('#messages .kind').allTextContents())].sort()
const results = async (page: Page) =>
  (await texts(page)).flatMap((text) => /^#(\d+) /.exec(text)?.[1] ?? []).map(Number)

async function watch(run: LiveRun, settings: Parameters<typeof open>[0] = {}) {
  const opened = await open({ ...settings, run: run.id })
  await connect(ofRun(opened.page))
  await live(ofRun(opened.page))
  return opened
}

describe('the monitor of a run', { timeout: 240_000 }, () => {
  it('shows bar, statistics, running means, errors and messages while the run goes on, and its end', async () => {
    const run = await LiveRun.begin(ground, 'shown')
    const { page, problems } = await watch(run)
    await run.finish(range(0, 20))
    await eventually(() => page.locator('#bar').getAttribute('aria-valuenow')).toBe('20')
    await run.finish(range(20, 43))
    await run.fail(43, 'the model gave no answer')
    await run.fail(44, 'nor did it here')
    await eventually(() => numberOf(page, 'Completed')).toBe('45')
    expect(await page.locator('#percent').textContent()).toBe('45 %')
    expect(await Promise.all(['Total', 'Successful', 'Success rate'].map((name) => numberOf(page, name)))).toEqual([
      '100',
      '43',
      '95.6 %',
    ])
    await eventually(() => numberOf(page, 'Cost')).toBe('$0.045')
    await eventually(() => numberOf(page, 'Rate')).toMatch(/^[\d.]+\/s$/)
    await eventually(() => numberOf(page, 'Time left')).toMatch(/^\d+ (s|min)$/)
    // 11 of 43 are wrong; Student's interval beside it.
    await eventually(() => page.locator('#metrics tbody tr').textContent()).toMatch(
      /^accuracy0\.7440\.\d+ to 0\.\d+43$/,
    )
    expect(await page.locator('#errors li').allTextContents()).toEqual([
      'execution_failed #44 case-44: nor did it here',
      'execution_failed #43 case-43: the model gave no answer',
    ])
    expect(await texts(page)).toContain('#42 case-42 → answer 42 · accuracy 1 · 0.25 s')
    await run.finish(range(45, 100))
    await run.end()
    await eventually(() => page.locator('#outcome').textContent()).toMatch(
      /^Evaluation completed: 100 items, success rate 98\.0 %/,
    )
    await eventually(() => numberOf(page, 'Time left')).toBe('over')
    expect((await results(page)).toSorted((a, b) => a - b)).toEqual(range(0, 100))
    expect(problems).toEqual([])
  })

  it('says of a run that is not there that it is not, and what is unknown', async () => {
    const { page } = await open({ run: 'later' })
    await connect(ofRun(page))
    await page.getByText('no run of this id yet').waitFor()
    for (const name of ['Total', 'Completed', 'Success rate', 'Rate', 'Time left', 'Cost'])
      expect(await numberOf(page, name)).toBe('unknown')
    const run = await LiveRun.begin(ground, 'later', { total_items: null })
    await run.finish([0], { cost: null })
    await eventually(() => numberOf(page, 'Completed')).toBe('1')
    expect(await Promise.all(['Total', 'Cost'].map((name) => numberOf(page, name)))).toEqual(['unknown', 'unknown'])
  })

  it.each([
    [
      'failed',
      { status: 'failed', error: { code: 'broken', message: 'the model is gone' } },
      'Failed: the model is gone',
    ],
    ['cancelled', { status: 'cancelled' }, 'Cancelled. What is finished is kept: 1 items'],
  ])('shows how a run ended that is %s', async (status, end, words) => {
    const run = await LiveRun.begin(ground, `ended-${status}`)
    const { page } = await watch(run)
    await run.finish([0])
    await run.end(end)
    await eventually(() => page.locator('#outcome').textContent()).toContain(words)
    expect(await ofRun(page).locator('#status').textContent()).toBe(status)
  })

  it('ends when the run is deleted, and says so', async () => {
    const run = await LiveRun.begin(ground, 'gone')
    const { page } = await watch(run)
    await run.delete()
    await eventually(() => linkOf(ofRun(page)).textContent()).toBe('The run was deleted.')
    expect(await page.locator('#outcome').textContent()).toBe('The run was deleted.')
  })

  it('goes on by itself after the server was away, without a gap, and says so', async () => {
    const run = await LiveRun.begin(ground, 'resumed')
    const { page } = await watch(run)
    await run.finish(range(0, 10))
    await eventually(async () => (await results(page)).length).toBe(10)
    await ground.stop()
    await ofRun(page).getByText('coming back').waitFor()
    await ground.startAgain()
    await run.finish(range(10, 20))
    await ofRun(page).getByText('live, resumed without a gap').waitFor()
    await run.finish(range(20, 30))
    await eventually(async () => (await results(page)).length).toBe(30)
    expect((await results(page)).reverse()).toEqual(range(0, 30))
    expect((await texts(page)).some((text) => /^resumed: resumed after \w+\.\d+, nothing missed\.$/.test(text))).toBe(
      true,
    )
  })

  it('is disconnected and connected by its buttons, and goes on where it was', async () => {
    const run = await LiveRun.begin(ground, 'by-hand')
    const { page } = await watch(run)
    const monitor = ofRun(page)
    await run.finish([0])
    await eventually(() => results(page)).toEqual([0])
    await monitor.getByRole('button', { name: 'Disconnect' }).click()
    await monitor.getByText('not connected').waitFor()
    expect(await monitor.getByRole('button', { name: 'Disconnect' }).isDisabled()).toBe(true)
    await run.finish([1, 2])
    await connect(monitor)
    await eventually(() => results(page)).toEqual([2, 1, 0])
    await monitor.getByText('live, resumed without a gap').waitFor()
  })

  it('says of a place that the server does not know that something is missing', async () => {
    const run = await LiveRun.begin(ground, 'elsewhere')
    const { page } = await watch(run)
    await ofRun(page).getByRole('button', { name: 'Disconnect' }).click()
    const other = await openGround()
    await LiveRun.begin(other, run.id)
    await page.getByLabel('Address').fill(other.url)
    await connect(ofRun(page))
    await ofRun(page).getByText('live, after a gap').waitFor()
    expect(await texts(page)).toContain('What happened while the connection was lost is not known here (other_epoch).')
    await page.context().close()
    await other.close()
  })
})

describe('filters', { timeout: 240_000 }, () => {
  it('of the page show the kinds that are ticked, and only what failed', async () => {
    const run = await LiveRun.begin(ground, 'sieved')
    const { page } = await watch(run)
    await run.finish([0])
    await run.fail(1, 'broken')
    await run.end()
    await eventually(() => kindsShown(page)).toEqual(['completed', 'connection', 'error', 'result', 'status_update'])
    await page.getByLabel('progress', { exact: true }).check()
    await eventually(() => kindsShown(page)).toContain('progress')
    for (const kind of ['connection', 'completed', 'status_update', 'progress'])
      await page.getByLabel(kind, { exact: true }).uncheck()
    await eventually(() => results(page)).toEqual([1, 0])
    await page.getByLabel('only what failed').check()
    await eventually(() => results(page)).toEqual([1])
    await page.getByLabel('error', { exact: true }).uncheck()
    await page.getByText('No message that fits.').waitFor()
  })

  it('of the server keep the other items off the wire', async () => {
    const run = await LiveRun.begin(ground, 'filtered')
    const { page } = await open({ run: run.id })
    const frames: string[] = []
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(String(payload))))
    await page.getByLabel('Ask the server for').selectOption('failed')
    await connect(ofRun(page))
    await live(ofRun(page))
    await run.finish([1, 2])
    await run.fail(3, 'broken')
    await eventually(() => results(page)).toEqual([3])
    await eventually(() => numberOf(page, 'Completed')).toBe('3')
    // Another filter goes on after what was seen.
    await page.getByLabel('Ask the server for').selectOption('below')
    await page.getByLabel('Metric').fill('accuracy')
    await page.getByLabel('Metric').blur()
    await eventually(() => frames.filter((text) => text.includes('"type":"subscribed"')).length).toBe(2)
    await run.finish([4, 5, 6, 7])
    await run.finish([8])
    await eventually(() => results(page)).toEqual([8, 4, 3])
    expect(frames.some((text) => text.includes('"case_id":"case-5"'))).toBe(false)
  })
})

describe('the messages', { timeout: 240_000 }, () => {
  it('are as many as are kept, and wait while they are paused', async () => {
    const run = await LiveRun.begin(ground, 'many', { total_items: 500 })
    const { page } = await watch(run)
    for (let from = 0; from < 400; from += 100) await run.finish(range(from, from + 100))
    await eventually(async () => (await results(page))[0]).toBe(399)
    expect(await page.locator('#messages li').count()).toBe(300)
    await page.getByLabel('pause').check()
    await run.finish([400])
    await eventually(() => page.locator('#message-count').textContent()).toMatch(/, \d+ wait$/)
    expect((await results(page))[0]).toBe(399)
    await page.getByLabel('pause').uncheck()
    await eventually(async () => (await results(page))[0]).toBe(400)
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByText('No messages yet.').waitFor()
  })

  it('show what a model writes as the text it is', async () => {
    const tag = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
    const run = await LiveRun.begin(ground, `hostile-${tag.length}`, {
      name: tag,
      metrics_used: [{ name: `m${tag}`, evaluator: 'mine' }],
    })
    const { page, problems } = await watch(run)
    await connect(ofAll(page))
    await ofAll(page).getByText(tag).waitFor()
    await run.finish([0], { output: tag, scores: { [`m${tag}`]: { value: 1 } }, case_id: tag })
    await run.finish([1], { output: JSON.parse(`{"__proto__": ${JSON.stringify(tag)}}`) as unknown, scores: {} })
    await run.fail(2, tag)
    await run.end({ status: 'failed', error: { code: tag.slice(0, 20), message: tag } })
    await eventually(() => page.locator('#outcome').textContent()).toContain(tag)
    expect(await page.locator('#errors').textContent()).toContain(tag)
    expect((await texts(page)).filter((text) => text.includes(tag)).length).toBeGreaterThanOrEqual(3)
    expect(await page.locator('img, #messages script, #errors script').count()).toBe(0)
    expect(await page.evaluate(() => Reflect.get(globalThis, 'breach') as unknown)).toBeUndefined()
    expect(await overflow(page)).toBe(0)
    expect(problems).toEqual([])
  })
})

describe('the monitor of all runs', { timeout: 240_000 }, () => {
  it('lists runs with live bars and what becomes of them, and opens one by a click', async () => {
    const before = await LiveRun.begin(ground, 'listed-before')
    await before.finish([0])
    const { page } = await open()
    const monitor = ofAll(page)
    await connect(monitor)
    await live(monitor)
    const row = (id: string) => monitor.getByRole('listitem').filter({ hasText: id })
    // Also what was there: a page of this machine may read it.
    await row('listed-before').getByText('running').waitFor()
    const run = await LiveRun.begin(ground, 'listed-new')
    await row('listed-new').getByText('queued').waitFor()
    await run.finish(range(0, 30))
    await row('listed-new').getByText('30 of 100').waitFor()
    await before.finish(range(1, 60))
    await row('listed-before').getByText('60 of 100').waitFor()
    await run.end()
    await row('listed-new').getByText('completed').waitFor()
    const totalOf = () =>
      monitor
        .locator('dt', { hasText: /^Runs$/ })
        .locator('xpath=following-sibling::dd')
        .textContent()
    const { items } = (await ground.call('GET', '/api/v1/runs?limit=200')) as { items: unknown[] }
    await eventually(totalOf).toBe(String(items.length))
    await before.delete()
    await row('listed-before').getByText('deleted').waitFor()
    await eventually(totalOf).toBe(String(items.length - 1))
    await row('listed-new').getByRole('button').click()
    await eventually(() => numberOf(page, 'Completed')).toBe('30')
    expect(await page.getByLabel('Run id').inputValue()).toBe('listed-new')
  })

  it('goes on after the server was away', async () => {
    const { page } = await open()
    const monitor = ofAll(page)
    await connect(monitor)
    await live(monitor)
    await ground.stop()
    await monitor.getByText('coming back').waitFor()
    await ground.startAgain()
    const run = await LiveRun.begin(ground, 'made-meanwhile')
    await monitor.getByText('live, resumed without a gap').waitFor()
    await monitor.getByRole('listitem').filter({ hasText: run.id }).waitFor()
    await run.finish([0])
    await monitor.getByRole('listitem').filter({ hasText: run.id }).getByText('1 of 100').waitFor()
    await monitor.getByRole('button', { name: 'Disconnect' }).click()
    await monitor.getByText('not connected').waitFor()
  })
})

describe('a server that wants a key', { timeout: 240_000 }, () => {
  const secret = (page: Page) => page.getByLabel('Key or ticket')

  it('is watched with one, also by a page that is opened from disk, and sends away who has none or a wrong one', async () => {
    const run = await LiveRun.begin(locked, 'secret')
    for (const from of [onDisk, `${files.url}/websocket-client.html`]) {
      const { page, problems } = await open({ from, server: locked.url, run: run.id })
      await secret(page).fill('wrong')
      await connect(ofRun(page))
      await ofRun(page).getByText('The key or ticket is wrong, used up or revoked.').waitFor()
      await secret(page).fill(key)
      await connect(ofRun(page))
      await live(ofRun(page))
      await connect(ofAll(page))
      await live(ofAll(page))
      expect(problems).toEqual([])
      await page.context().close()
    }
  })

  it('is watched with a ticket, which opens one connection', async () => {
    const run = await LiveRun.begin(locked, 'with-a-ticket')
    const { ticket } = (await locked.call('POST', '/api/v1/ws-tickets')) as { ticket: string }
    const { page } = await open({ from: onDisk, server: locked.url, run: run.id })
    await secret(page).fill(ticket)
    await connect(ofRun(page))
    await live(ofRun(page))
    await run.finish([0])
    await eventually(() => results(page)).toEqual([0])
    await connect(ofAll(page))
    await ofAll(page).getByText('The key or ticket is wrong, used up or revoked.').waitFor()
    expect(await page.locator('#errors li').count()).toBe(0)
  })

  it('waits for the key, and ends the connection without one', async () => {
    const { page } = await open({ server: locked.url, run: 'any' })
    await connect(ofRun(page))
    await ofRun(page).getByText('This server wants a key or a ticket.').waitFor()
  })
})

describe('an open server', { timeout: 240_000 }, () => {
  it('refuses a page that is opened from disk, which tells what to do', async () => {
    const { page } = await open({ from: onDisk, run: 'any' })
    await page.getByText('one without keys refuses pages that do not say where they are from').waitFor()
    await connect(ofRun(page))
    await ofRun(page).getByText('cannot connect to').waitFor()
    await page.getByLabel('Address').fill('nonsense')
    await connect(ofRun(page))
    await ofRun(page).getByText('nonsense is no address of a server.').waitFor()
  })
})

describe('the testing instructions', { timeout: 240_000 }, () => {
  it('server, client, an evaluation with a run id: the page follows it to its end', async () => {
    const { page } = await open({ run: 'test-run-123' })
    await connect(ofRun(page))
    await page.getByText('no run of this id yet').waitFor()
    const evaluator = new Evaluator({
      task: (input: unknown) => String(input).toUpperCase(),
      dataset: ['one', 'two', 'three'].map((input) => ({ id: input, input, expected: input.toUpperCase() })),
      metrics: ['accuracy'],
      runId: 'test-run-123',
      baseUrl: ground.url,
    })
    const result = await evaluator.arun()
    expect(result.completedItems).toBe(3)
    await eventually(() => page.locator('#outcome').textContent()).toMatch(
      /^Evaluation completed: 3 items, success rate 100\.0 %/,
    )
    expect((await results(page)).toSorted((a, b) => a - b)).toEqual([0, 1, 2])
  })
})

describe('the page', { timeout: 240_000 }, () => {
  it.each([
    ['light', { viewport: { width: 1_280, height: 900 } }],
    ['dark', { viewport: { width: 1_280, height: 900 }, colorScheme: 'dark' }],
    ['narrow', { viewport: { width: 360, height: 800 } }],
  ] as const)('can be read and used by everybody: %s', async (look, context) => {
    const run = await LiveRun.begin(ground, `seen-${look}`, { name: 'W'.repeat(150) })
    const { page } = await open({ run: run.id, context })
    const check = async () => {
      expect(await obstacles(page)).toEqual([])
      expect(await faintTexts(page)).toEqual([])
      expect(await overflow(page)).toBe(0)
    }
    await check()
    // By the keyboard alone.
    await page.getByLabel('Run id').press('Enter')
    await live(ofRun(page))
    await ofAll(page).getByRole('button', { name: 'Connect', exact: true }).press('Enter')
    await live(ofAll(page))
    await run.finish([0, 1], { output: 'W'.repeat(99) })
    await run.fail(2, 'W'.repeat(300))
    await run.end({ status: 'failed', error: { code: 'broken', message: 'W'.repeat(200) } })
    await eventually(() => page.locator('#outcome').textContent()).toContain('Failed')
    await check()
  })
})
