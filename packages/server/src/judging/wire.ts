import type { Execution, ExecutionStatus } from '@llm-eval/protocol'
import type { StoredExecution } from '@llm-eval/store'

/** An execution as it goes out. */
export function toExecution(stored: StoredExecution): Execution {
  const { id, evaluator, version, status, traceId, batchId, score, error, createdAt, completedAt } = stored
  return {
    execution_id: id,
    evaluator,
    evaluator_version: version,
    status,
    trace_id: traceId,
    batch_id: batchId,
    score,
    error,
    created_at: new Date(createdAt).toISOString(),
    completed_at: completedAt === null ? null : new Date(completedAt).toISOString(),
  }
}

/** Whether nothing more will come of it. */
export function isOver(status: ExecutionStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}
