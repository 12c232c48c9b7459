export type { AgentHearing, AgentListener, AttachableAgent } from './agent.ts'
export type { RecorderReceipt, RecorderServer } from './courier.ts'
export type { EvalFile, EvalFileOptions } from './file.ts'
export {
  ConversationRecorder,
  type EvalJsonOptions,
  type MessageDetails,
  type RecorderOptions,
  type ThinkingDetails,
  type ToolCallDetails,
} from './recorder.ts'
