import { Failure, limits } from '@llm-eval/protocol'
import type * as z from 'zod'
import { faultsOf } from '../faults/faults.ts'
import { parseExactly } from '../intake/numbers.ts'
import { outline } from '../intake/scan.ts'
import { decodeText, parseText } from '../intake/text.ts'

/**
 * The bytes of a body as what the schema says, with numbers that keep their digits. Throws `malformed_json`, `too_deep`,
 * `invalid_request`.
 */
export function exactJson<S extends z.ZodType>(body: unknown, schema: S): z.output<S> {
  if (!Buffer.isBuffer(body)) throw new TypeError('the route was mounted without raw bodies')
  const text = decodeText(body)
  // Looked at before parsing, so that depth costs neither stack nor memory.
  if (outline(text, 0).depth > limits.jsonDepth + envelope)
    throw new Failure('too_deep', { values: { max: limits.jsonDepth } })
  parseText(text)
  const checked = schema.safeParse(parseExactly(text))
  if (checked.success) return checked.data
  throw new Failure('invalid_request', { errors: faultsOf(checked.error.issues, schema) })
}

/** Levels around the values of a row. */
const envelope = 3
