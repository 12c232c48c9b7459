export type { AgentHearing, AgentListener, AttachableAgent } from './agent.ts'
export type { RecorderReceipt, RecorderServer } from './courier.ts'
export {
  ConversationRecorder,
  type MessageDetails,
  type RecorderOptions,
  type ThinkingDetails,
  type ToolCallDetails,
} from './recorder.ts'
