import type { AdkEvent, AdkPart } from '../adk/index.ts'
import type { AguiEvent } from './events.ts'
import { adkEventName, type AdkMetadata, metadataOf, placeOf } from './metadata.ts'
import { closing, delta, opening, stampOf, type TextKind } from './text-streams.ts'

type Stamp = ReturnType<typeof stampOf>

/** What comes of one whole event of ADK: the first of its events of AG-UI tells all that its metadata has to say. */
export class Emission {
  readonly #event: AdkEvent
  readonly #events: AguiEvent[] = []
  readonly #frame: { frame?: number }
  #told = false
  #verbatim: { stream?: string } | undefined

  /** @param frame how many events of its id there were, with it */
  constructor(event: AdkEvent, frame: number) {
    this.#event = event
    this.#frame = frame > 1 ? { frame } : {}
  }

  add(events: readonly AguiEvent[]): void {
    this.#events.push(...events)
  }

  /** All that there is to say of the event, once. */
  whole(): AdkMetadata {
    if (this.#told) return this.#place()
    this.#told = true
    return { ...metadataOf(this.#event), ...this.#frame }
  }

  #place(): AdkMetadata {
    return { ...placeOf(this.#event), ...this.#frame }
  }

  stamp(): Stamp {
    return stampOf(this.#event, this.whole())
  }

  /** A message in one piece. */
  text(message: { id: string; kind: TextKind }, { text = '', thoughtSignature }: AdkPart): void {
    const stamp = stampOf(this.#event)
    this.add(opening(message, { author: this.#event.author, stamp: this.stamp() }))
    this.add([delta(message, text, stamp), ...closing(message, stamp)])
    if (thoughtSignature !== undefined) this.sign('message', message.id, thoughtSignature)
  }

  /** A call of a tool. Without arguments there are no TOOL_CALL_ARGS. */
  call({ id: toolCallId, name, args }: { id: string; name: string; args: Record<string, unknown> }): void {
    const { timestamp } = stampOf(this.#event)
    this.add([{ type: 'TOOL_CALL_START', toolCallId, toolCallName: name, ...this.stamp() }])
    if (Object.keys(args).length > 0)
      this.add([{ type: 'TOOL_CALL_ARGS', toolCallId, delta: JSON.stringify(args), timestamp }])
    this.add([{ type: 'TOOL_CALL_END', toolCallId, timestamp }])
  }

  /** What is left of a call that was told while it grew: its end says where it belongs. */
  restOfCall(toolCallId: string, rest: string): void {
    const { timestamp } = stampOf(this.#event)
    if (rest !== '') this.add([{ type: 'TOOL_CALL_ARGS', toolCallId, delta: rest, timestamp }])
    this.add([{ type: 'TOOL_CALL_END', toolCallId, ...this.stamp() }])
  }

  result({ id, messageId, response }: { id: string; messageId: string; response: Record<string, unknown> }): void {
    const content = JSON.stringify(response)
    this.add([{ type: 'TOOL_CALL_RESULT', messageId, toolCallId: id, content, role: 'tool', ...this.stamp() }])
  }

  sign(subtype: 'message' | 'tool-call', entityId: string, encryptedValue: string): void {
    const { timestamp } = stampOf(this.#event)
    this.add([{ type: 'REASONING_ENCRYPTED_VALUE', subtype, entityId, encryptedValue, timestamp }])
  }

  /**
   * The event is told as it is too, since what else is told does not hold all of it.
   *
   * @param stream the pieces that it stands for
   */
  verbatim(stream?: string): void {
    if (stream !== undefined) this.#verbatim = { stream }
    else this.#verbatim ??= {}
  }

  done(): AguiEvent[] {
    if (this.#verbatim === undefined && this.#told) return this.#events
    const stamp = stampOf(this.#event, { ...this.#place(), ...this.#verbatim })
    return [...this.#events, { type: 'CUSTOM', name: adkEventName, value: this.#event, ...stamp }]
  }
}
