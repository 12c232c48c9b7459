import type { ReviewStatus } from './trace.ts'

/**
 * Errors are a table: nothing else crosses the wire. `says` may hold `{name}` places, which `fail` fills in;
 * `next` tells the caller what to do about it.
 */
export const failureTable = {
  malformed_json: {
    status: 400,
    says: 'The body is not valid JSON: {detail}',
    next: 'Send one JSON document, UTF-8, and check that it was not cut off.',
  },
  invalid_request: {
    status: 422,
    says: 'The request does not fit the schema.',
    next: 'Mend the fields listed in `errors` and send it again.',
  },
  invalid_query: {
    status: 400,
    says: 'A query parameter is not usable.',
    next: 'Mend the parameters listed in `errors`.',
  },
  unsupported_media_type: {
    status: 415,
    says: 'The content type {type} is not supported here.',
    next: 'Send `Content-Type: application/json`.',
  },
  unsupported_encoding: {
    status: 415,
    says: 'The content encoding {encoding} is not supported.',
    next: 'Send the body uncompressed, or with gzip.',
  },
  body_too_large: {
    status: 413,
    says: 'The body may hold at most {max} bytes.',
    next: 'Send smaller batches, or shorten the texts.',
  },
  batch_too_large: {
    status: 413,
    says: 'A batch may hold at most {max} traces; this one has {count}.',
    next: 'Split the batch.',
  },
  too_deep: {
    status: 422,
    says: 'The JSON is nested more than {max} levels deep.',
    next: 'Flatten the value, or send it as a string.',
  },
  trace_conflict: {
    status: 409,
    says: 'A trace with this trace_id exists already, with other content. The first one stays.',
    next: 'Use a new trace_id for a new trace.',
  },
  trace_deleted: {
    status: 410,
    says: 'A trace with this trace_id was deleted and cannot be sent again.',
    next: 'Use a new trace_id.',
  },
  trace_not_found: {
    status: 404,
    says: 'No trace has this trace_id.',
    next: 'List the traces with GET /api/v1/traces.',
  },
  batch_not_found: {
    status: 404,
    says: 'No batch has this batch_id.',
    next: 'Receipts are kept for each accepted batch.',
  },
  evaluator_not_found: {
    status: 404,
    says: 'There is no evaluator {slug}.',
    next: 'List them with GET /api/v1/evaluators.',
  },
  execution_not_found: {
    status: 404,
    says: 'No execution has this id.',
    next: 'List them with GET /api/v1/executions.',
  },
  calibration_not_found: {
    status: 404,
    says: 'This evaluator was never measured against people.',
    next: 'Review traces that it scored, then POST to the same path.',
  },
  rule_not_found: { status: 404, says: 'No rule has this id.', next: 'List them with GET /api/v1/rules.' },
  dataset_not_found: {
    status: 404,
    says: 'There is no dataset {dataset}.',
    next: 'List them with GET /api/v1/datasets.',
  },
  version_not_found: {
    status: 404,
    says: '{what} has no version {version}.',
    next: 'List its versions first.',
  },
  row_not_found: { status: 404, says: 'The draft has no row with this id.', next: 'List the rows of the dataset.' },
  column_not_found: {
    status: 404,
    says: 'The draft has no column {column}.',
    next: 'The dataset itself lists its columns.',
  },
  experiment_not_found: { status: 404, says: 'There is no experiment or run {id}.', next: 'Initialize it first.' },
  task_not_found: { status: 404, says: 'The run has no task with this id.', next: 'Add the task first.' },
  run_not_found: { status: 404, says: 'No run has this run_id.', next: 'List the runs with GET /api/v1/runs.' },
  run_item_not_found: {
    status: 404,
    says: 'The run has no finished item of this index.',
    next: 'List its items, or wait until it is finished.',
  },
  run_deleted: { status: 410, says: 'The run of this run_id was deleted.', next: 'Use a new run_id.' },
  run_conflict: {
    status: 409,
    says: 'A run with this run_id exists already, with other content. The first one stays.',
    next: 'Use a new run_id for a new run.',
  },
  run_over: { status: 409, says: 'The run is over: it is {status}.', next: 'Resume it, or read its result.' },
  run_not_over: { status: 409, says: 'The run is not over yet.', next: 'Wait for its end, or cancel it.' },
  run_held: {
    status: 409,
    says: 'Somebody works on this run.',
    next: 'Cancel it first, or wait for its end.',
  },
  agent_suite_not_found: {
    status: 404,
    says: 'There is no suite of agent tests {suite}.',
    next: 'List them with GET /api/v1/agent-tests/suites, or send a first report with `llm-eval test --send`.',
  },
  agent_case_not_found: {
    status: 404,
    says: 'No report that is kept of this suite holds this case.',
    next: 'The suite itself lists its cases.',
  },
  agent_report_not_found: {
    status: 404,
    says: 'No report of agent tests has this report_id.',
    next: 'The suite itself lists its newest reports.',
  },
  agent_report_deleted: {
    status: 410,
    says: 'The report of this report_id was deleted.',
    next: 'Use a new report_id for a new report.',
  },
  agent_report_conflict: {
    status: 409,
    says: 'A report with this report_id exists already, with other content. The first one stays.',
    next: 'Use a new report_id for a new report.',
  },
  agent_baseline_not_found: {
    status: 404,
    says: 'Nothing was accepted of this case as {variant}.',
    next: 'The case itself lists what was accepted.',
  },
  agent_quarantine_not_found: {
    status: 404,
    says: 'This case is not quarantined.',
    next: 'The case itself says how it stands.',
  },
  agent_baseline_changed: {
    status: 409,
    says: 'What is accepted of this case as {variant} changed since it was read.',
    next: 'Read it again and decide anew.',
  },
  agent_quarantine_changed: {
    status: 409,
    says: 'The quarantine of this case changed since it was read.',
    next: 'Read it again and decide anew.',
  },
  agent_result_unusable: {
    status: 409,
    says: 'This result cannot be accepted: {detail}.',
    next: 'Accept the result of another report, or test again.',
  },
  conversation_not_found: {
    status: 404,
    says: 'No conversation has this thread id.',
    next: 'List them with GET /api/v1/conversations.',
  },
  conversation_deleted: {
    status: 410,
    says: 'The conversation of this thread id was deleted.',
    next: 'Use a new thread id.',
  },
  conversation_full: {
    status: 413,
    says: 'A conversation may hold at most {max} events.',
    next: 'Go on in a new thread.',
  },
  redaction_failed: {
    status: 503,
    says: 'What must not be kept could not be told from the rest in time. Nothing was stored.',
    next: 'Send less at once; the operator mends the patterns under `redact` in the configuration.',
  },
  conversation_too_large: {
    status: 413,
    says: 'What was recorded holds more than {max} bytes, which is too much to be shown or exported as a whole.',
    next: 'Read its events page by page, export it with format=jsonl, or export fewer conversations at once.',
  },
  turn_not_found: {
    status: 404,
    says: 'The conversation has no turn {turn}.',
    next: 'List its turns first.',
  },
  target_not_found: {
    status: 404,
    says: 'The bridge has no target {target}.',
    next: 'Name it in the configuration (targets), or start `llm-eval bridge --target URL`.',
  },
  conversation_busy: {
    status: 409,
    says: 'A request of this conversation is under way.',
    next: 'Wait for its end, or cancel it.',
  },
  slug_taken: { status: 409, says: 'The name {slug} is taken.', next: 'Choose another slug.' },
  builtin_evaluator: {
    status: 409,
    says: '{slug} is built in and cannot be changed.',
    next: 'Make an evaluator of your own, with another slug.',
  },
  limit_reached: { status: 409, says: 'There may be at most {max} {what}.', next: 'Delete one first.' },
  not_pinned: {
    status: 409,
    says: 'The code of {slug} is not under a declared version, so nothing that is measured of it holds.',
    next: 'Declare a version for it.',
  },
  execution_over: {
    status: 409,
    says: 'The execution is over already: it {status}.',
    next: 'Read its result instead.',
  },
  execution_failed: {
    status: 500,
    says: '{message}',
    next: 'Mend the cause and execute it again.',
  },
  no_provider: {
    status: 422,
    says: 'The evaluator {slug} asks a language model, and no provider is configured for {model}.',
    next: 'Set up a provider in the configuration (see the guide to judges).',
  },
  address_refused: {
    status: 422,
    says: 'The address {url} is not reachable for remote evaluators: {detail}.',
    next: 'Use a public https address, or allow private ones in the configuration.',
  },
  dataset_full: {
    status: 413,
    says: 'A dataset may hold at most {max} rows.',
    next: 'Split it.',
  },
  key_not_found: { status: 404, says: 'No key has this id.', next: 'List the keys with GET /api/v1/keys.' },
  route_not_found: {
    status: 404,
    says: 'There is nothing at {method} {path}.',
    next: 'The API is described at /docs.',
  },
  method_not_allowed: { status: 405, says: '{method} is not possible at {path}.', next: 'Allowed here: {allowed}.' },
  version_conflict: {
    status: 409,
    says: 'The review changed since you read it: it is at version {version} now ({status}).',
    next: 'Read it again and decide anew.',
  },
  already_claimed: {
    status: 409,
    says: 'This trace is in review by {reviewer}.',
    next: 'Take another one, or ask them.',
  },
  unauthenticated: {
    status: 401,
    says: 'This server wants an API key.',
    next: 'Send `Authorization: Bearer KEY` or `X-API-Key: KEY`, or sign in.',
  },
  invalid_key: {
    status: 401,
    says: 'The API key is unknown, revoked or expired.',
    next: 'Create one with `llm-eval keys create`.',
  },
  invalid_token: { status: 401, says: 'The link or ticket is unknown, used or expired.', next: 'Ask for a new one.' },
  forbidden: { status: 403, says: 'This key lacks the scope {scope}.', next: 'Use a key with that scope.' },
  not_this_project: {
    status: 403,
    says: 'This is about the whole server, and your key belongs to a project of it.',
    next: 'Use a key of the default project.',
  },
  origin_refused: {
    status: 403,
    says: 'Requests from this Host or Origin are refused.',
    next: 'Add it to allowed_hosts or public_url in the configuration.',
  },
  bad_signature: {
    status: 401,
    says: 'The webhook signature is missing or does not fit: {detail}',
    next: 'Sign the exact bytes of the body with the webhook secret.',
  },
  replayed_id: {
    status: 409,
    says: 'This webhook-id was used before with another body.',
    next: 'Use a new webhook-id for each message.',
  },
  rate_limited: {
    status: 429,
    says: 'The rate limit of {limit} per minute is used up.',
    next: 'Wait as long as Retry-After says.',
  },
  overloaded: {
    status: 503,
    says: 'The server has as much work queued as it may hold. Nothing was stored.',
    next: 'Send it again after Retry-After seconds.',
  },
  storage_unavailable: {
    status: 503,
    says: 'The database does not take writes at the moment. Nothing was stored.',
    next: 'Send it again after Retry-After seconds; the operator finds the reason in the log.',
  },
  too_many_streams: {
    status: 503,
    says: 'The server has as many open streams as it may hold.',
    next: 'Try again after Retry-After seconds.',
  },
  shutting_down: {
    status: 503,
    says: 'The server is shutting down. Nothing was stored.',
    next: 'Send it again after Retry-After seconds.',
  },
  upgrade_required: {
    status: 426,
    says: 'This is a WebSocket.',
    next: 'Connect to it with ws:// or wss://, or follow the same by SSE below /api/v1/executions.',
  },
  not_implemented: { status: 501, says: '{what} is not available yet.', next: 'See the documentation at /docs.' },
  internal: {
    status: 500,
    says: 'Something went wrong on the server.',
    next: 'The operator finds it in the log under the request id {request_id}.',
  },
} as const satisfies Record<string, { status: number; says: string; next: string }>

