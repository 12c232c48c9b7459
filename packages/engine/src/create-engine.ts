import { type EvaluatorInfo, Failure, type Fault, limits, type Score } from '@llm-eval/protocol'
import { builtinEvaluators } from './builtin.ts'
import { type Catalogue, createCatalogue } from './catalogue.ts'
import { readConfig } from './config.ts'
import type { Definition, JudgeDefinition, RemoteDefinition } from './definition.ts'
import type { Engine, EvaluateOptions, Evaluation, Prepared, PreparedOptions } from './engine.ts'
import { type Evaluator, type Input, NoScore } from './evaluator.ts'
import { infoOf, versionOf } from './info.ts'
import { resolveInput } from './input.ts'
import type { Models } from './models/models.ts'
import { slugOf } from './names.ts'
import { semanticSimilarity } from './text/semantic-similarity.ts'
import { createEvaluatorThreads } from './threads/evaluator-threads.ts'
import type { ThreadPool } from './threads/pool.ts'
import { noScoreOf, scoreOf } from './verdict.ts'
import { cancelled, inTime } from './in-time.ts'

/** Makes an evaluator of a definition that is no preset. */
export type FromDefinition = (
  slug: string,
  definition: JudgeDefinition | RemoteDefinition,
) => { evaluator: Evaluator } | { faults: Fault[] }

export interface EngineOptions {
  models?: Models | undefined
  /** Judges and custom evaluators, beside the built-in ones. They run where they are called. */
  evaluators?: readonly Evaluator[]
  /** Without it only presets can be defined. */
  fromDefinition?: FromDefinition
  /** Threads for what may be slow. */
  threads?: number
  /** Seconds that an evaluator of code, and one that asks others, may take. */
  seconds?: { code: number; judge: number }
  /** A clock in milliseconds, for durations. */
  now?: () => number
}

/** An evaluator as it was asked for. */
interface Asked {
  evaluator: Evaluator
  /** What the definition lays over the evaluator's own configuration. */
  preset: Record<string, unknown> | null
  slug: string
}
type Found = Asked | { faults: Fault[] } | undefined

interface Parts {
  catalogue: Catalogue
  pool: ThreadPool
  fromDefinition: FromDefinition
  seconds: { code: number; judge: number }
  now: () => number
}

/** Puts an engine together. Threads start when the first evaluation needs one. */
export function createEngine(options: EngineOptions = {}): Engine {
  const { evaluators = [], threads = 2, seconds = { code: limits.codeSeconds, judge: limits.judgeSeconds } } = options
  const parts: Parts = {
    catalogue: createCatalogue([...builtinEvaluators, semanticSimilarity(options.models), ...evaluators]),
    pool: createEvaluatorThreads(threads),
    fromDefinition: options.fromDefinition ?? noDefinitions,
    seconds,
    now: options.now ?? (() => performance.now()),
  }
  return {
    catalogue: () => parts.catalogue.all(),
    info: (asked, config) => {
      const found = find(parts, asked)
      return found && 'evaluator' in found ? describe(parts, found, config) : undefined
    },
    inspect: (slug, definition) => inspect(parts, slug, definition),
    prepare: (asked, config) => prepare(parts, asked, config),
    check: (evaluation) => {
      const found = find(parts, evaluation.evaluator)
      if (!found) return [{ path: 'evaluator', message: 'is not known' }]
      return 'faults' in found ? found.faults : faultsOf(found, evaluation)
    },
    evaluate: (evaluation, how = {}) => evaluate(parts, evaluation, how),
    close: () => parts.pool.close(),
  }
}

function noDefinitions(): { faults: Fault[] } {
  return { faults: [{ path: 'kind', message: 'only presets can be defined here' }] }
}

function find({ catalogue, fromDefinition }: Parts, asked: Evaluation['evaluator']): Found {
  if (typeof asked === 'string') {
    const evaluator = catalogue.find(asked)
    return evaluator && { evaluator, preset: null, slug: evaluator.slug }
  }
  const { slug, definition } = asked
  if (definition.kind === 'preset') {
    const evaluator = catalogue.find(definition.base)
    if (evaluator) return { evaluator, preset: definition.config, slug }
    return { faults: [{ path: 'base', message: `there is no evaluator ${slugOf(definition.base)}` }] }
  }
  const made = fromDefinition(slug, definition)
  return 'faults' in made ? made : { evaluator: made.evaluator, preset: null, slug }
}

function describe(
  { catalogue }: Parts,
  { evaluator, preset, slug }: Asked,
  config: Evaluation['config'],
): EvaluatorInfo {
  const listed = catalogue.find(evaluator.slug) === evaluator
  const info = listed ? catalogue.info(evaluator) : { ...infoOf(evaluator), source: 'custom' as const }
  const layered = preset !== null || (config !== null && config !== undefined)
  if (layered) info.version = versionOf(evaluator, { ...preset, ...config })
  return preset === null ? info : { ...info, slug, name: slug, source: 'custom', aliases: [], example: null }
}

