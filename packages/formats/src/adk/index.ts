export { callsOf, casesToAsk, type EvalCaseFault, type EvalCaseToAsk, textOf } from './cases.ts'
export { defaultCriteria, readCriteria } from './criteria.ts'
export { decodeBytes, encodeBytes } from './bytes.ts'
export {
  type EvalConfig,
  type EvalCriterion,
  type MatchType,
  matchTypes,
  readEvalConfig,
  writeEvalConfig,
} from './eval-config.ts'
export { readEvalResult, writeEvalResult } from './eval-result.ts'
export {
  type AdkSession,
  type EvalCaseResult,
  type EvalMetricResult,
  type EvalMetricResultPerInvocation,
  type EvalSetResult,
  type EvalStatus,
  evalStatuses,
} from './eval-result-model.ts'
export { type EvalCaseHead, type EvalSetHead, evalName, toEvalCase, toEvalSet } from './eval-case.ts'
export type {
  AppDetails,
  ConversationScenario,
  EvalCase,
  EvalSet,
  IntermediateData,
  Invocation,
  InvocationEvent,
  InvocationEvents,
  Rubric,
  SessionInput,
} from './eval-model.ts'
export type {
  AdkActions,
  AdkContent,
  AdkEvent,
  AdkFunctionCall,
  AdkFunctionResponse,
  AdkPart,
  AdkUsage,
} from './event.ts'
export { finalEventOf, type InvocationOptions, isUser, toInvocations } from './invocations.ts'
export { readJson } from './json.ts'
export { type BridgeLog, parseBridgeLog } from './logs-bridge.ts'
export type { BridgeRun, BridgeToolResult, BridgeUserMessage } from './logs-bridge-words.ts'
export { type EngineLog, type EngineLogEvent, parseEngineLog } from './logs-engine.ts'
export { type JoinedLogs, type JoinedThread, joinLogs } from './logs-join.ts'
export { logLines } from './logs-lines.ts'
export { type LogOptions, type LogWarning, type LogWarningCode, logWarningCodes } from './logs-words.ts'
export { isFinalResponse, readAdkEvent } from './read-event.ts'
export { type EvalForm, readEvalSet, type ReadEvalSetOptions } from './read-eval-set.ts'
export { type AdkStreamItem, type AdkStreamOptions, readAdkStream, readAdkText } from './stream.ts'
export {
  type EvalFlavour,
  writeEvalCase,
  writeEvalSet,
  type WriteEvalOptions,
  type WrittenEval,
} from './write-eval-set.ts'
