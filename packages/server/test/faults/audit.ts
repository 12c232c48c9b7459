import { get, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import type { BatchReceipt, Facets, Metrics, Series, TraceDetail, TracePage, WebhookStats } from '@llm-eval/protocol'
import { type Acknowledged, traceOf, wordOf } from './trace-mix.ts'

/** Counts everything anew, trace by trace. */
class Recount {
  total = 0
  accepted = 0
  rejected = 0
  latencySum = 0
  latencyCount = 0
  costSum = 0
  costCount = 0
  tokensSum = 0
  tokensCount = 0
  readonly models = new Map<string, number>()
  readonly days = new Map<string, number>()

  add(trace: TraceDetail): void {
    this.total++
    if (trace.evaluation_status === 'accepted') this.accepted++
    if (trace.evaluation_status === 'rejected') this.rejected++
    if (trace.response_time_ms !== null) {
      this.latencySum += trace.response_time_ms
      this.latencyCount++
    }
    if (trace.cost !== null) {
      this.costSum += trace.cost
      this.costCount++
    }
    if (trace.tokens_used !== null) {
      this.tokensSum += trace.tokens_used
      this.tokensCount++
    }
    this.models.set(trace.model_name, (this.models.get(trace.model_name) ?? 0) + 1)
    const day = trace.timestamp.slice(0, 10)
    this.days.set(day, (this.days.get(day) ?? 0) + 1)
  }
}

/**
 * Reads everything back and compares it with what was acknowledged: each trace there once with its content and verdict,
 * nothing else there, and every counter, roll-up, receipt and search result equal to a recount. The faults found, in words.
 */
export async function auditServer(url: string, acknowledged: Acknowledged): Promise<string[]> {
  const { faults, recount } = await auditTraces(url, acknowledged)
  await compareRollups(url, recount, faults)
  await compareReceipts(url, acknowledged, faults)
  await compareSearch(url, acknowledged, faults)
  return faults
}

/** The part of the audit that needs no background work to have caught up: the traces themselves, and the counters. */
export async function auditTraces(
  url: string,
  acknowledged: Acknowledged,
): Promise<{ faults: string[]; recount: Recount }> {
  const faults: string[] = []
  const recount = await readAll(url, acknowledged, faults)
  await compareCounters(url, recount, faults)
  return { faults, recount }
}

async function readAll(url: string, { traceIds, reviews, refused }: Acknowledged, faults: string[]): Promise<Recount> {
  const recount = new Recount()
  const wanted = new Set(traceIds)
  const bad = new Set(refused)
  const path = `${url}/api/v1/exports/traces?format=jsonl`
  const answer = await new Promise<IncomingMessage>((resolve, reject) => get(path, resolve).once('error', reject))
  if (answer.statusCode !== 200) throw new Error(`the export was answered ${answer.statusCode}`)
  for await (const line of createInterface({ input: answer })) {
    const trace = JSON.parse(line) as TraceDetail
    recount.add(trace)
    if (bad.has(trace.trace_id)) faults.push(`${trace.trace_id} was refused and is there`)
    else if (!wanted.delete(trace.trace_id)) faults.push(`${trace.trace_id} is there twice, or was never sent`)
    const difference = differs(trace, reviews.get(trace.trace_id)?.status ?? 'pending')
    if (difference) faults.push(`${trace.trace_id} has another ${difference}`)
  }
  for (const missing of wanted) faults.push(`${missing} was acknowledged and is gone`)
  return recount
}

/** The first field that is not as it was sent. */
function differs(trace: TraceDetail, status: string): string | undefined {
  const sent = traceOf(trace.trace_id)
  if (trace.evaluation_status !== status) return `verdict: ${trace.evaluation_status} instead of ${status}`
  if (trace.reviews.length !== (status === 'pending' ? 0 : 1)) return 'review history'
  for (const field of ['model_name', 'user_query', 'ai_response', 'session_id'] as const)
    if (trace[field] !== sent[field]) return field
  for (const field of ['tokens_used', 'response_time_ms', 'cost'] as const)
    if (trace[field] !== (sent[field] ?? null)) return field
  if (sent.timestamp !== undefined && trace.timestamp !== sent.timestamp) return 'timestamp'
  return JSON.stringify(trace.metadata) === JSON.stringify(sent.metadata) ? undefined : 'metadata'
}

async function compareCounters(url: string, recount: Recount, faults: string[]): Promise<void> {
  const today = () => recount.days.get(new Date().toISOString().slice(0, 10)) ?? 0
  const before = today()
  const metrics = await getJson<Metrics>(`${url}/api/v1/metrics`)
  const stats = await getJson<WebhookStats>(`${url}/webhook/stats`)
  const pending = recount.total - recount.accepted - recount.rejected
  const rows: [string, number | null, number][] = [
    ['total_traces', metrics.total_traces, recount.total],
    ['accepted_traces', metrics.accepted_traces, recount.accepted],
    ['rejected_traces', metrics.rejected_traces, recount.rejected],
    ['pending_traces', metrics.pending_traces, pending],
    ['response_time_count', metrics.response_time_count, recount.latencyCount],
    ['avg_response_time', metrics.avg_response_time ?? 0, round(recount.latencySum / (recount.latencyCount || 1), 2)],
    ['total_cost', metrics.total_cost, round(recount.costSum, 4)],
    ['cost_count', metrics.cost_count, recount.costCount],
    ['total_tokens', metrics.total_tokens, recount.tokensSum],
    ['tokens_count', metrics.tokens_count, recount.tokensCount],
    ['stats.total_traces', stats.total_traces, recount.total],
    ['stats.pending_evaluation', stats.pending_evaluation, pending],
    // Around midnight the day may change between the two readings.
    ...(before === today() ? [['today_traces', metrics.today_traces, before] satisfies [string, number, number]] : []),
  ]
  for (const [name, told, counted] of rows) {
    if (told === null || Math.abs(told - counted) > 1e-4) faults.push(`${name} is ${told}; a recount says ${counted}`)
  }
}

async function compareRollups(url: string, recount: Recount, faults: string[]): Promise<void> {
  const to = new Date(Date.now() + 86_400_000).toISOString()
  const path = `${url}/api/v1/metrics/series?from=2025-01-01T00:00:00Z&to=${to}&step_seconds=604800`
  const series = await until(
    () => getJson<Series>(path),
    ({ lag_events: lag }) => lag === 0,
  )
  const sum = (field: 'traces' | 'accepted' | 'rejected' | 'cost_count' | 'tokens' | 'latency_count') =>
    series.points.reduce((total, point) => total + point[field], 0)
  const rows: [string, number, number][] = [
    ['traces', sum('traces'), recount.total],
    ['accepted', sum('accepted'), recount.accepted],
    ['rejected', sum('rejected'), recount.rejected],
    ['cost_count', sum('cost_count'), recount.costCount],
    ['tokens', sum('tokens'), recount.tokensSum],
    ['latency_count', sum('latency_count'), recount.latencyCount],
  ]
  for (const [name, told, counted] of rows)
    if (told !== counted) faults.push(`the plots sum ${name} to ${told}; a recount says ${counted}`)
  const facets = await getJson<Facets>(`${url}/api/v1/facets`)
  for (const { name, traces } of facets.models) {
    const counted = recount.models.get(name)
    if (traces !== counted) faults.push(`${name} has ${traces} traces; a recount says ${counted}`)
  }
}

async function compareReceipts(url: string, { batches }: Acknowledged, faults: string[]): Promise<void> {
  for (const [batchId, traceIds] of sample([...batches], 100)) {
    const answer = await fetch(`${url}/webhook/batches/${batchId}`)
    const receipt = answer.ok ? ((await answer.json()) as BatchReceipt) : undefined
    const created = receipt?.results.filter(({ status }) => status === 'created').map(({ trace_id: id }) => id)
    if (created?.join() !== traceIds.join()) faults.push(`the receipt of ${batchId} is ${JSON.stringify(receipt)}`)
  }
}

async function compareSearch(url: string, { traceIds }: Acknowledged, faults: string[]): Promise<void> {
  await until(
    () => getJson<TracePage>(`${url}/api/v1/traces?q=nothing`),
    ({ search_lag: lag }) => lag === 0,
  )
  for (const traceId of sample(traceIds, 50)) {
    const { items } = await getJson<TracePage>(`${url}/api/v1/traces?q=${wordOf(traceId)}`)
    if (items.length !== 1 || items[0]?.trace_id !== traceId)
      faults.push(`a search for ${traceId} finds ${items.length}`)
  }
}

/** What the database itself says, once its server has stopped. */
export function auditFile(path: string): string[] {
  const db = new DatabaseSync(path, { readOnly: true })
  const all = (sql: string) =>
    JSON.stringify(
      db
        .prepare(sql)
        .all()
        .map((row) => Object.values(row)),
    )
  const rows: [what: string, found: string, wanted: string][] = [
    ['integrity', all('PRAGMA integrity_check'), '[["ok"]]'],
    ['traces without a body', all('SELECT ref FROM traces EXCEPT SELECT ref FROM bodies'), '[]'],
    ['bodies without a trace', all('SELECT ref FROM bodies EXCEPT SELECT ref FROM traces'), '[]'],
    ['reviews without a trace', all('SELECT ref FROM reviews EXCEPT SELECT ref FROM traces'), '[]'],
    ['counters', all('SELECT total, accepted, rejected, in_review FROM heads'), all(recounted)],
    ['days', all('SELECT day, traces FROM days WHERE traces <> 0 ORDER BY 1'), all(recountedDays)],
    ['journal', all('SELECT 1 AS a, seq AS b, seq AS c FROM heads'), all(recountedJournal)],
    [
      'new traces in the journal',
      all('SELECT ref, count(*) AS times FROM events WHERE kind = 1 GROUP BY 1 ORDER BY 1'),
      all('SELECT ref, 1 AS times FROM traces ORDER BY 1'),
    ],
  ]
  db.close()
  return rows.filter(([, found, wanted]) => found !== wanted).map(([what, found]) => `${what}: ${found.slice(0, 500)}`)
}

const recounted = 'SELECT count(*), sum(status = 2), sum(status = 3), sum(status = 1) FROM traces'
const recountedJournal = 'SELECT min(seq) AS a, max(seq) AS b, count(*) AS c FROM events'
const recountedDays = 'SELECT ts / 86400000, count(*) FROM traces GROUP BY 1 ORDER BY 1'

/** At most `count` entries, evenly spread. */
export function sample<T>(list: readonly T[], count: number): T[] {
  const step = Math.max(1, list.length / count)
  return Array.from({ length: Math.min(count, list.length) }, (_, i) => list[Math.floor(i * step)] as T)
}

/** GETs JSON; any other status than 200 is an error. */
export async function getJson<T>(url: string): Promise<T> {
  const answer = await fetch(url)
  if (answer.status !== 200) throw new Error(`${url} was answered ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as T
}

/** Asks again and again until the answer fits. */
export async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (fits(answer)) return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
