import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { percentile } from '../packages/server/test/faults/percentile.ts'
import type { Bench } from './bench.ts'
import type { Row } from './report.ts'
import { startPeer, startProduct } from './server.ts'

/** What one conversation saw, in milliseconds. */
interface Heard {
  /** From the request to the first byte, and to the first word. */
  firstByte: number
  firstWord: number
  /** Of each word: from the agent to here. */
  words: number[]
}

/**
 * What the bridge adds to a stream, beside two proxies of the same stream: one that does nothing but pass it on, and one that
 * also waits for the disk before it asks, as who promises that the question is kept must. Each path in turns.
 */
export const bridge: Bench = async ({ quick, directory, say }) => {
  await mkdir(directory, { recursive: true })
  const agent = await startPeer('peers/scripted-adk.ts')
  const proxy = await startPeer('peers/scripted-adk.ts', [agent.url, join(directory, 'questions')])
  const targets = JSON.stringify({ agent: { url: agent.url, app_name: 'bench' } })
  const product = await startProduct({ data: join(directory, 'bridge'), env: { LLM_EVAL_TARGETS: targets } })
  const paths = { ours: `${product.url}/agui/agent`, bare: `${proxy.url}/run_sse`, durable: `${proxy.url}/durable` }
  try {
    say('one conversation after the other')
    const alone = await measured(paths, { rounds: quick ? 10 : 200, together: 1, words: '20 5', everyMs: 0 })
    const together = quick ? 20 : 200
    say(`${together} under way`)
    const many = await measured(paths, { rounds: quick ? 1 : 3, together, words: '50 100', everyMs: 5_000 / together })
    say(`${together} that begin in the same moment`)
    const burst = await measured(paths, { rounds: quick ? 1 : 2, together, words: '50 100', everyMs: 0 })
    return [
      ...rowsOf(alone, 'one conversation at a time'),
      ...rowsOf(many, `${together} under way, 2,000 words/s`),
      ...rowsOf(burst, `${together} that begin in the same moment and speak in step`),
    ]
  } finally {
    for (const one of [product, proxy, agent]) await one.stop()
  }
}

interface Order {
  rounds: number
  together: number
  /** How many words, and how many milliseconds lie between them. */
  words: string
  /** Milliseconds from the begin of one to that of the next. */
  everyMs: number
}

const ways = ['bare', 'durable', 'ours'] as const
type Ways = Record<(typeof ways)[number], Heard[]>

async function measured(paths: Record<keyof Ways, string>, order: Order): Promise<Ways> {
  const { rounds, together, words, everyMs } = order
  const heard: Ways = { ours: [], bare: [], durable: [] }
  for (let round = 0; round <= rounds; round++)
    for (const way of ways) {
      const some = await Promise.all(
        Array.from({ length: together }, async (_, at) => {
          if (everyMs > 0) await pause(at * everyMs)
          return talk(paths[way], words)
        }),
      )
      // The first round warms up.
      if (round > 0) heard[way].push(...some)
    }
  return heard
}

async function talk(url: string, words: string): Promise<Heard> {
  const id = crypto.randomUUID()
  const body = JSON.stringify({
    newMessage: { parts: [{ text: words }] },
    threadId: id,
    runId: id,
    messages: [{ id, role: 'user', content: words }],
  })
  const began = performance.now()
  const asked = request(url, { method: 'POST', headers: { 'content-type': 'application/json' }, agent: false })
  asked.end(body)
  const [answer] = (await once(asked, 'response')) as [import('node:http').IncomingMessage]
  const heard: Heard = { firstByte: 0, firstWord: 0, words: [] }
  for await (const chunk of answer) {
    const now = process.hrtime.bigint()
    const at = performance.now()
    if (heard.firstByte === 0) heard.firstByte = at - began
    // Only pieces: the whole that follows says all again.
    const text = String(chunk)
    for (const [, said = ''] of text.matchAll(/"(?:text|delta)":"(\d{10,20}) "/g)) {
      if (heard.firstWord === 0) heard.firstWord = at - began
      heard.words.push(Number(now - BigInt(said)) / 1e6)
    }
  }
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode}`)
  return heard
}

function rowsOf({ ours, bare, durable }: Ways, when: string): Row[] {
  const row = (name: string, of: (heard: Heard) => number[], within: number): Row => {
    const [mine, theirs, kept] = [ours.flatMap(of), bare.flatMap(of), durable.flatMap(of)]
    const at = (share: number) => [mine, theirs, kept].map((values) => percentile(values, share).toFixed(2))
    const [mean, bareMean, keptMean] = at(0.5)
    const added = percentile(mine, 0.99) - percentile(theirs, 0.99)
    return {
      name: `${name}, p99, ${when}`,
      value: percentile(mine, 0.99),
      unit: 'ms',
      peer: { name: 'a proxy of the same stream that stores nothing', value: percentile(theirs, 0.99) },
      target: { atMost: percentile(theirs, 0.99) + within },
      note: `adds ${added.toFixed(2)} ms; a proxy that waits for the disk: ${percentile(kept, 0.99).toFixed(2)} ms; medians ${mean}, ${bareMean} and ${keptMean} ms; ${ours.length} conversations, ${mine.length} values`,
    }
  }
  return [
    row('first byte over the bridge', ({ firstByte }) => [firstByte], 5),
    row('first word over the bridge', ({ firstWord }) => [firstWord], 5),
    row('a word over the bridge', ({ words }) => words, 1),
  ]
}
