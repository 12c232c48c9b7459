import * as sdk from '@traceloop/node-server-sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { type Asked, type Reply, says } from '../packages/engine/test/provider.ts'
import { type Scene, setScene } from './scene.ts'

// Every evaluator that the SDK names, and every guard it has, by the fields that users and guards read.

/** What the model finds of everything that it is asked for. */
let finds = 0.9

const shape = z.looseObject({
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
})

/** A value of this JSON Schema. */
function valueOf(schema: unknown): unknown {
  const { type, enum: choices, minimum = 0, maximum = 1, properties = {} } = shape.parse(schema)
  if (choices) return choices[0]
  if (type === 'boolean') return finds > 0.5
  if (type === 'number') return minimum + finds * (maximum - minimum)
  if (type === 'integer') return maximum
  if (type === 'array') return []
  return type === 'object' ? membersOf(properties) : 'because'
}

function membersOf(properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, valueOf(one)]))
}

const answer = ({ schema }: Asked): Reply => says(membersOf(shape.parse(schema).properties ?? {}))

let scene: Scene
beforeAll(async () => {
  scene = await setScene({ answer })
})
afterAll(() => scene[Symbol.asyncDispose]())

const list = '["Book a flight to Lyon.", "Thank you."]'
const inputs: Record<string, string> = {
  trajectory_prompts: list,
  trajectory_completions: list,
  prompts: list,
  completions: list,
  executed_tool_calls: '[{"name": "search", "arguments": {"q": "a"}}]',
  expected_tool_calls: '[{"name": "search", "arguments": {"q": "a"}}]',
  logprobs: '[-0.1, -0.2]',
  html1: '<p>a</p>',
  html2: '<p>a</p>',
  messages: '[{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]',
  reference_topics: 'travel, food',
}
const configs: Record<string, Record<string, unknown>> = {
  'agent-flow-quality': { conditions: ['books a flight'], threshold: 0.5 },
  'regex-validator': { regex: 'x' },
}

// Slug, and the fields of its result as Traceloop's SDKs know them.
const results: [string, string[]][] = [
  [
    'agent-efficiency',
    ['step_efficiency_score', 'step_efficiency_reason', 'task_completion_score', 'task_completion_reason'],
  ],
  ['agent-flow-quality', ['score', 'reason', 'success']],
  ['agent-goal-accuracy', ['accuracy_score']],
  ['agent-goal-completeness', ['score', 'reason', 'success']],
  ['agent-tool-error-detector', ['reason', 'success']],
  ['agent-tool-trajectory', ['score', 'reason', 'success']],
  ['answer-completeness', ['answer_completeness_score']],
  ['answer-correctness', ['correctness_score']],
  ['answer-relevancy', ['is_relevant']],
  ['char-count', ['char_count']],
  ['char-count-ratio', ['char_ratio']],
  ['context-relevance', ['relevance_score']],
  ['conversation-quality', ['conversation_quality_score']],
  ['faithfulness', ['is_faithful']],
  ['html-comparison', ['similarity_score']],
  ['instruction-adherence', ['instruction_adherence_score']],
  ['intent-change', ['score', 'reason', 'success']],
  ['json-validator', ['is_valid_json']],
  ['perplexity', ['perplexity_score']],
  ['pii-detector', ['has_pii', 'reason']],
  ['placeholder-regex', ['is_valid_regex']],
  ['profanity-detector', ['is_safe']],
  ['prompt-injection', ['has_injection']],
  ['prompt-perplexity', ['perplexity_score', 'is_valid']],
  ['regex-validator', ['is_valid_regex']],
  ['secrets-detector', ['has_secret']],
  ['semantic-similarity', ['similarity_score']],
  ['sexism-detector', ['is_safe']],
  ['sql-validator', ['is_valid_sql']],
  ['tone-detection', ['tone', 'score']],
  ['topic-adherence', ['adherence_score']],
  ['toxicity-detector', ['is_safe']],
  ['uncertainty-detector', ['uncertainty', 'answer']],
  ['word-count', ['word_count']],
  ['word-count-ratio', ['word_ratio']],
]

