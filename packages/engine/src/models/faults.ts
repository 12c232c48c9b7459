import type { ScoreFault } from '@llm-eval/protocol'
import * as z from 'zod'
import { NoScore } from '../evaluator.ts'

/** What went wrong with one call to a provider. */
export interface CallFault {
  fault: ScoreFault
  message: string
  /** Whether another try may help. */
  retry: boolean
  /** Milliseconds that the provider asks to wait for; null when it does not say. */
  wait: number | null
  /** It knows no answers in a shape. */
  shape: boolean
}

const apiError = z.object({
  name: z.literal('AI_APICallError'),
  message: z.string(),
  statusCode: z.number().optional(),
  responseHeaders: z.record(z.string(), z.string()).optional().catch(undefined),
  responseBody: z.string().optional().catch(undefined),
})

/** Statuses after which another try may help. 529 is how Anthropic says that it is overloaded. */
const transient = new Set([408, 425, 429, 500, 502, 503, 504, 529])

/** The answer of a provider is larger than anything a judge may say. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge'
}

export interface Call {
  /** `provider/model`, for messages. */
  asked: string
  /** Never shown, even where a provider repeats it. */
  key: string | null
  now: number
}

/** Makes sense of what a call threw. */
export function faultOfCall(error: unknown, call: Call): CallFault {
  const base = { retry: false, wait: null, shape: false, fault: 'provider_error' as const }
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return { ...base, fault: 'timeout', message: `${call.asked} did not answer in time.`, retry: true }
  const causes = causesOf(error)
  if (causes.some((cause) => cause instanceof AnswerTooLarge))
    return { ...base, message: `The answer of ${call.asked} is larger than it may be.` }
  for (const cause of causes) {
    const read = apiError.safeParse(cause)
    if (!read.success) continue
    const { statusCode, message, responseHeaders = {}, responseBody = '' } = read.data
    if (statusCode === undefined) break
    return { ...base, ...statusFault(statusCode, `${message} ${responseBody}`, { call, headers: responseHeaders }) }
  }
  return {
    ...base,
    message: `The connection to ${call.asked} broke: ${scrubbed(wordsOf(causes), call.key)}`,
    retry: true,
  }
}

/**
 * Whether the provider may have worked, and want to be paid, for a call that brought nothing: it was silent for too long, or
 * sent what cannot be read. What it refused, it does not charge for, and what it never got to answer is taken to be free too.
 */
export function mayBePaid(error: unknown): boolean {
  if (error instanceof DOMException && error.name === 'TimeoutError') return true
  return causesOf(error).some((cause) => {
    if (cause instanceof AnswerTooLarge) return true
    const { statusCode } = apiError.safeParse(cause).data ?? {}
    return statusCode !== undefined && statusCode < 300
  })
}

function statusFault(
  status: number,
  told: string,
  { call, headers }: { call: Call; headers: Record<string, string> },
): Partial<CallFault> & { message: string } {
  // What a provider says of a key may hold parts of it.
  if (status === 401 || status === 403)
    return { message: `${call.asked} refused the request with status ${status}: check its api_key and what it may do.` }
  const words = scrubbed(told, call.key).trim().slice(0, 500)
  if (/content_filter|content_policy|content management policy/i.test(told))
    return { fault: 'provider_refused', message: `${call.asked} refused to answer: ${words}` }
  // It said 200, and then something that is no answer: as good as a broken connection.
  if (status < 300) return { message: `${call.asked} sent no answer of its API: ${words}`, retry: true }
  return {
    message: `${call.asked} answered with status ${status}: ${words}`,
    retry: transient.has(status),
    wait: retryAfter(headers, call.now),
    shape:
      [400, 404, 415, 422, 501].includes(status) &&
      /response_?format|json_?schema|output_config|structured|response_?mime|response_?json|guided/i.test(told),
  }
}

/** Milliseconds of `retry-after-ms`, or `retry-after` in either of its forms. */
function retryAfter(headers: Record<string, string>, now: number): number | null {
  const exact = Number(headers['retry-after-ms'] ?? Number.NaN)
  if (Number.isFinite(exact)) return Math.max(0, exact)
  const told = headers['retry-after']?.trim()
  if (told === undefined || told === '') return null
  if (/^\d+(\.\d+)?$/.test(told)) return Number(told) * 1_000
  const date = Date.parse(told)
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}

function causesOf(error: unknown): unknown[] {
  const found: unknown[] = []
  for (let one = error; one instanceof Error && found.length < 8; one = one.cause) found.push(one)
  return found
}

function wordsOf(causes: unknown[]): string {
  const messages = causes.flatMap((cause) => (cause instanceof Error && cause.message ? [cause.message] : []))
  return [...new Set(messages)].join(': ').slice(0, 500) || 'nobody said why'
}

/** Also what a vendor leaves of a key: its beginning and its end. */
function scrubbed(text: string, key: string | null): string {
  const clean = key === null || key.length < 4 ? text : text.replaceAll(key, '[key]')
  return clean.replaceAll(/\b(?:sk|AIza|key)[-_A-Za-z0-9*]{12,}/g, '[key]')
}

/** The caller gave up: whatever was thrown meanwhile is of no interest. */
export function cancelled(): NoScore {
  return new NoScore('cancelled', 'The evaluation was cancelled.')
}
