import { routes } from '@llm-eval/protocol'
import { settings } from '@llm-eval/protocol/answers'
import { activeSecrets } from '../access/signatures.ts'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'

/** How this server is set up, for the settings page. No secret is in it. */
export function registerSettings(app: App, { access, config, now, store, version }: Deps): void {
  mount(app, routes.settings, {
    schema: { response: { 200: settings } },
    handler: async (request) => {
      const lags = await store.read(request.principal.projectId, 'lags', {})
      return {
        version,
        node: process.versions.node,
        storage: store.driver,
        auth_required: access.required(),
        webhook_secrets: activeSecrets(config.webhook_secrets, now()).length,
        retention_days: config.retention_days,
        event_retention_days: config.event_retention_days,
        rate_limits: config.rate_limits,
        search_lag: lags.search,
        rollup_lag: lags.rollups,
      }
    },
  })
}
