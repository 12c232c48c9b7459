import type { AdkEvent } from '@llm-eval/formats/adk'
import { type ConversationEventInput, limits } from '@llm-eval/protocol'
import { WholeTexts } from '../recording/whole-texts.ts'
import { joined } from './join-pieces.ts'

/** Stores events of the run's thread; resolves when they are on disk. */
export type Append = (events: ConversationEventInput[]) => Promise<unknown>

export interface RunRecorderOptions {
  runId: string
  append: Append
  /** Milliseconds since 1970. */
  now: () => number
  /** How many runs are under way. */
  runs: () => number
  /** Whether something is taken out of what is stored, which can be found in whole texts only. */
  redacts: boolean
}

/** Milliseconds, of one run alone and at most, and bytes as JSON, of which one commit is made. */
const batchMs = 250
const longestBatchMs = 1_000
const batchBytes = 64 * 1024
/** Events of one commit, at most. */
const batchEvents = 200
/** Bytes that may wait to be stored before the agent has to wait too. */
const waitingBytes = 8 * 1024 * 1024

interface Waiting {
  input: ConversationEventInput
  bytes: number
}

/**
 * Records what comes of one run, in order. What comes within a moment is stored together, and pieces of one text as one piece; the
 * next commit is made when the one before is on disk.
 */
export class RunRecorder {
  readonly #options: RunRecorderOptions
  readonly #ids = new Map<string, number>()
  readonly #texts: WholeTexts | undefined
  #waiting: Waiting[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> | undefined
  #failure: { error: unknown } | undefined

  constructor(options: RunRecorderOptions) {
    this.#options = options
    this.#texts = options.redacts ? new WholeTexts() : undefined
  }

  /** Whether nothing more can be recorded. */
  get failure(): { error: unknown } | undefined {
    return this.#failure
  }

  /** Takes an event of ADK. Wait for it: it slows down who speaks faster than can be stored. */
  adk(event: AdkEvent): void | Promise<void> {
    const { id, invocationId, timestamp, partial } = event
    const at = timestamp > 0 ? timestamp * 1_000 : this.#options.now()
    return this.#add({
      at: timeOf(at, this.#options.now()),
      kind: 'adk_event',
      run_id: this.#options.runId,
      invocation_id: shortId(invocationId),
      event_id: this.#idOf(partial === true ? `${id}:partial` : id),
      payload: event,
    })
  }

  /** Takes an event of AG-UI, as it came. */
  async agui(event: Record<string, unknown>): Promise<void> {
    for (const payload of this.#texts?.push(event) ?? [event]) await this.#addAgui(payload)
  }

  /** Resolves when all that was taken is on disk, or cannot be: see `failure`. */
  async flush(): Promise<void> {
    for (const payload of this.#texts?.rest() ?? []) void this.#addAgui(payload)
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#working !== undefined || (this.#waiting.length > 0 && !this.#failure)) {
      this.#work()
      await this.#working
    }
  }

  /** Commits cost the same however little they hold: of many runs each makes fewer. */
  #batchMs(): number {
    return Math.min(longestBatchMs, batchMs * (1 + this.#options.runs() / 50))
  }

  #addAgui(payload: Record<string, unknown>): void | Promise<void> {
    return this.#add({
      at: timeOf(this.#options.now(), this.#options.now()),
      kind: 'agui_event',
      run_id: this.#options.runId,
      invocation_id: null,
      event_id: null,
      payload,
    })
  }

  #add(input: ConversationEventInput): void | Promise<void> {
    if (this.#failure) return
    const last = this.#waiting.at(-1)
    const together = last && joined(last.input, input)
    // A piece that is large itself stays alone: together they might be more than one event may hold.
    if (last && together && last.bytes + together.bytes <= batchBytes) {
      last.input = together.input
      last.bytes += together.bytes
      this.#bytes += together.bytes
    } else {
      const bytes = JSON.stringify(input.payload).length
      this.#waiting.push({ input, bytes })
      this.#bytes += bytes
    }
    if (this.#bytes >= batchBytes) this.#work()
    else this.#timer ??= setTimeout(() => this.#work(), this.#batchMs())
    if (this.#bytes > waitingBytes) return this.#working
  }

  #work(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#working !== undefined || this.#waiting.length === 0 || this.#failure) return
    let bytes = 0
    const end = this.#waiting.findIndex(
      (one, at) => at >= batchEvents || ((bytes += one.bytes) > 8 * batchBytes && at > 0),
    )
    const batch = this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
    this.#bytes -= batch.reduce((sum, one) => sum + one.bytes, 0)
    const work = this.#options.append(batch.map(({ input }) => fitting(input)))
    this.#working = work
      .then(
        () => undefined,
        (error: unknown) => {
          this.#failure = { error }
          this.#waiting = []
        },
      )
      .finally(() => {
        this.#working = undefined
        if (this.#waiting.length > 0) this.#work()
      })
  }

  /** ADK tells an event that has an artifact in two frames of one id. */
  #idOf(id: string): string | null {
    const number = (this.#ids.get(id) ?? 0) + 1
    if (number > 1 || this.#ids.size < 10_000) this.#ids.set(id, number)
    return shortId(number === 1 ? id : `${id}#${number}`)
  }
}

/** An id that is no longer than ids may be. */
function shortId(id: string): string | null {
  return id.length > 0 && id.length <= limits.nameChars ? id : null
}

function timeOf(ms: number, now: number): string {
  const day = 86_400_000
  return new Date(ms > 0 && ms < now + day ? ms : now).toISOString()
}

/** An event that is too large is kept without its content. */
function fitting(input: ConversationEventInput): ConversationEventInput {
  const { payload } = input
  if (input.kind !== 'adk_event' || Buffer.byteLength(JSON.stringify(payload)) <= limits.conversationEventBytes)
    return input
  const note = { text: `[content of more than ${limits.conversationEventBytes} bytes was not kept]` }
  return { ...input, payload: { ...input.payload, content: { role: 'model', parts: [note] } } }
}
