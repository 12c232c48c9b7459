/** What Traceloop's SDKs ask for beside `/v2`. */
import { Failure, traceloopRoutes } from '@llm-eval/protocol'
import type { App } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { allowList, promptList } from './answers.ts'

/** Serves the registries of the SDKs, which are empty here, and says of every other `/v1` path that it is not there yet. */
export function registerStubs(app: App): void {
  mount(app, traceloopRoutes.listPrompts, {
    schema: { response: { 200: promptList } },
    // Not `dev`, for which a client would ask every five seconds.
    handler: () => ({ prompts: [], environment: 'prd' }),
  })
  mount(app, traceloopRoutes.getAllowList, {
    schema: { response: { 200: allowList } },
    handler: () => ({ associationPropertyAllowList: [] }),
  })
  app.all('/v1/*', {
    schema: { hide: true },
    // Before the body is read, which may be of any type.
    onRequest: () => {
      throw new Failure('not_implemented', { values: { what: 'OpenTelemetry ingest' } })
    },
    handler: () => undefined,
  })
}
