/** The numbers of runs: each metric summed up, and runs compared. */
import { createHash } from 'node:crypto'
import { Failure, limits, runRoutes } from '@llm-eval/protocol'
import { comparisonQuery, runComparison, runMetrics } from '@llm-eval/protocol/run-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { StoredRun } from '@llm-eval/store'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { RunNumbers, tooMany } from '../running/numbers.ts'
import { findRun } from './find.ts'

/** Serves the numbers of runs. */
export function registerRunNumbers(app: App, { store }: Deps): void {
  const numbers = new RunNumbers(store)
  app.addHook('onClose', () => numbers.close())
  mount(app, runRoutes.getRunMetrics, {
    schema: { params: z.object({ run_id: name }), response: { 200: runMetrics } },
    handler: async ({ principal: { projectId }, params }) => {
      const run = await findRun(store, projectId, params.run_id)
      return { items: await numbers.summarise(projectId, run) }
    },
  })
  mount(app, runRoutes.compareRuns, {
    schema: { querystring: comparisonQuery, response: { 200: runComparison, 304: z.null() } },
    handler: async ({ principal: { projectId }, query, headers }, reply) => {
      const runs = await Promise.all(query.run_ids.map((id) => findRun(store, projectId, id)))
      if (query.sort_by !== undefined && !runs.some(({ metricNames }) => metricNames.includes(query.sort_by ?? '')))
        throw invalid('sort_by', 'must be a metric of the runs')
      if (tooMany(runs)) throw invalid('run_ids', `may have at most ${limits.comparedItems} items together`)
      const tag = tagOf(runs, query)
      reply.header('etag', tag).header('cache-control', 'private, no-cache')
      if (headers['if-none-match']?.split(',').some((given) => given.trim() === tag) === true)
        return reply.code(304).send()
      const { cases, level, sort_by: sortBy } = query
      return numbers.compare(projectId, runs, { cases, level, sortBy })
    },
  })
}

function invalid(path: string, message: string): Failure {
  return new Failure('invalid_query', { errors: [{ path, message }] })
}

/** The same as long as no item came to the runs or went. */
function tagOf(runs: readonly StoredRun[], query: z.infer<typeof comparisonQuery>): string {
  const said = [query, runs.map(({ ref, completed, erased, updatedAt }) => [ref, completed, erased, updatedAt])]
  return `"${createHash('sha256').update(JSON.stringify(said)).digest('base64url').slice(0, 22)}"`
}
