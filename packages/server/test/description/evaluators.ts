import * as z from 'zod'
import { trace } from '../ground.ts'
import type { Described } from './described-server.ts'

const one = (method: string, rest = '', slug = 'says-hello') => ({
  of: `${method} /api/v1/evaluators/{slug}${rest}`,
  at: `/api/v1/evaluators/${slug}${rest}`,
})
const preset = (values: string[]) => ({ kind: 'preset', base: 'contains', config: { values } })
const judge = {
  slug: 'strict-judge',
  definition: {
    kind: 'judge',
    model: 'openai/judge-1',
    messages: [{ role: 'user', content: 'Is this any good? {{text}}' }],
    input: [{ name: 'text', type: 'string', description: '', required: true }],
    output: [
      { name: 'pass', type: 'boolean', description: '', required: true },
      { name: 'mood', type: 'enum', description: '', required: false, enum_values: ['good', 'bad'] },
    ],
    value_field: 'pass',
  },
}

/** The catalogue, and evaluators of one's own. */
export async function askAboutEvaluators({ ask }: Described): Promise<void> {
  const make = { of: 'POST /api/v1/evaluators' }
  const made = { slug: 'says_hello', name: 'Greets', description: 'It.', definition: preset(['hello']) }
  await ask({ ...make, body: made, status: 201 })
  await ask({ ...make, body: made, status: 409 })
  await ask({ ...make, body: { ...made, slug: 'exact-match' }, status: 409 })
  await ask({ ...make, body: { ...made, slug: 'No Slug', definition: { kind: 'x' } }, status: 422 })
  await ask({ ...make, body: judge, status: 201 })
  const remote = {
    kind: 'remote',
    url: 'https://evaluators.example.com/score',
    secret: 'a-secret-of-ours',
    input: judge.definition.input,
  }
  await ask({ ...make, body: { slug: 'far-away', definition: remote }, status: 201 })
  await ask(one('GET', '', 'far-away'))

  await ask({ of: 'GET /api/v1/evaluators' })
  await ask({
    of: 'GET /api/v1/evaluators',
    at: '/api/v1/evaluators?kind=judge&category=custom&source=custom&q=strict',
  })
  await ask({ of: 'GET /api/v1/evaluators', at: '/api/v1/evaluators?kind=none', status: 400 })
  for (const slug of ['says-hello', 'strict-judge', 'exact_match', 'faithfulness', 'tool-call-match'])
    await ask(one('GET', '', slug))
  await ask({ ...one('GET', '', 'nobody'), status: 404 })
  await ask({ ...one('PATCH'), body: { definition: preset(['hello', 'good day']) } })
  await ask({ ...one('PATCH'), body: { definition: { kind: 'preset', base: 'nobody' } }, status: 422 })
  await ask({ ...one('PATCH', '', 'exact-match'), body: { name: 'Mine' }, status: 409 })
  for (const slug of ['says-hello', 'exact-match']) await ask(one('GET', '/versions', slug))
  await ask(one('DELETE', '', 'far-away'))
  await ask({ ...one('DELETE', '', 'exact-match'), status: 409 })
}

/** Evaluators against people. */
export async function askAboutCalibrations({ ask, provider }: Described): Promise<void> {
  const calibration = one('GET', '/calibration', 'strict-judge')
  await ask({ ...calibration, status: 404 })
  const verdicts = [
    { id: 'agreed', pass: true, status: 'accepted' },
    { id: 'too-kind', pass: true, status: 'rejected' },
    { id: 'too-strict', pass: false, status: 'accepted' },
    { id: 'refused', pass: false, status: 'rejected' },
  ]
  await ask({ ...one('POST', '/calibration', 'strict-judge') })
  for (const { id, pass, status } of verdicts) {
    await ask({ of: 'POST /webhook/trace', body: trace({ trace_id: id, ai_response: `An answer that is ${id}.` }) })
    provider.next({ does: 'answer', text: JSON.stringify({ pass, mood: 'good' }), finish: 'stop', model: 'judge-1.1' })
    const evaluate = { of: 'POST /api/v1/traces/{trace_id}/evaluate', at: `/api/v1/traces/${id}/evaluate` }
    const told = await ask({ ...evaluate, body: { evaluators: [{ slug: 'strict-judge' }], wait: 60 } })
    z.object({ executions: z.tuple([z.object({ status: z.literal('completed') })]) }).parse(told)
    const review = { of: 'PATCH /api/v1/traces/{trace_id}/review', at: `/api/v1/traces/${id}/review` }
    await ask({ ...review, body: status === 'rejected' ? { status, reason: 'other' } : { status } })
  }
  await ask({ ...one('POST', '/calibration', 'strict-judge') })
  await ask(calibration)
  await ask(one('GET', '', 'strict-judge'))
  await ask({ ...one('POST', '/calibration', 'nobody'), status: 404 })
}
