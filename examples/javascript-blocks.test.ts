import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { defaultConfig, type RunningServer, startServer } from '@llm-eval/server'
import { LLMEvalClient, LLMEvalStreamClient, type TraceSummary } from 'llm-eval-sdk'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPages, openProject } from './scene.ts'

const run = promisify(execFile)

let project: Awaited<ReturnType<typeof openProject>>
let home: string
let server: RunningServer
let client: LLMEvalClient
let streams: LLMEvalStreamClient

beforeAll(async () => {
  project = await openProject(['express', 'react', 'react-dom', 'vue', '@vitejs/plugin-vue', '@ag-ui/client'])
  home = project.home
  const config = { ...defaultConfig(), data: join(home, 'data'), port: 0, log_level: 'silent' as const }
  server = await startServer({ config })
  client = new LLMEvalClient(server.url)
  streams = new LLMEvalStreamClient(server.url)
}, 120_000)

afterAll(async () => {
  streams?.closeAllStreams()
  await server?.close()
  await project?.close()
})

/** Arguments and surroundings to run a block in a Node of its own, with http://localhost:8000 led to the server under test. */
function nodeFor(file: string, url = server.url): { argv: string[]; options: { cwd: string; env: NodeJS.ProcessEnv } } {
  const around = ['elsewhere.mjs', 'names.mjs'].flatMap((name) => ['--import', join(home, 'examples/around', name)])
  return {
    argv: [...around, join(home, 'examples', file)],
    options: { cwd: home, env: { ...process.env, NODE_OPTIONS: '', LLM_EVAL_URL: url } },
  }
}

/** Resolves with what a process has written so far, as soon as it matches. */
function output(child: ChildProcess, stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child[stream]?.on('data', (chunk: Buffer) => {
      text += String(chunk)
      if (pattern.test(text)) resolve(text)
    })
    child.once('exit', (code) => reject(new Error(`ended with ${code} after writing: ${text}`)))
  })
}

/** The next new trace that fits. */
async function nextTrace(fits: (trace: TraceSummary) => boolean, meanwhile: () => unknown): Promise<TraceSummary> {
  for await (const frame of streams.follow({ summaries: true })) {
    if (frame.event === 'connected') await meanwhile()
    if (frame.event === 'trace_updates' && frame.data.trace && fits(frame.data.trace)) return frame.data.trace
  }
  throw new Error('the stream ended')
}

describe('the blocks', () => {
  // SHA-256 of each block as it stands in the source document, in which the SDK is imported from './llm-eval-sdk'.
  it.each([
    ['basic.mjs', 'd8c1f1dfced64ca94b5a13ac5ee2cdb7d9ad92bdb51082acb176d6bb047478cc'],
    ['trace-logger.mjs', '73d3cfe511c10902b7e2eddcc2296db7a703391f6bab959873273c3d63dcf110'],
    ['browser-streaming.mjs', '2f5962dca1c01f610f916ec5952e4a0996e98cbf6ae6b1273b771025c07741f5'],
    ['LiveMetrics.jsx', 'ee3f3eec8564f88335dd15c469ccc8149a02c858c2aff7e20589720778c74aad'],
    ['express-middleware.cjs', '1e26f5545941f7862a763075044cdb1478b18435126b73217f3ab3ba9393268c'],
    ['stream-errors.mjs', '89d49d1809b602fc4c1cd72ff9d3592db6f0da5ef829c5dc94101138821d6233'],
  ])('%s is the block of the source document, apart from its import path', async (file, hash) => {
    const block = (await readFile(join(import.meta.dirname, 'seed-001', file), 'utf8')).replace(
      "'llm-eval-sdk'",
      "'./llm-eval-sdk'",
    )
    expect(createHash('sha256').update(block).digest('hex')).toBe(hash)
  })
})

