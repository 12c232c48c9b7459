import type { ConversationFile, ConversationStep } from '@llm-eval/protocol'
import type { AdkEvent, AdkFunctionCall, AdkFunctionResponse, AdkPart } from '../adk/index.ts'

type MessageFile = Omit<ConversationFile, 'data'> & { bytes: number | null }
type StepOf<K extends ConversationStep['kind']> = Extract<ConversationStep, { kind: K }>

/** A call that waits for its result, and when the turn began in which it was made. */
interface OpenCall {
  step: StepOf<'tool'>
  beganAt: number
}

/** The calls of a conversation by their ids: the result of one may come turns later. */
export type OpenCalls = Map<string, OpenCall>

/** When a turn began. */
export interface TurnTime {
  /** Milliseconds since 1970. */
  beganAt: number
  /** Whether its times say how long anything took: what was told all at one time does not. */
  isTimed: boolean
}

/** What agents did in one turn, put together event by event. */
export class Steps {
  readonly #list: (ConversationStep | null)[] = []
  /** Places of steps that came of partial events, by who speaks: what is whole takes their place. */
  readonly #partial = new Map<string, number[]>()
  readonly #ofEvents = new Map<AdkEvent, StepOf<'text'>[]>()
  readonly #texts = new Map<StepOf<'text'> | StepOf<'thought'>, string[]>()
  /** Code that waits for its output. */
  #code: StepOf<'code'> | undefined
  readonly #beganAt: number
  readonly #isTimed: boolean
  readonly #calls: OpenCalls

  constructor({ beganAt, isTimed }: TurnTime, calls: OpenCalls) {
    this.#beganAt = beganAt
    this.#isTimed = isTimed
    this.#calls = calls
  }

  /** @param at milliseconds since 1970 */
  add(event: AdkEvent, at: number): void {
    const parts = event.content?.parts ?? []
    const speaker = `${event.author}\0${event.branch ?? ''}`
    if (event.partial === true) return this.#addPartial(event, parts, { speaker, at })
    const begun = parts.some((part) => !part.functionResponse) ? this.#replaced(speaker) : []
    for (const [index, part] of parts.entries()) this.#addPart(event, part, begun[index]?.at_ms ?? this.#ms(at))
    this.#handOver(event, at)
  }

