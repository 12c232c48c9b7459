import { sequenceModes } from '@llm-eval/protocol'
import * as z from 'zod'
import { isPattern } from './pattern.ts'

const names = z.array(z.string().min(1)).nullish()
const object = z.record(z.string(), z.unknown())
const share = z.number().min(0).max(1)
const score = z.number().min(0).max(100)
const regex = z.string().refine(isPattern, { error: 'is no regular expression' })

const output = z.strictObject({
  contains: names.describe('Texts that the answer must hold, without regard to case.'),
  not_contains: names.describe('Texts that the answer must not hold.'),
  regex_patterns: z.array(regex).nullish().describe('Regular expressions that must be found, without regard to case.'),
  not_regex_patterns: z.array(regex).nullish().describe('Regular expressions that must not be found.'),
  json_schema: object.nullish().describe('JSON Schema of the answer, or of the first object in it.'),
  must_acknowledge_uncertainty: z
    .boolean()
    .nullish()
    .describe('Where no tool helped, the answer must say that it is not sure.'),
  no_pii: z.boolean().nullish().describe('The answer must hold no personal data.'),
})

const callArguments = z.strictObject({
  tool: z.string().min(1).describe('Its name.'),
  args: object.describe('Values that the arguments of at least one call of the tool must have.'),
  match: z.enum(['partial', 'exact']).optional().describe('`partial` when absent: further arguments are no fault.'),
  ignore: z.array(z.string()).optional().describe('Paths such as `filter.date` that are not looked at.'),
})

const count = z.union([
  z.int().min(0),
  z
    .strictObject({ min: z.int().min(0).optional(), max: z.int().min(0).optional() })
    .refine(({ min = 0, max = Number.POSITIVE_INFINITY }) => min <= max, { error: 'min is larger than max' }),
])

const mode = z.enum(sequenceModes)

const expected = z.strictObject({
  tools: names.describe('Tools that must be called; others may be.'),
  tool_categories: names.describe('Categories of which at least one tool must be called.'),
  categories: names.describe('The same as tool_categories, as EvalView’s guides spell it.'),
  tool_sequence: names.describe('Tools in the order in which they must be called.'),
  sequence: names.describe('The same as tool_sequence.'),
  sequence_mode: mode.nullish().describe('How the order is meant; `subsequence` when absent.'),
  forbidden_tools: names.describe('Tools that must not be called.'),
  forbidden_sequences: z
    .array(z.array(z.string().min(1)).min(1))
    .nullish()
    .describe('Sequences of tools that must not occur.'),
  arguments: z.array(callArguments).nullish().describe('What tools must be called with.'),
  calls: z.record(z.string(), count).nullish().describe('How often tools are called: a number, or min and max.'),
  output: output.nullish().describe('What the answer must say; all of it gates.'),
  metrics: z
    .record(z.string(), z.strictObject({ value: z.number(), tolerance: z.number().min(0).default(0) }))
    .nullish()
    .describe('Numbers in the answer or its metadata, by name.'),
  hallucination: z
    .strictObject({
      check: z.boolean().optional(),
      allow: z.boolean().optional(),
      confidence_threshold: share.optional(),
    })
    .nullish()
    .describe('EvalView’s; `check: true` is `checks.hallucination: true`.'),
  safety: z
    .strictObject({
      check: z.boolean().optional(),
      allow_harmful: z.boolean().optional(),
      categories: z.array(z.string()).nullish(),
      severity_threshold: z.string().optional(),
    })
    .nullish()
    .describe('EvalView’s; `check: true` is `checks.safety: true`.'),
})

const turn = z.strictObject({
  query: z.string().min(1).describe('What the agent is asked.'),
  context: object.nullish().describe('Sent beside it, as `context`.'),
  expected: expected.nullish().describe('Of this turn; it gates. The same fields as of a case.'),
})

