import { type Evidence, evidences, type Field, limits } from '@llm-eval/protocol'
import * as z from 'zod'
import { type Evaluator, evaluator, type Input, NoScore, type Verdict } from '../evaluator.ts'

/** What a function may say of a case: a number or a yes or no, or more. */
export type Said =
  | number
  | boolean
  | {
      score?: number | boolean | null
      passed?: boolean | null
      label?: string | null
      explanation?: string | null
      output?: Record<string, unknown>
    }

/** What is known of the request that is judged, as far as somebody observed it. */
export type Observed = Readonly<Partial<Record<Evidence, unknown>>>

/** An evaluator of one's own: gets all fields of a case, and of them what was observed. */
export type CustomFunction = (given: Input, observed: Observed, signal: AbortSignal) => Said | Promise<Said>

export interface CustomOptions {
  /** Kebab-case. */
  slug: string
  /** Goes up when it scores otherwise. Without one its scores cannot be calibrated, and gate nothing. */
  version?: string | null
  name?: string
  description?: string
  /** What there is no score without. */
  needs?: readonly Evidence[]
  /** Values from here on pass (0.5). */
  threshold?: number
  /** Smallest and largest value; 0 to 1 without it, null is no bound. */
  range?: { min: number | null; max: number | null }
}

const words: Record<Evidence, string> = {
  query: 'What was asked.',
  response: 'What was answered.',
  reference: 'What should have been answered.',
  context: 'What the answer was to be made from.',
  tool_calls: 'Tools that were called.',
  expected_tool_calls: 'Tools that should have been called.',
  messages: 'The conversation.',
  latency: 'Milliseconds until the answer.',
  cost: 'US dollars that it cost.',
  tokens: 'Tokens that it took.',
}

/** Makes an evaluator of a function. It runs in this process: one that loops for ever is better loaded from a module. */
export function customEvaluator(judge: CustomFunction, options: CustomOptions): Evaluator {
  return functionEvaluator(judge, options)
}

/** As `customEvaluator`, for a function nobody knows anything of. */
export function functionEvaluator(
  judge: (given: Input, observed: Observed, signal: AbortSignal) => unknown,
  options: CustomOptions,
): Evaluator {
  const { slug, version = null, name = slug, needs = [], threshold = 0.5, range = { min: 0, max: 1 } } = options
  const fields = evidences.map(
    (evidence): Field => ({
      name: evidence,
      type: 'any',
      description: words[evidence],
      required: needs.includes(evidence),
    }),
  )
  return evaluator({
    slug,
    name,
    description: options.description ?? 'A function of this installation.',
    kind: 'custom',
    category: 'custom',
    needs,
    input: fields,
    open: true,
    output: [],
    config: z.strictObject({ threshold: z.number().default(threshold).describe('Values from here on pass.') }),
    range,
    direction: 'higher',
    example: { input: {}, value: null, passed: null },
    depends: { version },
    pinned: version !== null,
    runs: 'inline',
    async score(input, { config, signal }) {
      const observed = Object.fromEntries(evidences.flatMap((one) => (one in input ? [[one, input[one]]] : [])))
      return verdictOf(await judge(input, observed, signal), config.threshold)
    },
  })
}

const saidSchema = z.union([
  z.number(),
  z.boolean(),
  z.looseObject({
    score: z.union([z.number(), z.boolean()]).nullish(),
    value: z.union([z.number(), z.boolean()]).nullish(),
    passed: z.boolean().nullish(),
    pass: z.boolean().nullish(),
    label: z.string().max(limits.nameChars).nullish(),
    explanation: z.string().nullish(),
    reason: z.string().nullish(),
    output: z.record(z.string(), z.unknown()).nullish(),
  }),
])

/** Reads what a function said. @throws {NoScore} `refused_value` */
function verdictOf(said: unknown, threshold: number): Verdict {
  const read = saidSchema.safeParse(said)
  if (!read.success)
    throw new NoScore(
      'refused_value',
      `The evaluator returned ${nameOf(said)}: it must be a number, a boolean, or an object with a score.`,
    )
  if (typeof read.data === 'number') return { value: read.data, passed: read.data >= threshold }
  if (typeof read.data === 'boolean') return { value: Number(read.data), passed: read.data }
  const { score, value, passed, pass, label = null, explanation, reason, output } = read.data
  const given = score ?? value ?? null
  const told = passed ?? pass ?? (typeof given === 'boolean' ? given : null)
  if (given === null && told === null && label === null)
    throw new NoScore('refused_value', 'The evaluator returned an object with neither score, passed nor label.')
  const number = typeof given === 'boolean' ? Number(given) : (given ?? (told === null ? null : Number(told)))
  return {
    value: number,
    passed: told ?? (number === null ? null : number >= threshold),
    label,
    explanation: explanation ?? reason ?? null,
    output: output ?? {},
  }
}

function nameOf(said: unknown): string {
  if (typeof said === 'number') return String(said)
  if (said === null || said === undefined) return String(said)
  return Array.isArray(said) ? 'an array' : typeof said === 'object' ? 'an object of another shape' : `a ${typeof said}`
}
