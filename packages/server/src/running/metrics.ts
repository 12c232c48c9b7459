/** The evaluators of runs: looked up when a run is made, and again, as they were then, by whoever scores. */
import { createScorer, type Engine, type Evaluation, type Scorer } from '@llm-eval/engine'
import { Failure, type Fault, type RunMetric } from '@llm-eval/protocol'
import * as z from 'zod'
import type { Catalogue } from '../judging/judge.ts'
import type { Turns } from './turns.ts'

const stored = z.array(
  z.object({
    name: z.string(),
    evaluator: z.string(),
    config: z.record(z.string(), z.unknown()).exactOptional(),
    version: z.string().nullable(),
    pinned: z.boolean(),
    direction: z.enum(['higher', 'lower']).nullable(),
    held: z.enum(['here', 'by_client']),
  }),
)

/** A metric as it is kept with its run: with the version of its evaluator, and who has that. */
export type UsedMetric = z.infer<typeof stored>[number]

/** A metric as it was asked for. */
export interface MetricWish {
  name?: string
  evaluator: string
  config?: Record<string, unknown>
  evaluator_version?: string
  direction?: 'higher' | 'lower'
}

/** What evaluators are looked up in. */
export interface Evaluators {
  engine: Engine
  catalogue: Catalogue
}

/** What scores in the metrics of a run. */
export interface Scoring {
  evaluate: Scorer
  /** Those that the server has the evaluators of. */
  metrics: RunMetric[]
  /** Whether any of them asks a model. */
  asksModels: boolean
}

/** The metrics of a run, from what the store keeps. */
export function readMetrics(json: string): UsedMetric[] {
  return stored.parse(JSON.parse(json))
}

/**
 * The metrics that were asked for, each under a name of its own.
 *
 * @param others whether evaluators that this server does not have are left to the client
 * @throws {Failure} `invalid_request` with paths below `metrics_used`
 */
export async function chooseMetrics(
  evaluators: Evaluators,
  projectId: number,
  { wishes, others }: { wishes: readonly MetricWish[]; others: 'refused' | 'left_to_client' },
): Promise<UsedMetric[]> {
  const errors: Fault[] = []
  const names = new Set<string>()
  const chosen: UsedMetric[] = []
  for (const [index, wish] of wishes.entries()) {
    const at = `metrics_used[${index}]`
    const name = wish.name ?? wish.evaluator
    if (names.has(name)) errors.push({ path: `${at}.name`, message: 'is the name of another metric' })
    names.add(name)
    const found = await find(evaluators, projectId, wish)
    if (found !== undefined && 'faults' in found)
      errors.push(...found.faults.map(({ path, message }) => ({ path: `${at}.${path}`, message })))
    else if (found !== undefined) chosen.push({ name, ...found.metric })
    else if (others === 'left_to_client') chosen.push({ name, ...ofClient(wish) })
    else errors.push({ path: `${at}.evaluator`, message: 'is not known' })
  }
  if (errors.length > 0) throw new Failure('invalid_request', { errors: errors.slice(0, 100) })
  return chosen
}

function ofClient({ evaluator, config, evaluator_version: version, direction }: MetricWish): Omit<UsedMetric, 'name'> {
  return {
    evaluator,
    ...(config === undefined ? {} : { config }),
    version: version ?? null,
    pinned: version !== undefined,
    direction: direction ?? null,
    held: 'by_client',
  }
}

async function find(
  { engine, catalogue }: Evaluators,
  projectId: number,
  { evaluator, config }: MetricWish,
): Promise<{ metric: Omit<UsedMetric, 'name'> } | { faults: Fault[] } | undefined> {
  const entry = await catalogue.find(projectId, evaluator).catch(unlessUnknown)
  const found = entry && engine.prepare(entry.use, config)
  if (found === undefined || entry === undefined) return undefined
  if ('faults' in found) return found
  const { version, pinned, direction } = found.prepared.info
  const own = config === undefined ? {} : { config }
  return { metric: { evaluator: entry.info.slug, ...own, version, pinned, direction, held: 'here' } }
}

function unlessUnknown(error: unknown): undefined {
  if (!(error instanceof Failure) || error.code !== 'evaluator_not_found') throw error
}

/**
 * What scores in those metrics that this server has the evaluators of, in the versions that the run was made with: another
 * version would give other scores.
 *
 * @param gone whether a run is refused whose evaluators are not there any more, or has an error where their scores should be
 * @throws {Failure} `version_not_found`, `evaluator_not_found`
 */
export async function prepareScorer(
  evaluators: Evaluators & { turns: Turns },
  projectId: number,
  { metrics, gone }: { metrics: readonly UsedMetric[]; gone: 'refused' | 'errored' },
): Promise<Scoring> {
  const uses = new Map<string, Evaluation['evaluator']>()
  const missing = new Map<string, Failure>()
  const here = metrics.filter(({ held }) => held === 'here')
  for (const metric of here)
    try {
      uses.set(metric.name, await recall(evaluators, projectId, metric))
    } catch (error) {
      if (gone === 'refused' || !(error instanceof Failure) || error.status !== 404) throw error
      missing.set(metric.name, error)
    }
  // The scorer looks evaluators up by what a metric calls them, and two metrics may have one evaluator in two versions.
  const named = here.map(({ name, config }): RunMetric => ({ name, evaluator: name, config }))
  const known = named.filter(({ name }) => !missing.has(name))
  const scorer = createScorer(evaluators.engine, known, (name) => uses.get(name) ?? name)
  const asks = (name: string) => (scorer.infos.get(name)?.provider ?? 'none') !== 'none'
  return {
    metrics: named,
    asksModels: named.some(({ name }) => asks(name)),
    evaluate(metric, input, options) {
      const failure = missing.get(metric.name)
      if (failure) throw failure
      return asks(metric.name)
        ? evaluators.turns.take(options.signal, () => scorer.evaluate(metric, input, options))
        : scorer.evaluate(metric, input, options)
    },
  }
}

async function recall(
  { engine, catalogue }: Evaluators,
  projectId: number,
  { evaluator, version, config }: UsedMetric,
): Promise<Evaluation['evaluator']> {
  const { use } = await catalogue.find(projectId, evaluator)
  if (engine.info(use, config)?.version === version) return use
  for (const { definition } of await catalogue.versions(projectId, evaluator)) {
    if (definition === null) continue
    const older = { slug: evaluator, definition }
    if (engine.info(older, config)?.version === version) return older
  }
  throw new Failure('version_not_found', { values: { what: evaluator, version: version ?? '' } })
}