describe('in Node', () => {
  it('Basic Usage sends its trace', async () => {
    const { argv, options } = nodeFor('seed-001/basic.mjs')
    const { stdout, stderr } = await run(process.execPath, argv, options)
    expect(stdout).toMatch(/^Trace sent: \{[^]*success: true[^]*'my_trace_123'/)
    expect(stderr).toBe('')
    expect(await client.getTrace('my_trace_123')).toMatchObject({
      model_name: 'gpt-4',
      user_query: 'What is AI?',
      ai_response: 'AI is artificial intelligence...',
      tokens_used: 25,
      response_time_ms: 850,
      cost: 0.002,
      metadata: { temperature: 0.7 },
      extra: {},
    })
  })

  it('Using TraceLogger logs its call with the time it really took', async () => {
    const { argv, options } = nodeFor('seed-001/trace-logger.mjs')
    const trace = await nextTrace(
      ({ user_query }) => user_query === 'Explain quantum computing',
      () => run(process.execPath, argv, options),
    )
    expect(trace).toMatchObject({ model_name: 'gpt-4', tokens_used: 150, cost: 0.001 })
    // setTimeout and the clock that measures may differ by a millisecond.
    expect(trace.response_time_ms).toBeGreaterThanOrEqual(499)
  })

  it('Express.js Middleware traces what the application answers, and the caller gets the answer', async () => {
    const { argv, options } = nodeFor('around/express-app.mjs')
    const child = spawn(process.execPath, argv, options)
    const url = (await output(child, 'stdout', /\n/)).trim()
    const ask = async (body: object) => {
      const headers = { 'content-type': 'application/json' }
      return (await (
        await fetch(`${url}/ask`, { method: 'POST', headers, body: JSON.stringify(body) })
      ).json()) as unknown
    }
    let answer: unknown
    const trace = await nextTrace(
      ({ trace_id }) => trace_id.startsWith('express_'),
      async () => {
        await ask({ query: 'not to be tracked' })
        answer = await ask({ track_llm: true, model: 'gpt-4', query: 'Hello?' })
      },
    )
    expect(answer).toEqual({ llm_response: 'You asked: Hello?' })
    expect(trace).toMatchObject({ model_name: 'gpt-4', user_query: 'Hello?', ai_response: 'You asked: Hello?' })
    expect((await client.getTrace(trace.trace_id)).metadata).toEqual({ endpoint: '/ask', method: 'POST' })
    child.kill()
    await once(child, 'exit')
  })

  it('Streaming Connection Issues shows events of its model, and errors when the server is gone', async () => {
    const config = { ...defaultConfig(), data: join(home, 'other-data'), port: 0, log_level: 'silent' as const }
    const other = await startServer({ config })
    const { argv, options } = nodeFor('seed-001/stream-errors.mjs', other.url)
    const child = spawn(process.execPath, argv, options)
    await output(child, 'stdout', /connected/)
    const seen = output(child, 'stdout', /wanted/)
    const sender = new LLMEvalClient(other.url)
    await sender.sendTrace({ traceId: 'another', modelName: 'gpt-3', userQuery: 'q', aiResponse: 'a' })
    await sender.sendTrace({ traceId: 'wanted', modelName: 'gpt-4', userQuery: 'q', aiResponse: 'a' })
    expect(await seen).not.toContain('another')
    const complained = output(child, 'stderr', /Stream error: LLMEvalError/)
    await other.close()
    await complained
    child.kill()
    await once(child, 'exit')
  })
})

describe('in Chromium', () => {
  let pages: Awaited<ReturnType<typeof openPages>>
  let browser: Browser

  beforeAll(async () => {
    pages = await openPages(home)
    browser = await openBrowser(server.url)
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await pages?.close()
  })

  const closed = (page: Page, path: string) =>
    page.waitForEvent('requestfailed', (request) => request.url().includes(path))

  it('Real-time Streaming shows events and metrics, and stops after its 30 seconds', async () => {
    const page = await browser.newPage()
    await page.clock.install()
    const shown = (text: string) => page.waitForEvent('console', (message) => message.text().includes(text))
    const connected = shown('Received event: {event: connected')
    const metrics = shown('Metrics update: {event: metrics_update')
    await page.goto(pages.url('browser-streaming.html'))
    await Promise.all([connected, metrics])
    const traced = shown('Received event: {event: trace_updates')
    await client.sendTrace({ modelName: 'gpt-4', userQuery: 'from the test', aiResponse: 'a' })
    await traced
    const stopped = Promise.all([closed(page, '/stream/events'), closed(page, '/stream/metrics')])
    await page.clock.fastForward(30_000)
    await stopped
    await page.close()
  })

  it('React Integration shows the counters as they change, and closes its stream when it is unmounted', async () => {
    const before = await client.metrics()
    const page = await browser.newPage()
    await page.goto(pages.url('live-metrics.html'))
    await page.getByRole('heading', { name: 'Live Metrics' }).waitFor()
    await page.getByText(`Total Traces: ${before.total_traces}`, { exact: true }).waitFor()
    await page.getByText('Acceptance Rate: 0%', { exact: true }).waitFor()
    const { trace_ids: ids } = await client.sendTrace({ modelName: 'gpt-4', userQuery: 'q', aiResponse: 'a' })
    await client.evaluateTrace(ids[0] ?? '', 'accepted')
    await page.getByText(`Total Traces: ${before.total_traces + 1}`, { exact: true }).waitFor()
    await page.getByText('Acceptance Rate: 100%', { exact: true }).waitFor()
    const stopped = closed(page, '/stream/metrics')
    await page.getByRole('button', { name: 'Unmount' }).click()
    await stopped
    expect(await page.getByRole('heading').count()).toBe(0)
    await page.close()
  })
})
