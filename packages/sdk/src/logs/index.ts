export {
  type BridgeLog,
  type BridgeRun,
  type EngineLog,
  type EngineLogEvent,
  type JoinedLogs,
  type JoinedThread,
  joinLogs,
  logLines,
  type LogOptions,
  type LogWarning,
  type LogWarningCode,
  parseBridgeLog,
  parseEngineLog,
} from '@llm-eval/formats/adk'
export { generateEval, type GeneratedEval, type GenerateOptions } from './generate.ts'
