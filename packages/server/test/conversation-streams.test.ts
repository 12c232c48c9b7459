import type { ConversationUpdate } from '@llm-eval/protocol'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { createDatabase } from '../../store/test/postgres.ts'
import { type StreamReader, type StreamServer, startStreams } from './stream-server.ts'

const base = '/api/v1/conversations'
const user = (text: string, event_id: string | null = null) => ({ kind: 'user_message', event_id, payload: { text } })
const starts = { kind: 'run_start', run_id: 'r1', payload: {} }
const ends = { kind: 'run_end', run_id: 'r1', payload: { status: 'finished' } }

describe.each(['sqlite', 'postgres'])('conversations on the event stream, on %s', (driver) => {
  let server: StreamServer
  beforeEach(async () => {
    const where = driver === 'postgres' ? { databaseUrl: (await createDatabase(inject('postgresUrl'))).url } : {}
    server = await startStreams({}, where)
  })
  afterEach(() => server.close())

  const tell = (thread: string, ...events: object[]) => server.statusOf('POST', `${base}/${thread}/events`, { events })
  const told = (reader: StreamReader): ConversationUpdate[] =>
    reader.frames('conversation_updates').map(({ data }) => data)

  test('each telling is one frame: which, how far, how many, and what it does, but never what was said', async () => {
    const reader = await server.follow('/stream/events')
    expect(await tell('t', starts, user('secret words', 'm1'))).toBe(200)
    await tell('t', user('secret words', 'm1'))
    await tell('t', user('secret more'), ends)
    await tell('u', user('secret other'))
    // What is deleted before it is told has no name any more.
    await reader.until(() => told(reader).length === 3)
    await server.statusOf('DELETE', `${base}/t`)
    await reader.until(() => told(reader).length === 4)
    const [first] = told(reader)
    expect(told(reader)).toEqual([
      { action: 'events_added', thread_id: 't', ref: first?.ref, last_seq: 2, count: 2, state: 'running' },
      { action: 'events_added', thread_id: 't', ref: first?.ref, last_seq: 4, count: 2, state: 'finished' },
      { action: 'events_added', thread_id: 'u', ref: expect.any(Number), last_seq: 1, count: 1, state: 'running' },
      { action: 'conversation_deleted', thread_id: null, ref: first?.ref, last_seq: 4, count: 0, state: 'finished' },
    ])
    expect(reader.raw).not.toContain('secret')
  })

  test('whoever was away is told of all that happened since, without names of what is gone', async () => {
    const first = await server.follow('/stream/events')
    await tell('t', user('one'))
    await first.until(() => told(first).length === 1)
    const seen = first.messages.findLast(({ frame }) => frame?.event === 'conversation_updates')?.id ?? ''
    expect(seen).not.toBe('')
    await tell('t', user('two'))
    await tell('u', user('three'))
    await server.statusOf('DELETE', `${base}/u`)
    const second = await server.follow(`/stream/events?after=${seen}`)
    await second.until(() => told(second).length === 3)
    expect(told(second).map(({ action, thread_id, last_seq }) => [action, thread_id, last_seq])).toEqual([
      ['events_added', 't', 2],
      ['events_added', null, 1],
      ['conversation_deleted', null, 1],
    ])
  })

  test('streams of some traces, and the stream of traces, tell of none', async () => {
    const readers = [
      await server.follow('/stream/events?model_name=gpt-4'),
      await server.follow('/stream/events?evaluation_status=pending'),
      await server.follow('/stream/traces'),
    ]
    const whole = await server.follow('/stream/events')
    await tell('t', user('one'))
    await whole.until(() => told(whole).length === 1)
    const trace = { trace_id: 'x', model_name: 'gpt-4', user_query: 'q', ai_response: 'a' }
    expect(await server.statusOf('POST', '/webhook/trace', trace)).toBe(200)
    for (const reader of readers) {
      await reader.until(() => reader.frames('trace_updates').length === 1)
      expect(told(reader)).toEqual([])
    }
  })
})
