import { Failure, routes } from '@llm-eval/protocol'
import { health, ready } from '@llm-eval/protocol/answers'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'

/** Milliseconds the database has to answer before this server counts as not ready. */
const patience = 3_000

/** Whether the process lives, and whether it can take work. */
export function registerHealth(app: App, { store, closing, version }: Deps): void {
  mount(app, routes.health, {
    schema: { response: { 200: health } },
    handler: () => ({ status: 'healthy', version }),
  })

  mount(app, routes.ready, {
    schema: { response: { 200: ready } },
    handler: async () => {
      if (closing.aborted) throw new Failure('shutting_down', { retryAfter: 5 })
      try {
        await within(patience, store.ping())
      } catch (error) {
        throw new Failure('storage_unavailable', { retryAfter: 5, cause: error })
      }
      return { status: 'ready' }
    },
  })
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`the database did not answer within ${ms} ms`)), ms)
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
