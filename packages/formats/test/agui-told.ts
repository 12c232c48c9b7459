import { type AdkEvent, readAdkEvent } from '@llm-eval/formats/adk'
import { AdkToAgui, type AguiEvent, AguiToAdk, readAguiEvent, type RunEnding } from '@llm-eval/formats/agui'

/** What a front end of that version is told of events of ADK, in one run. */
export function told(
  events: readonly AdkEvent[],
  { ending = { how: 'complete' }, version }: { ending?: RunEnding; version?: string } = {},
): AguiEvent[] {
  const reducer = new AdkToAgui({ now: () => 1_700_000_000_000 })
  const protocolVersion = version === '1.0.0' ? '1.0' : undefined
  const begun = reducer.start({ threadId: 'thread', runId: 'run', state: {}, protocolVersion })
  return [...begun, ...events.flatMap((event) => reducer.push(event)), ...reducer.end(ending)]
}

/** The events of ADK that those of AG-UI were made of. */
export function back(events: readonly AguiEvent[]): AdkEvent[] {
  const reader = new AguiToAdk()
  // As they come over the wire.
  const read = events.map((event) => readAguiEvent(JSON.parse(JSON.stringify(event))))
  return [...read.flatMap((one) => ('event' in one ? reader.push(one.event) : [])), ...reader.end()]
}

/** The one form that `readAdkEvent` gives. */
export function normal(event: AdkEvent): AdkEvent {
  const read = readAdkEvent(JSON.parse(JSON.stringify(event)))
  if ('fault' in read) throw new Error(read.fault)
  return read.event
}
