import { type Fault, limits } from '@llm-eval/protocol'
import { canonicalJson } from './canonical.ts'
import { type Child, keyOf } from './scan.ts'

/** The documented fields of a trace, in the spelling we answer with. */
export const traceFields = [
  'ai_response',
  'cost',
  'functions_called',
  'metadata',
  'model_name',
  'response_time_ms',
  'session_id',
  'source',
  'system_prompt',
  'timestamp',
  'tokens_used',
  'trace_id',
  'user_id',
  'user_query',
] as const
export type TraceField = (typeof traceFields)[number]

/** The fields around the traces of a batch. */
export const batchFields = ['traces', 'source', 'batch_id'] as const

/** An object as it was sent, brought to snake_case at its top level only: what lies deeper belongs to the user. */
export interface Spelled<F extends string> {
  /** What each known field holds; a field that was not sent is missing. */
  values: Partial<Record<F, unknown>>
  /** The source text of each known field's value. */
  texts: Partial<Record<F, string>>
  /** Fields that we do not know: name -> source text. Undefined when there are none. */
  unknown: Map<string, string> | undefined
  /** Fields given in two spellings with different values, or too many unknown ones. */
  faults: Fault[]
}

/** Both spellings of each field -> the field. A Map, because keys such as `constructor` are ordinary data here. */
export function spellings<F extends string>(fields: readonly F[]): ReadonlyMap<string, F> {
  const map = new Map<string, F>()
  for (const field of fields) {
    map.set(field, field)
    map.set(camelCase(field), field)
  }
  return map
}

/** An object that was parsed, with the text and outline it was parsed from. */
export interface Source {
  value: object
  text: string
  children: Child[]
}

/** Sorts the keys of an object into known fields and others. Of a key that occurs twice the last one counts, as in `JSON.parse`. */
export function spell<F extends string>(source: Source, known: ReadonlyMap<string, F>): Spelled<F> {
  const result: Spelled<F> = { values: {}, texts: {}, unknown: undefined, faults: [] }
  const { text } = source
  const value = source.value as Record<string, unknown>
  // Compared once at the end: a key can occur any number of times, and what it holds can be large.
  const again = new Set<F>()
  for (const child of source.children) {
    const key = keyOf(text, child)
    const field = known.get(key)
    if (field === undefined) {
      result.unknown ??= new Map()
      if (result.unknown.size === limits.unknownFields && !result.unknown.has(key)) {
        const message = `may hold at most ${limits.unknownFields} fields that are not documented: put them into metadata`
        return { ...result, faults: [{ path: '', message }] }
      }
      result.unknown.set(key, text.slice(child.start, child.end).trim())
      continue
    }
    if (result.texts[field] !== undefined) again.add(field)
    result.values[field] = value[key]
    result.texts[field] = text.slice(child.start, child.end)
  }
  for (const field of again) {
    const other = camelCase(field)
    if (other === field || !Object.hasOwn(value, field) || !Object.hasOwn(value, other)) continue
    if (canonicalJson(value[field]) === canonicalJson(value[other])) continue
    result.faults.push({
      path: field,
      message: `was sent as ${field} and as ${other}, with different values: send one`,
    })
  }
  return result
}

function camelCase(field: string): string {
  return field.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}
