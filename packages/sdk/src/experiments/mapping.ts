import { isObject } from '../answer.ts'
import { LLMEvalError } from '../error.ts'

/**
 * What each input field of an evaluator gets: a value, or `{ source: value }` as on the wire. Where there is `data` or a
 * trace, a text is a path into that instead, such as `user_query` or `messages[0].content`.
 */
export type InputSchemaMapping = Record<string, unknown>

/** The input of an evaluator, by field. */
export function toInput(mapping: InputSchemaMapping, data?: object, where = ''): Record<string, unknown> {
  const errors: { path: string; message: string }[] = []
  const input = Object.entries(mapping).map(([field, given]): [string, unknown] => {
    const source = isObject(given) && Object.keys(given).join() === 'source' ? given['source'] : given
    const value = data !== undefined && typeof source === 'string' ? at(data, source) : source
    if (value === undefined) errors.push({ path: `${where}input_schema_mapping.${field}`, message: missing(source) })
    return [field, value]
  })
  if (errors.length === 0) return Object.fromEntries(input)
  const message = errors.map((fault) => `${fault.path} ${fault.message}`).join('; ')
  throw new LLMEvalError('failed', message, { failure: 'invalid_request', errors })
}

function missing(source: unknown): string {
  return typeof source === 'string' ? `names ${source}, which is not in the data` : 'has no value'
}

/** The value at a path such as `a.b[0]`, of own properties only. */
function at(data: object, path: string): unknown {
  // A name with dots in it is found too.
  if (Object.hasOwn(data, path)) return Reflect.get(data, path)
  let value: unknown = data
  for (const name of path.replace(/\[(\d+)\]/g, '.$1').split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = Reflect.get(value, name)
  }
  return value
}
