import { errorOf, isObject, readJson } from '../answer.ts'
import { pause } from '../clock.ts'
import type { Connection } from '../connection.ts'
import type { Deadline } from '../deadline.ts'
import { LLMEvalError, toError } from '../error.ts'
import { backoffMs, isOverload } from '../retry.ts'
import type { EvaluatorResult } from './result.ts'

const backoff = { baseMs: 500, capMs: 8_000 }

/** Where the document of an execution is. */
interface Place {
  executionId: string
  /** As the server named it. */
  streamUrl: string
  /** Is told when a try came to nothing. */
  onLost(error: LLMEvalError): void
}

/**
 * Waits for the result as Traceloop's clients do: one request, answered with a JSON document once the execution is over.
 * A connection that breaks off is opened again.
 *
 * @throws the reason of the deadline, or an `LLMEvalError`
 */
export async function awaitDocument(
  connection: Connection,
  place: Place,
  deadline: Deadline,
): Promise<EvaluatorResult> {
  const url = documentUrl(connection.baseUrl, place.streamUrl)
  for (let tries = 1; ; tries++) {
    try {
      return await readDocument(connection, { url, executionId: place.executionId }, deadline.signal)
    } catch (error) {
      deadline.signal.throwIfAborted()
      if (!(error instanceof LLMEvalError) || !isPassing(error)) throw error
      deadline.trouble = error
      place.onLost(error)
      const wait = { random: connection.random(), retryAfter: error.retryAfter }
      await pause(backoffMs(backoff, tries, wait), connection.clock, deadline.signal)
    }
  }
}

/** The whole URL of what a server calls `stream_url`: a path below `/v2`, or one that has it, or all of it. */
function documentUrl(baseUrl: string, streamUrl: string): string {
  if (streamUrl.startsWith('/v2/')) return baseUrl + streamUrl
  if (/^\/(?!\/)/.test(streamUrl)) return `${baseUrl}/v2${streamUrl}`
  // The key goes where the base URL leads, and nowhere else.
  if (URL.canParse(streamUrl) && URL.canParse(baseUrl) && new URL(streamUrl).origin === new URL(baseUrl).origin)
    return streamUrl
  throw new LLMEvalError('protocol', `The server at ${baseUrl} sent a stream_url that leads elsewhere: ${streamUrl}`)
}

async function readDocument(
  connection: Connection,
  { url, executionId }: { url: string; executionId: string },
  signal: AbortSignal,
): Promise<EvaluatorResult> {
  const response = await connection.openUrl(url, { signal })
  const { status, headers } = response
  const text = await response.text().catch((thrown: unknown) => {
    throw new LLMEvalError('interrupted', `The connection to ${url} broke off: ${toError(thrown).message}.`)
  })
  const raw = { url, status, headers, text }
  if (!response.ok) return failed(executionId, errorOf(raw, connection.clock.now()))
  const body = readJson(raw)
  if (!isObject(body)) throw new LLMEvalError('protocol', `${url} did not answer with a result.`, { body })
  if (body['execution_id'] !== executionId)
    throw new LLMEvalError('protocol', `${url} answered for another execution: ${String(body['execution_id'])}.`, {
      body,
    })
  return completed(executionId, body)
}

function completed(executionId: string, body: Record<string, unknown>): EvaluatorResult {
  const { result, error, completed_at: at } = body
  const fields = isObject(result) && isObject(result['evaluator_result']) ? result['evaluator_result'] : result
  const rest = {
    execution_id: executionId,
    completed_at: typeof at === 'string' ? at : null,
    score: null,
    error_code: null,
  }
  if (isObject(fields)) return { ...rest, status: 'completed', result: fields, error: null }
  if (typeof error === 'string') return { ...rest, status: 'failed', result: null, error }
  throw new LLMEvalError('protocol', `The document of the execution ${executionId} holds no result.`, { body })
}

/** These servers tell that an execution failed by a status that is not 200, and a sentence. */
function failed(executionId: string, error: LLMEvalError): EvaluatorResult {
  const told = isObject(error.body) && typeof error.body['error'] === 'string'
  if (error.code !== 'failed' || !told || isPassing(error)) throw error
  return {
    execution_id: executionId,
    status: error.failure === 'cancelled' ? 'cancelled' : 'failed',
    result: null,
    error: error.message,
    error_code: error.failure ?? null,
    completed_at: null,
    score: null,
  }
}

/** Whether the document may come at another try. */
function isPassing(error: LLMEvalError): boolean {
  return error.code === 'unreachable' || error.code === 'interrupted' || error.status === 408 || isOverload(error)
}
