import { type Execution, Failure, type Score } from '@llm-eval/protocol'

/** What foreign clients read of an execution that is over. */
export interface Result {
  /** The evaluator's own result fields, with a boolean `pass` wherever there is a verdict. */
  fields: Record<string, unknown>
  /** Null when the evaluator gives no verdict. */
  passed: boolean | null
}

/**
 * The result of an execution. Anything but a score is a failure: these clients take every document for a success.
 *
 * @throws {Failure} `execution_failed`
 */
export function resultOf({ status, score, error }: Execution): Result {
  if (status !== 'completed' || score === null || score.outcome !== 'scored') {
    const told = error?.message ?? score?.explanation ?? `The execution is ${status}.`
    throw new Failure('execution_failed', { values: { message: told } })
  }
  return { fields: fieldsOf(score), passed: score.passed }
}

/** The result fields of a score: the evaluator's own, else its value and label. */
export function fieldsOf({ output, passed, value, label, explanation }: Score): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...output }
  if (Object.keys(output).length === 0) {
    if (value !== null) fields['score'] = value
    if (label !== null) fields['label'] = label
  }
  if (explanation !== null && fields['reason'] === undefined) fields['reason'] = explanation
  if (passed !== null) fields['pass'] = passed
  return fields
}

/** The document that clients wait for: `result.evaluator_result` is what they read. */
export function documentOf(execution: Execution) {
  const { fields } = resultOf(execution)
  return {
    execution_id: execution.execution_id,
    status: execution.status,
    result: { evaluator_result: fields },
    error: null,
    completed_at: execution.completed_at,
  }
}