/** A code of the failure table. */
export type FailureCode = keyof typeof failureTable

/** One fault of a request: where (a path such as `traces[3].cost`) and what. */
export interface Fault {
  path: string
  message: string
}

/** What a failure may carry beside its code. */
export interface FailureDetails {
  /** Values for the `{places}` of the message. */
  values?: Record<string, string | number>
  /** The single faults of an invalid request. */
  errors?: Fault[]
  /** Seconds after which trying again makes sense; becomes `Retry-After`. */
  retryAfter?: number
  /** Members that the error body carries beside the usual ones (RFC 9457 calls them extension members). */
  members?: Pick<Problem, 'version' | 'evaluation_status' | 'reviewer'>
  cause?: unknown
}

/** An error that may cross the wire. Any other error becomes `internal` there, without its message. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: FailureCode
  readonly status: number
  readonly next: string
  readonly errors: Fault[]
  readonly retryAfter: number | undefined
  readonly members: FailureDetails['members']

  constructor(code: FailureCode, details: FailureDetails = {}) {
    const row = failureTable[code]
    const fill = (text: string) =>
      text.replace(/\{(\w+)\}/g, (place, name: string) => String(details.values?.[name] ?? place))
    super(fill(row.says), details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.status = row.status
    this.next = fill(row.next)
    this.errors = details.errors ?? []
    this.retryAfter = details.retryAfter
    this.members = details.members
  }
}

/** RFC 9457 problem details, as every `/api/v1` error is sent (`application/problem+json`). */
export interface Problem {
  type: string
  title: string
  status: number
  code: FailureCode
  detail: string
  next: string
  request_id: string
  errors?: Fault[]
  /** With `version_conflict` and `already_claimed`: how the review stands now. */
  version?: number
  evaluation_status?: ReviewStatus
  reviewer?: string | null
}
