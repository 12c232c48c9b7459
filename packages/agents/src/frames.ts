import { createSseDecoder, limits } from '@llm-eval/protocol'
import { AgentFailed } from './fault.ts'
import { isTooDeep, parsedJson } from './json.ts'
import { excerpt } from './send.ts'

/** One thing that an agent said: an event of a stream, or the whole of an answer in one piece. */
export type Frame =
  | { kind: 'event'; value: unknown; name: string | null; line: number }
  /** Of a protocol whose lines are `code:json`. */
  | { kind: 'coded'; code: string; value: unknown; line: number }
  | { kind: 'document'; value: unknown }
  /** Of a stream whose events hold no JSON. */
  | { kind: 'words'; text: string; name: string | null; line: number }
  /** `[DONE]`, with which streams of chat completions end. */
  | { kind: 'done' }
  | { kind: 'text'; text: string }

/** Takes an answer apart while it comes. */
export interface Framing {
  feed(text: string): void
  /** Whether the answer comes in events, as far as that is known. */
  readonly streamed: boolean
  /** The end of the answer. */
  end(): void
}

type Emit = (frame: Frame) => void

/**
 * Finds out how an answer is framed from how it begins, and only then from what it is called: many agents stream lines of JSON
 * under the name of something else.
 */
export function createFraming(contentType: string, emit: Emit): Framing {
  let inner: Framing | undefined
  let isDocument = false
  let held: string[] = []
  let chars = 0

  function begin(): void {
    const text = held.join('')
    held = [text]
    inner = framingOf(text, { contentType, emit })
    inner?.feed(text)
    if (inner) held = []
    // What begins with a line that is no whole value is one value over many lines.
    else isDocument = text.includes('\n')
  }

  return {
    get streamed() {
      return inner?.streamed ?? false
    },
    feed(text) {
      if (inner) return inner.feed(text)
      const piece = held.length === 0 ? text.trimStart() : text
      if (piece === '') return
      held.push(piece)
      chars += piece.length
      if (chars > limits.agentLineChars) throw tooLong(1)
      // Long texts are not looked at again and again: it is their first line that decides.
      if (!isDocument && chars >= shortestChars && (chars <= 4_096 || piece.includes('\n'))) begin()
    },
    end() {
      if (!inner && !isDocument) begin()
      if (inner) return inner.end()
      document(held.join(''), { contentType, emit })
    },
  }
}

/** Fewer may be the beginning of anything. */
const shortestChars = 8

