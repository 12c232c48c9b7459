import { expect } from 'vitest'
import * as z from 'zod'
import type { Described } from './described-server.ts'

const started = z.object({ execution_id: z.string(), stream_url: z.string() })
const mapping = (fields: Record<string, unknown>) => ({
  input_schema_mapping: Object.fromEntries(Object.entries(fields).map(([field, source]) => [field, { source }])),
})
const evaluator = (method: string, rest = '', slug = 'char-count') => ({
  of: `${method} /v2/evaluators/{slug}${rest}`,
  at: `/v2/evaluators/${slug}${rest}`,
})

/** Evaluators as Traceloop's SDKs run them, and all the paths that they ever ran them at. */
export async function askAsTraceloopRuns({ ask, provider }: Described): Promise<void> {
  const start = evaluator('POST', '/executions')
  const { stream_url } = started.parse(
    await ask({ ...start, body: { ...mapping({ text: 'four' }), evaluator_version: null, evaluator_config: null } }),
  )
  const wait = { of: 'GET /v2/executions/events/{execution_id}', at: `/v2${stream_url}` }
  await ask(wait)
  await ask({ ...wait, at: '/v2/executions/events/nobody', status: 404 })
  await ask({ ...start, body: { input: { text: 'four' } } })
  await ask({ ...start, body: { ...mapping({ text: 'words[0]' }), data: { words: ['four'] } } })
  await ask({ ...start, body: { ...mapping({ text: 'words[1]' }), data: { words: ['four'] } }, status: 422 })
  await ask({ ...start, at: '/v2/evaluators/nobody/executions', body: mapping({ text: 'four' }), status: 404 })
  await ask({ ...start, body: mapping({}), status: 422 })
  const bySlug = { of: 'POST /v2/evaluators/slug/{slug}/execute', at: '/v2/evaluators/slug/char-count/execute' }
  await ask({ ...bySlug, body: mapping({ text: 'four' }) })

  const input = { text: 'Mail ada@example.com' }
  for (const slug of ['char-count', 'pii-detector', 'json-validator'])
    await ask({ ...evaluator('POST', '/execute', slug), body: { input, config: null } })
  const old = { of: 'POST /v2/evaluators/execute/{slug}', at: '/v2/evaluators/execute/char-count' }
  await ask({ ...old, body: { input } })
  const guard = { of: 'POST /v2/guardrails/{slug}/execute', at: '/v2/guardrails/pii-detector/execute' }
  expect(await ask({ ...guard, body: { input, config: {} } })).toMatchObject({ pass: false })
  await ask({ ...guard, body: { input: {} }, status: 422 })
  const oldGuard = { of: 'POST /v2/guardrails/execute/{slug}', at: '/v2/guardrails/execute/pii-detector' }
  await ask({ ...oldGuard, body: { input } })
  provider.next({ does: 'send', status: 400, headers: {}, body: '{"error": {"message": "no such model"}}' })
  const failing = evaluator('POST', '/execute', 'strict-judge')
  await ask({ ...failing, body: { input: { text: 'never asked before' } }, status: 500 })
}

/** The catalogue, in the words of Traceloop. */
export async function askForTraceloopCatalogue({ ask }: Described): Promise<void> {
  const judge = {
    name: 'Quality Judge',
    provider: 'openai',
    model: 'judge-1',
    messages: [{ role: 'user', content: 'Is this any good? {{text}}' }],
    input_schema: [{ name: 'text', type: 'string' }],
    output_schema: [
      { name: 'passed', type: 'boolean' },
      { name: 'mood', type: 'enum', enum_values: ['good', 'bad'] },
    ],
    temperature: 0.2,
  }
  const make = { of: 'POST /v2/evaluators' }
  const made = z.object({ slug: z.string() }).parse(await ask({ ...make, body: judge }))
  await ask({ ...make, body: judge, status: 409 })
  await ask({ ...make, body: { name: 'Nothing' }, status: 422 })
  await ask({ of: 'POST /v2/evaluators/custom-evaluator', body: { ...judge, name: 'Another' } })
  await ask({ of: 'GET /v2/evaluators' })
  for (const source of ['custom', 'prebuilt'])
    await ask({ of: 'GET /v2/evaluators', at: `/v2/evaluators?source=${source}` })
  for (const slug of [made.slug, 'pii-detector', 'says-hello']) await ask(evaluator('GET', '', slug))
  await ask({ ...evaluator('GET', '', 'nobody'), status: 404 })
  const change = { name: 'Better', config: { llm_config: { model: 'judge-2', temperature: 0 } } }
  await ask({ ...evaluator('PATCH', '', made.slug), body: change })
  await ask({ ...evaluator('PATCH', '', 'pii-detector'), body: change, status: 409 })
}

/** An experiment from its beginning to its files. */
export async function askAboutExperiments({ ask }: Described): Promise<void> {
  const begin = { of: 'PUT /v2/experiments/initialize' }
  const whole = { slug: 'trial', evaluator_slugs: ['char-count'], experiment_run_metadata: { aux: { a: [1] } } }
  const { run } = z.object({ run: z.object({ id: z.string() }) }).parse(await ask({ ...begin, body: whole }))
  await ask({ ...begin, body: { slug: 'trial', evaluator_slugs: ['nobody'] }, status: 404 })
  await ask({ ...begin, body: { slug: 'trial', dataset_slug: 'nothing' }, status: 404 })
  const inRun = (method: string, rest: string, at = rest) => ({
    of: `${method} /v2/experiments/{experiment}/runs/{run_id}${rest}`,
    at: `/v2/experiments/trial/runs/${run.id}${at}`,
  })
  const task = { input: { question: 'q' }, output: { text: 'four' } }
  const { id } = z.object({ id: z.string() }).parse(await ask({ ...inRun('POST', '/tasks'), body: task }))
  await ask({ ...inRun('POST', '/tasks'), body: {}, status: 422 })
  await ask({ ...inRun('POST', '/task'), body: task })
  const evaluate = inRun('POST', '/tasks/{task_id}', `/tasks/${id}`)
  const body = { evaluator_slug: 'char-count', ...mapping({ text: 'four' }) }
  const { stream_url } = started.parse(await ask({ ...evaluate, body }))
  await ask({ of: 'GET /v2/executions/events/{execution_id}', at: `/v2${stream_url}` })
  await ask({ ...evaluate, at: `${evaluate.at}-not`, body, status: 404 })
  await ask({
    of: 'POST /v2/experiments/run-in-github',
    body: {
      experiment_slug: 'trial',
      evaluator_slugs: ['char-count'],
      task_results: [{ input: {}, output: { text: 'a' } }, { output: { other: 1 } }, { error: 'boom' }],
      github_context: { repository: 'o/r', pr_url: 'https://example.com/o/r/pull/7' },
    },
  })
  await ask(inRun('GET', '/export/csv'))
  await ask(inRun('GET', '/export/json'))
  await ask({ ...inRun('GET', '/export/json'), at: '/v2/experiments/trial/runs/none/export/json', status: 404 })
}

/** What else the SDKs ask for. */
export async function askForTraceloopRest({ ask }: Described): Promise<void> {
  const annotate = {
    of: 'POST /v2/annotation-tasks/{task}/annotations',
    at: '/v2/annotation-tasks/feedback/annotations',
  }
  await ask({ ...annotate, body: { entity_instance_id: 'chat-1', tags: { liked: true, words: ['good'] } } })
  await ask({ ...annotate, body: { tags: {} }, status: 422 })
  await ask({ of: 'GET /v1/traceloop/prompts' })
  await ask({ of: 'GET /v1/traceloop/pii/tracing-allow-list' })
}
