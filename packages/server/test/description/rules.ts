import * as z from 'zod'
import type { Described } from './described-server.ts'

/** Rules that evaluate new traces. */
export async function askAboutRules({ ask }: Described): Promise<void> {
  const make = { of: 'POST /api/v1/rules' }
  const evaluators = [{ slug: 'char-count' }, { slug: 'contains', config: { values: ['a'] } }]
  const made = await ask({
    ...make,
    body: {
      name: 'all of one model',
      filter: { model_name: 'gpt-4' },
      sampling_rate: 0.5,
      evaluators,
      daily_cost_limit: 1.5,
    },
    status: 201,
  })
  const { id } = z.object({ id: z.string() }).parse(made)
  const one = (method: string, key = id) => ({ of: `${method} /api/v1/rules/{rule_id}`, at: `/api/v1/rules/${key}` })
  await ask({ ...make, body: { name: 'none', evaluators: [] }, status: 422 })
  await ask({ ...make, body: { name: 'none', evaluators: [{ slug: 'nobody' }] }, status: 404 })
  await ask({ of: 'GET /api/v1/rules' })
  await ask(one('GET'))
  await ask({ ...one('PATCH'), body: { enabled: false, daily_cost_limit: null } })
  await ask({ ...one('PATCH'), body: { sampling_rate: 0 }, status: 422 })
  await ask({ ...one('PATCH', 'nobody'), body: {}, status: 404 })
  await ask(one('DELETE'))
  await ask({ ...one('GET'), status: 404 })
  await ask({ ...one('DELETE'), status: 404 })
}
