export { decodeBytes, encodeBytes } from './bytes.ts'
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
export { grouped as byInvocation, type InvocationOptions, isUser, toInvocations } from './invocations.ts'
export { readJson } from './json.ts'
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
