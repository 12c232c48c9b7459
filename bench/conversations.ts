import { join } from 'node:path'
import { type Browser, chromium as engine } from 'playwright-core'
import { median, percentile } from '../packages/server/test/faults/percentile.ts'
import { chromium } from '../scripts/chromium.mjs'
import type { Bench } from './bench.ts'
import type { Row } from './report.ts'
import { startProduct } from './server.ts'

/** Events of a turn: what begins it, what the user said, thoughts, calls with results, the answer in pieces and whole, and its end. */
const turnEvents = 50
const requestEvents = 1_000

/** A conversation of 10,000 events: told, exported as an eval file, read as turns, and opened in Chromium with nothing cached. */
export const conversations: Bench = async ({ quick, directory, say }) => {
  const events = quick ? 1_000 : 10_000
  const rounds = quick ? 2 : 20
  const product = await startProduct({ data: join(directory, 'conversation') })
  const browser = await engine.launch({ executablePath: await chromium(), args: ['--no-sandbox', '--disable-gpu'] })
  try {
    say(`telling ${events.toLocaleString('en-US')} events`)
    const began = performance.now()
    await tell(product.url, { thread: 'long', events })
    const told = performance.now() - began
    await tell(product.url, { thread: 'short', events: turnEvents })
    const note = `${events.toLocaleString('en-US')} events in ${events / turnEvents} turns, a server that stands open`
    const rows: Row[] = [
      { name: 'events of a conversation told, 1,000 at once', value: events / (told / 1000), unit: '/s', note },
    ]
    say('exporting')
    // Each is the first one of its thread since something was told: nothing is remembered of the one before.
    const exports: number[] = []
    for (let round = 0; round < rounds; round++) {
      await tell(product.url, { thread: 'long', events: turnEvents, from: events + turnEvents * round })
      exports.push(await timed(`${product.url}/export/long`))
    }
    rows.push({
      name: 'a conversation exported as an eval set',
      value: percentile(exports, 0.99),
      unit: 'ms',
      target: { atMost: 1_000 },
      note: `longest of ${rounds}, each after another turn; median ${median(exports).toFixed(0)} ms; ${note}`,
    })
    say('opening')
    const opened: Record<'long' | 'short', number[]> = { long: [], short: [] }
    // Both take turns, so that a noisy moment hits them alike.
    for (let round = 0; round < (quick ? 1 : 9); round++) {
      for (const thread of ['long', 'short'] as const)
        opened[thread].push(await visit(browser, `${product.url}/conversations/${thread}`))
    }
    rows.push({
      name: 'page of a conversation, until its last turn is shown',
      value: median(opened.long),
      unit: 'ms',
      peer: { name: 'a conversation of one turn', value: median(opened.short) },
      target: { atMost: 1_000 },
      note: `nothing cached; median of 9; ${note}`,
    })
    return rows
  } finally {
    await browser.close()
    await product.stop()
  }
}

async function timed(address: string): Promise<number> {
  const began = performance.now()
  const answer = await fetch(address)
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${text}`)
  return performance.now() - began
}

async function visit(browser: Browser, address: string): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1_400, height: 900 } })
  try {
    const page = await context.newPage()
    const began = performance.now()
    await page.goto(address, { waitUntil: 'commit' })
    await page.getByText('The answer is whole.').last().waitFor()
    return performance.now() - began
  } finally {
    await context.close()
  }
}

async function tell(url: string, { thread, events, from = 0 }: { thread: string; events: number; from?: number }) {
  for (let at = from; at < from + events; at += requestEvents) {
    const some = Array.from({ length: Math.min(requestEvents, from + events - at) }, (_, i) => eventOf(at + i))
    const answer = await fetch(`${url}/api/v1/conversations/${thread}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ app_name: 'bench', user_id: 'bench', events: some }),
    })
    const said = await answer.text()
    if (!answer.ok) throw new Error(`${answer.status} ${said}`)
  }
}

const start = Date.parse('2026-01-01T00:00:00Z')

function eventOf(index: number) {
  const [turn, step] = [Math.floor(index / turnEvents), index % turnEvents]
  const time = start + index * 100
  const run_id = `run-${turn}`
  const head = { at: new Date(time).toISOString(), run_id, event_id: `event-${index}` }
  const own = (author: string, parts: object[], more: object = {}) => ({
    ...head,
    kind: 'adk_event',
    payload: {
      id: `event-${index}`,
      invocationId: `e-${turn}`,
      author,
      timestamp: time / 1000,
      content: { role: 'model', parts },
      ...more,
    },
  })
  const usageMetadata = {
    promptTokenCount: 900,
    candidatesTokenCount: 60,
    thoughtsTokenCount: 40,
    totalTokenCount: 1_000,
  }
  if (step === 0) return { ...head, kind: 'run_start', payload: {} }
  if (step === 1)
    return { ...head, kind: 'user_message', payload: { text: `Question ${turn}: ${'why is it so? '.repeat(8)}` } }
  if (step === turnEvents - 1) return { ...head, kind: 'run_end', payload: { status: 'finished' } }
  if (step === turnEvents - 2)
    return own('root_agent', [{ text: `${'A sentence of an answer. '.repeat(20)}The answer is whole.` }], {
      usageMetadata,
    })
  if (step >= 30) return own('root_agent', [{ text: 'A sentence of an answer. ' }], { partial: true })
  const id = `call-${turn}-${Math.floor(step / 2)}`
  const args = { query: `what is known of ${step}`, limit: 10, deep: { list: [1, 2, 3] } }
  return step % 2 === 0
    ? own('searcher', [{ functionCall: { id, name: 'search', args }, thoughtSignature: 'CrQCAd_-'.repeat(20) }], {
        usageMetadata,
      })
    : own('searcher', [
        { functionResponse: { id, name: 'search', response: { hits: Array(20).fill('a hit with some text') } } },
      ])
}
