import { limits } from '@llm-eval/protocol'
import * as z from 'zod'

const text = z.string().max(100_000)
const field = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, 'must be a name of letters, digits, _ and -')
    // Assigned to an object it is no member: what it holds would be lost.
    .refine((name) => name !== '__proto__', 'must be another name'),
  type: z.enum(['string', 'number', 'integer', 'boolean', 'enum', 'array', 'object', 'any']).default('string'),
  description: z.string().max(1_000).default(''),
  required: z.boolean().default(true),
  enum_values: z.array(z.string().max(200)).max(100).exactOptional(),
})

/** A built-in evaluator under a name and with a configuration of one's own. */
const preset = z.strictObject({
  kind: z.literal('preset'),
  base: z.string().min(1).max(limits.nameChars).describe('Slug of the built-in evaluator.'),
  config: z.record(z.string(), z.unknown()).default({}).describe('Its configuration.'),
})

/** A language model that judges by a rubric (a choice has a score) or by a prompt with an output schema. */
const judge = z.strictObject({
  kind: z.literal('judge'),
  model: z
    .string()
    .min(1)
    .max(200)
    .nullable()
    .default(null)
    .describe("`provider/model`, as the configuration names providers; null is the server's default model."),
  messages: z
    .array(z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: text }))
    .min(1)
    .max(50)
    .describe("`role` and `content`; `{{name}}` places are filled with the input's fields, fenced as untrusted."),
  input: z.array(field).min(1).max(50).describe('The fields that it takes.'),
  output: z
    .array(field)
    .max(50)
    .default([])
    .describe('The fields that the model answers with, beside `choice` and `reason`.'),
  choices: z
    .record(z.string().min(1).max(100), z.number().min(0).max(1))
    .nullable()
    .default(null)
    .describe('Score of each choice, 0 to 1; without it the score is what `value_field` or `pass` of the answer says.'),
  value_field: z.string().nullable().default(null).describe('The field of the answer that is the score.'),
  threshold: z.number().default(0.5).describe('Values from here on pass.'),
  samples: z
    .int()
    .min(1)
    .max(limits.judgeSamples)
    .default(1)
    .describe(`How often the model is asked, at most ${limits.judgeSamples}; the majority counts.`),
  temperature: z.number().min(0).max(2).nullable().default(null),
  max_tokens: z.int().min(1).max(100_000).nullable().default(null),
  top_p: z.number().min(0).max(1).nullable().default(null),
  frequency_penalty: z.number().min(-2).max(2).nullable().default(null),
  presence_penalty: z.number().min(-2).max(2).nullable().default(null),
})

/** Somebody's HTTP endpoint. */
const remote = z.strictObject({
  kind: z.literal('remote'),
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    // It is shown to everybody who may read, and no fetch takes such a one.
    .refine((url) => !holdsCredentials(url), 'must hold neither user name nor password: sign with a secret')
    .describe('Where the input is posted to.'),
  secret: z
    .string()
    .min(8)
    .max(200)
    .refine((secret) => keyOf(secret).byteLength >= 8, 'must be Base64 of at least 8 bytes after whsec_')
    .nullable()
    .default(null)
    .describe('Signs requests (Standard Webhooks), so that the endpoint can tell who asks.'),
  timeout_seconds: z.number().min(0.1).max(limits.judgeSeconds).default(30),
  input: z.array(field).min(1).max(50).describe('The fields that it takes.'),
  threshold: z.number().default(0.5).describe('Values from here on pass.'),
  range: z
    .strictObject({ min: z.number().nullable().default(null), max: z.number().nullable().default(null) })
    .default({ min: 0, max: 1 })
    .describe('Smallest and largest score that it may give; null where there is no bound.'),
  version: z
    .string()
    .max(100)
    .nullable()
    .default(null)
    .describe('Declared by its owner: without it the scores are not under a version.'),
})

function holdsCredentials(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { username, password } = new URL(url)
  return username !== '' || password !== ''
}

/** The key behind a secret, as Standard Webhooks has it: Base64 after `whsec_`, else the text itself. */
export function keyOf(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)
}

/** How an evaluator of a project's own is defined. */
export const definitionSchema = z.discriminatedUnion('kind', [preset, judge, remote])
export type Definition = z.output<typeof definitionSchema>
export type JudgeDefinition = z.output<typeof judge>
export type RemoteDefinition = z.output<typeof remote>
