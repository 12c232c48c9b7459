import { readFile } from 'node:fs/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { faintTexts, obstacles, overflow } from '../packages/dashboard/test/outlook.ts'
import { openBridge, startAdk } from './adk-scene.ts'
import { eventually, type Ground, openBrowser, openPages, openProject } from './scene.ts'

let project: Awaited<ReturnType<typeof openProject>>
let pages: Awaited<ReturnType<typeof openPages>>
let adk: Awaited<ReturnType<typeof startAdk>>
let ground: Ground
let browser: Browser

beforeAll(async () => {
  project = await openProject(['react', 'react-dom', 'vue', '@vitejs/plugin-vue', '@ag-ui/client'])
  pages = await openPages(project.home)
  adk = await startAdk()
  ground = await openBridge(adk.url)
  browser = await openBrowser(ground.url)
}, 180_000)
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()))
})
afterAll(async () => {
  await browser?.close()
  await ground?.close()
  await adk?.close()
  await pages?.close()
  await project?.close()
})

/** The page, and what went wrong in it. */
async function open(
  thread: string,
  context: BrowserContextOptions = {},
  query: Record<string, string> = {},
): Promise<{ page: Page; problems: string[] }> {
  const profile = await browser.newContext({ locale: 'en-US', ...context })
  const page = await profile.newPage()
  page.setDefaultTimeout(60_000)
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  await page.goto(`${pages.url('../seed-003/chat.html')}?${new URLSearchParams({ thread, ...query }).toString()}`)
  return { page, problems }
}

/** Asks and waits until the agent is through. */
async function ask(page: Page, text: string): Promise<void> {
  const asked = Number(await page.locator('body').getAttribute('data-asked'))
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
  await eventually(() => page.locator('body').getAttribute('data-asked')).toBe(String(asked + 1))
}

async function downloaded(page: Page): Promise<{ name: string; json: unknown }> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download eval file' }).click(),
  ])
  return {
    name: download.suggestedFilename(),
    json: JSON.parse(await readFile(await download.path(), 'utf8')) as unknown,
  }
}

const said = (page: Page) => page.locator('#messages > li').allInnerTexts()

describe('the front end of seed 003', { timeout: 240_000 }, () => {
  it('shows what is said and which tools are called, while it happens', async () => {
    const { page, problems } = await open('shown')
    await ask(page, 'hi')
    await ask(page, 'What is the 10th prime number?')
    const shown = (await said(page)).map((text) => text.replace(/\s+/g, ' '))
    expect(shown).toEqual([
      'You hi',
      'root_agent Hello! I can find prime numbers. Which one would you like to know?',
      'You What is the 10th prime number?',
      expect.stringMatching(/^calls find_nth_prime \{"n": ?10\} .*\{"result": ?29\}$/),
      'root_agent Prime number 10 is 29.',
    ])
    expect(problems).toEqual([])
  })

  it('downloads the same eval file as the server exports, with authors, signatures, calls and times', async () => {
    const { page } = await open('the same')
    await ask(page, 'hi')
    await ask(page, 'What is the 10th prime number?')
    const { name, json } = await downloaded(page)
    expect(name).toMatch(/^case[0-9a-f]{12}\.evalset\.json$/)
    const link = await page.getByRole('link', { name: 'Export from server' }).getAttribute('href')
    expect(link).toBe('http://localhost:8000/export/the%20same')
    expect(json).toEqual(await ground.call('GET', '/export/the%20same'))
    expect(json).toMatchObject({
      eval_cases: [
        {
          session_input: { app_name: 'agent1', user_id: 'user' },
          conversation: [
            { user_content: { parts: [{ text: 'hi' }], role: 'user' } },
            {
              intermediate_data: {
                invocation_events: [
                  {
                    author: 'root_agent',
                    content: {
                      parts: [
                        {
                          function_call: { name: 'find_nth_prime', args: { n: 10 } },
                          thought_signature: expect.stringMatching(/^[\w-]+=*$/),
                        },
                      ],
                    },
                  },
                  { content: { parts: [{ function_response: { response: { result: 29 } } }], role: 'user' } },
                ],
              },
              final_response: { parts: [{ text: 'Prime number 10 is 29.' }], role: 'model' },
            },
          ],
        },
      ],
    })
  })

  it('says why where the agent cannot be reached', async () => {
    const { page } = await open('nowhere', {}, { target: 'nobody' })
    await ask(page, 'hi')
    await eventually(() => page.getByRole('status').textContent()).toMatch(/404|nobody/)
  })

  it.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['narrow', { viewport: { width: 390, height: 800 } }],
  ] satisfies [string, BrowserContextOptions][])('can be read and used when it is %s', async (name, context) => {
    const { page } = await open(`looks ${name}`, context)
    await ask(page, 'What is the 10th prime number?')
    expect(await overflow(page)).toBe(0)
    expect(await faintTexts(page)).toEqual([])
    expect(await obstacles(page)).toEqual([])
  })
})
