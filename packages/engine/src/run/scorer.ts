import { type EvaluatorInfo, Failure, type Fault, type RunMetric } from '@llm-eval/protocol'
import type { Engine, Evaluation, Prepared } from '../engine.ts'
import type { Scorer } from './plan.ts'

/** The evaluators of a run, ready to score. */
export interface RunScorer {
  /** What `run` wants. Evidence that is missing makes a score `skipped`. */
  evaluate: Scorer
  /** Of each metric by its name, with the version that its scores carry. */
  infos: ReadonlyMap<string, EvaluatorInfo>
}

/**
 * Looks the evaluators of a run up, and checks their configuration.
 *
 * @param resolve what the engine takes for an evaluator's name, where that is not the name itself
 * @throws {Failure} `invalid_request` with paths below `metrics`
 */
export function createScorer(
  engine: Pick<Engine, 'prepare'>,
  metrics: readonly RunMetric[],
  resolve: (evaluator: string) => Evaluation['evaluator'] = (evaluator) => evaluator,
): RunScorer {
  const errors: Fault[] = []
  const ready = new Map<string, Prepared>()
  for (const [index, { name, evaluator, config }] of metrics.entries()) {
    const found = engine.prepare(resolve(evaluator), config)
    const at = `metrics[${index}]`
    if (!found) errors.push({ path: `${at}.evaluator`, message: 'is not known' })
    else if ('faults' in found)
      errors.push(...found.faults.map(({ path, message }) => ({ path: `${at}.${path}`, message })))
    else ready.set(name, found.prepared)
  }
  if (errors.length > 0) throw new Failure('invalid_request', { errors })
  return {
    evaluate({ name }, input, options) {
      const prepared = ready.get(name)
      if (!prepared) throw new Error(`${name} is no metric of this run`)
      return prepared.evaluate(input, { evidence: 'trace', signal: () => options.signal })
    },
    infos: new Map([...ready].map(([name, { info }]) => [name, info])),
  }
}
