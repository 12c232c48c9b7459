import { run } from '@llm-eval/protocol/run-schemas'
import { until } from '../faults/audit.ts'
import type { Described } from './described-server.ts'

/** Runs of the server: made, listed, ended and decided about. */
export async function askAboutRuns({ ask }: Described): Promise<void> {
  await ask({
    of: 'POST /api/v1/datasets',
    body: { name: 'cases', slug: 'cases', columns: [{ name: 'question' }, { name: 'answer' }] },
    status: 201,
  })
  await ask({
    of: 'POST /api/v1/datasets/{dataset}/rows',
    at: '/api/v1/datasets/cases/rows',
    body: { rows: [{ question: 'a', answer: 'A' }] },
    status: 201,
  })
  const make = { of: 'POST /api/v1/runs' }
  const body = {
    run_id: 'described',
    name: 'first',
    dataset: 'cases',
    task: { kind: 'outputs', column: 'answer' },
    metric_configs: { right: {} },
    metrics_used: ['char-count', { name: 'right', evaluator: 'exact-match', config: {} }],
    settings: { concurrency: 2, limits: { duration_ms: 60_000 } },
    tags: ['x'],
    metadata: { branch: 'main' },
  }
  await ask({ ...make, body, status: 201 })
  await ask({ ...make, body, status: 200 })
  await ask({ ...make, body: { ...body, name: 'second' }, status: 409 })
  await ask({ ...make, body: { name: 'none', metrics_used: [] }, status: 422 })
  await ask({ ...make, body: { ...body, run_id: 'r', dataset: 'nobody' }, status: 404 })
  const one = (method: string, rest = '', key = 'described') => ({
    of: `${method} /api/v1/runs/{run_id}${rest}`,
    at: `/api/v1/runs/${key}${rest}`,
  })
  const read = async () => run.parse(await ask(one('GET')))
  await until(read, ({ status }) => status === 'completed')
  await ask({
    of: 'GET /api/v1/runs',
    at: '/api/v1/runs?status=completed&tags=x&order_by=name&descending=false&limit=10',
  })
  await ask({ of: 'GET /api/v1/runs', at: '/api/v1/runs?status=unheard', status: 400 })
  await ask({ ...one('GET', '/items'), at: '/api/v1/runs/described/items?status=success&metric=char-count&below=100' })
  const previews = '/api/v1/runs/described/item-previews'
  const above = '?metric=char-count&above=0&errored=right&from=0&search=A'
  await ask({ ...one('GET', '/item-previews'), at: `${previews}?status=success&error=timeout` })
  await ask({ ...one('GET', '/item-previews'), at: previews })
  await ask({ ...one('GET', '/item-previews'), at: `${previews}${above}` })
  await ask({ ...one('GET', '/item-previews'), at: `${previews}?above=1`, status: 400 })
  await ask(one('GET', '/errors'))
  for (const format of ['csv', 'jsonl'])
    await ask({ ...one('GET', '/export'), at: `/api/v1/runs/described/export?format=${format}` })
  const place = { of: 'GET /api/v1/runs/{run_id}/items/{item_index}' }
  await ask({ ...place, at: '/api/v1/runs/described/items/0' })
  await ask({ ...place, at: '/api/v1/runs/described/items/9', status: 404 })
  await ask({ ...one('POST', '/approve'), body: { note: 'good' } })
  await ask({ ...one('POST', '/reject'), body: { by: 'ada' } })
  await ask({ ...one('PATCH'), body: { description: 'of a test' } })
  await ask({ ...one('PUT'), body: { name: 'renamed' } })
  await ask({ ...one('POST', '/cancel'), status: 409 })
  await ask(one('POST', '/resume'))
  await until(read, ({ status }) => status === 'completed')
  await ask(one('GET', '/metrics'))
  await ask({ ...make, body: { ...body, run_id: 'other' }, status: 201 })
  await ask({ of: 'GET /api/v1/comparisons', at: '/api/v1/comparisons?run_ids=described,other&cases=5&level=0.9' })
  const gated = 'run1=described&run2=other&fail_on=regression&min=right:0.5&max=char-count:9&allow_partial=true'
  await ask({ of: 'GET /api/v1/comparisons', at: `/api/v1/comparisons?${gated}&change=regressed&points=3` })
  await ask({ of: 'GET /api/v1/comparisons', at: '/api/v1/comparisons?run_ids=described', status: 400 })
  await ask({ ...make, body: { run_id: 'waiting', name: 'of a client', metrics_used: ['mine'] }, status: 201 })
  const event = { ...one('POST', '/events', 'waiting') }
  const item = {
    item_index: 0,
    case_id: 'a',
    status: 'success',
    input: 'q',
    output: 'a',
    scores: { mine: { value: 1 } },
  }
  const events = [
    { event_id: '1', sequence: 1, type: 'item_started', item_index: 0, case_id: 'a' },
    { event_id: '2', sequence: 2, type: 'item_finished', ...item },
    { event_id: '3', sequence: 3, type: 'heartbeat' },
  ]
  await ask({ ...event, body: { schema_version: 1, events } })
  await ask({ ...event, body: { schema_version: 2, events }, status: 422 })
  await ask(one('POST', '/cancel', 'waiting'))
  await ask(one('DELETE', '', 'waiting'))
  await ask({ ...one('GET', '', 'waiting'), status: 410 })
  await ask({ ...one('GET', '', 'nobody'), status: 404 })
}
