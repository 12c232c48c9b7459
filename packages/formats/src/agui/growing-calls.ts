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
  isTold: boolean
}

/** How a call that was told while it grew ends. */
export interface GrownCall {
  /** What is left of its arguments. */
  rest: string
  /** Whether what was told is the whole, letter for letter. */
  isExact: boolean
}

/**
 * Calls of tools that ADK streams (`partialArgs`, `willContinue`), told while they grow. Before 2.x ADK gave each piece of a call an
 * id of its own, and another to the whole: a call whose id ADK made up is told from the second piece on that has it.
 */
export class GrowingCalls {
  readonly #calls = new Map<string, GrowingCall>()

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
    this.#calls.delete(id)
    if (call?.isTold !== true) return undefined
    const { text } = call.args
    if (text === '' && Object.keys(args).length === 0) return { rest: '', isExact: true }
    const whole = call.args.whole(args)
    if (whole === undefined) return { rest: '', isExact: false }
    return { rest: whole.slice(text.length), isExact: whole === JSON.stringify(args) }
  }

  /** Ends what never became whole: of one who speaks, or of all. */
  drop(timestamp: number, key?: string): AguiEvent[] {
    const dropped = [...this.#calls].filter(([, call]) => key === undefined || call.key === key)
    return dropped.flatMap(([toolCallId, { isTold }]): AguiEvent[] => {
      this.#calls.delete(toolCallId)
      return isTold ? [{ type: 'TOOL_CALL_END', toolCallId, timestamp }] : []
    })
  }

  #grow(
    toolCallId: string,
    { piece, event, key }: { piece: AdkFunctionCall; event: AdkEvent; key: string },
  ): AguiEvent[] {
    const call = this.#calls.get(toolCallId) ?? {
      key,
      name: undefined,
      pieces: 0,
      args: new GrowingJson(),
      isTold: false,
    }
    this.#calls.set(toolCallId, call)
    call.pieces++
    call.name ??= piece.name
    const delta = (piece.partialArgs ?? []).map((one) => call.args.add(one)).join('')
    const { name: toolCallName } = call
    const stamp = stampOf(event)
    const told = (text: string): AguiEvent[] =>
      text === '' ? [] : [{ type: 'TOOL_CALL_ARGS', toolCallId, delta: text, ...stamp }]
    if (call.isTold) return told(delta)
    if (toolCallName === undefined || (toolCallId.startsWith('adk-') && call.pieces < 2)) return []
    call.isTold = true
    const begun = stampOf(event, { ...placeOf(event), stream: toolCallId })
    return [{ type: 'TOOL_CALL_START', toolCallId, toolCallName, ...begun }, ...told(call.args.text)]
  }
}
