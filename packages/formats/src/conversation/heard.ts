import type { ConversationEvent } from '@llm-eval/protocol'
import { type AdkEvent, type AdkPart, isUser, readAdkEvent } from '../adk/index.ts'
import { adkJson, type PlainKind } from './plain-events.ts'
import { placesOf } from './places.ts'
import { AguiSpeech } from './agui-speech.ts'

export interface HearingOptions {
  /** Who speaks where nobody is named. */
  author?: string
}

/** An event of a conversation in the words of ADK, and where it comes from. */
export interface Heard {
  event: AdkEvent
  runId: string | null
  /** Milliseconds since 1970. */
  at: number
  /** Of the recorded event that it comes from; one that is made up has that of the event after it. */
  seq: number
}

/** ADK's name for an agent that has none. */
const someAgent = 'root_agent'

/** All that was recorded, whoever told it, as events of ADK: users' too. */
export function hear(
  events: readonly ConversationEvent[],
  { author = someAgent }: HearingOptions = {},
): { heard: Heard[]; warnings: string[] } {
  const places = placesOf(events)
  const hearing = new Hearing(author, places.told)
  for (const [index, event] of events.entries()) hearing.take(event, places.of[index] ?? '')
  hearing.end()
  const { heard, warnings } = hearing
  const more = warnings.length - mostWarnings
  return { heard, warnings: more > 0 ? [...warnings.slice(0, mostWarnings), `and ${more} more`] : warnings }
}

const mostWarnings = 200

/** A request of AG-UI that is under way. */
interface Speaking {
  event: ConversationEvent
  invocationId: string
}

/** What a user said in an invocation, and who told it. */
interface UserSaid {
  heard: Heard
  /** Those of the event, to which more may come. */
  parts: AdkPart[]
  kind: ConversationEvent['kind']
  text: string
}

class Hearing {
  readonly heard: Heard[] = []
  readonly warnings: string[] = []
  readonly #author: string
  readonly #calls = new Map<string, { name: string; author: string; runId: string | null }>()
  /** Requests in which an agent spoke. */
  readonly #answered = new Set<string>()
  /** What users said, by invocation. */
  readonly #users = new Map<string, UserSaid>()
  #lastUser: Heard | undefined
  readonly #speech: AguiSpeech
  #speaking: Speaking | undefined
  readonly #told: ReadonlySet<string>

  constructor(author: string, told: ReadonlySet<string>) {
    this.#author = author
    this.#told = told
    this.#speech = new AguiSpeech(author)
  }

  take(event: ConversationEvent, invocationId: string): void {
    if (event.kind === 'run_end' || event.run_id !== this.#speaking?.event.run_id) this.#finishSpeech()
    switch (event.kind) {
      case 'run_start':
      case 'run_end':
        return
      case 'agui_event':
        return this.#agui(event, invocationId)
      case 'adk_event':
        return this.#read(event, { ...event.payload }, { invocationId })
      default:
        return this.#plain(event, invocationId)
    }
  }

  end(): void {
    this.#finishSpeech()
    this.warnings.push(...this.#speech.warnings)
  }

  #agui(event: ConversationEvent<'agui_event'>, invocationId: string): void {
    const speaking = { event, invocationId }
    this.#speaking = speaking
    const { events, users, warnings } = this.#speech.take(event)
    for (const warning of warnings) this.#warn(event, warning)
    if (!this.#users.has(invocationId))
      for (const [index, parts] of users.entries()) {
        const id = `user-${event.seq}-${index + 1}`
        this.#read(event, { id, author: 'user', content: { role: 'user', parts } }, { invocationId })
      }
    this.#spoken(events, speaking)
  }

  #finishSpeech(): void {
    const speaking = this.#speaking
    this.#speaking = undefined
    if (speaking) this.#spoken(this.#speech.end(), speaking)
  }

  /** Events that were put together of AG-UI's: of the request's turn, unless the bridge says which one they are of. */
  #spoken(events: readonly AdkEvent[], { event, invocationId }: Speaking): void {
    for (const one of events) {
      const own = this.#told.has(one.invocationId) ? one : { ...one, invocationId }
      this.#read(event, { ...own }, { invocationId, at: own.timestamp * 1_000 })
    }
  }

