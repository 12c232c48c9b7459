import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scopes } from './access.ts'
import { agentRoutes } from './agent-routes.ts'
import { conversationRoutes } from './conversation-routes.ts'
import { datasetRoutes } from './dataset-routes.ts'
import { evaluationRoutes } from './evaluation-routes.ts'
import { pathsOf, pathTo, type Route, routes } from './routes.ts'
import { runRoutes } from './run-routes.ts'
import { runSocketRoutes } from './run-sockets.ts'
import { traceloopRoutes } from './traceloop-routes.ts'

const tables: Record<string, Route>[] = [
  routes,
  evaluationRoutes,
  datasetRoutes,
  runRoutes,
  agentRoutes,
  conversationRoutes,
  runSocketRoutes,
  traceloopRoutes,
]
const all = tables.flatMap((table) => Object.entries(table))

describe('the route tables', () => {
  it('give no two routes one name', () => {
    expect(new Set(all.map(([name]) => name)).size).toBe(all.length)
  })

  it('name no method and path twice, aliases included', () => {
    const mounted = all.flatMap(([, route]) =>
      pathsOf(route).map((path) => `${route.method} ${path.replace(/:\w+/g, ':')}`),
    )
    expect(new Set(mounted).size).toBe(mounted.length)
  })

  it.each(all)('%s is described in one sentence and wants a scope that exists', (_, route) => {
    expect(route.summary).toMatch(/^[A-Z].*\.$/)
    expect(route.scope === null || scopes.includes(route.scope)).toBe(true)
    expect(route.details ?? 'None.').toMatch(/^[A-Z`].*\.$/)
    expect(route.path).toMatch(/^(\/[a-z0-9]+(-[a-z0-9]+)*|\/:[a-z_]+)+$/)
  })

  it('answer errors with problem details, under /webhook with the body of that interface, and to foreign clients in theirs', () => {
    const forms = { webhook: 'webhook', v1: 'foreign', v2: 'foreign' }
    for (const [name, { errors, path }] of all)
      expect(errors, name).toBe(
        Object.entries(forms).find(([first]) => path.startsWith(`/${first}/`))?.[1] ?? 'problem',
      )
  })

  it('let nothing that changes something be called without a key, except signing in and out', () => {
    const open = all.filter(([, route]) => route.method !== 'GET' && route.scope === null).map(([name]) => name)
    expect(open.sort()).toEqual(['signIn', 'signOut'])
  })
})

describe('the paths of a route', () => {
  it('are its own and, for webhooks and streams, the same under /api/v1', () => {
    expect(pathsOf(routes.sendTrace)).toEqual(['/webhook/trace', '/api/v1/webhook/trace'])
    expect(pathsOf(routes.streamEvents)).toEqual(['/stream/events', '/api/v1/stream/events'])
    expect(pathsOf(runSocketRoutes.socket)).toEqual(['/ws', '/api/v1/ws'])
    expect(pathsOf(routes.listTraces)).toEqual(['/api/v1/traces'])
    expect(pathsOf(routes.health)).toEqual(['/health'])
  })

  it('take any value back out as it was put in, and never let it become another segment, query or fragment', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }).filter((id) => id !== '.' && id !== '..'),
        (id) => {
          const path = pathTo(routes.reviewTrace, { trace_id: id })
          const inside = /^\/api\/v1\/traces\/([^/?#]+)\/review$/.exec(path)?.[1]
          expect(decodeURIComponent(inside ?? '')).toBe(id)
          expect(new URL(path, 'http://localhost').pathname).toBe(path)
        },
      ),
    )
  })

  it('refuse the two values that every URL parser would resolve away', () => {
    for (const id of ['.', '..'])
      expect(() => pathTo(routes.deleteTrace, { trace_id: id })).toThrow(/cannot stand in a path/)
    expect(pathTo(routes.deleteTrace, { trace_id: '...' })).toBe('/api/v1/traces/...')
  })

  it('a place without a value is a mistake of the caller and says which', () => {
    expect(() => pathTo(routes.getTrace)).toThrow(/trace_id/)
  })

  it('a route without places needs no values', () => {
    expect(pathTo(routes.metrics)).toBe('/api/v1/metrics')
  })
})
