import { Failure, isObject, limits } from '@llm-eval/protocol'
import type { Principal } from '../access/principal.ts'
import type { Deps } from '../http/app.ts'
import type { Ask } from '../judging/judge.ts'
import { patienceMs } from './executions.ts'

/** What a task of a pull request's run gave; null when it failed. */
export interface TaskOutput {
  id: string
  output: unknown
}

/** An evaluation that could not even be started, such as for a field that the output lacks. */
export interface NotStarted {
  task_id: string
  evaluator: string
  error: string
}

/**
 * Starts every evaluator on every output. One that cannot be started spoils none of the others; at most
 * `limits.importErrors` of them are told.
 *
 * @throws {Failure} `overloaded` when the queue stays full
 */
export async function evaluateTasks(
  { judge, log }: Deps,
  { projectId }: Principal,
  { tasks, evaluators }: { tasks: readonly TaskOutput[]; evaluators: readonly string[] },
): Promise<NotStarted[]> {
  const asks = tasks.flatMap(({ id, output }) =>
    isObject(output) ? evaluators.map((evaluator) => ({ evaluator, input: output, taskId: id })) : [],
  )
  const refused: NotStarted[] = []

  /** Halves what is refused until it is known which ones it was. */
  async function start(some: readonly (Ask & { taskId: string })[]): Promise<void> {
    const [first] = some
    if (first === undefined) return
    try {
      await judge.executions.start(projectId, some, { patienceMs })
    } catch (error) {
      if (!(error instanceof Failure) || error.status >= 500) throw error
      if (some.length === 1) {
        const why = error.errors.map(({ path, message }) => `${path}: ${message}`).join('; ')
        refused.push({ task_id: first.taskId, evaluator: first.evaluator, error: why || error.message })
        return
      }
      await start(some.slice(0, some.length >> 1))
      await start(some.slice(some.length >> 1))
    }
  }

  for (let at = 0; at < asks.length; at += limits.batchExecutions) {
    await start(asks.slice(at, at + limits.batchExecutions))
  }
  if (refused.length > 0)
    log.warn({ refused: refused.length }, 'some evaluations of a pull request could not be started')
  return refused.slice(0, limits.importErrors)
}