/** As the SDK has them. */
function requiredFields(slug: string): readonly string[] {
  const known = sdk.getAvailableEvaluatorSlugs().find((one) => one === slug)
  return (known && sdk.getEvaluatorSchemaInfo(known)?.requiredInputFields) ?? []
}

/** Whether a guard lets pass what it takes by whatever names. */
async function passes(
  output: string | Record<string, unknown>,
  guard: (input: never) => Promise<boolean | sdk.GuardCallResult>,
): Promise<boolean> {
  return (await sdk.validateContent(output, [guard as sdk.Guard])).passed
}

async function guarded(slug: string, body: object): Promise<unknown> {
  const answered = await fetch(`${scene.url}/v2/guardrails/${slug}/execute`, {
    method: 'POST',
    headers: { authorization: `Bearer ${scene.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: answered.status, body: await answered.json() }
}

describe('the evaluator that the SDK calls', () => {
  it('by each of its slugs is one of these', () => {
    expect(results.map(([slug]) => slug).toSorted()).toEqual(sdk.getAvailableEvaluatorSlugs().toSorted())
  })

  it('by each of its slugs is listed as built in, beside what is custom', async () => {
    const { evaluator } = scene.client
    const builtin = await evaluator.list('prebuilt')
    expect(builtin.map(({ slug }) => slug)).toEqual(expect.arrayContaining(results.map(([slug]) => slug)))
    for (const { inputSchema, source } of builtin)
      expect([source, Array.isArray(inputSchema)]).toEqual(['prebuilt', true])
    expect(await evaluator.list('custom')).toEqual([])
    expect(await evaluator.list()).toHaveLength(builtin.length)
  })

  it.each(results)('%s answers with the fields of its result, run alone and as a guard', async (slug, fields) => {
    const required = requiredFields(slug)
    const input = Object.fromEntries(required.map((field) => [field, inputs[field] ?? 'The weather is mild today.']))
    const config = configs[slug] ?? {}
    const answered = await fetch(`${scene.url}/v2/evaluators/${slug}/execute`, {
      method: 'POST',
      headers: { authorization: `Bearer ${scene.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ input, config }),
    })
    const result: unknown = await answered.json()
    expect(answered.status, JSON.stringify(result)).toBe(200)
    for (const field of fields) expect(result).toHaveProperty(field)
    expect(await guarded(slug, { input, config })).toMatchObject({
      status: 200,
      body: {
        pass: expect.any(Boolean),
        result: Object.fromEntries(fields.map((field) => [field, expect.anything()])),
      },
    })
  })
})

describe("the SDK's guard that asks a model", () => {
  it.each([
    ['for toxicity', sdk.toxicityGuard(), 'low'],
    ['for sexism', sdk.sexismGuard(), 'low'],
    ['for prompt injections', sdk.promptInjectionGuard(), 'low'],
    ['for the perplexity of prompts', sdk.promptPerplexityGuard(), 'low'],
    ['for uncertainty', sdk.uncertaintyGuard(), 'low'],
    ['for the tone', sdk.toneDetectionGuard(), 'high'],
  ] as const)('%s lets pass what is fine, and not what is not', async (what, guard, fine) => {
    const found = []
    for (finds of [0.02, 0.98]) found.push(await passes(`About ${what}, ${finds}.`, guard))
    expect(found).toEqual(fine === 'low' ? [true, false] : [false, true])
  })

  it('for instructions takes them with the response', async () => {
    for (finds of [0.9, 0.1]) {
      const output = { instructions: `Be brief (${finds}).`, response: 'Yes.' }
      expect(await passes(output, sdk.instructionAdherenceGuard())).toBe(finds > 0.5)
    }
  })

  it('for similarity compares a text with its reference, by the names that its types have', async () => {
    const reference = 'The weather is mild.'
    const guard = sdk.semanticSimilarityGuard()
    expect(await passes({ text: reference, reference }, guard)).toBe(true)
    expect(await passes({ text: '0451 7734 99', reference }, guard)).toBe(false)
  })
})
