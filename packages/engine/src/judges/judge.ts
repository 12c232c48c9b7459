import { createHash } from 'node:crypto'
import type { Field } from '@llm-eval/protocol'
import { limits } from '@llm-eval/protocol'
import * as z from 'zod'
import { type Evaluator, evaluator, type Input, NoScore, type Scoring } from '../evaluator.ts'
import type { Models } from '../models/models.ts'
import { fenced, frame, markOf } from './fence.ts'
import type { AnswerField, JudgePrompt } from './prompts/prompt.ts'
import { combined, type Reading, type Sampled, takeSamples } from './samples.ts'
import { schemaOf } from './shape.ts'

/** What judges ask with. */
export interface Bench {
  /** Absent where no provider is configured. */
  models: Models | undefined
  /** Makes the marks around untrusted text hard to guess; new in each process. */
  secret: string
}

interface JudgeDefaults {
  threshold: number
  model?: string | null
  samples?: number
  temperature?: number | null
  max_tokens?: number | null
}

/** What every judge can be told. */
export function judgeConfig(models: Models | undefined, defaults: JudgeDefaults) {
  const { threshold, model = null, samples = 1, temperature = null, max_tokens = null } = defaults
  return z.strictObject({
    // The default's name is part of the version: another default is another judge.
    model: z
      .string()
      .min(1)
      .max(200)
      .nullable()
      .default(models?.nameOf(model, 'chat') ?? model)
      .describe('`provider/model`; null is the default.'),
    threshold: z.number().default(threshold).describe('The value that decides whether it passes.'),
    samples: z
      .int()
      .min(1)
      .max(limits.judgeSamples)
      .default(samples)
      .describe('How many times it is asked; the majority decides, and a tie fails.'),
    temperature: z.number().min(0).max(2).nullable().default(temperature).describe('Null leaves it to the model.'),
    max_tokens: z.int().min(1).max(100_000).nullable().default(max_tokens).describe('Of one answer; null is 4096.'),
  })
}
export type JudgeConfig = z.output<ReturnType<typeof judgeConfig>>

/** How a judge's answer is read. */
export interface Rule<Config extends JudgeConfig> {
  /** The result field that shows the value. */
  valueField?: string
  read: (
    answer: Record<string, unknown>,
    config: Config,
  ) => Omit<Reading, 'explanation' | 'output'> & {
    explanation?: string | null
    /** Result fields that are not members of the answer. */
    output?: Record<string, unknown>
  }
  /** What the configuration adds to the rubric. */
  rubric?: (config: Config) => string
  /** Members of the answer that depend on the configuration. */
  answer?: (config: Config) => readonly AnswerField[]
}

/** Makes a judge of a prompt and a rule that says how its answers are read. */
export function judge<Config extends JudgeConfig>(
  prompt: JudgePrompt,
  { models, secret }: Bench,
  { config, rule }: { config: z.ZodType<Config>; rule: Rule<Config> },
): Evaluator<Config> {
  const { input: shown, value, passed } = prompt.example
  return evaluator({
    ...descriptionOf(prompt),
    config,
    example: { input: shown, value, passed },
    async score(input: Input, { config: settings, signal, progress }: Scoring<Config>) {
      const asked = sectionsOf(prompt, input)
      const mark = markOf(secret, asked)
      const answerFields = [...prompt.answer, ...(rule.answer?.(settings) ?? [])]
      const messages = [
        { role: 'system' as const, content: `${frame(mark)}\n\n${rubricOf(prompt, rule, settings)}` },
        {
          role: 'user' as const,
          content: asked.map(({ title, text }) => `${title}:\n${fenced(mark, text)}`).join('\n\n'),
        },
      ]
      const samples = await takeSamples(settings.samples, progress, async (sample): Promise<Sampled> => {
        const { value: told, usage } = await known(models).ask({
          model: settings.model,
          messages,
          answer: schemaOf(answerFields),
          shape: prompt.slug.replaceAll('-', '_'),
          temperature: settings.temperature,
          maxTokens: settings.max_tokens,
          sample,
          signal,
        })
        return { reading: readingOf(told, prompt, rule.read(told, settings)), usage }
      })
      return combined(samples, rule.valueField)
    },
  })
}

/** What a judge's prompt says of it as an evaluator. */
export function descriptionOf(prompt: JudgePrompt) {
  const { slug, name, description, category, aliases = [], needs, direction, range = { min: 0, max: 1 } } = prompt
  return {
    slug,
    name,
    description,
    kind: 'judge' as const,
    category,
    aliases,
    needs,
    provider: 'chat' as const,
    input: prompt.input.map(
      (field): Field => ({
        name: field.name,
        type: 'string',
        description: field.description,
        required: field.required ?? true,
      }),
    ),
    output: [...prompt.output.map((field): Field => ({ ...field, required: true })), ...sampleFields],
    range,
    direction,
    depends: { prompt: hashOf(prompt) },
    runs: 'inline' as const,
  }
}

/** Result fields of every judge that took several samples. */
export const sampleFields: readonly Field[] = [
  { name: 'samples', type: 'integer', description: 'Samples taken, when there are several.', required: false },
  { name: 'pass_share', type: 'number', description: 'Share of them that passed.', required: false },
]

/** The models, where there are any. @throws {NoScore} `no_provider` */
export function known(models: Models | undefined): Models {
  if (models) return models
  throw new NoScore('no_provider', 'Judges ask a language model, and no provider is configured.')
}

/** Hash of all that a model is told of a judge. */
function hashOf({ instructions, input, answer }: JudgePrompt): string {
  const titles = input.map(({ name, title }) => [name, title])
  const told = JSON.stringify({ frame: frame('mark'), instructions, titles, answer })
  return createHash('sha256').update(told).digest('hex').slice(0, 16)
}

/** What is judged, under the titles that the model reads. */
export function sectionsOf(prompt: JudgePrompt, input: Input): { title: string; text: string }[] {
  return prompt.input.flatMap(({ name, title }) => {
    const given = input[name]
    if (given === undefined || given === null) return []
    return [{ title, text: typeof given === 'string' ? given : JSON.stringify(given) }]
  })
}

function rubricOf<Config extends JudgeConfig>(
  { instructions }: JudgePrompt,
  { rubric }: Rule<Config>,
  config: Config,
): string {
  const more = rubric?.(config) ?? ''
  return more === '' ? instructions : `${instructions}\n\n${more}`
}

function readingOf(
  answer: Record<string, unknown>,
  prompt: JudgePrompt,
  { output = {}, explanation, ...verdict }: ReturnType<Rule<JudgeConfig>['read']>,
): Reading {
  const told = answer['reason']
  const given = prompt.output.flatMap(({ name }) =>
    Object.hasOwn(answer, name) ? [[name, answer[name]] as const] : [],
  )
  return {
    ...verdict,
    explanation: explanation ?? (typeof told === 'string' ? told : null),
    output: { ...Object.fromEntries(given), ...output },
  }
}
