import { isObject, limits } from '@llm-eval/protocol'
import type { AdkEvent } from './event.ts'
import { readJson } from './json.ts'
import { Pieces } from './pieces.ts'
import { readAdkEvent } from './read-event.ts'

/** What comes out of a stream of an agent. `error`: the server says so in place of an event, with HTTP 200 too. */
export type AdkStreamItem =
  | {
      kind: 'event'
      event: AdkEvent
      /** What could not be kept as it was written. */
      lost: string[]
    }
  | { kind: 'error'; code: string | null; message: string }
  /** Not an event; the next one goes on. `line` counts from 1. */
  | { kind: 'malformed'; line: number; message: string }

export interface AdkStreamOptions {
  /** Ends the reading at once: the reason is thrown, and the body is cancelled. */
  signal?: AbortSignal | undefined
  /** Characters of the largest event that is read; a larger one is passed over, and told. */
  maxChars?: number
}

/**
 * The events of an agent while they come: `/run_sse` and `/run` of ADK, `:streamQuery` of Agent Engine. Framing is found out: SSE
 * with or without a space, one object a line, objects one after the other, lists, objects over many lines, LF or CRLF, a BOM.
 *
 * Ends with the bytes: whether the answer was whole is not known from them alone. Reading takes linear time, and memory of one event.
 *
 * @throws what the body throws, and the reason of the signal
 */
export async function* readAdkStream(
  body: AsyncIterable<Uint8Array>,
  { signal, maxChars = limits.conversationEventBytes }: AdkStreamOptions = {},
): AsyncGenerator<AdkStreamItem> {
  const pieces = new Pieces(maxChars)
  const decoder = new TextDecoder()
  for await (const chunk of untilAborted(body, signal))
    for (const piece of pieces.feed(decoder.decode(chunk, { stream: true }))) yield* itemsOf(piece)
  for (const piece of [...pieces.feed(decoder.decode()), ...pieces.end()]) yield* itemsOf(piece)
}

/** The items of a text that is there as a whole, as `readAdkStream` gives them. */
export function* readAdkText(text: string, maxChars: number = limits.conversationEventBytes): Generator<AdkStreamItem> {
  const pieces = new Pieces(maxChars)
  for (const piece of pieces.feed(text)) yield* itemsOf(piece)
  for (const piece of pieces.end()) yield* itemsOf(piece)
}

function* itemsOf(piece: ReturnType<Pieces['end']>[number]): Generator<AdkStreamItem> {
  if (piece.kind === 'malformed') return yield piece
  const { line } = piece
  const json = readJson(piece.text)
  if ('fault' in json) return yield { kind: 'malformed', line, message: `is no JSON: ${json.fault.slice(0, 200)}` }
  for (const value of unpacked(json.value)) {
    const error = errorOf(value)
    const read = error ? undefined : readAdkEvent(value)
    if (error) yield error
    else if (read && 'event' in read) yield { kind: 'event', event: read.event, lost: [...json.lost, ...read.lost] }
    else yield { kind: 'malformed', line, message: read?.fault ?? 'is no event of ADK' }
  }
}

/** Events that come several in one object: of AgentSpace, of sessions, of ADK for JavaScript's `reasoning_engine`. */
function unpacked(value: unknown): unknown[] {
  if (!isObject(value) || isEvent(value)) return [value]
  const { events, output } = value
  if (Array.isArray(events)) return events
  return Array.isArray(output) ? output : [value]
}

function isEvent(value: Record<string, unknown>): boolean {
  return ['author', 'content', 'invocationId', 'invocation_id'].some((key) => Object.hasOwn(value, key))
}

function errorOf(value: unknown): Extract<AdkStreamItem, { kind: 'error' }> | undefined {
  if (!isObject(value) || isEvent(value)) return undefined
  const { error, error_details: details, detail, code, message } = value
  if (isObject(error)) return { kind: 'error', code: codeOf(error), message: wordsOf(error['message'] ?? error) }
  if (error !== undefined && error !== null) {
    const named = isObject(details) ? details['error_type'] : undefined
    return { kind: 'error', code: typeof named === 'string' ? named : codeOf(value), message: wordsOf(error) }
  }
  // FastAPI's way, and that of Agent Engine.
  if (detail !== undefined) return { kind: 'error', code: null, message: wordsOf(detail) }
  if (code !== undefined && message !== undefined)
    return { kind: 'error', code: codeOf(value), message: wordsOf(message) }
  return undefined
}

function codeOf({ status, code }: Record<string, unknown>): string | null {
  if (typeof status === 'string') return status
  return typeof code === 'string' || typeof code === 'number' ? String(code) : null
}

/** Characters of an error's message that are kept. */
const messageChars = 10_000

function wordsOf(message: unknown): string {
  const words = typeof message === 'string' ? message : (JSON.stringify(message) ?? 'unknown')
  return words.slice(0, messageChars)
}

/** What an iterable gives, until a signal says stop: also while it is waited for. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  if (!signal) return yield* source
  signal.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  let stop = (): void => undefined
  const stopNow = (): void => stop()
  signal.addEventListener('abort', stopNow, { once: true })
  // A promise for each step: one that lasted for all of them would keep whatever was raced against it.
  const step = (): Promise<IteratorResult<T>> =>
    new Promise((resolve, reject) => {
      stop = () => reject(signal.reason)
      if (signal.aborted) stop()
      else iterator.next().then(resolve, reject)
    })
  let isOver = false
  try {
    for (let next = await step(); !next.done; next = await step()) yield next.value
    isOver = true
  } finally {
    signal.removeEventListener('abort', stopNow)
    // A body that hangs may never answer to that either.
    if (!isOver) void Promise.resolve(iterator.return?.()).catch(() => {})
  }
}
