import {
  createEngine,
  createScorer,
  customEvaluator,
  type CustomFunction,
  type Engine,
  type RunScorer,
} from '@llm-eval/engine'
import type { RunMetric } from '@llm-eval/protocol'
import type { EvaluationCase, Metric, MetricFunction, MetricOptions } from './options.ts'

/** A metric as the server is told of it. */
export interface MetricWish {
  name: string
  evaluator: string
  config?: Record<string, unknown> | undefined
  evaluator_version?: string | undefined
  direction?: 'higher' | undefined
}

/** The metrics of a run, told apart by where they are computed. */
export interface ChosenMetrics {
  /** All, in the order in which they were asked for. */
  wishes: readonly MetricWish[]
  /** Those that are computed here. */
  here: readonly RunMetric[]
  evaluate: RunScorer['evaluate']
  close: () => Promise<void>
}

/** Their tables are larger than all the rest of this package: the server computes them. */
const leftToServer = new Set(['sql-validator', 'language'])
/** Evaluators that only this process has are told apart from those of the server by this. */
const own = 'client:'
/** Carries the case to functions of one's own; no column of a dataset is called so. */
export const caseField = '\0case'

/**
 * Built-in evaluators of code and functions are computed here, judges and evaluators of a project by the server.
 *
 * @throws {TypeError} without metrics, for a function without a name, and when two have one name
 * @throws {Failure} `invalid_request` for a configuration that does not fit
 */
export function chooseMetrics(metrics: readonly Metric[]): ChosenMetrics {
  if (metrics.length === 0) throw new TypeError('an evaluation needs at least one metric')
  const asked = metrics.map(named)
  const twice = asked.find(({ name }, index) => asked.findIndex((other) => other.name === name) !== index)
  if (twice) throw new TypeError(`two metrics have the name ${twice.name}`)
  const slugs = new Map<string, string>()
  const functions = asked.flatMap(({ name, evaluator, version = null }, index) => {
    if (typeof evaluator === 'string') return []
    // Names of one's own may be anything, slugs may not.
    const slug = `client-function-${index}`
    slugs.set(own + name, slug)
    return [customEvaluator(adapted(evaluator), { slug, name, version })]
  })
  const engine = createEngine({ evaluators: functions })
  const wishes = asked.map(({ name, evaluator, config, version }): MetricWish => {
    if (typeof evaluator === 'string') return { name, evaluator, ...(config && { config }) }
    return { name, evaluator: own + name, evaluator_version: version, direction: 'higher', ...(config && { config }) }
  })
  const here = wishes
    .filter(({ evaluator }) => slugs.has(evaluator) || isCode(engine, evaluator))
    .map(({ name, evaluator, config }): RunMetric => ({ name, evaluator, ...(config && { config }) }))
  const { evaluate } = createScorer(engine, here, (evaluator) => slugs.get(evaluator) ?? evaluator)
  return { wishes, here, evaluate, close: () => engine.close() }
}

function isCode(engine: Engine, evaluator: string): boolean {
  const info = engine.info(evaluator)
  return info !== undefined && !leftToServer.has(info.slug) && info.kind === 'code' && info.provider === 'none'
}

function named(metric: Metric): MetricOptions & { name: string } {
  const options = typeof metric === 'object' ? metric : { evaluator: metric }
  const { evaluator, name = typeof evaluator === 'string' ? evaluator : evaluator.name } = options
  if (name === '') throw new TypeError('a metric that is a function needs a name: {name, evaluator}')
  return { ...options, name }
}

function adapted(judge: MetricFunction): CustomFunction {
  return async (given, observed, signal) => {
    const one = given[caseField] as EvaluationCase
    const said = await judge({
      input: one.input,
      output: observed.response ?? null,
      expected: one.expected ?? null,
      case: one,
      latency: numberOrNull(observed.latency),
      cost: numberOrNull(observed.cost),
      tokens: numberOrNull(observed.tokens),
      tool_calls: observed.tool_calls ?? null,
      signal,
    })
    // What it says is looked at by the engine, whatever it is.
    return said as ReturnType<CustomFunction>
  }
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
