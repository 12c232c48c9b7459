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

/** Characters that are held back, at most. */
const mostChars = 1024 * 1024

type Event = Record<string, unknown>

interface Text {
  id: string
  first: Event
  deltas: string[]
}

/**
 * Puts pieces of the texts of AG-UI together, so that they can be looked at as wholes: what must not be kept may begin in one
 * piece and end in the next. A text is given out before the event that ends it; of a run that breaks off, by `rest`. Texts of more
 * than a million characters are given out in parts of so many.
 */
export class WholeTexts {
  readonly #open = new Map<string, Text>()
  /** By kind of event: whose piece came last, for those that do not say it again. */
  readonly #last = new Map<string, string>()
  #chars = 0

  /** What can be looked at after an event, in order. */
  push(event: Event): Event[] {
    const { delta, type } = event
    const kind = String(type)
    const named = Object.hasOwn(pieces, kind) ? event[pieces[kind] ?? ''] : undefined
    if (!Object.hasOwn(pieces, kind)) return [...this.#endedBy(event), event]
    if (typeof delta !== 'string') return [event]
    const id = typeof named === 'string' ? named : (this.#last.get(kind) ?? '')
    this.#last.set(kind, id)
    const key = JSON.stringify([kind, id])
    const text = this.#open.get(key)
    if (text) text.deltas.push(delta)
    else this.#open.set(key, { id, first: event, deltas: [delta] })
    this.#chars += delta.length
    return this.#chars >= mostChars ? this.rest() : []
  }

  /** What is still open, as far as it came. */
  rest(): Event[] {
    return this.#take(() => true)
  }

  #endedBy(event: Event): Event[] {
    const kind = String(event['type'])
    if (ends.includes(kind)) return this.rest()
    if (!kind.endsWith('_END')) return []
    const id = event['toolCallId'] ?? event['messageId'] ?? ''
    return this.#take((text) => text.id === id)
  }

  #take(isWanted: (text: Text) => boolean): Event[] {
    return [...this.#open].flatMap(([key, text]) => {
      if (!isWanted(text)) return []
      this.#open.delete(key)
      const delta = text.deltas.join('')
      this.#chars -= delta.length
      return [{ ...text.first, delta }]
    })
  }
}