  /** Said with the call and again with its result it is one. */
  #handOver({ actions, author }: AdkEvent, at: number): void {
    const to = actions?.transferToAgent
    const last = this.#list.at(-1)
    if (to === undefined || (last?.kind === 'transfer' && last.author === author && last.to === to)) return
    this.#list.push({ kind: 'transfer', author, at_ms: this.#ms(at), to })
  }

  /** All of it. @param final the event whose text is the turn's answer */
  list(final: AdkEvent | undefined): ConversationStep[] {
    for (const step of (final && this.#ofEvents.get(final)) ?? []) step.final = true
    for (const [step, texts] of this.#texts) step.text = texts.join('')
    return this.#list.filter((step) => step !== null)
  }

  #ms(at: number): number | null {
    return this.#isTimed && Number.isFinite(at) ? Math.max(0, Math.round(at - this.#beganAt)) : null
  }

  #addPartial({ author }: AdkEvent, parts: readonly AdkPart[], { speaker, at }: { speaker: string; at: number }): void {
    const places = this.#partial.get(speaker) ?? []
    this.#partial.set(speaker, places)
    for (const part of parts) {
      if (part.text === undefined || part.text === '') continue
      const kind = part.thought === true ? 'thought' : 'text'
      const place = places.at(-1)
      const last = place === undefined ? null : this.#list[place]
      const open = last && (last.kind === 'text' || last.kind === 'thought') && last.kind === kind ? last : undefined
      if (open) this.#texts.get(open)?.push(part.text)
      else {
        const step = spoken({ author, at_ms: this.#ms(at), partial: true }, part)
        this.#texts.set(step, [part.text])
        places.push(this.#list.push(step) - 1)
      }
    }
  }

  /** Takes away what was there in pieces. @returns the pieces, for their times */
  #replaced(speaker: string): ConversationStep[] {
    const places = this.#partial.get(speaker) ?? []
    this.#partial.delete(speaker)
    return places.flatMap((place) => {
      const step = this.#list[place]
      this.#list[place] = null
      if (!step) return []
      if (step.kind === 'text' || step.kind === 'thought') this.#texts.delete(step)
      return [step]
    })
  }

  #addPart(event: AdkEvent, part: AdkPart, at_ms: number | null): void {
    const { author } = event
    const head = { author, at_ms }
    const { functionCall, functionResponse, inlineData, fileData, executableCode, codeExecutionResult } = part
    if (functionCall) this.#addCall(event, functionCall, { ...head, signed: part.thoughtSignature !== undefined })
    else if (functionResponse) this.#addResult(functionResponse, head)
    else if (inlineData || fileData) {
      for (const file of filesOf([part])) this.#list.push({ ...head, kind: 'file', file })
    } else if (executableCode) {
      const { language = null, code = '' } = executableCode
      this.#code = { ...head, kind: 'code', language, code, output: null, outcome: null }
      this.#list.push(this.#code)
    } else if (codeExecutionResult) this.#addOutput(codeExecutionResult, head)
    else if ((part.text ?? '') !== '' || (part.thoughtSignature !== undefined && part.thought === true)) {
      const step = spoken({ ...head, partial: false }, part)
      this.#list.push(step)
      if (step.kind !== 'text') return
      const texts = this.#ofEvents.get(event)
      if (texts) texts.push(step)
      else this.#ofEvents.set(event, [step])
    }
  }

  #addCall(
    { longRunningToolIds = [] }: AdkEvent,
    { id = '', name = '', args = {} }: AdkFunctionCall,
    { signed, ...head }: Pick<StepOf<'tool'>, 'author' | 'at_ms' | 'signed'>,
  ): void {
    const long_running = longRunningToolIds.includes(id)
    const step: StepOf<'tool'> = {
      ...head,
      kind: 'tool',
      id,
      name,
      args,
      result: null,
      ended_ms: null,
      long_running,
      signed,
    }
    this.#list.push(step)
    this.#calls.set(id === '' ? `\0${name}` : id, { step, beganAt: this.#beganAt })
  }

  #addResult(
    { id = '', name = '', response = {} }: AdkFunctionResponse,
    head: { author: string; at_ms: number | null },
  ): void {
    const key = id === '' ? `\0${name}` : id
    const call = this.#calls.get(key)
    if (!call) {
      const step = { ...head, kind: 'tool', id, name, args: {}, result: response, ended_ms: head.at_ms } as const
      this.#list.push({ ...step, long_running: false, signed: false })
      return
    }
    call.step.result = response
    call.step.ended_ms = head.at_ms === null ? null : Math.max(0, this.#beganAt + head.at_ms - call.beganAt)
    if (call.beganAt !== this.#beganAt) call.step.long_running = true
  }

  #addOutput(told: NonNullable<AdkPart['codeExecutionResult']>, head: { author: string; at_ms: number | null }): void {
    const output = told.output ?? null
    const outcome = told.outcome ?? null
    if (this.#code) Object.assign(this.#code, { output, outcome })
    else this.#list.push({ ...head, kind: 'code', language: null, code: '', output, outcome })
    this.#code = undefined
  }
}

const unknownType = 'application/octet-stream'

function spoken(
  head: { author: string; at_ms: number | null; partial: boolean },
  { text = '', thought, thoughtSignature }: AdkPart,
): StepOf<'text'> | StepOf<'thought'> {
  return thought === true
    ? { ...head, kind: 'thought', text, signed: thoughtSignature !== undefined }
    : { ...head, kind: 'text', text, final: false }
}

/** Of a base64 text with padding. */
function bytesOf(data: string): number {
  return (data.length / 4) * 3 - (data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0)
}

/** The files of a message, without their bytes. */
export function filesOf(parts: readonly AdkPart[]): MessageFile[] {
  return parts.flatMap(({ inlineData, fileData }): MessageFile[] => {
    if (inlineData) {
      const bytes = inlineData.data === undefined ? null : bytesOf(inlineData.data)
      return [{ mime_type: inlineData.mimeType ?? unknownType, uri: null, bytes }]
    }
    if (!fileData) return []
    return [{ mime_type: fileData.mimeType ?? unknownType, uri: fileData.fileUri ?? null, bytes: null }]
  })
}
