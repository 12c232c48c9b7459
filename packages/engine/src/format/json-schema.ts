import { NoScore } from '../evaluator.ts'

/** Faults that are told at most. */
const most = 20

/**
 * What of a value does not fit a JSON Schema; empty when it fits. Nothing is fetched: a `$ref` to another document is an error.
 *
 * @throws {NoScore} `refused_value` when the schema itself is wrong
 */
export async function schemaFaults(schema: Record<string, unknown> | boolean, value: unknown): Promise<string[]> {
  const validate = await compile(schema)
  if (validate(value)) return []
  return (validate.errors ?? [])
    .slice(0, most)
    .map(
      ({ instancePath, message = 'does not fit' }) =>
        `${instancePath === '' ? 'it' : instancePath.slice(0, 200)} ${message.slice(0, 500)}`,
    )
}

async function compile(schema: Record<string, unknown> | boolean) {
  // Loaded when it is needed: most threads never check a schema.
  const [{ default: ajv }, { default: formats }] = await Promise.all([dialect(schema), import('ajv-formats')])
  const compiler = new ajv.default({ strict: false, logger: false })
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

function dialect(schema: Record<string, unknown> | boolean) {
  const named = typeof schema === 'object' && typeof schema['$schema'] === 'string' ? schema['$schema'] : ''
  return /2019-09|2020-12/.test(named) ? import('ajv/dist/2020.js') : import('ajv')
}
