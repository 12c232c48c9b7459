import type { AdkEvent, AdkPart } from '../adk/index.ts'
import { isEmpty } from './metadata.ts'
import { textKind } from './text-streams.ts'

/** Whether the content of an event comes back whole from the events of AG-UI that it becomes. */
export function isPlain({ content }: AdkEvent): boolean {
  if (content === undefined) return true
  const { role, parts, ...rest } = content
  if (!isEmpty(rest) || parts === undefined || parts.length === 0) return false
  return parts.every(isPlainPart) && role === roleOf(parts)
}

/** Answers of tools are told to the model as a user would; everything else the model says itself. */
export function roleOf(parts: readonly AdkPart[]): 'user' | 'model' {
  return parts.some(({ functionResponse }) => functionResponse !== undefined) ? 'user' : 'model'
}

/** Whether a part is nothing but a text, a call or a result, with all that these need. */
export function isPlainPart(part: AdkPart): boolean {
  const { text, thought, thoughtSignature, functionCall, functionResponse, ...rest } = part
  if (!isEmpty(rest)) return false
  if (functionCall !== undefined) {
    return isWhole(functionCall, 'args') && !text && thought !== true && !functionResponse
  }
  if (functionResponse === undefined) return textKind(part) !== undefined
  return isWhole(functionResponse, 'response') && !text && !thoughtSignature && thought !== true
}

/** Whether a call or a result has its id and its name, and nothing beside what it says. */
function isWhole(told: { id?: string | undefined; name?: string | undefined }, says: 'args' | 'response'): boolean {
  const isKnown = (key: string) => key === 'id' || key === 'name' || key === says
  const hasMore = Object.entries(told).some(([key, value]) => !isKnown(key) && value !== undefined)
  return told.id !== undefined && told.name !== undefined && !hasMore
}
