import type { Place, RawValue } from './values.ts'

/** A trace of an input, as it is sent, or why it cannot be. */
export type Item = { line: number } & (
  | { trace: Record<string, unknown>; bytes: number; error?: undefined }
  | { trace?: undefined; traceId: string | null; error: string }
)

/** Traces that travel together, with what stands between them and cannot be sent. */
export interface Batch {
  items: Item[]
  /** Where the input goes on after this batch. */
  end: Place
}

/** How large a batch may become. */
export interface BatchSize {
  traces: number
  bytes: number
}

/** Gathers the values of an input into batches. */
export async function* inBatches(values: AsyncIterable<RawValue>, size: BatchSize): AsyncGenerator<Batch> {
  let items: Item[] = []
  let bytes = 0
  let traces = 0
  let end: Place | undefined
  for await (const value of values) {
    const item = readTrace(value)
    const itemBytes = item.trace ? item.bytes : 0
    if (end && items.length > 0 && bytes + itemBytes > size.bytes) {
      yield { items, end }
      items = []
      bytes = 0
      traces = 0
    }
    items.push(item)
    bytes += itemBytes
    if (item.trace) traces++
    end = value.end
    if (traces >= size.traces || items.length >= size.traces * 4) {
      yield { items, end }
      items = []
      bytes = 0
      traces = 0
    }
  }
  if (end && items.length > 0) yield { items, end }
}

function readTrace(raw: RawValue): Item {
  const { line } = raw
  if (raw.error !== undefined) return { line, traceId: null, error: raw.error }
  let value: unknown
  try {
    value = parseExactly(raw.text)
  } catch (error) {
    return { line, traceId: null, error: `it is not JSON: ${error instanceof Error ? error.message : String(error)}` }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return {
      line,
      traceId: null,
      error: `a trace is an object, not ${Array.isArray(value) ? 'an array' : String(value)}`,
    }
  const trace = value as Record<string, unknown>
  const id = trace['trace_id'] ?? trace['traceId']
  if (id === undefined || id === null) return { line, traceId: null, error: withoutId(trace) }
  return { line, trace, bytes: raw.text.length }
}

function withoutId(trace: Record<string, unknown>): string {
  if (Array.isArray(trace['traces']))
    return 'it is a whole batch: send the array under `traces` (jq .traces FILE | llm-eval send -)'
  return 'trace_id is missing: without it, sending it again would store it twice'
}

// Numbers that JavaScript would change: many digits, or an exponent.
const delicate = /[0-9.]{16}|[0-9][eE][-+]?[0-9]/

/** Parses JSON so that writing it again gives the same numbers, also those that no JavaScript number can hold. */
function parseExactly(text: string): unknown {
  if (!delicate.test(text)) return JSON.parse(text) as unknown
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) => {
    const source = context?.source
    if (typeof value !== 'number' || source === undefined || String(value) === source) return value
    return rawJson(source)
  })
}

/** Text that `JSON.stringify` writes as it is. */
function rawJson(source: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source)
}
