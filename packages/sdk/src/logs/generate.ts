import { type BridgeLog, type EngineLog, joinLogs, type LogWarning } from '@llm-eval/formats/adk'
import { exportConversation } from '@llm-eval/formats/conversation'

export interface GenerateOptions {
  /** `evalset`: what `adk eval` runs, which is meant unless said. `evalcase`: the bare case. `legacy`: for ADK before 1.16. */
  format?: 'evalset' | 'evalcase' | 'legacy' | undefined
  /** Where the logs do not say; `agent` and `user` if absent. */
  appName?: string | undefined
  userId?: string | undefined
}

/** An eval file that was made of logs. */
export interface GeneratedEval {
  name: string
  text: string
  /** What of the logs could not be used, and where; and what of the conversation is not in the file. */
  warnings: (LogWarning | string)[]
}

/** A thread as an eval file, from what bridges and engines logged of it. Null where the logs hold nothing of it. */
export function generateEval(
  threadId: string,
  { bridge = [], engine = [] }: { bridge?: readonly BridgeLog[]; engine?: readonly EngineLog[] },
  { format = 'evalset', appName, userId }: GenerateOptions = {},
): GeneratedEval | null {
  const { threads, warnings } = joinLogs(bridge, engine, { thread: threadId })
  const [thread] = threads
  if (!thread) return null
  const {
    text,
    fileName,
    warnings: lost,
  } = exportConversation(
    {
      thread_id: threadId,
      app_name: appName ?? thread.app_name ?? 'agent',
      user_id: userId ?? thread.user_id ?? 'user',
    },
    thread.events.map((event, index) => ({ ...event, seq: index + 1 })),
    { format },
  )
  const told = [...bridge, ...engine].flatMap((log: BridgeLog | EngineLog) => log.warnings)
  return { name: fileName, text, warnings: [...told, ...warnings, ...lost] }
}
