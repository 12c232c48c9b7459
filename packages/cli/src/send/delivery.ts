import type { ItemResult, ItemStatus, WebhookAnswer } from '@llm-eval/protocol'
import { type AnyTrace, type LLMEvalClient, LLMEvalError } from 'llm-eval-sdk'
import type { Batch, Item } from './traces.ts'

/** What became of one trace. */
export interface Fate {
  line: number
  traceId: string | null
  status: ItemStatus
  error?: string
}

/** How batches are delivered. */
export interface Delivery {
  client: LLMEvalClient
  source: string
  /** Requests under way at the same time. */
  concurrency: number
  signal: AbortSignal
}

/** A batch whose traces have all met their fate. */
export interface Delivered {
  fates: Fate[]
  end: Batch['end']
}

/**
 * Sends batches, several at a time, and gives what became of them in the order of the input. Rejects when the server cannot
 * be spoken to; the batches that were given before are settled, of the others some may be.
 */
export async function* deliverAll(batches: AsyncIterable<Batch>, delivery: Delivery): AsyncGenerator<Delivered> {
  const underWay: Promise<Delivered>[] = []
  try {
    for await (const batch of batches) {
      const delivered = deliver(batch, delivery)
      // It is awaited below, perhaps after another one has failed.
      delivered.catch(() => undefined)
      underWay.push(delivered)
      if (underWay.length < delivery.concurrency) continue
      const oldest = underWay.shift()
      if (oldest) yield await oldest
    }
    for (let next = underWay.shift(); next; next = underWay.shift()) yield await next
  } finally {
    // What is still under way must not outlive the one who waits for it.
    await Promise.allSettled(underWay)
  }
}

async function deliver({ items, end }: Batch, delivery: Delivery): Promise<Delivered> {
  const sent = await send(
    items.flatMap((item) => (item.trace ? [item] : [])),
    delivery,
  )
  const results = sent.values()
  const fates = items.map((item): Fate => {
    if (item.trace) return results.next().value ?? fateOf(item, undefined)
    return { line: item.line, traceId: item.traceId, status: 'invalid', error: item.error }
  })
  return { fates, end }
}

type Sendable = Item & { trace: Record<string, unknown> }

async function send(items: Sendable[], delivery: Delivery): Promise<Fate[]> {
  if (items.length === 0) return []
  const { client, source, signal } = delivery
  let answer: WebhookAnswer
  try {
    // The server checks each trace; what it does not like is told for that trace alone.
    answer = await client.sendTracesBatch(
      items.map(({ trace }) => trace as unknown as AnyTrace),
      { source, signal },
    )
  } catch (error) {
    if (!(error instanceof LLMEvalError)) throw error
    if (error.answer?.results?.length === items.length) answer = error.answer
    else if (isAboutContent(error)) return refused(items, { error, delivery })
    else throw error
  }
  const { results } = answer
  return items.map((item, index) => fateOf(item, results?.[index]))
}

/** Statuses that blame what was sent, not the moment or the caller. */
function isAboutContent({ status }: LLMEvalError): boolean {
  return status === 400 || status === 413 || status === 422
}

/** The request was refused as a whole: finds out which trace it is, and lets the others pass. */
async function refused(
  items: Sendable[],
  { error, delivery }: { error: LLMEvalError; delivery: Delivery },
): Promise<Fate[]> {
  const [only] = items
  if (only && items.length === 1)
    return [{ line: only.line, traceId: idOf(only.trace), status: 'invalid', error: error.message }]
  const middle = Math.ceil(items.length / 2)
  return [...(await send(items.slice(0, middle), delivery)), ...(await send(items.slice(middle), delivery))]
}

function fateOf({ line, trace }: Sendable, result: ItemResult | undefined): Fate {
  // A server that tells nothing of the single trace has said that the request succeeded.
  const { status, error } = result ?? { status: 'created' as const, error: undefined }
  // The place in the request means nothing to who sent a file; the line does.
  const told = error?.replace(/(^|; )traces\[\d+\]\.?(: )?/g, '$1')
  return { line, traceId: result?.trace_id ?? idOf(trace), status, ...(told === undefined ? {} : { error: told }) }
}

function idOf(trace: Record<string, unknown>): string | null {
  const id = trace['trace_id'] ?? trace['traceId']
  return typeof id === 'string' ? id : null
}
