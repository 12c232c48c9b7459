import type { ConversationEvent } from '@llm-eval/protocol'
import type { AdkEvent, AdkPart } from '../adk/index.ts'
import { AguiToAdk, readAguiEvent } from '../agui/index.ts'

/** What a request of AG-UI says, and what its user said if nobody recorded that. */
export interface Spoken {
  events: AdkEvent[]
  /** Messages of users that a request brought. */
  users: AdkPart[][]
  warnings: string[]
}

/** Events of AG-UI, request by request, as events of ADK. */
export class AguiSpeech {
  readonly #reader: AguiToAdk
  readonly #known = new Set<string>()
  #now = 0

  constructor(author: string) {
    this.#reader = new AguiToAdk({ author, now: () => this.#now })
  }

  take({ at, payload }: ConversationEvent<'agui_event'>): Spoken {
    this.#now = Date.parse(at)
    const read = readAguiEvent(payload)
    if ('fault' in read) return { events: [], users: [], warnings: [read.fault] }
    const users = payload['type'] === 'RUN_STARTED' ? this.#usersOf(payload['input']) : []
    return { events: 'event' in read ? this.#reader.push(read.event) : [], users, warnings: [] }
  }

  /** What is left where a request is over. */
  end(): AdkEvent[] {
    return this.#reader.end()
  }

  get warnings(): string[] {
    return this.#reader.warnings
  }

  /** The users' messages at the end of the history that each request brings along, as far as they are new. */
  #usersOf(input: unknown): AdkPart[][] {
    const messages: unknown = typeof input === 'object' && input !== null && 'messages' in input ? input.messages : null
    if (!Array.isArray(messages)) return []
    const said: AdkPart[][] = []
    for (const one of messages.toReversed()) {
      const message: Record<string, unknown> = typeof one === 'object' && one !== null ? { ...one } : {}
      if (message['role'] !== 'user') break
      const id = String(message['id'])
      if (this.#known.has(id)) break
      this.#known.add(id)
      said.unshift(partsOf(message['content']))
    }
    return said.filter((parts) => parts.length > 0)
  }
}

function partsOf(content: unknown): AdkPart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ text: content }]
  return (Array.isArray(content) ? content : []).flatMap((part: unknown): AdkPart[] => {
    const told: Record<string, unknown> = typeof part === 'object' && part !== null ? { ...part } : {}
    return typeof told['text'] === 'string' ? [{ text: told['text'] }] : []
  })
}
