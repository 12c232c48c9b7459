import { type Definition, definitionSchema } from '@llm-eval/engine'
import { Failure } from '@llm-eval/protocol'
import type * as z from 'zod'
import { faultsOf } from '../faults/faults.ts'

/** What a definition is made of, for the API description. */
export const describedDefinition: z.ZodType = definitionSchema.describe('How it scores, by kind.')

/** What stands in an answer where a secret is; sent back, it keeps the secret. */
const masked = '********'

/** A definition as it may be shown: without its secret. */
export function shownDefinition(definition: Definition | null): Record<string, unknown> | null {
  if (definition === null) return null
  return definition.kind === 'remote' && definition.secret !== null ? { ...definition, secret: masked } : definition
}

/**
 * Reads a definition as it was sent. A masked secret is that of the version before.
 *
 * @throws {Failure} `invalid_request`, with paths below `definition`
 */
export function readDefinition(given: unknown, before: Definition | null): Definition {
  const parsed = definitionSchema.safeParse(given)
  if (!parsed.success) throw belowDefinition(faultsOf(parsed.error.issues))
  const definition = parsed.data
  if (definition.kind !== 'remote' || definition.secret !== masked) return definition
  if (before?.kind === 'remote' && before.secret !== null) return { ...definition, secret: before.secret }
  throw belowDefinition([{ path: 'secret', message: 'is masked, and there is none that it could stand for' }])
}

/** A definition as it was stored. */
export function storedDefinition(json: string): Definition {
  return definitionSchema.parse(JSON.parse(json))
}

/** The failure for faults of a definition. */
export function belowDefinition(faults: { path: string; message: string }[]): Failure {
  const errors = faults.map(({ path, message }) => ({
    path: path === '' ? 'definition' : `definition.${path}`,
    message,
  }))
  return new Failure('invalid_request', { errors })
}
