import { NoScore } from '../evaluator.ts'

type Schema = Record<string, unknown> | boolean

/** Faults that are told at most. */
const most = 20

/**
 * What of a value does not fit a JSON Schema (draft 7, 2019-09 or 2020-12); empty when it fits. Formats are checked. Nothing is
 * fetched: a `$ref` to another document is an error.
 *
 * @throws {NoScore} `refused_value` when the schema itself is wrong
 */
export async function schemaFaults(schema: Schema, value: unknown): Promise<string[]> {
  const validate = await compile(schema)
  if (validate(value)) return []
  return (validate.errors ?? [])
    .slice(0, most)
    .map(
      ({ instancePath, message = 'does not fit' }) =>
        `${instancePath === '' ? 'it' : instancePath.slice(0, 200)} ${message.slice(0, 500)}`,
    )
}

async function compile(schema: Schema) {
  // Loaded when it is needed: most threads never check a schema.
  const [{ default: ajv }, { default: formats }] = await Promise.all([draftOf(schema), import('ajv-formats')])
  // What an object inherits is none of its members: `{}` has no `constructor`.
  const compiler = new ajv.default({ strict: false, logger: false, ownProperties: true })
  formats.default(compiler)
  try {
    return compiler.compile(schema)
  } catch (error) {
    throw new NoScore(
      'refused_value',
      `The schema is not valid: ${error instanceof Error ? error.message : 'it is wrong'}`,
    )
  }
}

/** The draft that a schema names; else the newest, unless it lists items one by one, which only older ones allow. */
function draftOf(schema: Schema) {
  const named = typeof schema === 'object' && typeof schema['$schema'] === 'string' ? schema['$schema'] : null
  if (named?.includes('2020-12') ?? !listsItems(schema)) return import('ajv/dist/2020.js')
  return named === null || named.includes('2019-09') ? import('ajv/dist/2019.js') : import('ajv')
}

function listsItems(schema: Schema): boolean {
  const left: unknown[] = [schema]
  while (left.length > 0) {
    const part = left.pop()
    if (typeof part !== 'object' || part === null) continue
    if ('items' in part && Array.isArray(part.items)) return true
    for (const inner of Object.values(part)) left.push(inner)
  }
  return false
}
