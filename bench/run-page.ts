import { join } from 'node:path'
import { type Browser, chromium as engine, type Page } from 'playwright-core'
import { median } from '../packages/server/test/faults/percentile.ts'
import { chromium } from '../scripts/chromium.mjs'
import type { Bench } from './bench.ts'
import type { Row } from './report.ts'
import { startProduct } from './server.ts'

/** Of the run beside the large one: what its page takes is what no run could do without. */
const few = 10
const batch = 500
/** Requests that bring items at the same time. */
const hands = 4
const metrics = ['correct', 'similarity', 'judge']

/** The page of a large run in a browser that has nothing of it yet: until it shows something, and until a click has done something. */
export const runPage: Bench = async ({ quick, directory, say }) => {
  const items = quick ? 2_000 : 100_000
  const rounds = quick ? 1 : 9
  const product = await startProduct({ data: join(directory, 'run-page') })
  const browser = await engine.launch({ executablePath: await chromium(), args: ['--no-sandbox', '--disable-gpu'] })
  try {
    say(`storing ${items.toLocaleString('en-US')} items`)
    await fill(product.url, { runId: 'large', items })
    await fill(product.url, { runId: 'small', items: few })
    const rows: Row[] = []
    const note = `a run of ${items.toLocaleString('en-US')} items that is over; nothing cached; median of ${rounds}`
    for (const [large, small] of ways(items).map((way, at) => [way, ways(few)[at] ?? way] as const)) {
      say(large.name)
      const took = { large: new Times(), small: new Times() }
      // Both take turns, so that a noisy moment hits them alike.
      for (let round = 0; round < rounds; round++) {
        took.large.add(await visit(browser, `${product.url}/runs/large${large.path}`, large))
        took.small.add(await visit(browser, `${product.url}/runs/small${small.path}`, small))
      }
      const row = (sees: string, which: 'shown' | 'busy' | 'done'): Row => ({
        name: `${large.name}, until ${sees}`,
        value: median(took.large[which]),
        unit: 'ms',
        peer: { name: `a run of ${few} items`, value: median(took.small[which]) },
        target: { atMost: 1_000 },
        note,
      })
      rows.push(
        row(large.sees, 'shown'),
        row(`${large.sees}: busy thread of the page`, 'busy'),
        row(large.gets, 'done'),
      )
    }
    return rows
  } finally {
    await browser.close()
    await product.stop()
  }
}

class Times {
  readonly shown: number[] = []
  readonly busy: number[] = []
  readonly done: number[] = []

  add({ shown, busy, done }: Visited): void {
    this.shown.push(shown)
    this.busy.push(busy)
    this.done.push(done)
  }
}

interface Way {
  name: string
  path: string
  sees: string
  shown: (page: Page) => Promise<unknown>
  gets: string
  act: (page: Page) => Promise<unknown>
}

function ways(items: number): Way[] {
  const table = (page: Page) => page.getByRole('table', { name: 'Items' })
  return [
    {
      name: 'page of a run',
      path: '',
      sees: 'its means are shown',
      shown: (page) =>
        page
          .getByText(/% passed/)
          .first()
          .waitFor(),
      gets: 'a click on a tab has shown it',
      act: async (page) => {
        await page.getByRole('tab', { name: 'Configuration' }).click()
        await page.getByRole('heading', { name: 'Settings' }).waitFor()
      },
    },
    {
      name: 'items of a run',
      path: '?tab=items',
      sees: 'the first row is shown',
      shown: (page) => table(page).getByText('case-0', { exact: true }).waitFor(),
      gets: 'a click on it has shown the item',
      act: async (page) => {
        await table(page).getByRole('link', { name: 'Item 0, case-0' }).click()
        await page
          .getByRole('region', { name: 'Item 0' })
          .getByText('The answer names the same city.')
          .first()
          .waitFor()
      },
    },
    {
      name: 'items of a run',
      path: `?tab=items&item=${items - 1}`,
      sees: 'the last item is shown by its link',
      shown: (page) =>
        page
          .getByRole('region', { name: `Item ${items - 1}` })
          .getByText('The answer names')
          .first()
          .waitFor(),
      gets: 'a leap into the middle has shown its rows',
      act: async (page) => {
        await table(page).evaluate((box) => box.scrollTo({ top: box.scrollHeight / 2 }))
        await table(page)
          .getByText(`case-${items / 2}`, { exact: true })
          .waitFor()
      },
    },
    {
      name: 'metrics of a run',
      path: '?tab=metrics',
      sees: 'they are summed up and drawn',
      shown: (page) => page.getByRole('table', { name: 'Means with their intervals' }).getByText('judge').waitFor(),
      gets: 'a click on a tab has shown it',
      act: async (page) => {
        await page.getByRole('tab', { name: 'Configuration' }).click()
        await page.getByRole('heading', { name: 'Settings' }).waitFor()
      },
    },
  ]
}

/** Milliseconds from asking for the address, and those that the page's own thread was busy until it showed something. */
interface Visited {
  shown: number
  busy: number
  done: number
}

async function visit(browser: Browser, address: string, way: Way): Promise<Visited> {
  const context = await browser.newContext({ viewport: { width: 1_400, height: 900 } })
  try {
    const page = await context.newPage()
    const inside = await context.newCDPSession(page)
    // Its processor time, which other work on the machine hardly changes.
    await inside.send('Performance.enable', { timeDomain: 'threadTicks' })
    const began = performance.now()
    await page.goto(address, { waitUntil: 'commit' })
    await way.shown(page)
    const shown = performance.now() - began
    const { metrics: counted } = await inside.send('Performance.getMetrics')
    const busy = 1_000 * (counted.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN)
    await way.act(page)
    return { shown, busy, done: performance.now() - began }
  } finally {
    await context.close()
  }
}

async function fill(url: string, { runId, items }: { runId: string; items: number }): Promise<void> {
  const run = {
    run_id: runId,
    name: 'A large run',
    dataset_name: 'capitals',
    total_items: items,
    metrics_used: metrics,
  }
  await post(`${url}/api/v1/runs`, run)
  const events = `${url}/api/v1/runs/${runId}/events`
  let next = 0
  const hand = async () => {
    while (next < items) {
      const from = next
      next += batch
      const some = Array.from({ length: Math.min(batch, items - from) }, (_, at) => finished(from + at))
      await post(events, { schema_version: 1, events: some })
    }
  }
  await Promise.all(Array.from({ length: hands }, hand))
  await post(events, { schema_version: 1, events: [{ event_id: 'end', sequence: items, type: 'run_ended' }] })
}

function finished(index: number) {
  const place = {
    event_id: `${index}`,
    sequence: index,
    type: 'item_finished',
    item_index: index,
    case_id: `case-${index}`,
  }
  const asked = { input: { question: 'What is the capital of France, and since when? '.repeat(4) }, expected: 'Paris' }
  if (index % 50 === 1)
    return { ...place, ...asked, status: 'failed', error: { code: 'timeout', message: `No answer after ${index} s` } }
  const explanation = 'The answer names the same city.'
  return {
    ...place,
    ...asked,
    status: 'success',
    output: 'Paris is the capital and the largest city of France. '.repeat(6),
    scores: {
      correct: { passed: index % 3 > 0, explanation },
      similarity: { value: ((index * 7) % 100) / 100, explanation },
      judge: { value: (index % 5) / 4, explanation },
    },
    response_time_ms: (index % 997) / 3,
    tokens: 130,
    cost: 0.0012,
  }
}

async function post(address: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body) })
  const said = await answer.text()
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${said}`)
}
