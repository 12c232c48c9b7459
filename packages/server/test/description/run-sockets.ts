import { expect } from 'vitest'
import type { Described } from './described-server.ts'

/** What tells of runs as they go on; `described` is one that is over. */
export async function followRuns({ ask, messages, server }: Described): Promise<void> {
  const { epoch } = await server.store.read(1, 'head', {})
  const run = { of: 'GET /ws/runs/{run_id}/progress', at: `/ws/runs/described/progress?after_seq=${epoch}.0` }
  const whole = new Set(await messages({ ...run, until: 'completed' }))
  expect(whole).toEqual(new Set(['connected', 'status_update', 'result', 'progress', 'completed']))
  const foreign = { ...run, at: '/ws/runs/described/progress?after_seq=gone.1' }
  expect(await messages({ ...foreign, until: 'progress' })).toEqual(['connected', 'resync_required', 'progress'])
  const statuses = { of: 'GET /ws/runs/status', at: `/ws/runs/status?after_seq=${epoch}.0` }
  const told = await messages({ ...statuses, until: 'status_update' })
  expect(told.slice(0, 3)).toEqual(['connected', 'initial_stats', 'status_update'])
  const said = [
    { type: 'ping' },
    { type: 'nonsense' },
    { type: 'get_run_statistics' },
    { type: 'get_current_status', run_id: 'described' },
    { type: 'subscribe', run_id: 'described', filter: { events: ['result'] } },
    { type: 'unsubscribe', run_id: 'described' },
  ]
  const bare = { of: 'GET /ws', at: '/ws' }
  expect(await messages({ ...bare, said, until: 'unsubscribed' })).toEqual([
    'connected',
    'pong',
    'refused',
    'run_statistics',
    'current_status',
    'subscribed',
    'unsubscribed',
  ])
  await ask({ ...bare, status: 426 })
  await ask({ of: 'POST /api/v1/ws-tickets', status: 201 })
}
