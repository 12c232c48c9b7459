import type { AdkEvent, AdkPart } from '../adk/index.ts'
import { type AdkMetadata, eventOf } from './metadata.ts'
import { roleOf } from './plain.ts'

/** A part that is still being told. */
export interface DraftPart {
  part: AdkPart
  /** Of a call: its arguments, as far as they came. */
  args?: string
}

/** An event of ADK that is still being told. */
export interface Draft {
  metadata: AdkMetadata
  /** Whether that was made up, since nobody told it. */
  foreign: boolean
  parts: DraftPart[]
  state: Map<string, unknown> | undefined
  /** The event itself, where it was told as it is. */
  verbatim: AdkEvent | undefined
}

export function draftOf(metadata: AdkMetadata, source: 'adk' | 'foreign'): Draft {
  return { metadata, foreign: source === 'foreign', parts: [], state: undefined, verbatim: undefined }
}

/** What was told, as an event; undefined where there is nothing to it. */
export function finished(draft: Draft, ending: 'whole' | 'broken'): AdkEvent | undefined {
  if (draft.verbatim) return draft.verbatim
  const { metadata, state } = draft
  const parts = draft.parts.map(partOf).filter((part) => part.text !== '' || part.thoughtSignature !== undefined)
  if (draft.foreign && parts.length === 0 && state === undefined && Object.keys(metadata.more ?? {}).length === 0)
    return undefined
  const event = eventOf(metadata)
  return {
    ...event,
    ...(parts.length === 0 ? {} : { content: { parts, role: metadata.author === 'user' ? 'user' : roleOf(parts) } }),
    ...(state === undefined ? {} : { actions: { ...event.actions, stateDelta: Object.fromEntries(state) } }),
    ...(ending === 'broken' ? { partial: true } : {}),
  }
}

function partOf({ part, args }: DraftPart): AdkPart {
  if (part.functionCall === undefined || args === undefined) return part
  return { ...part, functionCall: { ...part.functionCall, args: argumentsOf(args) } }
}

/** Arguments that are no object, or broke off, are kept as text. */
function argumentsOf(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return Object.fromEntries(Object.entries(value))
  } catch {
    // Told below.
  }
  return { arguments: text }
}
