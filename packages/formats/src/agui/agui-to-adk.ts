import { type AdkEvent, readAdkEvent } from '../adk/index.ts'
import { type Draft, draftOf, type DraftPart, finished } from './drafts.ts'
import type { AguiEvent, AguiEventOf } from './events.ts'
import { Foreign, type Saying } from './foreign.ts'
import { adkEventName, type AdkMetadata, readMetadata } from './metadata.ts'
import { newestOf } from './snapshot.ts'
import { stateOf } from './state.ts'
import { objectOf } from './to-adk-request.ts'

export interface AguiToAdkOptions {
  /** Who is said to speak where nobody says who; `root_agent` unless said. */
  author?: string | undefined
  /** What the turn of a run is called that does not begin with RUN_STARTED. */
  runId?: string | undefined
  /** Milliseconds since 1970, for events that do not say when they were. */
  now?: (() => number) | undefined
}

/**
 * Makes events of ADK of what an AG-UI agent says, run by run. What `AdkToAgui` made comes back as it was, by `metadata.adk`. Of
 * other agents it is made up as well as it can be, at the end of the run; `warnings` say what.
 */
export class AguiToAdk {
  readonly #foreign: Foreign
  readonly #warnings = new Set<string>()
  #current: Draft | undefined
  readonly #streams = new Map<string, Draft>()
  readonly #messages = new Map<string, DraftPart>()
  readonly #calls = new Map<string, DraftPart & { name: string }>()
  /** Calls that are told while they grow. */
  readonly #growing = new Set<string>()
  readonly #answered = new Set<string>()
  /** The message that is told by chunks, or by events without ids. */
  #chunked = { text: '', thought: '', call: '' }
  #thoughts = 0
  #isAdk = false

  constructor({ author = 'root_agent', runId = 'run', now = () => 0 }: AguiToAdkOptions = {}) {
    this.#foreign = new Foreign({ author, runId, now, warn: (text) => void this.#warnings.add(text) })
  }

