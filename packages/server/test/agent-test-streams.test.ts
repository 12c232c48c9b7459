import type { AgentTestUpdate } from '@llm-eval/protocol'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { createDatabase } from '../../store/test/postgres.ts'
import { agentReportOf } from './agent-reports.ts'
import { type StreamReader, type StreamServer, startStreams } from './stream-server.ts'

const reports = '/api/v1/agent-tests/reports'
const suite = '/api/v1/agent-tests/suites/stocks'
const one = `${suite}/cases/a`

describe.each(['sqlite', 'postgres'])('changes of agent tests on the event stream, on %s', (driver) => {
  let server: StreamServer
  beforeEach(async () => {
    const where = driver === 'postgres' ? { databaseUrl: (await createDatabase(inject('postgresUrl'))).url } : {}
    server = await startStreams({}, where)
  })
  afterEach(() => server.close())

  const told = (reader: StreamReader): AgentTestUpdate[] => reader.frames('agent_test_updates').map(({ data }) => data)
  const actions = (reader: StreamReader) => told(reader).map(({ action }) => action)

  test('each is told once, in its order, by names of suites and reports and never by what they say', async () => {
    const reader = await server.follow('/stream/events')
    await server.statusOf(
      'POST',
      reports,
      agentReportOf({ report_id: 'r', verdict: 'SAFE_TO_SHIP', note: 'secret words' }),
    )
    await server.statusOf(
      'POST',
      reports,
      agentReportOf({ report_id: 'r', verdict: 'SAFE_TO_SHIP', note: 'secret words' }),
    )
    await server.statusOf('PUT', `${one}/baselines/default`, { report_id: 'r' })
    const expires_at = new Date(Date.now() + 86_400_000).toISOString()
    await server.statusOf('PUT', `${one}/quarantine`, { owner: 'ann', reason: 'secret reason', expires_at })
    await server.statusOf('DELETE', `${one}/quarantine`)
    await server.statusOf('DELETE', `${one}/baselines/default`)
    // What is deleted before it is told has no name any more.
    await reader.until(() => told(reader).length === 5)
    await server.statusOf('DELETE', `${reports}/r`)
    await server.statusOf('DELETE', suite)
    await reader.until(() => told(reader).length === 7)
    expect(actions(reader)).toEqual([
      'report_added',
      'baseline_accepted',
      'quarantine_set',
      'quarantine_ended',
      'baseline_deleted',
      'report_deleted',
      'suite_deleted',
    ])
    expect(told(reader)[0]).toEqual({
      action: 'report_added',
      suite: 'stocks',
      report_id: 'r',
      verdict: 'SAFE_TO_SHIP',
      exit_code: 0,
      passed: 1,
      cases: 1,
    })
    expect(reader.raw).not.toContain('secret')
  })

  test('whoever was cut off gets what came meanwhile, and of a report that is gone no name', async () => {
    const first = await server.follow('/stream/events')
    await server.statusOf('POST', reports, agentReportOf({ report_id: 'seen' }))
    await first.until(() => told(first).length === 1)
    first.drop()
    const seen = first.messages.findLast(({ frame }) => frame?.event === 'agent_test_updates')?.id ?? ''
    await server.statusOf('POST', reports, agentReportOf({ report_id: 'gone', exit_code: 1 }))
    await server.statusOf('DELETE', `${reports}/gone`)
    const second = await server.follow('/stream/events', { 'last-event-id': seen })
    await second.until(() => told(second).length === 2)
    expect(told(second)).toEqual([
      { action: 'report_added', suite: null, report_id: null, verdict: null, exit_code: 1, passed: 1, cases: 1 },
      { action: 'report_deleted' },
    ])
  })

  test('whoever asked for traces gets none of them', async () => {
    const readers = await Promise.all(
      ['/stream/events?model_name=gpt-4', '/stream/events?evaluation_status=pending', '/stream/traces'].map((path) =>
        server.follow(path),
      ),
    )
    await server.statusOf('POST', reports, agentReportOf())
    await server.sendTraces(['after'])
    for (const reader of readers) {
      await reader.until(() => reader.newTraces().length === 1)
      expect(told(reader)).toEqual([])
    }
  })
})
