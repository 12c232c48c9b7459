import { exportConversation } from '@llm-eval/formats/conversation'
import type { ConversationEvent, ConversationFormat } from '@llm-eval/protocol'

/** How a conversation is written. */
export interface EvalFileOptions {
  /**
   * `evalset`: what `adk eval` runs. `evalcase`: the bare case of it, which `adk eval` does not load. `legacy`: an eval set for ADK
   * before 1.16. `trace`: for llm-eval. `jsonl`: what was recorded, an event a line.
   */
  format?: ConversationFormat | undefined
  /** Turns that are wanted, from 0; all if absent. Of eval files only. */
  turns?: readonly number[] | undefined
  /** Where thoughts of a final response go: they stay in it (`kept`, unless said), as in the one that `adk eval` holds against it, or into an event before it. */
  thoughts?: 'apart' | 'kept' | undefined
  /** Whether tokens and models are written too, which only ADK 2 knows. */
  usage?: 'left out' | 'included' | undefined
  /** Whether calls by which ADK asks people to sign in, to confirm or to say something count as calls of tools. */
  requests?: 'kept' | 'dropped' | undefined
}

/** A file of a conversation. */
export interface EvalFile {
  name: string
  mediaType: string
  text: string
  /** What is not in it, or not as it was. */
  warnings: string[]
}

/** Whose a conversation is. */
export interface FileHead {
  threadId: string
  appName: string
  userId: string
  rootAgent: string | undefined
}

export function toFile(
  { threadId, appName, userId, rootAgent }: FileHead,
  events: readonly ConversationEvent[],
  { format = 'evalset', turns, thoughts, usage, requests }: EvalFileOptions,
): EvalFile {
  const { text, mediaType, fileName, warnings } = exportConversation(
    { thread_id: threadId, app_name: appName, user_id: userId },
    events,
    {
      format,
      ...(turns && { turns }),
      ...(thoughts && { thoughts }),
      ...(usage && { usage }),
      ...(requests && { requests }),
      ...(rootAgent !== undefined && { author: rootAgent }),
    },
  )
  return { name: fileName, mediaType, text, warnings }
}

/** What of a page a download needs. */
interface Page {
  createElement(name: 'a'): { href: string; download: string; click(): void }
}

/**
 * Hands a file to the user of a page.
 *
 * @throws {TypeError} where there is no page
 */
export function saveInBrowser({ name, mediaType, text }: EvalFile): void {
  const { document } = globalThis as { document?: Page }
  if (document === undefined || typeof URL.createObjectURL !== 'function')
    throw new TypeError('download() needs a page: elsewhere take toFile() and write its text')
  const url = URL.createObjectURL(new Blob([text], { type: mediaType }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser reads it after this.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
