import { type CaseProblem, closest, failStates } from '@llm-eval/protocol'
import * as z from 'zod'
import { readDocuments } from './documents.ts'
import { withEnvironment } from './environment.ts'
import { pathText, validated } from './validate.ts'

const path = z.string().startsWith('$', { error: 'must be a JSONPath such as $.reply' })
const text = z.string().min(1)
const seconds = z.number().positive().max(3_600)

const agent = z.strictObject({
  url: text.describe('Where the agent answers.'),
  method: z.enum(['POST', 'PUT', 'GET']).optional().describe('`POST` when absent.'),
  headers: z.record(z.string(), z.string()).optional().describe('Such as `Authorization: Bearer ${AGENT_KEY}`.'),
  request: z
    .union([
      z.enum(['seed', 'openai_chat', 'openai_responses', 'ai_sdk', 'ag_ui']),
      z.strictObject({ body: z.unknown() }),
    ])
    .optional()
    .describe('The shape of requests, or a body of your own with places such as {{query}}.'),
  body: z.record(z.string(), z.unknown()).optional().describe('Added to the body of a known shape.'),
  response: z
    .strictObject({
      output: path,
      tool_calls: path.optional(),
      cost: path.optional(),
      tokens: path.optional(),
      model: path.optional(),
      session: path.optional(),
      error: path.optional(),
    })
    .optional()
    .describe('Where an answer of your own shape says what: JSONPaths.'),
  timeout: seconds.optional().describe('Seconds for one turn; 120 when absent.'),
  profile: z.enum(['simple', 'multi_step', 'orchestration']).optional().describe('30, 90 or 120 seconds.'),
  retries: z.int().min(0).max(20).optional().describe('After 429, 5xx and lost connections; 2 when absent.'),
  user_id: text.optional().describe('Sent as `userId`; `test-user` when absent.'),
  model: text.optional().describe('The model behind the agent, where it does not say.'),
})

const price = z.strictObject({
  input: z.number().min(0),
  output: z.number().min(0),
  cached_input: z.number().min(0).optional(),
})

const settings = z.strictObject({
  agent: agent.optional().describe('How the agent is asked.'),
  suite: text.max(200).optional().describe('The name of the suite; that of the folder when absent.'),
  tests: z
    .union([text, z.array(text).min(1)])
    .optional()
    .describe('Folders or files of cases; `agent-tests` when absent.'),
  baselines: text.optional().describe('The folder of what was accepted; `agent-tests/baselines` when absent.'),
  pricing: z.record(z.string(), price).optional().describe('US dollars for a million tokens, by model.'),
  concurrency: z.int().min(1).max(1_000).optional().describe('Cases at the same time; 4 when absent.'),
  judge: z
    .strictObject({ model: text.optional().describe('`provider/model`.') })
    .optional()
    .describe('The model that judges; its key is in the environment.'),
  gate: z
    .strictObject({
      fail_on: z.array(z.enum(failStates)).min(1).optional().describe('States that fail beside `REGRESSION`.'),
      score_drop: z.number().min(0).max(100).optional().describe('Points that a score may fall; 5 when absent.'),
      output_similarity: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe('Answers less alike have changed; 0.9 when absent.'),
      ignore_case: z.boolean().optional().describe('Whether answers that differ in letter case only are alike.'),
    })
    .optional()
    .describe('What `check` fails on.'),
  allow_private: z.boolean().optional().describe('Whether private addresses may be asked; true when absent.'),
})

/** How the cases of a folder are run; every part has a default. */
export type AgentSettings = z.infer<typeof settings>

/** The JSON Schema of settings, for editors and the reference. */
export function settingsFileSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(settings, { unrepresentable: 'any' }),
    title: 'Settings of llm-eval for tests of an agent',
  }
}

/** What EvalView's configuration says that we understand; the rest is passed over with a warning. */
const evalview = z.strictObject({
  adapter: z.string().optional(),
  endpoint: text.optional(),
  timeout: seconds.optional(),
  headers: z.record(z.string(), z.string()).optional(),
  allow_private_urls: z.boolean().optional(),
  model: z
    .union([
      text,
      z.strictObject({
        name: text,
        pricing: z
          .strictObject({
            input_per_1m: z.number().min(0),
            output_per_1m: z.number().min(0),
            cached_per_1m: z.number().min(0).optional(),
          })
          .optional(),
      }),
    ])
    .optional(),
  ci: z.strictObject({ fail_on: z.array(z.string()).optional(), warn_on: z.array(z.string()).optional() }).optional(),
  diff: z
    .looseObject({
      output_similarity_threshold: z.number().optional(),
      score_regression_threshold: z.number().optional(),
    })
    .optional(),
  judge: z.strictObject({ provider: text.optional(), model: text.optional() }).optional(),
  retry: z.looseObject({ max_retries: z.int().min(0).max(20).optional() }).optional(),
})

