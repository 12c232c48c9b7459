import { mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createSseDecoder,
  type Metrics,
  type Series,
  type StreamFrame,
  type TracePage,
  type TraceSummary,
} from '@llm-eval/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLog, defaultConfig, type RunningServer, startServer } from '../src/main.ts'
import { randomFrom } from './faults/trace-mix.ts'

let data: string
let server: RunningServer
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'llm-eval-mix-'))
  const config = { ...defaultConfig(), port: 0, data, synchronous: 'normal' as const, log_level: 'silent' as const }
  server = await startServer({ config, log: createLog(config) })
})
afterEach(async () => {
  await server.close()
  await rm(data, { recursive: true, force: true })
})

const call = (method: string, path: string, body?: unknown) =>
  fetch(`${server.url}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
const read = async <T>(path: string) => (await (await call('GET', path)).json()) as T

/** Few ids, so that everybody is at the same ones all the time; some try what URLs and databases are picky about. */
const ids = [
  'plain',
  'é',
  'e\u0301',
  'a/b',
  'a%2Fb',
  '😀',
  '%00',
  "'; DROP--",
  ...Array.from({ length: 32 }, (_, i) => `t${i}`),
]
/** Each sends ids of its own beside them, of which some stay. */
const ownId = (client: number, step: number) => `own-${client}-${step}`

/** What a client of the stream believes to be there. */
function follow() {
  const alive = new Map<string, string>()
  const decoder = createSseDecoder({
    onMessage({ data: text }) {
      const frame = JSON.parse(text) as StreamFrame
      if (frame.event === 'evaluation_updates' && frame.data.trace_id !== null) {
        if (alive.has(frame.data.trace_id)) alive.set(frame.data.trace_id, frame.data.status)
      }
      if (frame.event !== 'trace_updates') return
      const { action, trace_id, ref } = frame.data
      if (trace_id !== null && action === 'new_trace') {
        alive.set(trace_id, 'pending')
        refs.set(ref, trace_id)
      }
      // The id is gone by then; the ref says which one it was.
      if (action === 'trace_deleted') alive.delete(refs.get(ref) ?? '')
    },
  })
  const refs = new Map<number, string>()
  const request = get(`${server.url}/stream/events`, (answer) => {
    answer.setEncoding('utf8').on('data', (text: string) => decoder.feed(text))
    answer.on('error', () => undefined)
  })
  return { alive, stop: () => request.destroy(), opened: new Promise((resolve) => request.once('response', resolve)) }
}

async function everything(): Promise<TraceSummary[]> {
  const items: TraceSummary[] = []
  for (let cursor = ''; ; ) {
    const page = await read<TracePage>(`/api/v1/traces?limit=17${cursor}`)
    items.push(...page.items)
    if (page.next_cursor === null) return items
    cursor = `&cursor=${page.next_cursor}`
  }
}

describe('many clients who send, review, delete and erase the same traces at once', () => {
  it.each([1, 2, 3])('leave lists, counters, series and streams that agree (seed %i)', async (seed) => {
    const reader = follow()
    await reader.opened
    const statuses = new Set<number>()
    const created = new Map<string, number>()
    const tell = (results: { trace_id: string | null; status: string }[] = []) => {
      for (const { trace_id, status } of results)
        if (status === 'created' && trace_id !== null) created.set(trace_id, (created.get(trace_id) ?? 0) + 1)
    }

    async function client(number: number): Promise<void> {
      const random = randomFrom(seed * 1_000 + number)
      const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T
      const traceOf = (id: string) => ({
        trace_id: id,
        model_name: pick(['m1', 'm2']),
        user_query: 'q',
        ai_response: 'a',
        user_id: pick(['ann', 'ben', 'cy', 'dee']),
        ...(random() < 0.5 ? { cost: 0.25, tokens_used: 3, response_time_ms: 8 } : {}),
      })
      const path = () => `/api/v1/traces/${encodeURIComponent(pick(ids))}`
      for (let step = 0; step < 40; step++) {
        const dice = random()
        const sent =
          dice < 0.3
            ? call('POST', '/webhook/trace', traceOf(random() < 0.3 ? ownId(number, step) : pick(ids)))
            : dice < 0.6
              ? call('POST', '/webhook/batch', {
                  source: 's',
                  batch_id: pick(['b1', 'b2', `b-${number}-${step}`]),
                  traces: Array.from({ length: 8 }, (_, i) =>
                    traceOf(i < 3 ? ownId(number, step * 10 + i) : pick(ids)),
                  ),
                })
              : dice < 0.8
                ? call('PATCH', `${path()}/review`, {
                    status: pick(['accepted', 'pending', 'in_review']),
                    reviewer: 'r',
                  })
                : dice < 0.97
                  ? call('DELETE', path())
                  : call('DELETE', `/api/v1/users/${pick(['ann', 'ben'])}`)
        const answer = await sent
        statuses.add(answer.status)
        tell(((await answer.json()) as { results?: { trace_id: string; status: string }[] }).results)
      }
    }

    await Promise.all(Array.from({ length: 24 }, (_, number) => client(number)))
    const expected = new Set([200, 207, 404, 409, 410, 422])
    expect([...statuses].filter((status) => !expected.has(status))).toEqual([])
    expect([...created.entries()].filter(([, times]) => times > 1)).toEqual([])

    const list = await everything()
    expect(new Set(list.map((item) => item.trace_id)).size).toBe(list.length)
    expect(list.length).toBeGreaterThan(20)
    const sum = (field: 'cost' | 'tokens_used' | 'response_time_ms') =>
      list.reduce((total, item) => total + (item[field] ?? 0), 0)
    const known = (field: 'cost' | 'tokens_used' | 'response_time_ms') =>
      list.filter((item) => item[field] !== null).length
    const having = (status: string) => list.filter((item) => item.evaluation_status === status).length
    expect(await read<Metrics>('/api/v1/metrics')).toMatchObject({
      total_traces: list.length,
      accepted_traces: having('accepted'),
      in_review_traces: having('in_review'),
      pending_traces: having('pending') + having('in_review'),
      total_cost: sum('cost'),
      cost_count: known('cost'),
      total_tokens: sum('tokens_used'),
      tokens_count: known('tokens_used'),
      response_time_count: known('response_time_ms'),
    })
    const truth = Object.fromEntries(list.map((item) => [item.trace_id, item.evaluation_status]))
    await vi.waitFor(() => expect(Object.fromEntries(reader.alive)).toEqual(truth), { timeout: 5_000 })
    await vi.waitFor(
      async () => {
        const from = new Date(Date.now() - 3_600_000).toISOString()
        const to = new Date(Date.now() + 3_600_000).toISOString()
        const { points } = await read<Series>(`/api/v1/metrics/series?from=${from}&to=${to}`)
        expect(points.reduce((total, point) => total + point.traces, 0)).toBe(list.length)
      },
      { timeout: 10_000 },
    )
    const exported = (await (await call('GET', '/api/v1/exports/traces')).text()).split('\n').filter(Boolean)
    expect(exported).toHaveLength(list.length)
    reader.stop()
  })
})
