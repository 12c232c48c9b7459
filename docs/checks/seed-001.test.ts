import { streamMetricsQuery } from '@llm-eval/protocol/schemas'
import { LLMEvalClient, LLMEvalStreamClient, type StreamFrame } from 'llm-eval-sdk'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { createDatabase } from '../../packages/store/test/postgres.ts'
import { openShell, type Shell } from './shell.ts'

/** The numbers of the sample, in a project that has come to them. */
async function makeNumbers({ server }: Shell): Promise<void> {
  const client = new LLMEvalClient(server.url)
  const yesterday = new Date(Date.now() - 2 * 86_400_000).toISOString()
  const traces = Array.from({ length: 1_500 }, (_, at) => ({
    traceId: `trace_${at}`,
    modelName: 'gpt-4',
    userQuery: 'q',
    aiResponse: 'a',
    ...(at < 45 ? {} : { timestamp: yesterday }),
    // Two of three are known, around the sample's mean.
    ...(at % 3 === 0 ? {} : { responseTimeMs: at % 3 === 1 ? 1_000 : 1_501 }),
    ...(at === 0 ? { cost: 15.67 } : {}),
  }))
  await client.sendTracesBatch(traces, 'numbers')
  const review = (at: number, status: 'accepted' | 'rejected') =>
    server.store.apply(1, {
      kind: 'review',
      traceId: `trace_${at}`,
      status,
      reason: status === 'rejected' ? 'other' : null,
      note: null,
      reviewer: null,
      at: Date.now(),
      expectedVersion: null,
    })
  await Promise.all(Array.from({ length: 1_000 }, async (_, at) => review(at, at < 850 ? 'accepted' : 'rejected')))
}

async function first(server: Shell['server'], event: StreamFrame['event']): Promise<StreamFrame> {
  const streams = new LLMEvalStreamClient(server.url)
  for await (const frame of streams.follow({ stream: 'metrics' })) if (frame.event === event) return frame
  throw new Error('the stream ended')
}

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string

describe('the samples of seed 001', () => {
  let shell: Shell
  beforeEach(async () => {
    shell = await openShell()
  })
  afterEach(async () => shell.close())

  test('a metrics_update says exactly what the sample says, of traces that make its numbers', async () => {
    await makeNumbers(shell)
    const frame = await first(shell.server, 'metrics_update')
    expect(frame).toMatchObject({
      event: 'metrics_update',
      data: {
        total_traces: 1500,
        accepted_traces: 850,
        rejected_traces: 150,
        pending_traces: 500,
        avg_response_time: 1250.5,
        total_cost: 15.67,
        today_traces: 45,
        acceptance_rate: 85.0,
      },
      timestamp: time,
    })
    const stats: unknown = await (await fetch(`${shell.server.url}/webhook/stats`)).json()
    expect(stats).toEqual({ total_traces: 1500, today_traces: 45, pending_evaluation: 500, timestamp: time })
  })

  test('the sample events come as they are written: one unnamed data line of event, data and timestamp each', async () => {
    const { url } = shell.server
    const client = new LLMEvalClient(url)
    const stop = new AbortController()
    const stream = await fetch(`${url}/stream/events`, { signal: stop.signal })
    await client.sendTrace({ traceId: 'abc123', modelName: 'gpt-4', userQuery: 'q', aiResponse: 'a' })
    await client.evaluateTrace('abc123', 'accepted')
    let text = ''
    for await (const chunk of (stream.body ?? []) as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString()
      if (text.includes('evaluation_updates') && text.endsWith('\n\n')) break
    }
    stop.abort()
    expect(text).not.toMatch(/^event:/m)
    const frames = [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, json]) => JSON.parse(json ?? '') as object)
    expect(frames.slice(1)).toMatchObject([
      { event: 'trace_updates', data: { action: 'new_trace', trace_id: 'abc123' }, timestamp: time },
      { event: 'evaluation_updates', data: { trace_id: 'abc123', status: 'accepted' }, timestamp: time },
    ])
  })

  test('an interval that is not given is 5 seconds', () => {
    expect(streamMetricsQuery.parse({})).toEqual({ interval: 5 })
  })

  test('JSON with comments, as the sample of a batch abbreviates itself, is no JSON', async () => {
    const answer = await fetch(`${shell.server.url}/webhook/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"traces": [{"trace_id": "trace_1", // ... other trace fields\n}], "source": "production_app"}',
    })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ success: false, code: 'malformed_json' })
  })
})

test('DATABASE_URL selects Postgres for the whole server, with a bounded pool whose use is measured', async () => {
  await using database = await createDatabase(inject('postgresUrl'))
  const shell = await openShell({ database_url: database.url })
  try {
    const client = new LLMEvalClient(shell.server.url)
    await client.sendTrace({ traceId: 'in-postgres', modelName: 'gpt-4', userQuery: 'q', aiResponse: 'a' })
    expect(await client.getTrace('in-postgres')).toMatchObject({ trace_id: 'in-postgres', model_name: 'gpt-4' })
    const settings: unknown = await (await fetch(`${shell.server.url}/api/v1/settings`)).json()
    expect(settings).toMatchObject({ storage: 'postgres' })
    const measured = await (await fetch(`${shell.server.url}/metrics`)).text()
    expect(measured).toMatch(/^llm_eval_pool_size 10$/m)
    expect(measured).toMatch(/^llm_eval_pool_used \d+$/m)
  } finally {
    await shell.close()
  }
})

test('open streams are counted by kind while they are open', async () => {
  const shell = await openShell()
  try {
    const { url } = shell.server
    const stop = new AbortController()
    await fetch(`${url}/stream/traces`, { signal: stop.signal })
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^llm_eval_streams\{kind="traces"\} 1$/m)
    stop.abort()
  } finally {
    await shell.close()
  }
})