export interface ReadSettingsOptions {
  file: string
  env: Readonly<Record<string, string | undefined>>
  /** Written for EvalView. */
  evalview: boolean
}

/** Reads how cases are run. What is wrong is told; without errors there are settings. */
export function readSettings(
  content: string,
  options: ReadSettingsOptions,
): { settings: AgentSettings | undefined; problems: CaseProblem[] } {
  const problems: CaseProblem[] = []
  const tell = (problem: Omit<CaseProblem, 'file'>) => void problems.push({ file: options.file, ...problem })
  const { documents, faults } = readDocuments(content, options.file)
  for (const { message, line } of faults) tell({ level: 'error', line, path: '', message })
  const [document] = documents
  if (!document) return { settings: faults.length === 0 ? {} : undefined, problems }
  const { value, missing } = withEnvironment(document.value, options.env)
  for (const { name, path: at } of missing)
    tell({
      level: 'error',
      line: document.lineOf(at),
      path: at.join('.'),
      message: `The environment variable ${name} is not set.`,
    })
  const found = { value, path: [], document }
  const listening = { lenient: options.evalview, tell }
  if (!options.evalview) {
    const read = validated(settings, found, listening)
    return { settings: missing.length === 0 ? read : undefined, problems }
  }
  const config = validated(evalview, found, listening)
  for (const [index, state] of (config?.ci?.fail_on ?? []).entries()) {
    const at = ['ci', 'fail_on', index]
    const fault = stateFault(state)
    if (fault) tell({ ...fault, line: document.lineOf(at), path: pathText(at) })
  }
  return { settings: missing.length === 0 ? fromEvalview(config) : undefined, problems }
}

/** What is wrong with a state that a gate of EvalView fails for: a typo would be a gate that fails for nothing. */
function stateFault(state: string): Pick<CaseProblem, 'level' | 'message'> | undefined {
  if (failStates.some((one) => one === state)) return undefined
  if (state === 'CONTRACT_DRIFT') return { level: 'warning', message: `${state} is not looked at here.` }
  const meant = closest(state, failStates)
  const hint = meant === undefined ? `. There are ${failStates.join(', ')}.` : `; did you mean ${meant}?`
  return { level: 'error', message: `${state} is no state${hint}` }
}

/** Its adapters that speak HTTP differ in what they send, and all of that is in our requests. */
function fromEvalview(config: z.infer<typeof evalview> | undefined): AgentSettings | undefined {
  if (!config) return undefined
  const named = typeof config.model === 'string' ? { name: config.model, pricing: undefined } : config.model
  const prices = named?.pricing
  const { fail_on: failOn } = config.ci ?? {}
  const states = failStates.filter((state) => failOn?.includes(state))
  const { output_similarity_threshold: similarity, score_regression_threshold: drop } = config.diff ?? {}
  return {
    ...(config.endpoint === undefined
      ? {}
      : {
          agent: {
            url: config.endpoint,
            ...(config.timeout === undefined ? {} : { timeout: config.timeout }),
            ...(config.headers === undefined ? {} : { headers: config.headers }),
            ...(named === undefined ? {} : { model: named.name }),
            ...(config.retry?.max_retries === undefined ? {} : { retries: config.retry.max_retries }),
          },
        }),
    ...(named === undefined || prices === undefined
      ? {}
      : {
          pricing: {
            [named.name]: {
              input: prices.input_per_1m,
              output: prices.output_per_1m,
              ...(prices.cached_per_1m === undefined ? {} : { cached_input: prices.cached_per_1m }),
            },
          },
        }),
    ...(config.allow_private_urls === undefined ? {} : { allow_private: config.allow_private_urls }),
    ...(config.judge?.model === undefined
      ? {}
      : {
          judge: { model: [config.judge.provider, config.judge.model].filter((part) => part !== undefined).join('/') },
        }),
    gate: {
      ...(states.length === 0 ? {} : { fail_on: states }),
      ...(similarity === undefined ? {} : { output_similarity: similarity }),
      ...(drop === undefined ? {} : { score_drop: drop }),
    },
  }
}
