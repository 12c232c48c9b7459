import { callBack, type EvaluatorResult, type ResultCallback } from './result.ts'

/** What is done with results. */
export interface ResultHandlers {
  /** Is handed the result of an execution that completed. */
  onComplete?: ((result: EvaluatorResult) => unknown) | undefined
  /** Is handed what there is of one that failed or was cancelled. */
  onFailed?: ((result: EvaluatorResult) => unknown) | undefined
  /** Is told what the other two throw; the console is, if absent. */
  onError?: ((error: Error) => unknown) | undefined
}

/** Makes callbacks of handlers. */
export const ResultHandler = {
  /** A callback for `Evaluator.run` and the like, which never throws. */
  createCallback(handlers: ResultHandlers): ResultCallback {
    return (result) => {
      const handle = result.status === 'completed' ? handlers.onComplete : handlers.onFailed
      callBack(() => handle?.(result), handlers.onError)
    }
  },
} as const
