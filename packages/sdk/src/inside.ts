/** What other entries of this package share with its root; no entry of its own. */
export { isObject } from './answer.ts'
export { callSafely } from './callback.ts'
export { type Clock, pause } from './clock.ts'
export type { Connection } from './connection.ts'
export { LLMEvalError, toError } from './error.ts'
export { connect, type EvaluationServer } from './evaluation-server.ts'
export { backoffMs, isOverload } from './retry.ts'
