import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { obstacles } from '../packages/dashboard/test/outlook.ts'
import { eventually, type Ground, LiveRun, openBrowser, openGround, openPages, openProject, range } from './scene.ts'

let project: Awaited<ReturnType<typeof openProject>>
let pages: Awaited<ReturnType<typeof openPages>>
let ground: Ground
let browser: Browser

beforeAll(async () => {
  project = await openProject(['react', 'react-dom', 'vue', '@vitejs/plugin-vue', '@ag-ui/client'])
  pages = await openPages(project.home)
  ground = await openGround()
  browser = await openBrowser(ground.url)
}, 240_000)

afterAll(async () => {
  await browser?.close()
  await ground?.close()
  await pages?.close()
  await project?.close()
})

async function openPage(): Promise<Page> {
  const page = await browser.newPage()
  page.setDefaultTimeout(60_000)
  return page
}

const valueOf = (page: Page, name: string) =>
  page
    .locator('dt', { hasText: new RegExp(`^${name}$`) })
    .locator('xpath=following-sibling::dd')
    .textContent()
const errorsOf = (page: Page) => page.getByRole('list', { name: 'Errors' }).getByRole('listitem').allTextContents()
const width = (page: Page) => page.getByRole('progressbar').getAttribute('aria-valuenow')

describe.each([
  ['React', 'run-progress-react.html'],
  ['Vue', 'run-progress-vue.html'],
])('the %s component', { timeout: 240_000 }, (framework, name) => {
  it('shows a live bar, the success rate, errors as they happen, and that the run is completed', async () => {
    const page = await openPage()
    const id = `live-${framework}`
    await page.goto(`${pages.url(name)}?run=${id}`)
    // The run is yet to be made: nothing is known of it, and nothing is said to be 0.
    await page.getByText('not there yet').waitFor()
    expect(await Promise.all(['Progress', 'Success rate', 'Time left'].map((one) => valueOf(page, one)))).toEqual([
      'unknown',
      'unknown',
      'unknown',
    ])
    expect(await width(page)).toBeNull()
    const run = await LiveRun.begin(ground, id)
    await run.finish(range(0, 43))
    await run.fail(43, 'no answer <b>in time</b>')
    await run.fail(44, 'no answer either')
    await eventually(() => width(page)).toBe('45')
    await eventually(() => valueOf(page, 'Items')).toBe('45 of 100')
    await eventually(() => valueOf(page, 'Success rate')).toBe('95.6 %')
    await eventually(() => errorsOf(page)).toEqual([
      'execution_failed case-44: no answer either',
      'execution_failed case-43: no answer <b>in time</b>',
    ])
    await run.finish(range(45, 100))
    await run.end()
    await page.getByText('Evaluation completed').waitFor()
    await eventually(() => width(page)).toBe('100')
    await page.close()
  })

  it('goes on where it was when the server comes back, and says so', async () => {
    const page = await openPage()
    const run = await LiveRun.begin(ground, `dropped-${framework}`, { total_items: 10 })
    await page.goto(`${pages.url(name)}?run=${run.id}`)
    await page.getByText('live', { exact: true }).waitFor()
    await run.fail(0, 'before')
    await eventually(() => errorsOf(page)).toEqual(['execution_failed case-0: before'])
    await ground.stop()
    await page.getByText('coming back').waitFor()
    await ground.startAgain()
    await run.fail(1, 'meanwhile')
    await page.getByText('live again, nothing missed').waitFor()
    await run.finish([2])
    await eventually(() => errorsOf(page)).toEqual([
      'execution_failed case-1: meanwhile',
      'execution_failed case-0: before',
    ])
    await eventually(() => valueOf(page, 'Items')).toBe('3 of 10')
    await page.close()
  })

  it('tells a run that failed, closes its connection when it is unmounted, and can be read by everybody', async () => {
    const page = await openPage()
    const sockets: { isClosed: () => boolean }[] = []
    page.on('websocket', (socket) => sockets.push(socket))
    const run = await LiveRun.begin(ground, `failed-${framework}`)
    await page.goto(`${pages.url(name)}?run=${run.id}`)
    await page.getByText('live', { exact: true }).waitFor()
    await run.finish([0])
    await run.end({ status: 'failed', error: { code: 'broken', message: 'the model is gone' } })
    await page.getByText('failed: the model is gone').waitFor()
    expect((await obstacles(page)).filter((one) => !/main (headings|region)/.test(one))).toEqual([])
    // React opens one, closes it and opens another while it is developed; one is open in the end.
    const open = () => sockets.filter((socket) => !socket.isClosed()).length
    await eventually(open).toBe(1)
    await page.getByRole('button', { name: 'Unmount' }).click()
    await eventually(open).toBe(0)
    expect(await page.getByRole('heading').count()).toBe(0)
    await page.close()
  })
})

describe('Frontend Integration', () => {
  it('is the block of the source document', async () => {
    const block = await readFile(join(import.meta.dirname, 'seed-002/frontend-integration.js'), 'utf8')
    const hash = createHash('sha256').update(block).digest('hex')
    expect(hash).toBe('d6d619d2213614671d80fc220e751acdf2d1c50ad615ee88fcce800ca52deb44')
  })

  it('moves its bar and its success rate with the run', async () => {
    const page = await openPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    const run = await LiveRun.begin(ground, 'eval-20250802-123456')
    await page.goto(`${pages.url('frontend-integration.html')}?run=${run.id}`)
    const bar = () => page.locator('#bar').evaluate((element: HTMLProgressElement) => element.value)
    await run.finish(range(0, 43))
    await eventually(bar).toBe(0.43)
    await run.fail(43, 'broken')
    await run.fail(44, 'broken')
    await eventually(bar).toBe(0.45)
    await page.getByText(`Success rate: ${43 / 45}`).waitFor()
    await run.finish(range(45, 100))
    await run.end()
    await eventually(bar).toBe(1)
    expect(problems).toEqual([])
    await page.close()
  })
})
