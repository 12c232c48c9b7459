import type { AgentEvent, Dialect } from './dialects/dialect.ts'
import { agUi } from './dialects/ag-ui.ts'
import { aiSdk } from './dialects/ai-sdk.ts'
import { events } from './dialects/events.ts'
import { openaiChat } from './dialects/openai-chat.ts'
import { openaiResponses } from './dialects/openai-responses.ts'

/** Types that the AI SDK's stream has, and the seed's events have not. */
const aiSdkTypes =
  /^(text|reasoning|tool-input|tool-output|start-step|finish-step|source|file|data|message-metadata)(-|$)/

/** Types that both have: what comes next decides. */
const undecided = new Set(['start', 'finish', 'abort', 'error', 'text'])

/** Which dialect an event is of; undefined when it could be of several. */
export function dialectOf({ type, told }: AgentEvent): Dialect | undefined {
  if (Array.isArray(told['choices']) || told['object'] === 'chat.completion.chunk') return openaiChat
  if (type.startsWith('response.')) return openaiResponses
  if (/^[A-Z]+(_[A-Z]+)+$/.test(type)) return agUi
  if (told['data'] === undefined && aiSdkTypes.test(type) && type.includes('-')) return aiSdk
  if (undecided.has(type) && told['data'] === undefined) return undefined
  return events
}
