import { Failure, routes } from '@llm-eval/protocol'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { described, mount } from '../http/mount.ts'

/** The server's own measurements, for Prometheus. */
export function registerPrometheus(app: App, deps: Deps): void {
  const { access, meters, log } = deps
  mount(app, routes.prometheus, {
    schema: { response: { 200: described('The text format of Prometheus.', { 'text/plain': z.string() }) } },
    handler: async (request, reply) => {
      // They are about the whole server: none of another project's business.
      if (request.principal.projectId !== access.home) throw new Failure('not_this_project')
      collectStoreStats(deps)
      // What cannot be measured now is no reason to hide the rest.
      await collectLags(deps).catch((error: unknown) => log.warn({ err: error }, 'the lags could not be measured'))
      return reply.type(meters.registry.contentType).send(await meters.registry.metrics())
    },
  })
}

/** Takes over what the store measured. To be called more often than it forgets (1,000 commits). */
export function collectStoreStats({ store, meters }: Pick<Deps, 'store' | 'meters'>): void {
  const stats = store.stats()
  for (const ms of stats.commitMs) meters.commits.observe(ms / 1000)
  meters.queuedTraces.set(stats.queuedTraces)
  meters.queuedBytes.set(stats.queuedBytes)
  if (stats.pool === null) return
  meters.poolUsed.set(stats.pool.used)
  meters.poolSize.set(stats.pool.size)
}

async function collectLags({ store, meters }: Deps): Promise<void> {
  const totals = { search: 0, rollups: 0 }
  const home = await store.read(0, 'project', { name: 'default' })
  for (const project of await store.read(home?.id ?? 0, 'projects', {})) {
    const lags = await store.read(project.id, 'lags', {})
    totals.search += lags.search
    totals.rollups += lags.rollups
  }
  meters.eventLag.set({ consumer: 'search' }, totals.search)
  meters.eventLag.set({ consumer: 'rollups' }, totals.rollups)
}
