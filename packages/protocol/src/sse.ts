/** One message of an event stream (WHATWG HTML, section 9.2). */
export interface SseMessage {
  /** Last `id:` seen so far on this stream; empty when there was none. */
  id: string
  /** `message` unless the stream names it. */
  event: string
  data: string
}

/** What an event stream decoder calls. */
export interface SseHandlers {
  onMessage(message: SseMessage): void
  /** A block without data that had an `id:` (a heartbeat of ours): the cursor moved. */
  onId?(id: string): void
  /** A `retry:` line, in milliseconds. */
  onRetry?(ms: number): void
}

export interface SseDecoder {
  feed(chunk: string): void
}

/** Writes one message. `data` must not hold CR or LF (one line of JSON never does). Without data it is a heartbeat that only moves the cursor. */
export function encodeSse(data: string | undefined, id?: string): string {
  const idLine = id === undefined ? '' : `id: ${id}\n`
  return data === undefined ? `${idLine}\n` : `${idLine}data: ${data}\n\n`
}

/**
 * Decodes an event stream incrementally, as the WHATWG specification says: LF, CR and CRLF end lines, one leading BOM is
 * dropped, an unfinished last block is never delivered.
 *
 * @param maxChars a block longer than this throws a RangeError, so a broken peer cannot fill the memory
 */
export function createSseDecoder(handlers: SseHandlers, maxChars = 64 * 1024 * 1024): SseDecoder {
  let rest = ''
  let scanned = 0
  let started = false
  let afterCr = false
  let data: string[] = []
  let dataChars = 0
  let event = ''
  let lastId = ''
  let idSeen = false

  function endBlock(): void {
    if (data.length > 0) handlers.onMessage({ id: lastId, event: event || 'message', data: data.join('\n') })
    else if (idSeen) handlers.onId?.(lastId)
    data = []
    dataChars = 0
    event = ''
    idSeen = false
  }

  function line(text: string): void {
    if (text === '') return endBlock()
    const colon = text.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(text.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1)
    if (field === 'data') {
      data.push(value)
      dataChars += value.length
    } else if (field === 'event') event = value
    else if (field === 'id' && !value.includes('\0')) {
      lastId = value
      idSeen = true
    } else if (field === 'retry' && /^[0-9]+$/.test(value)) handlers.onRetry?.(Number(value))
  }

  function feed(chunk: string): void {
    let text = chunk
    if (!started && text.length > 0) {
      started = true
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1)
    }
    // The LF of a CRLF may come with the next chunk; the CR has ended the line already.
    if (afterCr && text.length > 0) {
      afterCr = false
      if (text.charCodeAt(0) === 10) text = text.slice(1)
    }
    if (rest) text = rest + text
    let start = 0
    // What was scanned without finding a line end is not scanned again: a long line fed in small chunks stays linear.
    let at = scanned
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code !== 10 && code !== 13) continue
      line(text.slice(start, at))
      if (code === 13) {
        if (at + 1 === text.length) afterCr = true
        else if (text.charCodeAt(at + 1) === 10) at++
      }
      start = at + 1
    }
    rest = text.slice(start)
    scanned = rest.length
    if (rest.length + dataChars > maxChars)
      throw new RangeError(`an event stream message is longer than ${maxChars} characters`)
  }

  return { feed }
}
