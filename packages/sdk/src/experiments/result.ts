import type { Execution, Score } from '@llm-eval/protocol'
import { callSafely } from '../callback.ts'
import { LLMEvalError } from '../error.ts'

/** How an execution ended. */
export interface EvaluatorResult {
  execution_id: string
  status: 'completed' | 'failed' | 'cancelled'
  /** The evaluator's own result fields; null unless completed. */
  result: Record<string, unknown> | null
  /** Why there is no result; null if completed. */
  error: string | null
  /** The server's code for that, such as `timeout`; null if completed, or if it has none. */
  error_code: string | null
  /** RFC 3339; null when the server does not tell. */
  completed_at: string | null
  /** Value, verdict, explanation and cost; null when it failed, and from servers other than llm-eval. */
  score: Score | null
}

/** Is handed the result of an execution, however it ended. What it throws goes to `onError` and breaks nothing. */
export type ResultCallback = (result: EvaluatorResult) => unknown

/** The result of an execution that is over. */
export function resultOf(execution: Execution): EvaluatorResult {
  const { execution_id, completed_at, score, error } = execution
  const rest = { execution_id, completed_at, score }
  if (execution.status === 'completed' && score)
    return { ...rest, status: 'completed', result: fieldsOf(score), error: null, error_code: null }
  const isCancelled = execution.status === 'cancelled'
  return {
    ...rest,
    status: isCancelled ? 'cancelled' : 'failed',
    result: null,
    error: error?.message ?? `The execution ${isCancelled ? 'was cancelled' : 'failed'}.`,
    error_code: error?.code ?? null,
  }
}

/** As the document of the execution says it, so that it does not matter which of the two was read. */
function fieldsOf({ output, passed, value, label, explanation }: Score): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...output }
  if (Object.keys(output).length === 0) {
    if (value !== null) fields['score'] = value
    if (label !== null) fields['label'] = label
  }
  if (explanation !== null && fields['reason'] === undefined) fields['reason'] = explanation
  if (passed !== null) fields['pass'] = passed
  return fields
}

/** Calls a callback; what it throws goes to `onError`, or to the console if there is none. */
export function callBack(call: () => unknown, onError: (error: Error) => unknown = tellConsole): void {
  callSafely(call, onError)
}

function tellConsole(error: Error): void {
  console.error('llm-eval-sdk: a callback threw:', error.message)
}

/** The error that a failed or cancelled execution is for whoever waits for it. */
export function errorOfResult(result: EvaluatorResult): LLMEvalError {
  const { execution_id: id, status, error, error_code: code } = result
  const message = `The execution ${id} ${status === 'cancelled' ? 'was cancelled' : 'failed'}: ${error}`
  return new LLMEvalError(code === 'interrupted' ? 'interrupted' : 'failed', message, {
    failure: code ?? status,
    body: result,
  })
}
