import type { AdkEvent } from '../adk/index.ts'

/**
 * Whether an agent may end after an event: ADK's `is_final_response`, and answers of tools with which a run ends
 * (`escalate`, or none but those that take long).
 */
export function isLastWord(event: AdkEvent, longRunning: ReadonlySet<string>): boolean {
  const { actions, longRunningToolIds = [], content, partial } = event
  if (actions?.skipSummarization === true || longRunningToolIds.length > 0) return true
  if (partial === true) return false
  const parts = content?.parts ?? []
  if (parts.some(({ functionCall }) => functionCall !== undefined)) return false
  const answers = parts.flatMap(({ functionResponse }) => functionResponse ?? [])
  if (answers.length === 0) return parts.at(-1)?.codeExecutionResult === undefined
  return actions?.escalate === true || answers.every(({ id }) => id !== undefined && longRunning.has(id))
}
