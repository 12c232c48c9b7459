export {
  type AgentHandler,
  type AgentStream,
  agentResponse,
  agentStream,
  type CompleteOptions,
  type NodeResponse,
  type TokenUsage,
  type ToolCallOptions,
  type ToolResult,
} from './stream.ts'
export { refine, type Refined, type RefineOptions, type RefineStop } from './refine.ts'
