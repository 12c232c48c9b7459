import type { Failure, Problem, Route } from '@llm-eval/protocol'

/** Which error body a route's clients expect. */
export type ErrorForm = Route['errors']

/** The body and content type of an error answer, in the form that the route's clients expect. */
export function errorBody(form: ErrorForm, failure: Failure, request: { id: string; path: string }) {
  switch (form) {
    case 'webhook':
      return { type: 'application/json; charset=utf-8', body: webhookBody(failure, request) }
    case 'foreign':
      return { type: 'application/json; charset=utf-8', body: foreignBody(failure, request.id) }
    case 'problem':
      return { type: 'application/problem+json; charset=utf-8', body: problemBody(failure, request.id) }
  }
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

/** Traceloop's SDKs show the user `error` and nothing else, so all there is to say is in it. */
function foreignBody(failure: Failure, requestId: string) {
  const single = faultTexts(failure)
  return {
    error: single.length > 0 ? `${failure.message} ${single.join('; ')}` : failure.message,
    code: failure.code,
    next: nextOf(failure, requestId),
    request_id: requestId,
  }
}

function faultTexts(failure: Failure): string[] {
  return failure.errors.map((fault) => (fault.path === '' ? fault.message : `${fault.path}: ${fault.message}`))
}

function webhookBody(failure: Failure, request: { id: string; path: string }) {
  const single = faultTexts(failure)
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
  const [, first] = /^(?:\/api\/v1)?\/(webhook|v1|v2)(?:\/|$)/.exec(path) ?? []
  if (first === undefined) return 'problem'
  return first === 'webhook' ? 'webhook' : 'foreign'
}
