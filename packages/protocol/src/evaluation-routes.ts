import type { Route } from './routes.ts'

const read = { scope: 'read', limit: 'read', errors: 'problem' } as const
const write = { scope: 'write', limit: 'read', errors: 'problem' } as const
const stream = { scope: 'read', limit: 'stream', errors: 'problem' } as const

/** Evaluators, executions and rules: our own routes. Foreign clients have theirs in `traceloop-routes.ts`. */
export const evaluationRoutes = {
  listEvaluators: {
    method: 'GET',
    path: '/api/v1/evaluators',
    ...read,
    summary: 'The catalogue of evaluators.',
    details:
      'What is built in, what the modules of the server bring, and your own, in one answer. Each tells the fields of its input, its configuration and its result.',
  },
  createEvaluator: {
    method: 'POST',
    path: '/api/v1/evaluators',
    ...write,
    summary: 'Make an evaluator of your own.',
    details:
      'A `preset` is a built-in evaluator with a configuration of yours, a `judge` asks a language model in your words, a `remote` one is an HTTP endpoint of yours.',
  },
  getEvaluator: {
    method: 'GET',
    path: '/api/v1/evaluators/:slug',
    ...read,
    summary: 'One evaluator.',
    details: 'By its slug or one of its other names; `_` and `-` are the same.',
  },
  updateEvaluator: {
    method: 'PATCH',
    path: '/api/v1/evaluators/:slug',
    ...write,
    summary: 'Change an evaluator of your own; what its scores depend on makes a new version.',
    details:
      'What is not given stays as it is. Earlier versions can still be executed. What is built in cannot be changed.',
  },
  deleteEvaluator: {
    method: 'DELETE',
    path: '/api/v1/evaluators/:slug',
    ...write,
    summary: 'Take an evaluator of your own out of the catalogue; its scores stay.',
    details: 'The slug is free again then.',
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
    details:
      'Answers 200 when it is over within `wait` seconds, else 202: follow `events_url`, or ask for the execution later. The result is computed whether or not anybody listens, and kept. An evaluator that failed, or lacked evidence, gives no value, never 0.',
  },
  getCalibration: {
    method: 'GET',
    path: '/api/v1/evaluators/:slug/calibration',
    ...read,
    summary: 'How an evaluator agrees with people, as it was last measured.',
    details:
      '`state` says whether it still holds: `expired` after a change of the evaluator, `drifted` when its provider answers with another model since.',
  },
  calibrate: {
    method: 'POST',
    path: '/api/v1/evaluators/:slug/calibration',
    ...write,
    summary: "Measure an evaluator against people's verdicts.",
    details:
      'Counts the traces that the evaluator let pass or not and a person accepted or rejected. It is measured anew each time, and nobody is asked anything.',
  },
  startExecutions: {
    method: 'POST',
    path: '/api/v1/executions',
    ...write,
    summary: 'Start several executions that share one stream.',
    details:
      'All of them or none: one that cannot be started refuses the others. Answers 200 when all are over within `wait` seconds, else 202.',
  },
  listExecutions: {
    method: 'GET',
    path: '/api/v1/executions',
    ...read,
    summary: 'Executions, newest first.',
    details: '`next_cursor` leads to the next page, and is null on the last.',
  },
  getExecution: {
    method: 'GET',
    path: '/api/v1/executions/:execution_id',
    ...read,
    summary: 'An execution and its score.',
    details:
      'As often as you like, also after a restart. With `wait` the answer comes when it is over, or the time is up.',
  },
  cancelExecution: {
    method: 'POST',
    path: '/api/v1/executions/:execution_id/cancel',
    ...write,
    summary: 'End an execution that is not over.',
    details: 'It ends as `cancelled`, without a score.',
  },
  executionEvents: {
    method: 'GET',
    path: '/api/v1/executions/:execution_id/events',
    ...stream,
    summary: 'Follow one execution (SSE); ends with its result.',
    details:
      'Messages of the type `progress`, then one `result`, or one `error` when it failed or was cancelled; the stream ends with that. `Last-Event-ID` or `after` resumes it without gap or repetition; 204 says that everything was told before.',
  },
  batchEvents: {
    method: 'GET',
    path: '/api/v1/executions/batches/:batch_id/events',
    ...stream,
    summary: 'Follow the executions of a batch (SSE); ends with the last result.',
    details: 'The same messages for each of them; `execution_id` says which it is about.',
  },
  executionSocket: {
    method: 'GET',
    path: '/ws/executions/:execution_id',
    ...stream,
    summary: 'Follow one execution over WebSocket.',
    details:
      'The messages of its event stream. The close code tells how it ended: 1000 after the last message, 4000 and the HTTP status for what was wrong with the request. Anything but a WebSocket is answered 426.',
  },
  evaluateTrace: {
    method: 'POST',
    path: '/api/v1/traces/:trace_id/evaluate',
    ...write,
    summary: 'Evaluate a stored trace; the scores stay on it.',
    details:
      'The trace gives the input, such as `response` and `tool_calls`. A score takes the place of an earlier one of the same evaluator, and is published to the streams.',
  },
  listRules: {
    method: 'GET',
    path: '/api/v1/rules',
    ...read,
    summary: 'Rules that evaluate new traces.',
    details: '`today` says what each did on this UTC day, and how many traces its limit left out (`limited`).',
  },
  createRule: {
    method: 'POST',
    path: '/api/v1/rules',
    ...write,
    summary: 'Evaluate new traces by rule.',
    details:
      'New traces that fit the `filter`, or the `sampling_rate` of them, are evaluated as they come, and get the scores. Once `daily_cost_limit` is spent, or a cost is unknown, no more is started on that UTC day.',
  },
  getRule: { method: 'GET', path: '/api/v1/rules/:rule_id', ...read, summary: 'One rule.' },
  updateRule: {
    method: 'PATCH',
    path: '/api/v1/rules/:rule_id',
    ...write,
    summary: 'Change a rule.',
    details: 'What is given takes the place of what was.',
  },
  deleteRule: { method: 'DELETE', path: '/api/v1/rules/:rule_id', ...write, summary: 'Delete a rule; scores stay.' },
} as const satisfies Record<string, Route>
