import type { ConversationEvent, ConversationTokens } from '@llm-eval/protocol'
import { newIdentifier } from '../identifier.ts'
import { isObject } from '../inside.ts'
import type { AttachableAgent } from './agent.ts'
import { Capture } from './capture.ts'
import { Courier, type RecorderReceipt, type RecorderServer } from './courier.ts'
import { type EvalFile, type EvalFileOptions, saveInBrowser, toFile } from './file.ts'
import { asResult, type Happening, readMessages } from './messages.ts'
import { Recording, type RecordingBounds, usualBounds, type Telling } from './recording.ts'

/** Options of a `ConversationRecorder`. */
export interface RecorderOptions {
  threadId: string
  /** Of the agent, as ADK names it: the folder it lies in. As the bridge says, else `agent`. */
  appName?: string | undefined
  /** As the bridge says, else `user`. */
  userId?: string | undefined
  /** Who speaks where nobody says it; `root_agent` if absent. */
  rootAgent?: string | undefined
  /** Milliseconds since 1970; `Date.now` if absent. */
  now?: (() => number) | undefined
  /** Is told what is recorded, unless the bridge records by itself. */
  server?: RecorderServer | undefined
  /** What is held in memory; 100,000 events and 64 MiB if absent. What comes after that is not recorded, and `warnings` say so. */
  bounds?: Partial<RecordingBounds> | undefined
}

/** How the JSON of a conversation is written; lines of events are none. */
export interface EvalJsonOptions extends EvalFileOptions {
  format?: 'evalset' | 'evalcase' | 'legacy' | undefined
}

/** What may be known of a message beside its text. */
export interface MessageDetails {
  id?: string | undefined
  author?: string | undefined
  tokens?: Partial<ConversationTokens> | undefined
  model?: string | undefined
}

export interface ToolCallDetails {
  id: string
  author?: string | undefined
  /** Base64. */
  thoughtSignature?: string | undefined
}

/** Thinking, as far as it was shown. */
export interface ThinkingDetails extends Omit<ToolCallDetails, 'id'> {
  /** Of the thoughts. */
  tokens?: number | undefined
  totalTokens?: number | undefined
  text?: string | undefined
  model?: string | undefined
}

/**
 * Records a conversation with an agent and makes eval files of it: by itself from an agent of AG-UI (`attach`), or told by hand.
 * No method throws because of what was recorded; what could not be known stands in `warnings`.
 */
export class ConversationRecorder {
  readonly threadId: string
  readonly #options: RecorderOptions
  readonly #recording: Recording
  readonly #courier: Courier | null
  readonly #known = new Set<string>()
  readonly #warnings = new Set<string>()
  /** Tells the events of this recorder from those of another. */
  readonly #name = newIdentifier()
  #invocation: string | null = null
  /** What the bridge said of the thread. */
  #told: Record<string, unknown> = {}

  constructor(options: RecorderOptions) {
    if (typeof options.threadId !== 'string' || options.threadId === '')
      throw new TypeError('threadId must be the id of the thread that is recorded')
    this.threadId = options.threadId
    this.#options = options
    this.#recording = new Recording({ ...usualBounds, ...options.bounds })
    const { threadId, appName, userId, server } = options
    this.#courier = server ? new Courier(this.#recording, server, { threadId, appName, userId }) : null
  }

  /** What was recorded so far, in order. */
  get events(): readonly ConversationEvent[] {
    return this.#recording.events
  }

