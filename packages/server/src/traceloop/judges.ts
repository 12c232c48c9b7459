import type { Definition, JudgeDefinition } from '@llm-eval/engine'
import { Failure, type Field } from '@llm-eval/protocol'
import { name } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import { propertyInput, toField } from './fields.ts'

const message = z.object({ role: z.enum(['system', 'developer', 'user', 'assistant']), content: z.string() })
const sampling = {
  temperature: z.number().nullish(),
  max_tokens: z.int().nullish(),
  top_p: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  presence_penalty: z.number().nullish(),
}
type Sampling = { [K in keyof typeof sampling]?: number | null | undefined }

/** `POST /v2/evaluators`. Members that mean nothing here, such as `mode` or `logprobs`, are passed over. */
export const judgeInput = z.object({
  name,
  slug: name.nullish(),
  description: z.string().nullish(),
  provider: z.string().min(1),
  model: z.string().min(1),
  messages: z.array(message).min(1, 'must hold at least one message'),
  input_schema: z.array(propertyInput),
  output_schema: z.array(propertyInput).nullish(),
  ...sampling,
})

/** `PATCH /v2/evaluators/:slug`: of another shape than what it changes. */
export const judgeChange = z.object({
  name: name.nullish(),
  description: z.string().nullish(),
  input_schema: z.array(propertyInput).nullish(),
  output_schema: z.array(propertyInput).nullish(),
  config: z
    .object({
      description: z.string().nullish(),
      provider: z.string().min(1).nullish(),
      messages: z.array(message).min(1).nullish(),
      llm_config: z.object({ model: z.string().min(1).nullish(), ...sampling }).nullish(),
    })
    .nullish(),
})

/** The definition of a judge that Traceloop's words describe; the engine checks it. */
export function judgeOf(given: z.infer<typeof judgeInput>): Record<string, unknown> {
  const output = (given.output_schema ?? []).map(toField)
  return {
    kind: 'judge',
    model: `${given.provider}/${given.model}`,
    messages: given.messages.map(toMessage),
    input: given.input_schema.map(toField),
    output,
    value_field: valueField(output),
    ...samplingOf(given),
  }
}

/**
 * A judge after a change: what is not given stays.
 *
 * @throws {Failure} `invalid_request` for an evaluator that is no judge
 */
export function changedJudge(now: Definition, change: z.infer<typeof judgeChange>): Record<string, unknown> {
  if (now.kind !== 'judge') {
    const message = `cannot be changed here: it is a ${now.kind} evaluator, not a judge`
    throw new Failure('invalid_request', { errors: [{ path: 'config', message }] })
  }
  const { config, input_schema: input, output_schema: output } = change
  const fields = output?.map(toField)
  const model = { ...modelOf(now), ...given({ provider: config?.provider, model: config?.llm_config?.model }) }
  return {
    ...now,
    ...(config?.provider || config?.llm_config?.model ? { model: `${model.provider}/${model.model}` } : {}),
    ...given({ messages: config?.messages?.map(toMessage), input: input?.map(toField), output: fields }),
    ...(fields === undefined ? {} : { value_field: valueField(fields) }),
    ...given(samplingOf(config?.llm_config ?? {})),
  }
}

/** Provider and model of a judge; `default` where the server's default model is meant. */
export function modelOf({ model }: JudgeDefinition): { provider: string; model: string } {
  if (model === null) return { provider: 'default', model: 'default' }
  const slash = model.indexOf('/')
  return slash < 0 ? { provider: 'default', model } : { provider: model.slice(0, slash), model: model.slice(slash + 1) }
}

/** The field that says whether it passes: `pass`, else the first boolean, else the first number. */
function valueField(output: readonly Field[]): string | null {
  const booleans = output.filter((field) => field.type === 'boolean')
  const numbers = output.filter((field) => field.type === 'number' || field.type === 'integer')
  const chosen = booleans.find((field) => field.name === 'pass') ?? booleans[0] ?? numbers[0]
  return chosen?.name ?? null
}

function toMessage({ role, content }: z.infer<typeof message>) {
  return { role: role === 'developer' ? 'system' : role, content }
}

function samplingOf({ temperature, max_tokens, top_p, frequency_penalty, presence_penalty }: Sampling) {
  return given({ temperature, max_tokens, top_p, frequency_penalty, presence_penalty })
}

/** Without what is null or undefined: for these clients both mean absent. */
function given<T extends Record<string, unknown>>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const kept = Object.entries(members).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(kept) as { [K in keyof T]?: NonNullable<T[K]> }
}
