import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TraceDetail, TracePage } from '@llm-eval/protocol'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core'
import { expect } from 'vitest'
import { type Config, defaultConfig, type RunningServer, startServer } from '../../server/src/main.ts'
import { builtDashboard } from './built.ts'

/** A trace to send; what is missing gets a value. */
export type Sent = Record<string, unknown>

/** A browser of its own before a server of its own. */
export interface Stage {
  readonly url: string
  readonly server: RunningServer
  /** A browser profile: its pages share one shared worker. */
  profile: (options?: BrowserContextOptions) => Promise<Profile>
  send: (...traces: Sent[]) => Promise<void>
  trace: (traceId: string) => Promise<TraceDetail>
  list: (query?: string) => Promise<TracePage>
  review: (traceId: string, body: object) => Promise<void>
  /** Any other request; its JSON. */
  call: (method: string, path: string, body?: unknown) => Promise<unknown>
  /** Streams that are open at this moment. */
  openStreams: () => Promise<number>
  /** Stops the server and starts it again on the same port and data. */
  stopServer: () => Promise<void>
  startAgain: () => Promise<void>
  /** Closes all profiles, with all their pages. */
  clear: () => Promise<void>
  close: () => Promise<void>
}

export interface Profile {
  context: BrowserContext
  open: (path: string) => Promise<Page>
  /** What went wrong in its pages: errors, breaches of the security policy, requests to other hosts. */
  problems: string[]
}

const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/** Starts both. Close it after the tests. */
export async function openStage(settings: Partial<Config> = {}): Promise<Stage> {
  const data = await mkdtemp(join(tmpdir(), 'llm-eval-dashboard-'))
  const dashboard = await builtDashboard()
  const browser: Browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: chromiumFlags,
  })
  const start = (port: number): Promise<RunningServer> =>
    startServer({
      config: { ...defaultConfig(), data, port, synchronous: 'normal', log_level: 'silent', ...settings },
      dashboard,
    })
  let server = await start(0)
  const { url } = server
  const key = settings.admin_key
  const headers = { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) }

  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return JSON.parse(text) as unknown
  }

  return {
    url,
    call,
    get server() {
      return server
    },
    async profile(options) {
      const context = await browser.newContext({ locale: 'en-US', ...options })
      return watch(context, url)
    },
    async send(...traces) {
      for (let first = 0; first < traces.length; first += 100) {
        const some = traces.slice(first, first + 100).map((trace) => ({ ...plainTrace, ...trace }))
        await call('POST', '/webhook/batch', { traces: some, source: 'test' })
      }
    },
    trace: async (traceId) => (await call('GET', `/api/v1/traces/${encodeURIComponent(traceId)}`)) as TraceDetail,
    list: async (query = '') => (await call('GET', `/api/v1/traces?${query}`)) as TracePage,
    review: async (traceId, body) => {
      await call('PATCH', `/api/v1/traces/${encodeURIComponent(traceId)}/review`, body)
    },
    async openStreams() {
      const text = await (await fetch(`${url}/metrics`, { headers })).text()
      const counts = [...text.matchAll(/^llm_eval_streams\{[^}]*\} (\d+)/gm)].map((match) => Number(match[1]))
      return counts.reduce((sum, count) => sum + count, 0)
    },
    stopServer: () => server.close(),
    async startAgain() {
      server = await start(Number(new URL(url).port))
    },
    clear: async () => {
      await Promise.all(browser.contexts().map((context) => context.close()))
    },
    async close() {
      await browser.close()
      await server.close()
      await rm(data, { recursive: true, force: true })
    },
  }
}

const plainTrace = { model_name: 'gpt-4', user_query: 'What is machine learning?', ai_response: 'A part of AI.' }

async function watch(context: BrowserContext, url: string): Promise<Profile> {
  const problems: string[] = []
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`security policy: ${event.violatedDirective} ${event.blockedURI}`)
    })
  })
  context.on('request', (request) => {
    const address = request.url()
    if (!address.startsWith(`${url}/`) && !address.startsWith('data:')) problems.push(`request to ${address}`)
  })
  context.on('weberror', (error) => problems.push(`error: ${error.error().message}`))
  context.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(`console: ${message.text()}`)
  })
  context.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  return {
    context,
    problems,
    async open(path) {
      const page = await context.newPage()
      await page.goto(url + path)
      return page
    },
  }
}

/** Looks again and again until it fits; as long as a busy machine may take. */
export function eventually<T>(read: () => T | Promise<T>) {
  return expect.poll(read, { timeout: 20_000, interval: 50 })
}

/** Waits until the page receives live. */
export async function live(page: Page): Promise<void> {
  await page.locator('[data-link-state=live]').waitFor()
}

/** A page in the hands of somebody without a mouse. */
export function byKeyboard(page: Page) {
  const isFocused = (target: Locator) => target.evaluate((node) => node === document.activeElement)
  const reach = async (target: Locator): Promise<void> => {
    await target.waitFor()
    for (let steps = 0; steps < 80 && !(await isFocused(target)); steps++) await page.keyboard.press('Tab')
    expect(await isFocused(target)).toBe(true)
  }
  const enter = async (target: Locator): Promise<void> => {
    await reach(target)
    await page.keyboard.press('Enter')
  }
  return { isFocused, reach, enter }
}
