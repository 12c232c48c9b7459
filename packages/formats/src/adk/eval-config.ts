import { isObject } from '@llm-eval/protocol'
import type { Rubric } from './eval-model.ts'
import { rubric } from './eval-shape.ts'
import { unwrapped } from './read-eval-set.ts'
import { flag, list, map, number, object, opaque, type Shape, structured, text } from './shape.ts'
import { Telling } from './telling.ts'
import type { WrittenEval } from './write-eval-set.ts'

/** How calls of tools are held against those that are expected. */
export const matchTypes = ['EXACT', 'IN_ORDER', 'ANY_ORDER'] as const
export type MatchType = (typeof matchTypes)[number]

/** What a metric demands. Only those of the metrics that read them are set. */
export interface EvalCriterion {
  /** Passed where the score is no less. */
  threshold: number
  includeIntermediateResponsesInFinal?: boolean | undefined
  matchType?: MatchType | undefined
  ignoreArgs?: boolean | undefined
  judgeModelOptions?:
    | {
        judgeModel?: string | undefined
        judgeModelConfig?: unknown
        numSamples?: number | undefined
        parallelismLimit?: number | undefined
      }
    | undefined
  rubrics?: Rubric[] | undefined
  evaluateIntermediateNlResponses?: boolean | undefined
  stopSignal?: string | undefined
  /** Of metrics of users. */
  [more: string]: unknown
}

/** What `test_config.json` says, and the file of `--config_file_path`. */
export interface EvalConfig {
  /** By the names of metrics. */
  criteria: Record<string, EvalCriterion>
  customMetrics?:
    | Record<string, { codeConfig: { name: string }; metricInfo?: unknown; description?: string | undefined }>
    | undefined
  userSimulatorConfig?: unknown
  liveModelConfig?: unknown
}

const matchType: Shape<MatchType> = {
  read(json, telling) {
    const name = typeof json === 'number' ? matchTypes[json] : String(json).trim().toUpperCase().replace(/[- ]/g, '_')
    const found = matchTypes.find((one) => one === name)
    if (found === undefined) telling.fail(`is none of ${matchTypes.join(', ')}`)
    return found
  },
  write: (value) => value,
}

const criterionObject = object<EvalCriterion>(
  {
    threshold: number,
    includeIntermediateResponsesInFinal: flag,
    matchType,
    ignoreArgs: flag,
    judgeModelOptions: object({
      judgeModel: text,
      judgeModelConfig: structured,
      numSamples: number,
      parallelismLimit: number,
    }),
    rubrics: list(rubric),
    evaluateIntermediateNlResponses: flag,
    stopSignal: text,
  },
  { open: 'own', required: ['threshold'] },
)

/** A number is a threshold. */
const criterion: Shape<EvalCriterion> = {
  read(json, telling) {
    if (typeof json === 'number') return { threshold: json }
    if (isObject(json)) return criterionObject.read(json, telling)
    telling.fail('is neither a threshold nor a criterion')
    return undefined
  },
  write(value, telling) {
    const { threshold, ...more } = value
    return Object.keys(more).length === 0 ? threshold : criterionObject.write(value, telling)
  },
}

/** As results have it: an object, whatever it demands. */
export const wholeCriterion: Shape<EvalCriterion> = {
  read: (json, telling) => criterion.read(json, telling),
  write: (value, telling) => criterionObject.write(value, telling),
}

const shape = object<EvalConfig>(
  {
    criteria: map(criterion),
    customMetrics: map(
      object<{ codeConfig: { name: string }; metricInfo?: unknown; description?: string | undefined }>(
        { codeConfig: object({ name: text }, { required: ['name'] }), metricInfo: structured, description: text },
        { required: ['codeConfig'] },
      ),
    ),
    userSimulatorConfig: opaque,
    liveModelConfig: opaque,
  },
  { defaults: { criteria: {} } },
)

/**
 * A configuration of ADK's evaluation, in either casing.
 *
 * @param json any JSON; nothing throws
 */
export function readEvalConfig(json: unknown): { config: EvalConfig; lost: string[] } | { fault: string } {
  const value = unwrapped(json)
  if (!isObject(value)) return { fault: 'is no object' }
  const telling = new Telling('kept')
  const config = shape.read(value, telling)
  return config && telling.fault === undefined
    ? { config, lost: telling.lost }
    : { fault: telling.fault ?? 'is no configuration of ADK' }
}

/** The JSON of a configuration: a criterion that is no more than its threshold is a number. */
export function writeEvalConfig(config: EvalConfig): WrittenEval {
  const telling = new Telling('lost')
  return { json: shape.write(config, telling), lost: telling.lost }
}
