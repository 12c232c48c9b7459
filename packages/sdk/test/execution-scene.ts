import { encodeSse, type Execution, type Score } from '@llm-eval/protocol'
import { type Behaviour, type FakeServer, json, startFakeServer } from './fake-server.ts'
import { ManualClock } from './manual-clock.ts'

const at = '2025-01-27T12:00:00Z'

export const score: Score = {
  outcome: 'scored',
  value: 1,
  label: null,
  passed: true,
  explanation: null,
  fault: null,
  output: { is_correct: true },
  usage: null,
  duration_ms: 1,
}

export function execution(id: string, changes: Partial<Execution> = {}): Execution {
  return {
    execution_id: id,
    evaluator: 'accuracy-evaluator',
    evaluator_version: 'v',
    status: 'completed',
    trace_id: null,
    batch_id: null,
    score,
    error: null,
    created_at: at,
    completed_at: at,
    ...changes,
  }
}

export const running = (id: string) => execution(id, { status: 'running', score: null, completed_at: null })
export const broken = (id: string, code = 'timeout') =>
  execution(id, { status: 'failed', score: null, error: { code, message: 'it took too long' } })

/** The message of an execution that is over. */
export function ended(seq: number, one: Execution): string {
  const event_type = one.status === 'completed' ? 'result' : 'error'
  return encodeSse(JSON.stringify({ event_type, data: one, timestamp: at }), `e.${seq}`)
}

export function progress(seq: number, id: string): string {
  const data = { execution_id: id, status: 'running', done: seq, total: 3 }
  return encodeSse(JSON.stringify({ event_type: 'progress', data, timestamp: at }), `e.${seq}`)
}

/** Answers that an execution was started. */
export const started = (id: string): Behaviour =>
  json(200, { execution_id: id, stream_url: `/executions/events/${id}` })

/** How the tests reach a server that is scripted: its own URL and a clock that stands still. */
export interface Reach {
  baseUrl: string
  clock: ManualClock
  random: () => number
}

/** A scripted server, and how to reach it. */
export async function withServer(test: (server: FakeServer, reach: Reach) => Promise<void>): Promise<void> {
  await using server = await startFakeServer()
  await test(server, { baseUrl: server.url, clock: new ManualClock(), random: () => 0 })
}
