import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, onTestFinished } from 'vitest'

/** One browser for all tests of a file. */
export function sharedBrowser() {
  let browser: Browser | undefined
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    })
  })
  afterAll(() => browser?.close())

  /** A page of its own, and what it asks for or complains about. */
  return async (path: string, options: BrowserContextOptions = {}): Promise<{ page: Page; problems: string[] }> => {
    if (!browser) throw new Error('There is no browser yet.')
    const context = await browser.newContext(options)
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const problems: string[] = []
    page.on('request', (request) => {
      if (request.url() !== `file://${path}`) problems.push(`asks for ${request.url()}`)
    })
    page.on('console', (message) => problems.push(message.text()))
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('dialog', (dialog) => problems.push(dialog.message()))
    await page.goto(`file://${path}`)
    return { page, problems }
  }
}
