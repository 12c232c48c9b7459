import type { AdkEvent, AdkPart } from './event.ts'

/**
 * The events of one invocation without their partial ones. Where an agent's partial events were followed by nothing whole, what they
 * said is put together to one event at their place; pieces of calls are not, as nobody knows what they would have become.
 */
export function completeEvents(events: readonly AdkEvent[], warn: (message: string) => void): AdkEvent[] {
  const complete: (AdkEvent | AdkEvent[])[] = []
  const pending = new Map<string, AdkEvent[]>()
  const seen = new Map<string, Seen>()
  for (const event of events) {
    const speaker = `${event.author}\0${event.branch ?? ''}`
    if (event.partial === true) {
      const open = pending.get(speaker)
      if (open) open.push(event)
      else {
        const begun = [event]
        pending.set(speaker, begun)
        complete.push(begun)
      }
      continue
    }
    if (isAgain(event, seen)) continue
    if (isWhole(event)) {
      const open = pending.get(speaker)
      if (open) open.length = 0
      pending.delete(speaker)
    }
    complete.push(event)
  }
  return complete.flatMap((one) => (Array.isArray(one) ? together(one, warn) : [one]))
}

/** Whether an event is what its partial ones became: results of tools have the agent as author too, and are not. */
function isWhole({ content }: AdkEvent): boolean {
  return (content?.parts ?? []).some((part) => part.functionResponse === undefined)
}

/** An event by whose id another may come, and its text once that was needed. */
interface Seen {
  event: AdkEvent
  text: string | undefined
}

/** The same event a second time. The two halves of one that brings an artifact have one id too, but not the same content. */
function isAgain(event: AdkEvent, seen: Map<string, Seen>): boolean {
  if (event.id === '') return false
  const first = seen.get(event.id)
  if (!first) {
    seen.set(event.id, { event, text: undefined })
    return false
  }
  first.text ??= JSON.stringify(first.event)
  return first.text === JSON.stringify(event)
}

function together(events: readonly AdkEvent[], warn: (message: string) => void): AdkEvent[] {
  const [first] = events
  const last = events.at(-1)
  if (!first || !last) return []
  const parts = mergedParts(events.flatMap(({ content }) => content?.parts ?? []))
  if (parts.length === 0) return []
  warn(`what ${first.author} said broke off: it is put together of ${events.length} partial events`)
  const { partial: _, ...whole } = last
  return [{ ...whole, content: { role: first.content?.role ?? 'model', parts } }]
}

/** Deltas of text joined, thoughts and words apart, in their order. */
function mergedParts(parts: readonly AdkPart[]): AdkPart[] {
  const merged: { part: AdkPart; texts: string[] }[] = []
  for (const part of parts) {
    if (part.functionCall) continue
    const last = merged.at(-1)
    const isText = part.text !== undefined
    if (isText && last?.part.text !== undefined && (last.part.thought ?? false) === (part.thought ?? false)) {
      last.texts.push(part.text ?? '')
      if (part.thoughtSignature !== undefined) last.part = { ...last.part, thoughtSignature: part.thoughtSignature }
    } else merged.push({ part, texts: isText ? [part.text ?? ''] : [] })
  }
  return merged.map(({ part, texts }) => (part.text === undefined ? part : { ...part, text: texts.join('') }))
}
