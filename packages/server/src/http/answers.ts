import { Failure } from '@llm-eval/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Meters } from '../meters/meters.ts'
import { errorBody, errorFormOf } from './errors.ts'

interface Answering {
  log: Logger
  meters: Meters
  closing: AbortSignal
}

/** Answers an error: a failure as the table says, anything else as `internal`, told to the log alone. */
export function answerError(
  { log, meters, closing }: Answering,
  { error, request, reply }: { error: unknown; request: FastifyRequest; reply: FastifyReply },
) {
  const failure = asFailure(error, request)
  meters.failures.inc({ code: failure.code })
  const path = request.url.split('?', 1)[0] ?? request.url
  if (failure.code === 'internal') {
    log.error({ err: error, request_id: request.id, method: request.method, path }, 'a request failed')
  } else if (failure.status === 503) {
    log.warn({ code: failure.code, request_id: request.id, err: failure.cause }, 'a request was refused')
  }
  const form = request.routeOptions.config?.route?.errors ?? errorFormOf(path)
  const { type, body } = errorBody(form, failure, { id: request.id, path })
  // Fastify wants to close after a body that failed; ours were read to their end, but for those too big to drain.
  if (failure.cause === 'not drained' || closing.aborted) reply.header('connection', 'close')
  else reply.removeHeader('connection')
  const wait = failure.retryAfter ?? (failure.status === 503 ? 1 : undefined)
  if (wait !== undefined) reply.header('retry-after', Math.max(1, Math.ceil(wait)))
  if (failure.status === 401) reply.header('www-authenticate', 'Bearer')
  return (
    reply
      .code(failure.status)
      // Again, since a path that cannot be read is answered before any hook runs.
      .header('x-request-id', request.id)
      .header('cache-control', 'no-store')
      .type(type)
      .serializer((value: unknown) => JSON.stringify(value))
      .send(body)
  )
}

/** Fastify's own refusals, as rows of the table. */
function asFailure(error: unknown, request: FastifyRequest): Failure {
  if (error instanceof Failure) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    // Some methods may not come without one.
    case 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE':
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Failure('unsupported_media_type', { values: { type: 'of this request' }, cause: error })
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new Failure('invalid_query', {
        errors: [
          {
            path: '',
            message: code === 'FST_ERR_BAD_URL' ? 'the path is not valid percent-encoding' : 'the path is too long',
          },
        ],
      })
    // A path that would lead out of the directory that is served.
    case 'FST_STATIC_FORBIDDEN_PATH':
      return new Failure('route_not_found', {
        values: { method: request.method, path: shownPath(request) },
        cause: error,
      })
    default:
      return new Failure('internal', { cause: error })
  }
}

/** Answers a path that nothing is mounted at: 405 when another method is, else 404. */
export function answerMissing(
  answering: Answering,
  {
    mounted,
    request,
    reply,
  }: { mounted: { method: string; path: string }[]; request: FastifyRequest; reply: FastifyReply },
) {
  const path = request.url.split('?', 1)[0] ?? request.url
  const shown = shownPath(request)
  const allowed = allowedAt(mounted, path)
  if (allowed.length === 0) {
    const error = new Failure('route_not_found', { values: { method: request.method, path: shown } })
    return answerError(answering, { error, request, reply })
  }
  const list = allowed.join(', ')
  reply.header('allow', list)
  const error = new Failure('method_not_allowed', { values: { method: request.method, path: shown, allowed: list } })
  return answerError(answering, { error, request, reply })
}

function shownPath({ url }: FastifyRequest): string {
  return (url.split('?', 1)[0] ?? url).slice(0, 200)
}

function allowedAt(mounted: { method: string; path: string }[], path: string): string[] {
  const methods = new Set<string>()
  for (const { method, path: pattern } of mounted) {
    if (!fits(pattern, path)) continue
    methods.add(method)
    if (method === 'GET') methods.add('HEAD')
  }
  return [...methods].sort()
}

function fits(pattern: string, path: string): boolean {
  const wanted = pattern.split('/')
  const given = path.replace(/\/$/, '').split('/')
  return wanted.length === given.length && wanted.every((part, index) => part.startsWith(':') || part === given[index])
}
