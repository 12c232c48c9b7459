import type { Failure, Problem, Route } from '@llm-eval/protocol'

/** Which error body a route's clients expect. */
export type ErrorForm = Route['errors']

/** The body and content type of an error answer, in the form that the route's clients expect. */
export function errorBody(form: ErrorForm, failure: Failure, request: { id: string; path: string }) {
  return form === 'webhook'
    ? { type: 'application/json; charset=utf-8', body: webhookBody(failure, request) }
    : { type: 'application/problem+json; charset=utf-8', body: problemBody(failure, request.id) }
}

function problemBody(failure: Failure, requestId: string): Problem {
  const problem: Problem = {
    type: `urn:llm-eval:error:${failure.code}`,
    title: failure.code.replaceAll('_', ' '),
    status: failure.status,
    code: failure.code,
    detail: failure.message,
    next: nextOf(failure, requestId),
    request_id: requestId,
  }
  if (failure.errors.length > 0) problem.errors = failure.errors
  return { ...problem, ...failure.members }
}

function webhookBody(failure: Failure, request: { id: string; path: string }) {
  const single = failure.errors.map((fault) => (fault.path === '' ? fault.message : `${fault.path}: ${fault.message}`))
  return {
    success: false,
    message: failure.message,
    processed_count: request.path.endsWith('/batch') ? 0 : null,
    errors: single.length > 0 ? single : [failure.message],
    trace_ids: [],
    code: failure.code,
    next: nextOf(failure, request.id),
    request_id: request.id,
  }
}

function nextOf(failure: Failure, requestId: string): string {
  return failure.next.replace('{request_id}', requestId)
}

/** Which form a path that no route answers gets its error in. */
export function errorFormOf(path: string): ErrorForm {
  return /^(\/api\/v1)?\/webhook(\/|$)/.test(path) ? 'webhook' : 'problem'
}
