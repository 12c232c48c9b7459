import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run as runAnswer, runEventsReceipt, runMetrics, runPage } from '@llm-eval/protocol/run-schemas'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { configSchema } from '../src/config/config.ts'
import { type LocalRuns, openLocalRuns } from '../src/local.ts'
import { startServer } from '../src/main.ts'

let directory: string
let local: LocalRuns
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llm-eval-local-'))
  local = await openLocalRuns({ config: configOf() })
})
afterEach(async () => {
  await local.close()
  await rm(directory, { recursive: true, force: true })
})

const configOf = () => configSchema.parse({ data: directory, port: 0 })

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown } | null> {
  const url = new URL(`/api/v1/runs${path}`, 'http://localhost')
  const text = body === undefined ? null : new TextEncoder().encode(JSON.stringify(body))
  const answer = await local.answer(url, { method, body: text })
  return answer && { status: answer.status, json: await answer.json() }
}

const wish = (id: string, more: object = {}) => ({
  run_id: id,
  name: 'seven',
  dataset_name: 'numbers',
  task: { kind: 'client' },
  metrics_used: ['exact-match', { evaluator: 'client:mine', evaluator_version: '1', direction: 'higher' }],
  ...more,
})

const scored = (value: number) => ({
  outcome: 'scored',
  value,
  label: null,
  passed: value === 1,
  explanation: null,
  fault: null,
  output: {},
  usage: null,
  duration_ms: 0.1,
})

/** As the SDK writes it. */
const finished = (index: number, scores: object = { 'exact-match': scored(1), 'client:mine': scored(index % 2) }) => ({
  event_id: `sdk-${index}`,
  sequence: index,
  type: 'item_finished',
  item_id: `case-${index}#1`,
  item_index: index,
  case_id: `case-${index}`,
  repetition: 1,
  status: 'success',
  input: { question: index },
  expected: null,
  output: String(index),
  scores,
  error: null,
  attempts: 1,
  response_time_ms: 3,
  tokens: null,
  cost: 0,
  trace_id: null,
  started_at: '2026-01-27T12:00:00.000Z',
  completed_at: `2026-01-27T12:00:${String(index).padStart(2, '0')}.000Z`,
})

const told = (events: object[]) => ({ schema_version: 1, worker: 'sdk', events })

describe('runs that are kept without a server', () => {
  it('are made, told of, ended and summed up, and a server finds them as if it had been told', async () => {
    expect((await ask('POST', '', wish('r')))?.status).toBe(201)
    expect((await ask('POST', '', wish('r')))?.status).toBe(200)
    const receipt = await ask('POST', '/r/events', told(Array.from({ length: 10 }, (_, index) => finished(index))))
    expect(runEventsReceipt.parse(receipt?.json)).toMatchObject({ applied: 10, skipped: 0, status: 'running' })
    const again = await ask('POST', '/r/events', told([finished(3), { ...finished(4), completed_at: null }]))
    expect(runEventsReceipt.parse(again?.json).results.map(({ status }) => status)).toEqual(['duplicate', 'conflict'])
    const end = { event_id: 'e', sequence: 11, type: 'run_ended', status: 'completed', stopped_by: null, error: null }
    await ask('POST', '/r/events', told([{ ...end, at: '2026-01-27T12:00:20.000Z', total_items: 10 }]))
    const run = runAnswer.parse((await ask('GET', '/r'))?.json)
    expect(run).toMatchObject({ status: 'completed', completed_items: 10, total_items: 10, name: 'seven' })
    expect(run.metrics['client:mine']).toMatchObject({ n: 10, mean: 0.5, passed: 5, failed: 5 })
    expect(runPage.parse((await ask('GET', '?search=sev&limit=5'))?.json).items.map((one) => one.run_id)).toEqual(['r'])
    const metrics = runMetrics.parse((await ask('GET', '/r/metrics'))?.json)

    const server = await startServer({ config: configOf(), store: local.share(), log: pino({ level: 'silent' }) })
    try {
      const read = async <T>(path: string, shape: z.ZodType<T>) =>
        shape.parse(await (await fetch(`${server.url}/api/v1/runs/r${path}`)).json())
      expect(await read('', runAnswer)).toEqual(run)
      expect(await read('/metrics', runMetrics)).toEqual(metrics)
      const { items } = await read('/items', z.object({ items: z.array(z.looseObject({ item_index: z.number() })) }))
      expect(items[7]).toMatchObject({ item_index: 7, input: { question: 7 }, output: '7', expected: null })
      // Who did not hear that an item is stored tells it again, wherever the server is by then.
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify(told([finished(3), finished(11)]))
      const heard = await fetch(`${server.url}/api/v1/runs/r/events`, { method: 'POST', headers, body })
      const fates = runEventsReceipt.parse(await heard.json()).results.map(({ status }) => status)
      expect(fates).toEqual(['duplicate', 'run_over'])
    } finally {
      await server.close()
    }
  })

  it('go on when they are resumed', async () => {
    await ask('POST', '', wish('r'))
    await ask('POST', '/r/events', told([finished(0)]))
    await ask('POST', '/r/events', told([{ event_id: 'e', sequence: 1, type: 'run_ended', status: 'cancelled' }]))
    expect(runAnswer.parse((await ask('GET', '/r'))?.json).status).toBe('cancelled')
    expect(runAnswer.parse((await ask('POST', '/r/resume', { worker: 'other' }))?.json).status).toBe('running')
  })

  it.each<[string, string, string, unknown]>([
    ['a route of another kind', 'GET', '/r/items', undefined],
    ['a run that is not there', 'GET', '/nobody', undefined],
    ['a run that cannot be made', 'POST', '', wish('x', { name: '' })],
    ['a task of the server', 'POST', '', wish('x', { task: { kind: 'outputs', column: 'out' }, dataset: 'd' })],
    ['an evaluator that asks a model', 'POST', '', wish('x', { metrics_used: ['semantic-similarity'] })],
    ['an evaluator of the project', 'POST', '', wish('x', { metrics_used: ['politeness'] })],
    ['a parameter that comes twice', 'GET', '?tags=a&tags=b', undefined],
    ['an item that the server is to score', 'POST', '/r/events', told([finished(0, { 'client:mine': scored(1) })])],
    ['events that are none', 'POST', '/r/events', []],
  ])('leave %s to a server', async (_name, ...asked) => {
    await ask('POST', '', wish('r'))
    expect(await ask(...asked)).toBeNull()
    expect(await ask('GET', '/x')).toBeNull()
    expect(runAnswer.parse((await ask('GET', '/r'))?.json).completed_items).toBe(0)
  })

  it('are only those of their address', async () => {
    expect(await local.answer(new URL('http://localhost/api/v1/runsome'), { method: 'GET', body: null })).toBeNull()
    expect(await local.answer(new URL('http://localhost/health'), { method: 'GET', body: null })).toBeNull()
  })
})