function inspect(parts: Parts, slug: string, definition: Definition): { info: EvaluatorInfo } | { faults: Fault[] } {
  const found = find(parts, { slug, definition })
  if (!found || 'faults' in found) return { faults: found?.faults ?? [] }
  const read = readConfig(found.evaluator, found.preset)
  if ('faults' in read) return { faults: read.faults }
  return { info: describe(parts, found, null) }
}

function faultsOf({ evaluator, preset }: Asked, { input, config }: Evaluation): Fault[] {
  const read = readConfig(evaluator, preset, config)
  const { missing, faults } = resolveInput(evaluator.input, input)
  return [...faults, ...missingFaults(missing), ...('faults' in read ? read.faults : [])]
}

function missingFaults(missing: readonly { name: string }[]): Fault[] {
  return missing.map(({ name }) => ({ path: `input.${name}`, message: 'is required' }))
}

function prepare(
  parts: Parts,
  asked: Evaluation['evaluator'],
  config: Evaluation['config'],
): { prepared: Prepared } | { faults: Fault[] } | undefined {
  const found = find(parts, asked)
  if (!found || 'faults' in found) return found
  const read = readConfig(found.evaluator, found.preset, config)
  if ('faults' in read) return { faults: read.faults }
  const ready = { evaluator: found.evaluator, config: read.config }
  const info = describe(parts, found, config)
  return { prepared: { info, evaluate: (input, options = {}) => score(parts, { ...ready, input }, options) } }
}

async function evaluate(parts: Parts, evaluation: Evaluation, options: EvaluateOptions): Promise<Score> {
  const { evaluator: asked, input, config } = evaluation
  const found = find(parts, asked)
  if (!found)
    throw new Failure('evaluator_not_found', { values: { slug: typeof asked === 'string' ? asked : asked.slug } })
  if ('faults' in found) throw new Failure('invalid_request', { errors: found.faults })
  const read = readConfig(found.evaluator, found.preset, config)
  if ('faults' in read) throw new Failure('invalid_request', { errors: read.faults })
  const { signal, ...how } = options
  const work = { evaluator: found.evaluator, config: read.config, input, cancelled: signal?.aborted === true }
  return score(parts, work, { ...how, signal: signal && (() => signal) })
}

/** At once where the evaluator is done at once. @throws {Failure} `invalid_request`, `overloaded` */
function score(parts: Parts, work: Work, options: PreparedOptions): Score | Promise<Score> {
  const { evaluator, input: raw } = work
  const { input, missing, faults } = resolveInput(evaluator.input, raw)
  const errors = [...faults, ...missingFaults(missing)]
  if (errors.length > 0 && options.evidence !== 'trace') throw new Failure('invalid_request', { errors })

  const started = parts.now()
  const timed = (scored: Omit<Score, 'duration_ms'>): Score => ({
    ...scored,
    duration_ms: Math.max(0, Math.round((parts.now() - started) * 1_000) / 1_000),
  })
  const unscored = (error: unknown): Score => {
    if (error instanceof Failure) throw error
    return timed(noScoreOf(error))
  }
  if (errors.length > 0) return unscored(new NoScore('missing_evidence', absent(errors)))
  try {
    const whole = evaluator.open === true ? { ...raw, ...input } : input
    const said = judge(parts, { ...work, input: whole }, options)
    return said instanceof Promise
      ? said.then((verdict) => timed(scoreOf(evaluator, verdict))).catch(unscored)
      : timed(scoreOf(evaluator, said))
  } catch (error) {
    return unscored(error)
  }
}

function absent(errors: readonly Fault[]): string {
  return `Evidence is missing: ${errors.map(({ path, message }) => `${path.slice('input.'.length)} ${message}`).join(', ')}.`
}

interface Work {
  evaluator: Evaluator
  input: Input
  config: unknown
  /** Whether whoever asked gave up before. */
  cancelled?: boolean
}

function judge(parts: Parts, work: Work, { signal, onProgress }: PreparedOptions): unknown {
  const { evaluator, input, config } = work
  const alone = evaluator.kind === 'code' && evaluator.provider === undefined
  // Others are not asked in vain. What code says at once is there sooner than a signal.
  if (work.cancelled === true || (!alone && signal?.().aborted === true)) throw cancelled()
  const milliseconds = (alone ? parts.seconds.code : parts.seconds.judge) * 1_000
  if (inThread(work))
    return parts.pool.run({ slug: evaluator.slug, input, config }, { signal: signal?.(), milliseconds })
  return inTime<unknown>({ signal, milliseconds }, (ending) =>
    evaluator.score(input, {
      config,
      get signal() {
        return ending.signal
      },
      progress: (done, total) => onProgress?.(done, total),
    }),
  )
}

/** Whether it runs in a thread: only built-in evaluators can, and what cannot be measured should. */
function inThread({ evaluator, input, config }: Work): boolean {
  if (!builtinEvaluators.includes(evaluator)) return false
  try {
    return (typeof evaluator.runs === 'function' ? evaluator.runs(input, config) : evaluator.runs) === 'thread'
  } catch {
    return true
  }
}
