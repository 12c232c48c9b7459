import { randomUUID } from 'node:crypto'
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { tell, turnOf } from './sample-conversations.ts'
import { eventually, live, openStage, type Stage } from './stage.ts'

let stage: Stage
let thread: string
/** Traces, none of which anybody decided about. */
let sent = 0

beforeAll(async () => {
  stage = await openStage()
})
beforeEach(async () => {
  thread = `thread-${randomUUID()}`
  await tell(stage, thread, turnOf(0, 'What is the tenth prime?'))
})
afterEach(() => stage.clear())
afterAll(() => stage.close())

/** What the page asks the API for, from now on. */
function noteReads(page: Page): string[] {
  const reads: string[] = []
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url())
    if (pathname.startsWith('/api/')) reads.push(pathname + search)
  })
  return reads
}

const twice = (reads: readonly string[]): string[] => reads.filter((read, at) => reads.indexOf(read) < at)

/** Waits for news that only the stream brings: what it has others read again is asked for by then. */
async function hearOfTrace(...pages: Page[]): Promise<void> {
  await stage.send({ trace_id: randomUUID() })
  sent++
  for (const page of pages) {
    const places = page.getByRole('navigation', { name: 'Pages' }).first()
    await places.getByRole('link', { name: new RegExp(`^Review\\s*${sent} pending`) }).waitFor()
  }
}

test('a page that is opened reads each address once, also in a second tab', async () => {
  const { context } = await stage.profile()
  const pages: [Page, string[]][] = []
  for (const path of ['/traces', '/conversations', `/conversations/${thread}`, '/tests']) {
    const page = await context.newPage()
    pages.push([page, noteReads(page)])
    await page.goto(stage.url + path)
    await live(page)
  }
  await hearOfTrace(...pages.map(([page]) => page))
  for (const [page, reads] of pages) {
    expect(twice(reads), page.url()).toEqual([])
    expect(reads.length, page.url()).toBeGreaterThan(0)
  }
})

/** A server before the server, which keeps streams back until it is told to let them go. */
async function holdStreams() {
  const asked = Promise.withResolvers<void>()
  const free = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    const pass = (): void => {
      const { method, headers, url = '/' } = request
      const onward = send(new URL(url, stage.url), { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      onward.on('error', () => response.destroy())
      response.on('close', () => onward.destroy())
      request.pipe(onward)
    }
    if (!request.url?.startsWith('/stream/')) return pass()
    asked.resolve()
    void free.promise.then(pass)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: asked.promise,
    free: free.resolve,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const linkKinds: [string, string[]][] = [
  ['a shared worker', []],
  ['the elected tab', ['SharedWorker']],
  ['the tab itself', ['SharedWorker', 'BroadcastChannel']],
]

test.each(linkKinds)(
  'what happens after a page was delivered and before the stream of %s begins is on the screen',
  async (_what, lacking) => {
    const held = await holdStreams()
    onTestFinished(() => held.close())
    const { context } = await stage.profile()
    await context.addInitScript((names) => {
      for (const name of names) Reflect.deleteProperty(globalThis, name)
    }, lacking)
    const [talk, list] = [await context.newPage(), await context.newPage()]
    const reads = noteReads(talk)
    await talk.goto(`${held.url}/conversations/${thread}`)
    await talk.getByText('The answer is 29.').waitFor()
    await list.goto(`${held.url}/traces`)
    await list.getByRole('heading', { name: 'Traces' }).waitFor()
    await eventually(() => list.locator('[data-link-state=connecting]').count()).toBe(1)
    await held.asked

    await tell(stage, thread, turnOf(1, 'And the eleventh?'))
    const query = `meanwhile ${randomUUID()}`
    await stage.send({ trace_id: query, user_query: query })
    sent++
    expect(await talk.getByText('And the eleventh?').count()).toBe(0)
    held.free()
    await talk.getByText('The answer is 30.').waitFor()
    await list
      .getByRole('button', { name: /new$/ })
      .or(list.getByRole('row', { name: query }))
      .first()
      .waitFor()
    // The conversation is read again since it was told of, and nothing else is.
    await hearOfTrace(talk)
    expect(twice(reads).filter((read) => !read.includes(thread))).toEqual([])
  },
)

test.each([
  ['?tab=items', '/item-previews?from=0&limit=100'],
  ['?tab=items&item=234', '/item-previews?from=200&limit=100'],
  ['?item=234', '/items/234'],
  ['?tab=items&status=failed', '/item-previews?status=failed&limit=100'],
  ['?tab=metrics', '/metrics'],
  ['?tab=errors', '/errors'],
])('the page of a run with %s asks for what it shows without waiting for the run', async (search, asked) => {
  const page = await (await stage.profile()).context.newPage()
  const reads = noteReads(page)
  // The run itself is never answered.
  await page.route('**/api/v1/runs/some-run', () => {})
  await page.goto(`${stage.url}/runs/some-run${search}`)
  await eventually(() => reads).toContain(`/api/v1/runs/some-run${asked}`)
  expect(reads).toContain('/api/v1/runs/some-run')
})
