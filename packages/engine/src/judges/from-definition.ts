import { createHash } from 'node:crypto'
import type { Fault, Field } from '@llm-eval/protocol'
import type { JudgeDefinition } from '../definition.ts'
import { type Evaluator, evaluator, type Input } from '../evaluator.ts'
import { fenced, frame, markOf } from './fence.ts'
import { type Bench, judgeConfig, known, sampleFields } from './judge.ts'
import { booleanOf, numberOf, stringOf } from './rules.ts'
import { combined, type Reading, takeSamples } from './samples.ts'

const place = /\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}/g

/** What cannot work in the definition of a judge, as far as that shows without asking it. */
export function judgeFaults(definition: JudgeDefinition, { models }: Bench): Fault[] {
  const { messages, input, output, choices, value_field, model } = definition
  const faults: Fault[] = []
  const names = new Set(input.map(({ name }) => name))
  for (const [index, { content }] of messages.entries())
    for (const [, name = ''] of content.matchAll(place))
      if (!names.has(name))
        faults.push({ path: `messages[${index}].content`, message: `{{${name}}} is no input field` })
  for (const list of [input, output]) {
    const path = list === input ? 'input' : 'output'
    for (const [index, field] of list.entries()) {
      if (list.findIndex(({ name }) => name === field.name) < index)
        faults.push({ path: `${path}[${index}].name`, message: `${field.name} is there twice` })
      if (field.type === 'enum' && (field.enum_values ?? []).length === 0)
        faults.push({ path: `${path}[${index}].enum_values`, message: 'is required for the type enum' })
    }
  }
  if (choices !== null && Object.keys(choices).length < 2)
    faults.push({ path: 'choices', message: 'needs at least 2 choices' })
  const valued = output.find(({ name }) => name === value_field)
  if (value_field !== null && !['number', 'integer', 'boolean'].includes(valued?.type ?? ''))
    faults.push({ path: 'value_field', message: 'must name a number or a boolean of the output' })
  const pass = output.find(({ name }) => name === 'pass')
  if (pass && pass.type !== 'boolean') faults.push({ path: 'output', message: 'pass must be a boolean' })
  if (model !== null && models && !models.knows(model, 'chat'))
    faults.push({ path: 'model', message: 'no provider is configured for it' })
  return faults
}

/** A judge of a project's own. Beside its own fields it always gives a boolean `pass`, as Traceloop's clients expect. */
export function judgeOf(slug: string, definition: JudgeDefinition, { models, secret }: Bench): Evaluator {
  const { messages, input, choices, value_field } = definition
  const fields = answerFields(definition)
  const config = judgeConfig(models, definition)
  const { top_p, frequency_penalty, presence_penalty } = definition
  const told = JSON.stringify({
    frame: frame('mark'),
    messages,
    fields,
    choices,
    value_field,
    top_p,
    frequency_penalty,
    presence_penalty,
  })
  return evaluator({
    slug,
    name: slug,
    description: 'A judge of this project.',
    kind: 'judge',
    category: 'custom',
    needs: [],
    provider: 'chat',
    input,
    output: outputFields(fields),
    config,
    range: choices === null && numeric(definition) ? { min: null, max: null } : { min: 0, max: 1 },
    direction: 'higher',
    example: { input: {}, value: null, passed: null },
    depends: { prompt: createHash('sha256').update(told).digest('hex').slice(0, 16) },
    runs: 'inline',
    async score(given, { config: asked, signal, progress }) {
      const mark = markOf(secret, given)
      const filled = messages.map(({ role, content }) => ({ role, content: fill(content, given, mark) }))
      const samples = await takeSamples(asked.samples, progress, async (sample) => {
        const { value, usage } = await known(models).ask({
          model: asked.model,
          messages: [{ role: 'system', content: frame(mark) }, ...answerable(filled)],
          answer: schemaOfFields(fields),
          shape: 'verdict',
          temperature: asked.temperature,
          maxTokens: asked.max_tokens,
          topP: top_p,
          frequencyPenalty: frequency_penalty,
          presencePenalty: presence_penalty,
          sample,
          signal,
        })
        return { reading: read(value, definition, asked.threshold), usage }
      })
      return combined(samples, value_field ?? undefined)
    },
  })
}

function numeric({ output, value_field }: JudgeDefinition): boolean {
  return value_field !== null && output.find(({ name }) => name === value_field)?.type !== 'boolean'
}

/** What the model is to answer: a reason first, the definition's fields, and whatever the score needs. */
function answerFields({ output, choices, value_field }: JudgeDefinition): Field[] {
  const has = (name: string) => output.some((field) => field.name === name)
  const fields: Field[] = has('reason')
    ? []
    : [{ name: 'reason', type: 'string', description: 'What decides the verdict.', required: true }]
  fields.push(...output)
  if (choices !== null && !has('choice'))
    fields.push({
      name: 'choice',
      type: 'enum',
      description: 'The choice.',
      required: true,
      enum_values: Object.keys(choices),
    })
  if (choices === null && value_field === null && !has('pass'))
    fields.push({ name: 'pass', type: 'boolean', description: 'Whether it is good.', required: true })
  return fields
}

function outputFields(fields: readonly Field[]): Field[] {
  const pass: Field = { name: 'pass', type: 'boolean', description: 'Whether it passed.', required: true }
  return [...fields.filter(({ name }) => name !== 'pass'), pass, ...sampleFields]
}

function schemaOfFields(fields: readonly Field[]): Record<string, unknown> {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, memberSchema(field)])),
    required: fields.filter(({ required }) => required).map(({ name }) => name),
    additionalProperties: false,
  }
}

function memberSchema({ type, description, enum_values }: Field): Record<string, unknown> {
  const words = description === '' ? {} : { description }
  if (type === 'any') return words
  if (type === 'enum') return { type: 'string', enum: enum_values, ...words }
  return { type, ...words }
}

function fill(template: string, input: Input, mark: string): string {
  return template.replace(place, (_, name: string) => {
    const given = Object.hasOwn(input, name) ? input[name] : undefined
    if (given === undefined || given === null) return '(not given)'
    return fenced(mark, typeof given === 'string' ? given : JSON.stringify(given))
  })
}

/** A conversation that ends with somebody who wants an answer. */
function answerable<Message extends { role: string }>(
  messages: Message[],
): (Message | { role: 'user'; content: string })[] {
  return messages.at(-1)?.role === 'user' ? messages : [...messages, { role: 'user', content: 'Give your verdict.' }]
}

function read(answer: Record<string, unknown>, definition: JudgeDefinition, threshold: number): Reading {
  const { choices, value_field, output } = definition
  const choice = choices === null ? null : stringOf(answer, 'choice')
  const value = valueOf(answer, { choices, choice, value_field })
  // Where the definition asks the model whether it passes, the model has the word.
  const passed =
    output.some(({ name }) => name === 'pass') || (choices === null && value_field === null)
      ? booleanOf(answer, 'pass')
      : value !== null && value >= threshold
  const told = answer['reason']
  return {
    value,
    passed,
    label: choice,
    explanation: typeof told === 'string' ? told : null,
    output: { ...answer, pass: passed },
  }
}

function valueOf(
  answer: Record<string, unknown>,
  {
    choices,
    choice,
    value_field,
  }: { choices: JudgeDefinition['choices']; choice: string | null; value_field: string | null },
): number | null {
  if (choices !== null) return choices[choice ?? ''] ?? null
  if (value_field === null) return booleanOf(answer, 'pass') ? 1 : 0
  return typeof answer[value_field] === 'boolean' ? Number(answer[value_field]) : numberOf(answer, value_field)
}