  #plain(event: ConversationEvent<PlainKind>, invocationId: string): void {
    const call = event.kind === 'tool_result' ? this.#calls.get(event.payload.id) : undefined
    const isLate = call !== undefined && call.runId !== event.run_id && !this.#answered.has(event.run_id ?? '')
    const fromUser = event.kind === 'tool_result' && (event.payload.author === 'user' || isLate)
    this.#read(event, adkJson(event, { author: this.#author, calls: this.#calls, fromUser }), { invocationId })
  }

  /** @param place what the event does not say itself: its invocation, and when it was, milliseconds since 1970 */
  #read(event: ConversationEvent, json: Record<string, unknown>, place: { invocationId: string; at?: number }): void {
    const read = readAdkEvent(json)
    if ('fault' in read) return this.#warn(event, read.fault)
    for (const lost of read.lost) if (!lost.startsWith('timestamp ')) this.#warn(event, lost)
    const at = place.at || Date.parse(event.at)
    const told = { ...read.event }
    if (told.invocationId === '') told.invocationId = place.invocationId
    if (told.timestamp === 0 && at > 0) told.timestamp = at / 1_000
    const heard = { event: told, runId: event.run_id, at, seq: event.seq }
    if (isUser(told)) this.#addUser(heard, event.kind)
    else this.#add(heard)
  }

  #add(heard: Heard): void {
    const { event, runId } = heard
    if (runId !== null) this.#answered.add(runId)
    this.#repeatUser(heard)
    for (const { functionCall } of event.content?.parts ?? [])
      if (functionCall?.id !== undefined && event.partial !== true)
        this.#calls.set(functionCall.id, { name: functionCall.name ?? '', author: event.author, runId })
    this.heard.push(heard)
  }

  /** Messages of users that one request brings are one; a message that is told twice, by the bridge and by its agent, too. */
  #addUser(heard: Heard, kind: ConversationEvent['kind']): void {
    const { invocationId, content } = heard.event
    const known = this.#users.get(invocationId)
    const parts = content?.parts ?? []
    const text = textOf(parts)
    if (!known) {
      const own = [...parts]
      const first = { ...heard, event: { ...heard.event, content: { role: 'user', parts: own } } }
      this.#users.set(invocationId, { heard: first, parts: own, kind, text })
      this.#lastUser = first
      this.heard.push(first)
    } else if (parts.length === 0 || (kind !== known.kind && known.text === text)) return
    else if (known.heard === this.heard.at(-1) && known.heard.runId === heard.runId) {
      known.parts.push(...parts)
      known.text += `\n${text}`
    } else this.heard.push(heard)
  }

  /** A message that was sent before is recorded once, though it is answered again. */
  #repeatUser({ event: { invocationId }, runId, at, seq }: Heard): void {
    const last = this.#lastUser
    if (this.#users.has(invocationId) || !last || runId === null || last.runId === null || last.runId === runId) return
    const id = `${last.event.id}-again-${seq}`
    const again: Heard = { event: { ...last.event, id, invocationId, timestamp: at / 1_000 }, runId, at, seq }
    this.#users.set(invocationId, { heard: again, parts: [], kind: 'user_message', text: '' })
    this.heard.push(again)
    this.warnings.push(
      `${invocationId}: no message of the user was recorded: the one before is taken to be answered again`,
    )
  }

  #warn({ seq, kind }: ConversationEvent, message: string): void {
    this.warnings.push(`event ${seq} (${kind}): ${message}`)
  }
}

function textOf(parts: readonly AdkPart[]): string {
  return parts.map((part) => part.text ?? JSON.stringify(part)).join('\n')
}
