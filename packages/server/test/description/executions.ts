import { expect } from 'vitest'
import * as z from 'zod'
import { never } from '../../../engine/test/provider.ts'
import { trace } from '../ground.ts'
import type { Described } from './described-server.ts'

const started = z.object({ execution_id: z.string() })
const batch = z.object({ batch_id: z.string(), executions: z.array(started) })
const one = (method: string, id: string, rest = '') => ({
  of: `${method} /api/v1/executions/{execution_id}${rest.split('?', 1)[0]}`,
  at: `/api/v1/executions/${id}${rest}`,
})
const execute = (slug: string) => ({
  of: 'POST /api/v1/evaluators/{slug}/execute',
  at: `/api/v1/evaluators/${slug}/execute`,
})

/** Executions, one by one and together, to their end and cancelled. */
export async function askAboutExecutions({ ask, provider }: Described): Promise<void> {
  const input = { response: 'Paris', reference: 'Paris' }
  const done = started.parse(await ask({ ...execute('exact-match'), body: { input, config: {}, wait: 60 } }))
  await ask({ ...execute('nobody'), body: { input }, status: 404 })
  await ask({ ...execute('exact-match'), body: { input, version: 'v0' }, status: 404 })
  await ask({ ...execute('exact-match'), body: { input: {} }, status: 422 })
  await ask({ ...execute('exact-match'), body: { input, wait: 1e9 }, status: 422 })
  await ask({ ...execute('exact-match'), body: { trace_id: 'gone' }, status: 404 })

  const asked = provider.asked.length
  provider.next(never)
  const waiting = started.parse(await ask({ ...execute('strict-judge'), body: { input: { text: 'a' } }, status: 202 }))
  await provider.came(asked + 1)
  await ask(one('GET', waiting.execution_id, '?wait=0'))
  await ask(one('POST', waiting.execution_id, '/cancel'))
  await ask({ ...one('POST', waiting.execution_id, '/cancel'), status: 409 })
  await ask(one('GET', waiting.execution_id))
  await ask({ ...one('GET', 'nobody'), status: 404 })

  const executions = [
    { evaluator: 'exact-match', input },
    { evaluator: 'json-validator', input: { text: '{}' } },
  ]
  const start = { of: 'POST /api/v1/executions' }
  await ask({ ...start, body: { executions, wait: 60 } })
  await ask({ ...start, body: { executions: [] }, status: 422 })
  await ask({ ...start, body: { executions: [{ evaluator: 'exact-match' }] }, status: 422 })
  await ask({ of: 'GET /api/v1/executions' })
  const query = 'evaluator=exact_match&status=completed&limit=1'
  const page = await ask({ of: 'GET /api/v1/executions', at: `/api/v1/executions?${query}` })
  const { next_cursor } = z.object({ next_cursor: z.string() }).parse(page)
  await ask({ of: 'GET /api/v1/executions', at: `/api/v1/executions?${query}&cursor=${next_cursor}` })
  await ask({ of: 'GET /api/v1/executions', at: '/api/v1/executions?cursor=nonsense', status: 400 })
  await ask(one('GET', done.execution_id))
}

/** The evaluation of stored traces; the scores are on them then. */
export async function askAboutEvaluations({ ask }: Described): Promise<void> {
  const evaluate = { of: 'POST /api/v1/traces/{trace_id}/evaluate', at: '/api/v1/traces/scored/evaluate' }
  await ask({ of: 'POST /webhook/trace', body: trace({ trace_id: 'scored', response_time_ms: 20 }) })
  const evaluators = [{ slug: 'char-count' }, { slug: 'latency', config: { max: 10 } }, { slug: 'cost' }]
  await ask({ ...evaluate, body: { evaluators, wait: 60 } })
  await ask({ ...evaluate, body: { evaluators }, status: 202 })
  await ask({ ...evaluate, body: { evaluators: [] }, status: 422 })
  await ask({ ...evaluate, at: '/api/v1/traces/gone/evaluate', body: { evaluators }, status: 404 })
  await ask({ of: 'GET /api/v1/traces/{trace_id}', at: '/api/v1/traces/scored' })
  await ask({ of: 'GET /api/v1/traces', at: '/api/v1/traces?evaluator=char-count&min_score=1&score_outcome=scored' })
}

/** What tells of executions as they go on. */
export async function followExecutions({ ask, frames, messages, provider }: Described): Promise<void> {
  const execution = { evaluator: 'exact-match', input: { response: 'a', reference: 'b' } }
  const body = { executions: [execution, { evaluator: 'strict-judge', input: { text: 'seldom' } }] }
  provider.next({ does: 'send', status: 400, headers: {}, body: '{"error": {"message": "no such model"}}' })
  const told = batch.parse(await ask({ of: 'POST /api/v1/executions', body, status: 202 }))
  const all = `/api/v1/executions/batches/${told.batch_id}/events`
  const ofBatch = { of: 'GET /api/v1/executions/batches/{batch_id}/events', at: all }
  const kinds = await frames(ofBatch)
  expect(kinds.filter((kind) => kind !== 'progress').toSorted()).toEqual(['error', 'result'])
  await ask({ ...ofBatch, at: all.replace(told.batch_id, 'nobody'), status: 404 })

  const { execution_id: id = '' } = told.executions[0] ?? {}
  const events = one('GET', id, '/events')
  expect(await frames(events)).toEqual(['result'])
  await ask({ ...one('GET', 'nobody', '/events'), status: 404 })
  await ask({ ...events, at: `${events.at}?after=nonsense`, status: 400 })
  const socket = { of: 'GET /ws/executions/{execution_id}', at: `/ws/executions/${id}` }
  expect(await messages(socket)).toEqual(['result'])
  await ask({ ...socket, status: 426 })
}
