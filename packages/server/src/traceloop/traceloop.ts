/** Speaks to unmodified Traceloop SDKs: `/v2`, and what they ask of `/v1`. */
import type { App, Deps } from '../http/app.ts'
import { registerAnnotations } from './annotations.ts'
import { registerCatalogue } from './catalogue.ts'
import { registerDatasets } from './datasets.ts'
import { registerExecutions } from './executions.ts'
import { registerExperiments } from './experiments.ts'
import { registerRows } from './rows.ts'
import { registerStubs } from './stubs.ts'

/** Serves every route of Traceloop's SDKs. */
export function registerTraceloop(app: App, deps: Deps): void {
  registerExecutions(app, deps)
  registerCatalogue(app, deps)
  registerExperiments(app, deps)
  registerDatasets(app, deps)
  registerRows(app, deps)
  registerAnnotations(app, deps)
  registerStubs(app)
}
