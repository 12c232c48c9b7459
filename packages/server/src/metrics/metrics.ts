/** The project's counters, plots over time, and what filters can be set to. */
import { routes } from '@llm-eval/protocol'
import { facets, metrics, series } from '@llm-eval/protocol/answers'
import { seriesQuery } from '@llm-eval/protocol/schemas'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'

/** Serves `/api/v1/metrics`, `/api/v1/metrics/series` and `/api/v1/facets`. */
export function registerMetrics(app: App, { store, now }: Deps): void {
  mount(app, routes.metrics, {
    schema: { response: { 200: metrics } },
    handler: (request) => store.read(request.principal.projectId, 'metrics', { day: Math.floor(now() / 86_400_000) }),
  })
  mount(app, routes.series, {
    schema: { querystring: seriesQuery, response: { 200: series } },
    handler: ({ principal, query: { from, to, step_seconds: stepSeconds, model_name: model = null } }) =>
      store.read(principal.projectId, 'series', { from, to, stepSeconds, model }),
  })
  mount(app, routes.facets, {
    schema: { response: { 200: facets } },
    handler: (request) => store.read(request.principal.projectId, 'facets', {}),
  })
}