  /** What had to be made up, or could not be used. */
  get warnings(): string[] {
    return [...this.#warnings]
  }

  /** The events that are whole now, in order. */
  push(event: AguiEvent): AdkEvent[] {
    switch (event.type) {
      case 'RUN_STARTED':
        return [...this.end(), ...this.#foreign.begin(event.runId)]
      case 'TEXT_MESSAGE_START':
      case 'REASONING_MESSAGE_START':
      case 'THINKING_TEXT_MESSAGE_START':
        return this.#startText(event)
      case 'TEXT_MESSAGE_CONTENT':
      case 'REASONING_MESSAGE_CONTENT':
        return this.#addText(event.messageId, event.delta)
      case 'THINKING_TEXT_MESSAGE_CONTENT':
        return this.#addText(this.#chunked.thought, event.delta)
      case 'TEXT_MESSAGE_CHUNK':
      case 'REASONING_MESSAGE_CHUNK':
        return this.#chunk(event)
      case 'TEXT_MESSAGE_END':
      case 'REASONING_MESSAGE_END':
        return this.#endText(event)
      case 'REASONING_ENCRYPTED_VALUE':
        return this.#sign(event)
      case 'STATE_DELTA':
        return this.#changeState(event, stateOf(event.delta))
      case 'STATE_SNAPSHOT':
        return this.#changeState(event, objectIn(event.snapshot))
      case 'CUSTOM':
        return event.name === adkEventName ? this.#verbatim(event) : []
      case 'MESSAGES_SNAPSHOT':
        return newestOf(event, this.#heard()).flatMap((one) => this.push(one))
      case 'RUN_FINISHED':
        this.#foreign.finish(event)
        return this.end()
      case 'RUN_ERROR':
        if (!this.#isAdk) this.#foreign.fail(event)
        return this.end()
      default:
        return this.#pushCall(event)
    }
  }

  /** What is left at the end. Text that was not said again as a whole is `partial`. */
  end(): AdkEvent[] {
    const broken = [...this.#streams.values()].flatMap((draft) => finished(draft, 'broken') ?? [])
    this.#streams.clear()
    return [...this.#flush(), ...broken, ...this.#foreign.end()]
  }

  #pushCall(event: AguiEvent): AdkEvent[] {
    switch (event.type) {
      case 'TOOL_CALL_START':
        return this.#startCall(event)
      case 'TOOL_CALL_ARGS':
        return this.#addArguments(event.toolCallId, event.delta)
      case 'TOOL_CALL_CHUNK': {
        const { toolCallId: id, toolCallName: name, parentMessageId, metadata, timestamp, delta } = event
        const isNew = typeof id === 'string' && typeof name === 'string' && !this.#calls.has(id)
        if (typeof id === 'string') this.#chunked.call = id
        const start = { type: 'TOOL_CALL_START', parentMessageId, metadata, timestamp } as const
        const begun = isNew ? this.#startCall({ ...start, toolCallId: id, toolCallName: name }) : []
        return [...begun, ...this.#addArguments(this.#chunked.call, delta ?? '')]
      }
      case 'TOOL_CALL_END':
        return this.#endCall(event)
      case 'TOOL_CALL_RESULT':
        return this.#result(event)
      default:
        return []
    }
  }

  /** Where something goes: into the event that its metadata names, or into one that is made up. */
  #place(event: AguiEvent, saying: Saying): { draft: Draft; done: AdkEvent[] } {
    const adk = readMetadata(event.metadata)
    if (adk === undefined) return { draft: this.#foreign.place(event, saying), done: [] }
    this.#isAdk = true
    if (adk.stream !== undefined) {
      const draft = this.#streams.get(adk.stream) ?? draftOf({ ...adk, stream: undefined }, 'adk')
      this.#streams.set(adk.stream, draft)
      return { draft, done: [] }
    }
    const current = this.#current
    if (current && isOf(current, adk)) return { draft: current, done: [] }
    const draft = draftOf(adk, 'adk')
    const done = this.#flush()
    this.#current = draft
    return { draft, done }
  }

  #flush(): AdkEvent[] {
    const event = this.#current && finished(this.#current, 'whole')
    this.#current = undefined
    return event ? [event] : []
  }

  #startText(
    event: AguiEventOf<'TEXT_MESSAGE_START' | 'REASONING_MESSAGE_START' | 'THINKING_TEXT_MESSAGE_START'>,
  ): AdkEvent[] {
    const isText = event.type === 'TEXT_MESSAGE_START'
    if (event.type === 'THINKING_TEXT_MESSAGE_START') this.#chunked.thought = `thinking-${++this.#thoughts}`
    const id = event.type === 'THINKING_TEXT_MESSAGE_START' ? this.#chunked.thought : event.messageId
    const { draft, done } = this.#place(event, {
      kind: isText ? 'text' : 'thought',
      id,
      by: isText ? (event.role === 'user' ? 'user' : event.name) : undefined,
    })
    const part: DraftPart = { part: isText ? { text: '' } : { text: '', thought: true } }
    draft.parts.push(part)
    this.#messages.set(id, part)
    return done
  }

  #addText(id: string, text: string): AdkEvent[] {
    const open = this.#messages.get(id)
    if (open) open.part.text = (open.part.text ?? '') + text
    else this.#warnings.add('Text came for a message that had not begun.')
    return []
  }

  #chunk(event: AguiEventOf<'TEXT_MESSAGE_CHUNK' | 'REASONING_MESSAGE_CHUNK'>): AdkEvent[] {
    const { messageId, metadata, timestamp, delta } = event
    const kind = event.type === 'TEXT_MESSAGE_CHUNK' ? 'text' : 'thought'
    const id = messageId ?? this.#chunked[kind]
    this.#chunked[kind] = id
    const start = { messageId: id, metadata, timestamp }
    let begun: AdkEvent[] = []
    if (!this.#messages.has(id))
      begun =
        event.type === 'TEXT_MESSAGE_CHUNK'
          ? this.#startText({ ...start, type: 'TEXT_MESSAGE_START', role: event.role, name: event.name })
          : this.#startText({ ...start, type: 'REASONING_MESSAGE_START' })
    return [...begun, ...this.#addText(id, delta ?? '')]
  }

  /** The end of what was streamed tells which event it was in the end. */
  #endText({ metadata }: AguiEventOf<'TEXT_MESSAGE_END' | 'REASONING_MESSAGE_END'>): AdkEvent[] {
    const adk = readMetadata(metadata)
    const draft = adk?.stream === undefined ? undefined : this.#streams.get(adk.stream)
    if (!adk?.stream || !draft) return []
    this.#streams.delete(adk.stream)
    const done = this.#flush()
    this.#current = { ...draft, metadata: { ...adk, stream: undefined } }
    return done
  }

  #startCall(event: AguiEventOf<'TOOL_CALL_START'>): AdkEvent[] {
    const { toolCallId: id, toolCallName: name } = event
    const part = { part: { functionCall: { id, name, args: {} } }, args: '', name }
    this.#calls.set(id, part)
    if (readMetadata(event.metadata)?.stream !== undefined) {
      this.#isAdk = true
      this.#growing.add(id)
      return []
    }
    const { draft, done } = this.#place(event, { kind: 'call', id })
    draft.parts.push(part)
    return done
  }

