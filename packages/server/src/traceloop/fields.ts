import type { Field } from '@llm-eval/protocol'
import * as z from 'zod'

/** A property of an evaluator's input or output, as Traceloop writes it. Users of the SDKs write `number` and `json` too. */
export const propertyInput = z.object({
  name: z.string().min(1),
  type: z.enum([
    'string',
    'int',
    'integer',
    'float',
    'number',
    'boolean',
    'enum',
    'label',
    'json',
    'object',
    'array',
    'any',
  ]),
  description: z.string().nullish(),
  enum_values: z.array(z.string()).nullish(),
})
type PropertyInput = z.infer<typeof propertyInput>

const inward: Record<Exclude<PropertyInput['type'], 'enum' | 'label'>, Field['type']> = {
  string: 'string',
  int: 'integer',
  integer: 'integer',
  float: 'number',
  number: 'number',
  boolean: 'boolean',
  json: 'any',
  object: 'object',
  array: 'array',
  any: 'any',
}

const outward: Partial<Record<Field['type'], string>> = {
  integer: 'int',
  number: 'float',
  // Structured values travel as JSON texts.
  array: 'string',
  object: 'string',
  any: 'string',
}

/** A property as a field of ours. */
export function toField({ name, type, description, enum_values: values }: PropertyInput): Field {
  const choices = values ?? []
  const choice = choices.length > 0 ? 'enum' : 'string'
  return {
    name,
    type: type === 'enum' || type === 'label' ? choice : inward[type],
    description: description ?? '',
    required: true,
    ...(choices.length > 0 ? { enum_values: choices } : {}),
  }
}

/** A field of ours as a property. */
export function toProperty({ name, type, description, enum_values: values }: Field) {
  return {
    name,
    type: outward[type] ?? type,
    description,
    ...(values === undefined ? {} : { enum_values: values }),
  }
}
