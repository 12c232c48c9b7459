export {
  caseName,
  type ConversationFileText,
  type ConversationHead,
  type EvalSetNames,
  exportConversation,
  exportConversations,
  type ExportOptions,
} from './export.ts'
export type { HearingOptions } from './heard.ts'
export type { Watch } from './requests.ts'
export { type ConversationNumbers, summarise } from './summary.ts'
export { toAdkEvents } from './to-adk-events.ts'
export { toTrace } from './trace.ts'
export { GrowingTurns } from './growing-turns.ts'
export { toTurns } from './turns.ts'