  /** A call that was told while it grew belongs where its end says; one that never became whole is of no event. */
  #endCall(event: AguiEventOf<'TOOL_CALL_END'>): AdkEvent[] {
    const call = this.#calls.get(event.toolCallId)
    if (!call || !this.#growing.delete(event.toolCallId) || readMetadata(event.metadata) === undefined) return []
    const { draft, done } = this.#place(event, { kind: 'call', id: event.toolCallId })
    draft.parts.push(call)
    return done
  }

  #addArguments(id: string, delta: string): AdkEvent[] {
    const call = this.#calls.get(id)
    if (call) call.args = (call.args ?? '') + delta
    else if (delta !== '') this.#warnings.add('Arguments came for a call that had not begun.')
    return []
  }

  #result(event: AguiEventOf<'TOOL_CALL_RESULT'>): AdkEvent[] {
    const { toolCallId: id, content, messageId } = event
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    const { draft, done } = this.#place(event, { kind: 'result', id: messageId })
    const name = this.#calls.get(id)?.name
    if (name === undefined) this.#warnings.add(`No call ${id} is known, so its result has no name of a tool.`)
    draft.parts.push({ part: { functionResponse: { id, name: name ?? 'unknown', response: objectOf(text) } } })
    this.#answered.add(id)
    return done
  }

  #sign({ subtype, entityId, encryptedValue }: AguiEventOf<'REASONING_ENCRYPTED_VALUE'>): AdkEvent[] {
    const signed = subtype === 'tool-call' ? this.#calls.get(entityId) : this.#messages.get(entityId)
    if (signed) signed.part.thoughtSignature = encryptedValue
    else this.#warnings.add('A signature came for something that had not begun.')
    return []
  }

  #changeState(event: AguiEvent, state: Record<string, unknown>): AdkEvent[] {
    const changes = Object.entries(state)
    if (changes.length === 0) return []
    const { draft, done } = this.#place(event, { kind: 'state', id: '' })
    draft.state ??= new Map()
    for (const [key, value] of changes) draft.state.set(key, value)
    return done
  }

  #verbatim({ metadata, value }: AguiEventOf<'CUSTOM'>): AdkEvent[] {
    const read = readAdkEvent(value)
    if ('fault' in read) {
      this.#warnings.add(`An event of ADK cannot be read: it ${read.fault}.`)
      return []
    }
    this.#isAdk = true
    const { id: eventId, invocationId, author, timestamp } = read.event
    const adk = readMetadata(metadata) ?? { eventId, invocationId, author, timestamp }
    if (adk.stream !== undefined) this.#streams.delete(adk.stream)
    const current = this.#current
    if (current && isOf(current, adk)) {
      current.verbatim = read.event
      return []
    }
    const done = this.#flush()
    this.#current = { ...draftOf(adk, 'adk'), verbatim: read.event }
    return done
  }

  #heard(): { messages: ReadonlySet<string>; answered: ReadonlySet<string> } {
    return { messages: new Set([...this.#messages.keys(), ...this.#calls.keys()]), answered: this.#answered }
  }
}

function isOf({ metadata }: Draft, { eventId, frame }: AdkMetadata): boolean {
  return metadata.eventId === eventId && metadata.frame === frame
}

function objectIn(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  return Object.fromEntries(Object.entries(value))
}
