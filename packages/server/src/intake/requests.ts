/** Reads the body of an ingest request: one trace, or a batch of them. */
import { Failure, type Fault, limits } from '@llm-eval/protocol'
import { batchInput } from '@llm-eval/protocol/schemas'
import { faultsUnder } from './check.ts'
import { batchFields, spell, spellings } from './fields.ts'
import { type AcceptedTrace, type Arrival, prepareTrace, type RefusedTrace } from './prepare.ts'
import { type Child, outline, prune } from './scan.ts'
import { decodeText, parseText } from './text.ts'
import { unknownFieldWarnings } from './warnings.ts'

/** The batch around its traces, before they are looked at. */
export interface OpenBatch {
  source: string
  /** Null when the sender gave none. */
  batchId: string | null
  traces: unknown[]
  /** Where each trace stands in `text`. */
  places: Child[]
  text: string
  /** What looks like a mistake around the traces. */
  warnings: string[]
}

/**
 * Reads one trace. `at` is the time of arrival in milliseconds.
 *
 * Failures: `malformed_json`, `too_deep`, `invalid_request`.
 */
export function readSingle(bytes: Uint8Array, at: number): AcceptedTrace {
  const text = decodeText(bytes)
  const shape = outline(text, Infinity)
  // Looked at before parsing, so that depth costs neither stack nor memory.
  if (shape.depth > limits.jsonDepth) throw new Failure('too_deep', { values: { max: limits.jsonDepth } })
  const sent = { value: parseText(text), text, outline: shape, path: '' }
  const read = prepareTrace(sent, { at, source: null, batchId: null })
  if ('faults' in read) throw new Failure('invalid_request', { errors: read.faults })
  return read
}

/** Prepares each trace of a batch; what is wrong with one is told with that one. */
export function prepareBatch(batch: OpenBatch, arrival: Arrival): (AcceptedTrace | RefusedTrace)[] {
  return batch.traces.map((value, index) => {
    const place = batch.places[index]
    const text = place ? batch.text.slice(place.start, place.end) : 'null'
    return prepareTrace({ value, text, outline: outline(text, Infinity), path: `traces[${index}]` }, arrival)
  })
}

const known = spellings(batchFields)

// A trace may nest as deep in a batch as alone.
const batchDepth = limits.jsonDepth + 2

/**
 * Reads a batch without looking at its traces.
 *
 * Failures: `malformed_json`, `invalid_request`, `batch_too_large`.
 */
export function openBatch(bytes: Uint8Array): OpenBatch {
  let text = decodeText(bytes)
  let shape = outline(text, Infinity)
  if (shape.depth > batchDepth) {
    text = prune(text, batchDepth)
    shape = outline(text, Infinity)
  }
  const value = parseText(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(notABatch(value))
  const spelled = spell({ value, text, children: shape.children }, known)
  if (spelled.faults.length > 0) throw invalid(spelled.faults)
  refuseTooMany(spelled.values.traces)
  const checked = batchInput.safeParse(spelled.values)
  if (!checked.success) throw invalid(faultsUnder('', checked.error.issues))
  const { traces, source, batch_id } = checked.data
  const list = spelled.texts.traces ?? '[]'
  return {
    source,
    batchId: batch_id ?? null,
    traces,
    places: outline(list, limits.batchTraces).children,
    text: list,
    warnings: unknownFieldWarnings([...(spelled.unknown?.keys() ?? [])], batchFields, 'ignored'),
  }
}

function refuseTooMany(traces: unknown): void {
  if (!Array.isArray(traces) || traces.length <= limits.batchTraces) return
  throw new Failure('batch_too_large', { values: { max: limits.batchTraces, count: traces.length } })
}

function notABatch(value: unknown): Fault[] {
  const hint = Array.isArray(value) ? ': put the array under `traces`, and name a `source` beside it' : ''
  return [{ path: '', message: `a batch must be an object with \`traces\` and \`source\`${hint}` }]
}

function invalid(errors: Fault[]): Failure {
  return new Failure('invalid_request', { errors })
}
