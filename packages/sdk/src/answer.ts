import type { Fault, WebhookAnswer } from '@llm-eval/protocol'
import { type ErrorCode, type ErrorDetails, LLMEvalError } from './error.ts'

/** What came back, before anything is believed about it. */
export interface RawAnswer {
  url: string
  status: number
  headers: Headers
  text: string
}

/** The JSON of a successful answer. */
export function readJson(raw: RawAnswer): unknown {
  if (raw.text === '') return undefined
  const body = parse(raw.text)
  if (body !== undefined) return body
  throw new LLMEvalError('protocol', `${raw.url} answered ${raw.status}, but not with JSON: ${excerpt(raw.text)}`, {
    status: raw.status,
  })
}

/** The error an unsuccessful answer stands for, from problem details, a webhook answer, or anything a proxy may have written. */
export function errorOf(raw: RawAnswer, nowMs: number): LLMEvalError {
  const parsed = parse(raw.text)
  const body = isObject(parsed) ? parsed : {}
  const says = text(body['detail']) ?? text(body['message']) ?? text(body['title']) ?? text(body['error'])
  const answer = isWebhookAnswer(parsed) ? parsed : undefined
  const errors = readFaults(body['errors'])
  const details: ErrorDetails = {
    status: raw.status,
    failure: text(body['code']),
    errors,
    retryAfter: retryAfterOf(raw.headers, nowMs),
    requestId: text(body['request_id']) ?? raw.headers.get('x-request-id') ?? undefined,
    answer,
    body: parsed,
  }
  const message = [
    says ?? `${raw.url} answered ${raw.status}${raw.text ? `: ${excerpt(raw.text)}` : ''}`,
    text(body['next']),
    errors.length > 0
      ? errors.map((fault) => (fault.path ? `${fault.path}: ${fault.message}` : fault.message)).join('; ')
      : undefined,
  ]
  return new LLMEvalError(codeOf(raw.status), message.filter((part) => part !== undefined).join(' '), details)
}

/** Checks that a body is the answer of `/webhook/trace` or `/webhook/batch`. */
export function readWebhookAnswer(body: unknown, url: string): WebhookAnswer {
  return isWebhookAnswer(body) ? body : foreign(url)
}

/** Checks that a body is an object, as every other answer is. */
export function readObject(body: unknown, url: string): object {
  return isObject(body) ? body : foreign(url)
}

function foreign(url: string): never {
  throw new LLMEvalError('protocol', `${url} did not answer as llm-eval does. Is it the base URL of the server?`)
}

/** Seconds of a `Retry-After` header: a number, or an HTTP date. */
function retryAfterOf(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, (date - nowMs) / 1000)
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'auth'
  return status === 404 ? 'not_found' : status >= 400 ? 'failed' : 'protocol'
}

function readFaults(errors: unknown): Fault[] {
  if (!Array.isArray(errors)) return []
  return errors.map((fault: unknown) =>
    isObject(fault)
      ? { path: text(fault['path']) ?? '', message: text(fault['message']) ?? '' }
      : { path: '', message: String(fault) },
  )
}

function isWebhookAnswer(body: unknown): body is WebhookAnswer {
  return (
    isObject(body) &&
    typeof body['success'] === 'boolean' &&
    (body['trace_ids'] === undefined || Array.isArray(body['trace_ids'])) &&
    (body['results'] === undefined || (Array.isArray(body['results']) && body['results'].every(isObject)))
  )
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined
  }
}

/** Whether a value of the wire is an object with members. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function excerpt(body: string): string {
  const line = body.replace(/\s+/g, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}
