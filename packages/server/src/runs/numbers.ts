/** The numbers of runs: each metric summed up, and runs compared. */
import { createHash } from 'node:crypto'
import { gate, type GateOptions, warningsAbout } from '@llm-eval/engine'
import { Failure, limits, type Run, type RunComparison, runRoutes } from '@llm-eval/protocol'
import { comparisonQuery, runComparison, runMetrics } from '@llm-eval/protocol/run-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { StoredRun } from '@llm-eval/store'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { type ComparedRuns, RunNumbers, tooMany } from '../running/numbers.ts'
import { toRun } from '../running/wire.ts'
import { findRun } from './find.ts'

/** Serves the numbers of runs. */
export function registerRunNumbers(app: App, { store, now }: Deps): void {
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
      const runs = await Promise.all(idsOf(query).map((id) => findRun(store, projectId, id)))
      if (query.sort_by !== undefined && !runs.some(({ metricNames }) => metricNames.includes(query.sort_by ?? '')))
        throw invalid('sort_by', 'must be a metric of the runs')
      if (tooMany(runs)) throw invalid('run_ids', `may have at most ${limits.comparedItems} items together`)
      const tag = tagOf(runs, query)
      reply.header('etag', tag).header('cache-control', 'private, no-cache')
      if (headers['if-none-match']?.split(',').some((given) => given.trim() === tag) === true)
        return reply.code(304).send()
      const { cases, change, points, level, sort_by: sortBy } = query
      const asked = askedOf(query)
      const summed = asked?.min || asked?.max ? 'each' : 'none'
      const compared = await numbers.compare(projectId, runs, { cases, change, points, level, sortBy, summed })
      const states = runs.map((stored) => toRun(stored, now()))
      return told(states, compared, asked)
    },
  })
}

type Query = z.infer<typeof comparisonQuery>

function idsOf({ run_ids: ids, run1, run2 }: Query): string[] {
  return ids ?? [run1, run2].filter((id) => id !== undefined)
}

/** What the gate is asked; null where nothing is. */
function askedOf({ fail_on: failOn, min, max, allow_partial: partial }: Query): GateOptions | null {
  if (failOn === undefined && min === undefined && max === undefined) return null
  return { failOn, min, max, partial: partial === 'true' ? 'allowed' : undefined }
}

/** How the runs stood before their items were read: whatever came or went since, they seem less complete than they are. */
function told(states: Run[], { comparison, summaries }: ComparedRuns, asked: GateOptions | null): RunComparison {
  const runs = states.map((state, index) => ({ state, metrics: summaries[index] ?? [] }))
  return {
    ...comparison,
    warnings: warningsAbout(states, comparison),
    gate: asked && gate({ runs, comparison }, asked),
  }
}

function invalid(path: string, message: string): Failure {
  return new Failure('invalid_query', { errors: [{ path, message }] })
}

/** The same as long as no item came to the runs or went. */
function tagOf(runs: readonly StoredRun[], query: Query): string {
  const said = [
    query,
    runs.map(({ ref, status, completed, erased, updatedAt }) => [ref, status, completed, erased, updatedAt]),
  ]
  return `"${createHash('sha256').update(JSON.stringify(said)).digest('base64url').slice(0, 22)}"`
}
