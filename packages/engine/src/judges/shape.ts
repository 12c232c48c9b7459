import type { AnswerField } from './prompts/prompt.ts'

/** JSON Schema of an answer with these members, all of them required, as strict structured output wants it. */
export function schemaOf(fields: readonly AnswerField[]): Record<string, unknown> {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, memberSchema(field)])),
    required: fields.map(({ name }) => name),
    additionalProperties: false,
  }
}

function memberSchema({ type, description, values, min, max, items }: AnswerField): Record<string, unknown> {
  if (type === 'enum') return { type: 'string', enum: values, description }
  if (type === 'array') return { type: 'array', items: schemaOf(items ?? []), description }
  return {
    type,
    description,
    ...(min === undefined ? {} : { minimum: min }),
    ...(max === undefined ? {} : { maximum: max }),
  }
}