/** How a text is framed, once enough of it is there. */
function framingOf(start: string, { contentType, emit }: { contentType: string; emit: Emit }): Framing | undefined {
  if (/^(data|event|id|retry):|^:/.test(start)) return eventStream(emit)
  // No line of an event stream begins as JSON does, whatever it is called.
  if (contentType.includes('text/event-stream') && !/^[{["]/.test(start)) return eventStream(emit)
  if (/^[0-9a-z]:["{[\d]/.test(start)) return jsonLines(emit, codedLine)
  const end = start.indexOf('\n')
  if (!start.startsWith('{') || end < 0) return undefined
  return parsed(start.slice(0, end)) === undefined ? undefined : jsonLines(emit, eventLine)
}

/** Names under which words come that belong to the answer. */
export const wordNames: ReadonlySet<string> = new Set([
  'message',
  'token',
  'text',
  'delta',
  'content',
  'chunk',
  'data',
  'answer',
  'response',
])

function eventStream(emit: Emit): Framing {
  let block = 0
  /** Whether events hold JSON, as the first of them shows; `quoted`: JSON that is nothing but texts. */
  let holds: 'json' | 'words' | 'quoted' | undefined
  const decoder = createSseDecoder(
    {
      onMessage({ data, event }) {
        block++
        // A beat that only keeps the connection alive.
        if (data === '') return
        if (data === '[DONE]') return emit({ kind: 'done' })
        const value = parsed(data)
        const name = event === 'message' ? null : event
        const isStructured = (typeof value === 'object' && value !== null) || data.startsWith('{')
        if (wordNames.has(event) || isStructured)
          holds ??= isStructured ? 'json' : typeof value === 'string' ? 'quoted' : 'words'
        if (holds !== 'json' && !isStructured) {
          const text = holds === 'quoted' && typeof value === 'string' ? value : data
          return emit({ kind: 'words', text, name, line: block })
        }
        if (value === undefined) throw invalidJson(data, block)
        emit({ kind: 'event', value, name, line: block })
      },
    },
    limits.agentLineChars,
  )
  return {
    streamed: true,
    feed(text) {
      try {
        decoder.feed(text)
      } catch (error) {
        throw error instanceof RangeError ? tooLong(block + 1) : error
      }
    },
    end() {
      // A block that nobody ended was not sent as a whole; agents that forget the last empty line are meant all the same.
      decoder.feed('\n\n')
    },
  }
}

function jsonLines(emit: Emit, read: (line: string, number: number) => Frame): Framing {
  let rest: string[] = []
  let chars = 0
  let number = 0
  const finish = (part: string) => {
    const line = (rest.length === 0 ? part : rest.join('') + part).trim()
    rest = []
    chars = 0
    number++
    if (line !== '') emit(read(line, number))
  }
  return {
    streamed: true,
    feed(text) {
      let start = 0
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
        finish(text.slice(start, end))
        start = end + 1
      }
      if (start === text.length) return
      chars += text.length - start
      if (chars > limits.agentLineChars) throw tooLong(number + 1)
      rest.push(text.slice(start))
    },
    end() {
      if (rest.length > 0) finish('')
    },
  }
}

function eventLine(line: string, number: number): Frame {
  const value = parsed(line)
  if (value === undefined) throw invalidJson(line, number)
  return { kind: 'event', value, name: null, line: number }
}

function codedLine(line: string, number: number): Frame {
  const value = parsed(line.slice(2))
  if (line[1] !== ':' || value === undefined) throw invalidJson(line, number)
  return { kind: 'coded', code: line.slice(0, 1), value, line: number }
}

function document(text: string, { contentType, emit }: { contentType: string; emit: Emit }): void {
  const start = text.trim()
  if (start === '') throw unreadable('The agent answered with nothing at all.', '')
  const value = parsed(start)
  if (value !== undefined) return emit({ kind: 'document', value })
  if (start.startsWith('<') || contentType.includes('html'))
    throw unreadable('The agent answered with a page, not with JSON. Is the path of its address right?', start)
  if (contentType.includes('json') || /^[{[]/.test(start)) throw invalidDocument(start)
  emit({ kind: 'text', text: start })
}

function unreadable(message: string, text: string): AgentFailed {
  return new AgentFailed({ code: 'unreadable', message, excerpt: excerpt(text) })
}

function invalidJson(text: string, line: number): AgentFailed {
  const message = `Event ${line} of the answer is no JSON: ${excerpt(text)}`
  return new AgentFailed({ code: 'invalid_json', message, line, excerpt: excerpt(text) })
}

/** Says in which line a document stops being JSON. */
function invalidDocument(text: string): AgentFailed {
  let detail = ''
  try {
    JSON.parse(text)
  } catch (error) {
    detail = error instanceof Error ? error.message : ''
  }
  const position = Number(/position (\d+)/.exec(detail)?.[1] ?? text.length)
  const line = text.slice(0, position).split('\n').length
  const message = `The answer is no JSON from line ${line} on: ${excerpt(detail)}`
  return new AgentFailed({ code: 'invalid_json', message, line, excerpt: excerpt(text) })
}

function tooLong(line: number): AgentFailed {
  const message = `Line ${line} of the answer is longer than ${limits.agentLineChars} characters.`
  return new AgentFailed({ code: 'too_large', message, line })
}

function parsed(text: string): unknown {
  if (!isTooDeep(text)) return parsedJson(text)
  const message = `The answer holds JSON that is nested deeper than ${limits.agentJsonDepth} levels.`
  throw new AgentFailed({ code: 'invalid_json', message, excerpt: excerpt(text.slice(0, 1_000)) })
}
