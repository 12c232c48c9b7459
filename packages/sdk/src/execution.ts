import { type Execution, type ExecutionProgress, type ExecutionStarted, executionStatuses } from '@llm-eval/protocol'
import { isObject } from './answer.ts'
import { LLMEvalError } from './error.ts'

/** A message of a stream of executions: how far one is, or how it ended. */
export type ExecutionNews =
  | { event_type: 'progress'; data: ExecutionProgress; timestamp: string }
  | { event_type: 'result' | 'error'; data: Execution; timestamp: string }

/**
 * Reads what starting an execution answers.
 *
 * @throws {LLMEvalError} `protocol`
 */
export function readStarted(body: unknown, url: string): ExecutionStarted {
  if (!isObject(body) || !isText(body['execution_id']) || !isText(body['stream_url']))
    throw new LLMEvalError('protocol', `${url} did not say which execution it started. Is the base URL right?`, {
      body,
    })
  return { execution_id: body['execution_id'], stream_url: body['stream_url'] }
}

/**
 * Reads an execution.
 *
 * @throws {LLMEvalError} `protocol`
 */
export function readExecution(body: unknown, where: string): Execution {
  if (isExecution(body)) return body
  throw new LLMEvalError('protocol', `${where} did not send an execution.`, { body })
}

/**
 * Reads a message of a stream of executions.
 *
 * @param ids those that the stream may speak of
 * @throws {LLMEvalError} `protocol`
 */
export function readNews(message: unknown, ids: ReadonlySet<string>): ExecutionNews {
  if (!isNews(message))
    throw new LLMEvalError('protocol', 'The stream sent a message that says nothing of an execution.', {
      body: message,
    })
  const id = message.data.execution_id
  if (ids.has(id)) return message
  throw new LLMEvalError('protocol', `The stream sent something of another execution: ${id}.`, { body: message })
}

function isNews(message: unknown): message is ExecutionNews {
  if (!isObject(message) || !isObject(message['data'])) return false
  const { event_type: type, data } = message
  return type === 'progress'
    ? isText(data['execution_id'])
    : (type === 'result' || type === 'error') && isExecution(data)
}

function isExecution(body: unknown): body is Execution {
  return (
    isObject(body) &&
    isText(body['execution_id']) &&
    executionStatuses.some((status) => status === body['status']) &&
    (body['score'] === null || (isObject(body['score']) && isObject(body['score']['output']))) &&
    (body['error'] === null || (isObject(body['error']) && isText(body['error']['message'])))
  )
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
