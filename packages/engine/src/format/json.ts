import * as z from 'zod'
import { evaluator, NoScore } from '../evaluator.ts'
import { byLength, textField, textOf } from '../text/comparison.ts'
import { jsonSimilarity } from './json-similarity.ts'
import { schemaFaults } from './json-schema.ts'

const verdictRange = { range: { min: 0, max: 1 }, direction: 'higher' } as const
const errorsField = {
  name: 'errors',
  type: 'array',
  description: 'What is wrong, at most twenty.',
  required: true,
} as const

/** Whether a text is JSON, and fits a schema where one is asked for. */
export const jsonValidator = evaluator({
  slug: 'json-validator',
  name: 'Valid JSON',
  description: '1 when the text is JSON and, with `enable_schema_validation`, fits the JSON Schema of `schema_string`.',
  kind: 'code',
  category: 'format',
  aliases: ['json-valid', 'valid-json', 'is-json'],
  needs: ['response'],
  input: [textField('text', 'The text that should be JSON.')],
  output: [
    { name: 'is_valid_json', type: 'boolean', description: 'Whether the text is as it should be.', required: true },
    errorsField,
  ],
  config: z.strictObject({
    enable_schema_validation: z.boolean().default(false).describe('Whether the JSON must fit the schema.'),
    schema_string: z.string().max(250_000).optional().describe('A JSON Schema, as JSON.'),
  }),
  ...verdictRange,
  example: { input: { text: '{"answer": 42}' }, value: 1, passed: true },
  // A schema can be made to take for ever.
  runs: 'thread',
  async score({ text }, { config }) {
    const errors = await faultsOf(textOf(text), config.enable_schema_validation ? config.schema_string : undefined)
    const valid = errors.length === 0
    return {
      value: valid ? 1 : 0,
      passed: valid,
      explanation: errors[0] ?? null,
      output: { is_valid_json: valid, errors },
    }
  },
})

async function faultsOf(text: string, schema: string | undefined): Promise<string[]> {
  const read = parse(text)
  if ('error' in read) return [read.error]
  return schema === undefined ? [] : schemaFaults(schemaOf(schema), read.value)
}

/** Whether a value fits a JSON Schema. */
export const jsonSchema = evaluator({
  slug: 'json-schema',
  name: 'JSON Schema',
  description:
    '1 when the response (JSON, or a text that holds JSON) fits the JSON Schema of the configuration or the input.',
  kind: 'code',
  category: 'format',
  needs: ['response'],
  input: [
    { name: 'response', type: 'any', description: 'The JSON that should fit.', required: true },
    { name: 'schema', type: 'object', description: 'The JSON Schema, unless it is configured.', required: false },
  ],
  output: [errorsField],
  config: z.strictObject({
    schema: z
      .union([z.record(z.string(), z.unknown()), z.boolean(), z.string().max(250_000)])
      .optional()
      .describe('A JSON Schema (draft 2020-12, unless its `$schema` says 2019-09 or 7), as an object or as JSON.'),
  }),
  ...verdictRange,
  example: {
    input: { response: '{"age": -1}' },
    config: { schema: { properties: { age: { minimum: 0 } } } },
    value: 0,
    passed: false,
  },
  runs: 'thread',
  async score({ response, schema }, { config }) {
    const chosen = config.schema ?? schema
    if (chosen === undefined)
      throw new NoScore('missing_evidence', 'There is no schema, neither configured nor in the input.')
    const read = typeof response === 'string' ? parse(response) : { value: response }
    const errors = 'error' in read ? [read.error] : await schemaFaults(schemaOf(chosen), read.value)
    const fits = errors.length === 0
    return { value: fits ? 1 : 0, passed: fits, explanation: errors[0] ?? null, output: { errors } }
  },
})

/** How near two JSON values are. */
export const jsonDiff = evaluator({
  slug: 'json-diff',
  name: 'JSON difference',
  description:
    'How alike two JSON values are: members and items are compared in pairs, texts by Levenshtein, numbers by closeness, and averaged.',
  kind: 'code',
  category: 'format',
  aliases: ['json-similarity'],
  needs: ['response', 'reference'],
  input: [
    { name: 'response', type: 'any', description: 'The JSON that was given, or a text that holds it.', required: true },
    { name: 'reference', type: 'any', description: 'The JSON that was expected.', required: true },
  ],
  output: [],
  config: z.strictObject({
    threshold: z.number().min(0).max(1).default(0.9).describe('Values from here on pass.'),
    preserve_strings: z.boolean().default(false).describe('Texts that hold JSON stay texts.'),
  }),
  ...verdictRange,
  example: {
    input: { response: { name: 'Ada', born: 1815 }, reference: { name: 'Ada', born: '1815' } },
    value: 1,
    passed: true,
  },
  runs: byLength('response', 'reference'),
  score({ response, reference }, { config }) {
    const value = Math.min(1, Math.max(0, jsonSimilarity(response, reference, config)))
    return { value, passed: value >= config.threshold }
  },
})

type Parsed = { value: unknown } | { error: string }

function parse(text: string): Parsed {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : 'This is no JSON.' }
  }
}

function schemaOf(given: unknown): Record<string, unknown> | boolean {
  const read = typeof given === 'string' ? parse(given) : { value: given }
  const schema = z
    .union([z.record(z.string(), z.unknown()), z.boolean()])
    .safeParse('value' in read ? read.value : undefined)
  if (!schema.success)
    throw new NoScore('refused_value', 'The schema is no JSON Schema: it must be an object or a boolean.')
  return schema.data
}