  /** What could not be recorded, or not as it was. */
  get warnings(): readonly string[] {
    const { lost } = this.#recording
    const full =
      lost === 0 ? [] : [`${lost} ${lost === 1 ? 'event was' : 'events were'} not recorded: the recorder is full`]
    return [...this.#warnings, ...full]
  }

  /** A user's message begins a turn. */
  recordUserMessage(message: string, { id, author }: Pick<MessageDetails, 'id' | 'author'> = {}): void {
    this.#invocation = `e-${newIdentifier()}`
    if (id !== undefined) this.#known.add(id)
    const payload = { id: id ?? null, text: message, files: [], author: author ?? null }
    this.#add({ kind: 'user_message', event_id: null, payload }, 'told')
  }

  /** A call of a tool. In place of its id alone, all that is known of it. */
  recordToolCall(name: string, args: unknown, id: string | ToolCallDetails): void {
    const { author, thoughtSignature, ...call } = typeof id === 'string' ? { id } : id
    const said = { author: author ?? null, thought_signature: thoughtSignature ?? null }
    const payload = { id: call.id, name, args: asArguments(args), ...said }
    this.#add({ kind: 'tool_call', event_id: null, payload }, 'told')
  }

  /** The name of the tool is that of the call with this id. */
  recordToolResult(id: string, result: unknown, { author = null }: { author?: string | null } = {}): void {
    const payload = { id, name: null, result: asResult(result), author }
    this.#add({ kind: 'tool_result', event_id: null, payload }, 'told')
  }

  /** How many tokens an agent thought, or all that is known of its thoughts. */
  recordThinking(thought: number | ThinkingDetails): void {
    const { tokens, totalTokens, text, model, author, thoughtSignature }: ThinkingDetails =
      typeof thought === 'number' ? { tokens: thought } : thought
    const payload = {
      text: text ?? null,
      thought_signature: thoughtSignature ?? null,
      author: author ?? null,
      usage: usageOf({ thoughts: tokens ?? null, total: totalTokens ?? null }),
      model: model ?? null,
    }
    this.#add({ kind: 'thinking', event_id: null, payload }, 'told')
  }

  recordAssistantMessage(message: string, { id, author, tokens, model }: MessageDetails = {}): void {
    if (id !== undefined) this.#known.add(id)
    const usage = tokens === undefined ? null : usageOf(tokens)
    const payload = { id: id ?? null, text: message, author: author ?? null, usage, model: model ?? null }
    this.#add({ kind: 'assistant_message', event_id: null, payload }, 'told')
  }

  /** Records what is new in a history of messages of AG-UI or CopilotKit. */
  recordMessages(messages: readonly object[]): void {
    for (const { id, events } of readMessages(messages)) {
      if (id !== null && this.#known.has(id)) continue
      if (id !== null) this.#known.add(id)
      for (const event of events) {
        if (event.kind === 'user_message') this.#invocation = `e-${newIdentifier()}`
        this.#add(event, 'told')
      }
    }
  }

  /**
   * Records all requests to an agent of `@ag-ui/client` from here on.
   *
   * @returns a function that stops listening
   */
  attach(agent: AttachableAgent): () => void {
    const capture = new Capture({
      threadId: this.threadId,
      known: this.#known,
      isEmpty: () => this.#recording.length === 0,
      now: () => this.#now(),
      add: (event, telling) => {
        const kept = this.#recording.add({ ...event, event_id: this.#nextId() }, telling)
        this.#courier?.wake()
        return kept
      },
      release: () => this.#courier?.wake(),
      warn: (warning) => this.#warnings.add(warning),
      onBridge: (told) => void (this.#told = told),
    })
    const subscription = agent.subscribe(capture)
    return () => subscription.unsubscribe()
  }

  /** The conversation as a file: unless said, an eval set that `adk eval` runs. */
  toFile(options: EvalFileOptions = {}): EvalFile {
    const { appName = textOf(this.#told['app_name']) ?? 'agent', rootAgent } = this.#options
    const { userId = textOf(this.#told['user_id']) ?? 'user' } = this.#options
    const file = toFile({ threadId: this.threadId, appName, userId, rootAgent }, this.events, options)
    return { ...file, warnings: [...this.warnings, ...file.warnings] }
  }

  /**
   * The conversation as the JSON of an eval file: unless said, the bare case. `adk eval` does not load a bare case: take
   * `{ format: 'evalset' }` for it.
   */
  exportToEvalFormat(options: EvalJsonOptions = {}): Record<string, unknown> {
    const read: unknown = JSON.parse(this.toFile({ ...options, format: options.format ?? 'evalcase' }).text)
    return isObject(read) ? read : {}
  }

  /**
   * Hands the conversation to the user of a page as a file: unless said, an eval set that `adk eval` runs.
   *
   * @throws {TypeError} where there is no page
   */
  download(options: EvalFileOptions = {}): EvalFile {
    const file = this.toFile(options)
    saveInBrowser(file)
    return file
  }

  /** Tells the server what it was not told yet. Null without a server. Never rejects. */
  async flush({ timeoutMs = 10_000 }: { timeoutMs?: number | undefined } = {}): Promise<RecorderReceipt | null> {
    return (await this.#courier?.flush(timeoutMs)) ?? null
  }

  /** Flushes, and tells the server nothing more; what is recorded stays. */
  async close({ timeoutMs = 10_000 }: { timeoutMs?: number | undefined } = {}): Promise<RecorderReceipt | null> {
    return (await this.#courier?.close(timeoutMs)) ?? null
  }

  #add(happening: Happening, telling: Telling): void {
    const event = { ...happening, event_id: this.#nextId(), at: this.#now(), run_id: null }
    this.#recording.add({ ...event, invocation_id: this.#invocation }, telling)
    this.#courier?.wake()
  }

  #nextId(): string {
    return `${this.#name}-${this.#recording.length}`
  }

  #now(): string {
    return new Date((this.#options.now ?? Date.now)()).toISOString()
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function asArguments(args: unknown): Record<string, unknown> {
  return isObject(args) ? { ...args } : {}
}

function usageOf(tokens: Partial<ConversationTokens>): ConversationTokens {
  return { input: null, output: null, thoughts: null, cached: null, total: null, ...tokens }
}
