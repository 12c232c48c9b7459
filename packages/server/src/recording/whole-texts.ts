/** Of AG-UI events: which member says whose piece a text is. */
const pieces: Readonly<Record<string, string>> = {
  TEXT_MESSAGE_CONTENT: 'messageId',
  TEXT_MESSAGE_CHUNK: 'messageId',
  REASONING_MESSAGE_CONTENT: 'messageId',
  REASONING_MESSAGE_CHUNK: 'messageId',
  THINKING_TEXT_MESSAGE_CONTENT: 'messageId',
  TOOL_CALL_ARGS: 'toolCallId',
  TOOL_CALL_CHUNK: 'toolCallId',
}

/** After which all that was said by then is whole. */
const ends = ['RUN_FINISHED', 'RUN_ERROR']

/** Characters that are held back, and texts, at most. */
const mostChars = 1024 * 1024
const mostTexts = 10_000

type Event = Record<string, unknown>

interface Text {
  first: Event
  deltas: string[]
}

/**
 * Puts pieces of the texts of AG-UI together, so that they can be looked at as wholes: what must not be kept may begin in one
 * piece and end in the next. A text is given out before the event that ends it; of a run that breaks off, by `rest`. Texts of more
 * than a million characters are given out in parts of so many, and so are more than ten thousand texts.
 */
export class WholeTexts {
  /** By id, and by kind of event. */
  #open = new Map<string, Map<string, Text>>()
  /** By kind of event: whose piece came last, for those that do not say it again. */
  readonly #last = new Map<string, string>()
  #chars = 0
  #texts = 0

  /** What can be looked at after an event, in order. */
  push(event: Event): Event[] {
    const { delta, type } = event
    const kind = String(type)
    const named = Object.hasOwn(pieces, kind) ? event[pieces[kind] ?? ''] : undefined
    if (!Object.hasOwn(pieces, kind)) return [...this.#endedBy(event), event]
    if (typeof delta !== 'string') return [event]
    const id = typeof named === 'string' ? named : (this.#last.get(kind) ?? '')
    this.#last.set(kind, id)
    const before = this.#chars + delta.length > mostChars ? this.rest() : []
    this.#add(delta, { id, kind, event })
    return this.#chars >= mostChars || this.#texts >= mostTexts ? [...before, ...this.rest()] : before
  }

  /** What is still open, as far as it came. */
  rest(): Event[] {
    const open = this.#open
    this.#open = new Map()
    return [...open.values()].flatMap((texts) => this.#wholes(texts))
  }

  #endedBy(event: Event): Event[] {
    const kind = String(event['type'])
    if (ends.includes(kind)) return this.rest()
    if (!kind.endsWith('_END')) return []
    const named = event['toolCallId'] ?? event['messageId'] ?? ''
    const id = typeof named === 'string' ? named : ''
    const texts = this.#open.get(id)
    this.#open.delete(id)
    return texts ? this.#wholes(texts) : []
  }

  #add(delta: string, { id, kind, event }: { id: string; kind: string; event: Event }): void {
    const texts = this.#open.get(id) ?? new Map<string, Text>()
    this.#open.set(id, texts)
    const text = texts.get(kind)
    this.#chars += delta.length
    if (text === undefined) {
      texts.set(kind, { first: event, deltas: [delta] })
      this.#texts++
    } else if (delta !== '') text.deltas.push(delta)
  }

  #wholes(texts: ReadonlyMap<string, Text>): Event[] {
    return [...texts.values()].map(({ first, deltas }) => {
      const delta = deltas.join('')
      this.#chars -= delta.length
      this.#texts--
      return { ...first, delta }
    })
  }
}
