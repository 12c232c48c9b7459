import type { Scope } from './access.ts'

/** Which of three error bodies a route answers with: problem details, the webhook body, or `{error, code}` for foreign clients. */
export type ErrorForm = 'problem' | 'webhook' | 'foreign'

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `:name` places, as Fastify writes them. */
  path: string
  /** The scope a key needs; null: anybody may call it. */
  scope: Scope | null
  /** Which rate limit counts it; null: none. */
  limit: 'ingest' | 'read' | 'stream' | null
  errors: ErrorForm
  /** One sentence for the API description. */
  summary: string
  /** What else a newcomer has to know, for the API description. */
  details?: string
}

const route = (method: Route['method'], path: string, rest: Omit<Route, 'method' | 'path'>): Route => ({
  method,
  path,
  ...rest,
})

/**
 * Every endpoint, once. The server mounts this table, the SDK calls by it, the API description is made of it.
 * Paths outside `/api/v1` that belong to the seeds (`/webhook`, `/stream`, `/ws`, `/v2`) are mounted under `/api/v1` too.
 */
export const routes = {
  sendTrace: route('POST', '/webhook/trace', {
    scope: 'ingest',
    limit: 'ingest',
    errors: 'webhook',
    summary: 'Store one trace.',
  }),
  sendBatch: route('POST', '/webhook/batch', {
    scope: 'ingest',
    limit: 'ingest',
    errors: 'webhook',
    summary: 'Store up to 100 traces.',
  }),
  webhookStats: route('GET', '/webhook/stats', {
    scope: 'read',
    limit: 'read',
    errors: 'webhook',
    summary: 'Counts of traces.',
  }),
  webhookHealth: route('GET', '/webhook/health', {
    scope: null,
    limit: null,
    errors: 'webhook',
    summary: 'Whether traces can be sent.',
  }),
  getBatch: route('GET', '/webhook/batches/:batch_id', {
    scope: 'ingest',
    limit: 'read',
    errors: 'webhook',
    summary: 'The receipt of a batch.',
  }),

  streamEvents: route('GET', '/stream/events', {
    scope: 'read',
    limit: 'stream',
    errors: 'problem',
    summary: 'Follow every event (SSE).',
  }),
  streamTraces: route('GET', '/stream/traces', {
    scope: 'read',
    limit: 'stream',
    errors: 'problem',
    summary: 'The newest traces, then every change (SSE).',
  }),
  streamMetrics: route('GET', '/stream/metrics', {
    scope: 'read',
    limit: 'stream',
    errors: 'problem',
    summary: 'The counters, again and again (SSE).',
  }),
  createTicket: route('POST', '/stream/ticket', {
    scope: 'read',
    limit: 'read',
    errors: 'problem',
    summary: 'A single-use ticket that opens one stream by `?ticket=`.',
  }),

  listTraces: route('GET', '/api/v1/traces', {
    scope: 'read',
    limit: 'read',
    errors: 'problem',
    summary: 'List and search traces, newest first.',
  }),
  exportTraces: route('GET', '/api/v1/exports/traces', {
    scope: 'read',
    limit: 'read',
    errors: 'problem',
    summary: 'All matching traces as CSV or JSON Lines.',
  }),
  getTrace: route('GET', '/api/v1/traces/:trace_id', {
    scope: 'read',
    limit: 'read',
    errors: 'problem',
    summary: 'One whole trace.',
  }),
  deleteTrace: route('DELETE', '/api/v1/traces/:trace_id', {
    scope: 'write',
    limit: 'read',
    errors: 'problem',
    summary: 'Delete a trace for good.',
  }),
  reviewTrace: route('PATCH', '/api/v1/traces/:trace_id/review', {
    scope: 'write',
    limit: 'read',
    errors: 'problem',
    summary: "A person's verdict on a trace.",
  }),
  eraseUser: route('DELETE', '/api/v1/users/:user_id', {
    scope: 'admin',
    limit: 'read',
    errors: 'problem',
    summary: 'Delete every trace and conversation of a user.',
  }),

  metrics: route('GET', '/api/v1/metrics', {
    scope: 'read',
    limit: 'read',
    errors: 'problem',
    summary: 'The counters.',
  }),
  series: route('GET', '/api/v1/metrics/series', {
    scope: 'read',
    limit: 'read',
    errors: 'problem',
    summary: 'Counts, cost and latency over time.',
  }),
  facets: route('GET', '/api/v1/facets', {
    scope: 'read',
    limit: 'read',
    errors: 'problem',
    summary: 'The model names and sources that occur.',
  }),

  listKeys: route('GET', '/api/v1/keys', {
    scope: 'admin',
    limit: 'read',
    errors: 'problem',
    summary: 'List the API keys.',
  }),
  createKey: route('POST', '/api/v1/keys', {
    scope: 'admin',
    limit: 'read',
    errors: 'problem',
    summary: 'Make an API key; it is shown once.',
  }),
  revokeKey: route('DELETE', '/api/v1/keys/:key_id', {
    scope: 'admin',
    limit: 'read',
    errors: 'problem',
    summary: 'Revoke an API key.',
  }),
  settings: route('GET', '/api/v1/settings', {
    scope: 'read',
    limit: 'read',
    errors: 'problem',
    summary: 'How this server is set up.',
  }),
  getSession: route('GET', '/api/v1/session', {
    scope: null,
    limit: 'read',
    errors: 'problem',
    summary: 'Who the caller is.',
  }),
  signIn: route('POST', '/api/v1/session', {
    scope: null,
    limit: 'read',
    errors: 'problem',
    summary: 'Exchange a key or a sign-in link for a session cookie.',
  }),
  signOut: route('DELETE', '/api/v1/session', {
    scope: null,
    limit: 'read',
    errors: 'problem',
    summary: 'End the session.',
  }),

  health: route('GET', '/health', {
    scope: null,
    limit: null,
    errors: 'problem',
    summary: 'Whether the process is alive.',
  }),
  ready: route('GET', '/ready', {
    scope: null,
    limit: null,
    errors: 'problem',
    summary: 'Whether the process can take work.',
  }),
  prometheus: route('GET', '/metrics', {
    scope: 'read',
    limit: null,
    errors: 'problem',
    summary: "The server's own measurements, for Prometheus.",
  }),
} as const satisfies Record<string, Route>

export type RouteName = keyof typeof routes

/** The paths a route is served at: its own, and `/api/v1` before it for the seeds' routes. */
export function pathsOf(route: Route): string[] {
  return /^\/(webhook|stream|ws|v2)(\/|$)/.test(route.path) ? [route.path, `/api/v1${route.path}`] : [route.path]
}

/** Fills the `:name` places of a route's path, URL-encoded. */
export function pathTo(route: Route, values: Record<string, string> = {}): string {
  return route.path.replace(/:(\w+)/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new TypeError(`the path ${route.path} wants a value for ${name}`)
    // URL parsers resolve these two, also when they are encoded: the request would go to another route.
    if (value === '.' || value === '..')
      throw new TypeError(`${JSON.stringify(value)} cannot stand in a path as ${name}`)
    return encodeURIComponent(value)
  })
}