const thresholds = z.strictObject({
  min_score: score.optional().describe('Of 100; 70 when absent.'),
  max_cost: z.number().min(0).nullish().describe('US dollars.'),
  max_latency: z.number().min(0).nullish().describe('Milliseconds.'),
  weights: z
    .strictObject({
      tool_accuracy: share.optional(),
      output_quality: share.optional(),
      sequence_correctness: share.optional(),
    })
    .nullish()
    .describe('Shares of the score, which add up to 1; 0.3, 0.5 and 0.2 when absent.'),
  variance: z
    .strictObject({
      runs: z.int().min(2).max(100).optional().describe('Times that the case is asked; 10 when absent.'),
      pass_rate: share.optional().describe('Of its attempts that must pass; 0.8 when absent.'),
      min_mean_score: score.nullish(),
      max_std_dev: z.number().min(0).nullish(),
      confidence_level: z.number().min(0.5).max(0.99).optional().describe('Of intervals; 0.95 when absent.'),
    })
    .nullish()
    .describe('When repeated attempts count as good; all must pass when absent.'),
})

const wish = z.boolean().optional()

/** A case as it is written: EvalView's fields, and ours beside them. */
export const caseSchema = z.strictObject({
  name: z.string().trim().min(1).max(200).describe('Of its own in its suite: with it baselines are found again.'),
  description: z.string().nullish(),
  meta: object.nullish().describe('Anything; it is kept and not looked at.'),
  suite: z.string().min(1).max(200).optional().describe('As the settings say when absent.'),
  input: z
    .strictObject({
      query: z.string().min(1).describe('What the agent is asked.'),
      context: object.nullish().describe('Sent beside it, as `context`.'),
    })
    .nullish()
    .describe('A case of one turn.'),
  query: z.string().min(1).optional().describe('The same as input.query.'),
  turns: z.array(turn).min(1).nullish().describe('A conversation, in place of `input`; its session is carried.'),
  expected: expected.nullish().describe('Of the whole conversation.'),
  rubric: z.string().min(1).nullish().describe('What a judge looks for in this case.'),
  thresholds: thresholds.nullish().describe('What the case must keep to.'),
  repetitions: z.int().min(1).max(1_000).optional().describe('Times that the case is asked.'),
  checks: z
    .strictObject({ hallucination: wish, safety: wish, pii: wish })
    .nullish()
    .describe('What is looked for in the answer: `true` demands it, `false` leaves it out.'),
  adapter: z.string().nullish().describe('EvalView’s; the dialect is told from the answer.'),
  endpoint: z.string().nullish().describe('Where this case’s agent answers.'),
  headers: z.record(z.string(), z.string()).nullish().describe('Sent with this case’s requests.'),
  timeout: z.number().positive().nullish().describe('Seconds for one turn.'),
  adapter_config: object.nullish().describe('EvalView’s: `headers`, `timeout`, `model` and `sequence_mode` of it.'),
  tools: z.array(z.unknown()).nullish().describe('Definitions of tools, sent with the context.'),
  model: z.string().nullish().describe('The model behind the agent, for its price.'),
  suite_type: z.enum(['capability', 'regression']).nullish(),
  difficulty: z.string().nullish(),
  tags: z
    .union([z.string(), z.array(z.string())])
    .nullish()
    .describe('For `--tag`: one or several.'),
  gate: z.string().nullish().describe('EvalView’s; not used.'),
  generated: z.boolean().nullish().describe('EvalView’s; not used.'),
  mocks: object.nullish().describe('EvalView’s; not used, as nothing is simulated here.'),
})

export type WrittenCase = z.infer<typeof caseSchema>
export type WrittenExpected = z.infer<typeof expected>

/** Several cases in one file, with what they have in common. */
export const suiteSchema = z.strictObject({
  suite: z.string().min(1).max(200).optional(),
  defaults: object.optional().describe('Fields of every case that does not say otherwise.'),
  cases: z.array(z.unknown()).optional(),
  tests: z.array(z.unknown()).optional(),
})

/** The JSON Schema of files of cases, for editors: `# yaml-language-server: $schema=…`. */
export function caseFileSchema(): Record<string, unknown> {
  const one = caseSchema.partial()
  const file = z.union([one, z.array(one), suiteSchema.extend({ cases: z.array(one), defaults: one.optional() })])
  return { ...z.toJSONSchema(file, { unrepresentable: 'any' }), title: 'Test cases of llm-eval' }
}
