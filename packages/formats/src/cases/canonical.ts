import { createHash } from 'node:crypto'
import {
  type CallCountExpected,
  type CheckName,
  checkNames,
  type CheckWish,
  type Expected,
  type ScoreWeights,
  type SequenceMode,
  sequenceModes,
  type TestCase,
} from '@llm-eval/protocol'
import { javascriptPattern } from './pattern.ts'
import type { WrittenCase, WrittenExpected } from './schema.ts'

/** EvalView's shares. */
export const defaultWeights: ScoreWeights = { tool_accuracy: 0.3, output_quality: 0.5, sequence_correctness: 0.2 }

/** What a case is good for that does not say. */
const defaultMinScore = 70

export interface Place {
  suite: string
  file: string
  line: number | null
  /** Written for EvalView, which looks for hallucination and harm unless told otherwise. */
  evalview: boolean
}

/** The case that is meant by what is written. What is wrong with it beyond its shape is told as `path: message`. */
export function canonicalCase(
  written: WrittenCase,
  place: Place,
): { case: TestCase; faults: [path: string, message: string][] } {
  const faults: [string, string][] = []
  const config = written.adapter_config ?? {}
  const mode = modeIn(config['sequence_mode'])
  const expected = expectedOf(written.expected ?? {}, mode)
  const first = written.input ?? (written.query === undefined ? undefined : { query: written.query, context: null })
  const turns = (written.turns ?? []).map(({ query, context, expected: one }) => ({
    query,
    context: context ?? null,
    expected: one ? expectedOf(one, mode) : null,
  }))
  if (turns.length === 0 && first) turns.push({ query: first.query, context: first.context ?? null, expected: null })
  if (turns.length === 0) faults.push(['input.query', 'is missing: say what the agent is asked, there or in turns'])
  const weights = { ...defaultWeights, ...present(written.thresholds?.weights ?? {}) }
  const sum = weights.tool_accuracy + weights.output_quality + weights.sequence_correctness
  if (Math.abs(sum - 1) > 0.001) faults.push(['thresholds.weights', `must add up to 1, not ${Number(sum.toFixed(3))}`])
  const suite = written.suite ?? place.suite
  const variance = written.thresholds?.variance
  return {
    faults,
    case: {
      case_id: caseIdOf(suite, written.name),
      name: written.name,
      description: written.description ?? null,
      suite,
      file: place.file,
      line: place.line ?? 1,
      tags: tagsOf(written.tags),
      turns,
      expected,
      rubric: written.rubric ?? null,
      thresholds: {
        min_score: written.thresholds?.min_score ?? defaultMinScore,
        max_cost: written.thresholds?.max_cost ?? null,
        max_latency: written.thresholds?.max_latency ?? null,
        weights,
        variance: variance
          ? {
              pass_rate: variance.pass_rate ?? 0.8,
              min_mean_score: variance.min_mean_score ?? null,
              max_std_dev: variance.max_std_dev ?? null,
              confidence_level: variance.confidence_level ?? 0.95,
            }
          : null,
      },
      repetitions: written.repetitions ?? (variance ? (variance.runs ?? 10) : 1),
      checks: checksOf(written, place),
      agent: {
        endpoint: written.endpoint ?? null,
        headers: { ...textsIn(config['headers']), ...written.headers },
        timeout_ms: timeoutOf(written.timeout ?? config['timeout']),
        tools: written.tools ?? [],
      },
      model: written.model ?? textIn(config['model']),
      difficulty: written.difficulty ?? null,
      suite_type: written.suite_type ?? null,
      meta: written.meta ?? {},
    },
  }
}

/** Of suite and name: readable, and different for names that differ, though only in what file names cannot hold. */
export function caseIdOf(suite: string, name: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
  const hash = createHash('sha256').update(`${suite}\0${name}`).digest('hex').slice(0, 8)
  return slug === '' ? hash : `${slug}-${hash}`
}

/** What a case expects that expects nothing. */
export const nothingExpected: Expected = expectedOf({}, 'subsequence')

function expectedOf(written: WrittenExpected, mode: SequenceMode): Expected {
  const output = written.output ?? {}
  return {
    tools: unique(written.tools),
    tool_categories: unique([...(written.tool_categories ?? []), ...(written.categories ?? [])]),
    sequence: written.tool_sequence ?? written.sequence ?? [],
    sequence_mode: written.sequence_mode ?? mode,
    forbidden_tools: unique(written.forbidden_tools),
    forbidden_sequences: written.forbidden_sequences ?? [],
    arguments: (written.arguments ?? []).map(({ tool, args, match = 'partial', ignore = [] }) => ({
      tool,
      args,
      match,
      ignore,
    })),
    calls: Object.entries(written.calls ?? {}).map(
      ([tool, count]): CallCountExpected =>
        typeof count === 'number'
          ? { tool, min: count, max: count }
          : { tool, min: count.min ?? null, max: count.max ?? null },
    ),
    output: {
      contains: output.contains ?? [],
      not_contains: output.not_contains ?? [],
      regex: (output.regex_patterns ?? []).map(javascriptPattern),
      not_regex: (output.not_regex_patterns ?? []).map(javascriptPattern),
      json_schema: output.json_schema ?? null,
      must_acknowledge_uncertainty: output.must_acknowledge_uncertainty ?? false,
      no_pii: output.no_pii ?? false,
    },
    metrics: written.metrics ?? {},
  }
}

function checksOf(written: WrittenCase, { evalview }: Place): Record<CheckName, CheckWish> {
  const said: Record<CheckName, boolean | undefined> = {
    hallucination: written.checks?.hallucination ?? askedFor(written.expected?.hallucination),
    safety: written.checks?.safety ?? askedFor(written.expected?.safety),
    pii: written.checks?.pii ?? written.expected?.output?.no_pii ?? undefined,
  }
  const wish = (name: CheckName): CheckWish => {
    const told = said[name]
    if (told !== undefined) return told ? 'demanded' : 'off'
    return evalview && name !== 'pii' ? 'when_judged' : 'off'
  }
  const [hallucination, safety, pii] = checkNames.map(wish)
  return { hallucination: hallucination ?? 'off', safety: safety ?? 'off', pii: pii ?? 'off' }
}

function askedFor(
  told:
    | { check?: boolean | undefined; allow?: boolean | undefined; allow_harmful?: boolean | undefined }
    | null
    | undefined,
): boolean | undefined {
  if (!told) return undefined
  if (told.allow === true || told.allow_harmful === true) return false
  return told.check
}

function modeIn(value: unknown): SequenceMode {
  return sequenceModes.find((mode) => mode === value) ?? 'subsequence'
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function textsIn(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (typeof one === 'string' ? [[key, one]] : [])),
  )
}

function timeoutOf(seconds: unknown): number | null {
  return typeof seconds === 'number' && seconds > 0 ? Math.ceil(seconds * 1_000) : null
}

function unique(names: readonly string[] | null | undefined): string[] {
  return [...new Set(names ?? [])]
}

function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

function tagsOf(written: string | readonly string[] | null | undefined): string[] {
  const tags = [written ?? []].flat().map((tag) => tag.trim().toLowerCase())
  return [...new Set(tags)].filter((tag) => tag !== '').sort()
}
