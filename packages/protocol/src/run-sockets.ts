import type { Route } from './routes.ts'
import type { RunFrameType, RunProgress, RunStatus } from './runs.ts'

const socket = { method: 'GET', scope: 'read', limit: 'stream', errors: 'problem' } as const
const messages =
  'Frames and messages are in the reference of streams. Who sends no key, cookie or `ticket` has a few seconds to send `{"type": "auth", "token"}` as the first message, a key or a ticket. The close code tells how it ended: 4401, 4403, 4404 (the run was deleted), 4408 (nobody said who they are), 1012 (the server shuts down), 1013 (try again later). Anything but a WebSocket is answered 426.'

/** The WebSockets of runs. */
export const runSocketRoutes = {
  runSocket: {
    ...socket,
    path: '/ws/runs/:run_id/progress',
    summary: 'Follow one run over WebSocket.',
    details: `A run that does not exist yet is followed once it does. ${messages}`,
  },
  runStatusSocket: {
    ...socket,
    path: '/ws/runs/status',
    summary: 'Follow what becomes of all runs over WebSocket.',
    details: `What is made, started, ended, changed and deleted; no single items. ${messages}`,
  },
  socket: {
    ...socket,
    path: '/ws',
    summary: 'Follow several runs over one WebSocket.',
    details: `Says nothing before it is asked to, by \`{"type": "subscribe", "run_id"}\`. ${messages}`,
  },
  createSocketTicket: {
    method: 'POST',
    path: '/api/v1/ws-tickets',
    scope: 'read',
    limit: 'read',
    errors: 'problem',
    summary: 'A single-use ticket that opens one WebSocket by `?ticket=`, or by its first message.',
    details: 'It stands for the key that asks for it, in its project and with its scopes, for a minute.',
  },
} as const satisfies Record<string, Route>

/** What the frames of a run are to show. All that is given must fit; of items, `failed` and `below` decide. */
export interface RunFrameFilter {
  /** All kinds without it. */
  events?: RunFrameType[] | undefined
  /** Only items whose task failed, or that an evaluator failed. */
  failed?: true | undefined
  /** Only items that are scored below a value; a score without a value is 1 or 0, as it passed. */
  below?: { metric: string; value: number } | undefined
}

/** What a client may say on a WebSocket of runs. */
export type RunSocketMessage =
  | { type: 'auth'; token: string }
  | { type: 'subscribe'; run_id: string; after_seq?: string | undefined; filter?: RunFrameFilter | undefined }
  | { type: 'unsubscribe'; run_id: string }
  | { type: 'get_current_status'; run_id?: string | undefined }
  | { type: 'get_run_statistics' }
  | { type: 'ping' }
  | { type: 'pong' }

/** What became of a run. */
export const runStatusUpdates = [
  'run_created',
  'run_started',
  'run_completed',
  'run_failed',
  'run_cancelled',
  'run_abandoned',
  'run_updated',
  'run_deleted',
] as const
export type RunStatusUpdate = (typeof runStatusUpdates)[number]

/** How many runs there are. */
export interface RunStatistics {
  total_runs: number
  by_status: Record<RunStatus, number>
}

/** `data` of a `progress` frame. */
export interface RunProgressData extends RunProgress {
  status: 'started' | 'processing' | 'processing_complete'
}
