import type { FailureCode, Fault, WebhookAnswer } from '@llm-eval/protocol'

/**
 * What kind of trouble it was:
 * - `unreachable`: no answer came back (nothing listens, DNS, connection cut)
 * - `timeout`: no whole answer within `timeoutMs`
 * - `auth`: the server wants a key, or the key may not do this (401, 403)
 * - `not_found`: there is no such trace or route (404)
 * - `failed`: the server refused or failed; `failure` and `errors` say why
 * - `interrupted`: a stream broke off; it reconnects by itself
 * - `protocol`: the answer is not one of llm-eval; the base URL is probably wrong
 */
export type ErrorCode = 'unreachable' | 'timeout' | 'auth' | 'not_found' | 'failed' | 'interrupted' | 'protocol'

/** What an `LLMEvalError` may carry beside its code and message. */
export interface ErrorDetails {
  status?: number | undefined
  failure?: FailureCode | (string & {}) | undefined
  errors?: Fault[] | undefined
  retryAfter?: number | undefined
  requestId?: string | undefined
  answer?: WebhookAnswer | undefined
  body?: unknown
  cause?: unknown
}

/** The only error this package throws, except for misuse of a constructor (TypeError) and a caller's own abort. */
export class LLMEvalError extends Error {
  override readonly name = 'LLMEvalError'
  readonly code: ErrorCode
  /** HTTP status, when there was an answer. */
  readonly status: number | undefined
  /** The server's own code, e.g. `trace_conflict`. */
  readonly failure: FailureCode | (string & {}) | undefined
  /** The single faults of a refused request. */
  readonly errors: Fault[]
  /** Seconds after which the server asks to be tried again. */
  readonly retryAfter: number | undefined
  /** The server's log knows the request by this. */
  readonly requestId: string | undefined
  /** Of a send: what became of each trace, as far as it is known. */
  readonly answer: WebhookAnswer | undefined
  /** The whole JSON of the answer, e.g. with the current `version` beside `version_conflict`. */
  readonly body: unknown

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.status = details.status
    this.failure = details.failure
    this.errors = details.errors ?? []
    this.retryAfter = details.retryAfter
    this.requestId = details.requestId
    this.answer = details.answer
    this.body = details.body
  }
}

/** Makes an error of anything thrown. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  try {
    return new Error(String(thrown))
  } catch {
    return new Error('something that is no error was thrown')
  }
}
