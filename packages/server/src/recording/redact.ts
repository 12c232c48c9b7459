/** Takes out of events what must not be kept, by the rules of the configuration. */
import type { ConversationEventInput } from '@llm-eval/protocol'

/** Takes out what must not be kept. */
export interface Redactor {
  redact(event: ConversationEventInput): ConversationEventInput
}

/** Keeps everything. */
export const keepsAll: Redactor = { redact: (event) => event }
