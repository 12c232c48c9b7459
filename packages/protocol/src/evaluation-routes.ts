import type { Route } from './routes.ts'

const read = { scope: 'read', limit: 'read', errors: 'problem' } as const
const write = { scope: 'write', limit: 'read', errors: 'problem' } as const
const stream = { scope: 'read', limit: 'stream', errors: 'problem' } as const

/** Evaluators, executions and rules: our own routes. Foreign clients have theirs in `traceloop-routes.ts`. */
export const evaluationRoutes = {
  listEvaluators: { method: 'GET', path: '/api/v1/evaluators', ...read, summary: 'The catalogue of evaluators.' },
  createEvaluator: { method: 'POST', path: '/api/v1/evaluators', ...write, summary: 'Make an evaluator of your own.' },
  getEvaluator: { method: 'GET', path: '/api/v1/evaluators/:slug', ...read, summary: 'One evaluator.' },
  updateEvaluator: {
    method: 'PATCH',
    path: '/api/v1/evaluators/:slug',
    ...write,
    summary: 'Change an evaluator of your own; what its scores depend on makes a new version.',
  },
  deleteEvaluator: {
    method: 'DELETE',
    path: '/api/v1/evaluators/:slug',
    ...write,
    summary: 'Take an evaluator of your own out of the catalogue; its scores stay.',
  },
  listEvaluatorVersions: {
    method: 'GET',
    path: '/api/v1/evaluators/:slug/versions',
    ...read,
    summary: 'Every version of an evaluator, newest first.',
  },
  executeEvaluator: {
    method: 'POST',
    path: '/api/v1/evaluators/:slug/execute',
    ...write,
    summary: 'Apply an evaluator to one input.',
  },
  getCalibration: {
    method: 'GET',
    path: '/api/v1/evaluators/:slug/calibration',
    ...read,
    summary: 'How an evaluator agrees with people, as it was last measured.',
  },
  calibrate: {
    method: 'POST',
    path: '/api/v1/evaluators/:slug/calibration',
    ...write,
    summary: "Measure an evaluator against people's verdicts.",
  },
  startExecutions: {
    method: 'POST',
    path: '/api/v1/executions',
    ...write,
    summary: 'Start several executions that share one stream.',
  },
  listExecutions: { method: 'GET', path: '/api/v1/executions', ...read, summary: 'Executions, newest first.' },
  getExecution: {
    method: 'GET',
    path: '/api/v1/executions/:execution_id',
    ...read,
    summary: 'An execution and its score.',
  },
  cancelExecution: {
    method: 'POST',
    path: '/api/v1/executions/:execution_id/cancel',
    ...write,
    summary: 'End an execution that is not over.',
  },
  executionEvents: {
    method: 'GET',
    path: '/api/v1/executions/:execution_id/events',
    ...stream,
    summary: 'Follow one execution (SSE); ends with its result.',
  },
  batchEvents: {
    method: 'GET',
    path: '/api/v1/executions/batches/:batch_id/events',
    ...stream,
    summary: 'Follow the executions of a batch (SSE); ends with the last result.',
  },
  executionSocket: {
    method: 'GET',
    path: '/ws/executions/:execution_id',
    ...stream,
    summary: 'Follow one execution over WebSocket.',
  },
  evaluateTrace: {
    method: 'POST',
    path: '/api/v1/traces/:trace_id/evaluate',
    ...write,
    summary: 'Evaluate a stored trace; the scores stay on it.',
  },
  listRules: { method: 'GET', path: '/api/v1/rules', ...read, summary: 'Rules that evaluate new traces.' },
  createRule: { method: 'POST', path: '/api/v1/rules', ...write, summary: 'Evaluate new traces by rule.' },
  getRule: { method: 'GET', path: '/api/v1/rules/:rule_id', ...read, summary: 'One rule.' },
  updateRule: { method: 'PATCH', path: '/api/v1/rules/:rule_id', ...write, summary: 'Change a rule.' },
  deleteRule: { method: 'DELETE', path: '/api/v1/rules/:rule_id', ...write, summary: 'Delete a rule; scores stay.' },
} as const satisfies Record<string, Route>
