import type { AdkEvent, AdkFunctionCall } from '../adk/index.ts'
import type { AguiEvent } from './events.ts'
import { GrowingJson } from './growing-json.ts'
import { placeOf } from './metadata.ts'
import { stampOf } from './text-streams.ts'

/** A call that is being written. */
interface GrowingCall {
  /** Who writes it. */
  key: string
  name: string | undefined
  pieces: number
  args: GrowingJson
  /** `ended`: it was told, and ended before it was whole; `silent`: it is told when it is whole, and not before. */
  state: 'heard' | 'told' | 'ended' | 'silent'
}

/** Calls that grow at once in one run, and characters of their arguments, at most. What is more is told when it is whole. */
const mostCalls = 1_000
const mostChars = 1024 * 1024

/** How a call that was told while it grew ends. */
export interface GrownCall {
  /** What is left of its arguments; null where it has ended: a front end must not be told of an id a second time. */
  rest: string | null
  /** Whether what was told is the whole, letter for letter. */
  isExact: boolean
}

/**
 * Calls of tools that ADK streams (`partialArgs`, `willContinue`), told while they grow. Before 2.x ADK gave each piece of a call an
 * id of its own, and another to the whole: a call whose id ADK made up is told from the second piece on that has it.
 */
export class GrowingCalls {
  readonly #calls = new Map<string, GrowingCall>()
  #chars = 0
  /** Once there were too many, others do not grow: of those that began meanwhile the beginning is not known. */
  #isFull = false

  /**
   * What the pieces of calls in an event tell.
   *
   * @param key who speaks
   * @param isDone whether a call with that id was told whole before
   */
  push(event: AdkEvent, { key, isDone }: { key: string; isDone: (id: string) => boolean }): AguiEvent[] {
    return (event.content?.parts ?? []).flatMap(({ functionCall: piece }) => {
      if (piece?.id === undefined || isDone(piece.id)) return []
      if (piece.willContinue === undefined && piece.partialArgs === undefined) return []
      return this.#grow(piece.id, { piece, event, key })
    })
  }

  /** The end of a call that was told; undefined of others. */
  finish(id: string, args: Readonly<Record<string, unknown>>): GrownCall | undefined {
    const call = this.#calls.get(id)
    if (call === undefined) return undefined
    this.#calls.delete(id)
    const { state } = call
    const { text } = call.args
    this.#chars -= text.length
    if (state === 'ended') return { rest: null, isExact: false }
    if (state !== 'told') return undefined
    if (text === '' && Object.keys(args).length === 0) return { rest: '', isExact: true }
    const whole = call.args.whole(args)
    if (whole === undefined) return { rest: '', isExact: false }
    return { rest: whole.slice(text.length), isExact: whole === JSON.stringify(args) }
  }

  /** Ends what is not whole: of one who speaks, or of all. It grows no more. */
  drop(timestamp: number, key?: string): AguiEvent[] {
    const dropped = [...this.#calls].filter(([, call]) => key === undefined || call.key === key)
    return dropped.flatMap(([toolCallId, call]): AguiEvent[] => {
      const { state } = call
      this.#chars -= call.args.text.length
      call.args = new GrowingJson()
      call.state = state === 'told' || state === 'ended' ? 'ended' : 'silent'
      return state === 'told' ? [{ type: 'TOOL_CALL_END', toolCallId, timestamp }] : []
    })
  }

  #grow(
    toolCallId: string,
    { piece, event, key }: { piece: AdkFunctionCall; event: AdkEvent; key: string },
  ): AguiEvent[] {
    const call = this.#calls.get(toolCallId) ?? this.#begin(toolCallId, key)
    if (call === undefined || call.state === 'ended' || call.state === 'silent') return []
    call.pieces++
    call.name ??= piece.name
    if (this.#chars >= mostChars) call.args.stop()
    const delta = (piece.partialArgs ?? []).map((one) => call.args.add(one)).join('')
    this.#chars += delta.length
    const { name: toolCallName } = call
    const stamp = stampOf(event)
    const told = (text: string): AguiEvent[] =>
      text === '' ? [] : [{ type: 'TOOL_CALL_ARGS', toolCallId, delta: text, ...stamp }]
    if (call.state === 'told') return told(delta)
    if (toolCallName === undefined || (toolCallId.startsWith('adk-') && call.pieces < 2)) return []
    call.state = 'told'
    const begun = stampOf(event, { ...placeOf(event), stream: toolCallId })
    return [{ type: 'TOOL_CALL_START', toolCallId, toolCallName, ...begun }, ...told(call.args.text)]
  }

  #begin(id: string, key: string): GrowingCall | undefined {
    this.#isFull ||= this.#calls.size >= mostCalls
    if (this.#isFull) return undefined
    const call: GrowingCall = { key, name: undefined, pieces: 0, args: new GrowingJson(), state: 'heard' }
    this.#calls.set(id, call)
    return call
  }
}
