import { type EvaluatorInfo, limits, type RunMetric, type RunTask } from '@llm-eval/protocol'
import type { NewRun } from '../api/runs.ts'
import { type Faults, metricName, type RunDraft, splitTags } from './new-run-draft.ts'
import { configFields, readConfig } from './schema-form.ts'

/** The request that a draft makes, or what is wrong with it as far as that shows without asking the server. */
export function readDraft(
  draft: RunDraft,
  catalogue: readonly EvaluatorInfo[],
): { body: NewRun; faults?: undefined } | { faults: Faults } {
  const faults: Faults = {}
  const read = new Reader(faults)
  const limit = {
    ...member('cost', read.number(draft.maxCost, 'settings.limits.cost', { above: 0, most: limits.costMax })),
    ...member(
      'duration_ms',
      scaled(read.number(draft.maxMinutes, 'settings.limits.duration_ms', { above: 0 }), 60_000),
    ),
  }
  const timeout = { above: 0, most: limits.runTimeoutMs / 1_000 }
  const body: NewRun = {
    name: read.text(draft.name, 'name'),
    ...member('description', draft.description.trim() || undefined),
    dataset: read.text(draft.dataset, 'dataset'),
    ...member('dataset_version', draft.version || undefined),
    task: taskOf(draft, read),
    metrics_used: metricsOf(draft, catalogue, faults),
    settings: {
      ...member('repetitions', read.whole(draft.repetitions, 'settings.repetitions', [1, limits.runRepetitions])),
      ...member('concurrency', read.whole(draft.concurrency, 'settings.concurrency', [1, limits.runConcurrency])),
      ...member('timeout_ms', scaled(read.number(draft.timeout, 'settings.timeout_ms', timeout), 1_000)),
      ...member('retries', read.whole(draft.retries, 'settings.retries', [0, limits.runRetries])),
      ...member('limits', Object.keys(limit).length > 0 ? limit : undefined),
      ...member('decision', decisionOf(draft, read)),
    },
    tags: splitTags(draft.tags),
    ...member('model_name', draft.modelName.trim() || undefined),
    ...member('environment', draft.environment.trim() || undefined),
    config: read.object(draft.config, 'config'),
    metadata: read.object(draft.metadata, 'metadata'),
  }
  return Object.keys(faults).length > 0 ? { faults } : { body }
}

function member<K extends string, T>(name: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, T>)
}

function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : Math.round(value * by)
}

function taskOf(draft: RunDraft, read: Reader): RunTask {
  switch (draft.kind) {
    case 'outputs':
      return { kind: 'outputs', column: read.text(draft.column, 'task.column') }
    case 'http': {
      const headers = read.headers(draft.headers, 'task.headers')
      return {
        kind: 'http',
        url: read.address(draft.url, 'task.url'),
        ...(Object.keys(headers).length > 0 ? { headers } : {}),
        ...(draft.output.trim() === '' ? {} : { output: draft.output.trim() }),
      }
    }
    case 'prompt':
      return {
        kind: 'prompt',
        template: read.text(draft.template, 'task.template'),
        ...(draft.system.trim() === '' ? {} : { system: draft.system }),
        ...(draft.model.trim() === '' ? {} : { model: draft.model.trim() }),
      }
  }
}

function metricsOf({ metrics }: RunDraft, catalogue: readonly EvaluatorInfo[], faults: Faults): RunMetric[] {
  if (metrics.length === 0) faults['metrics_used'] = 'Choose at least one.'
  const names = new Set<string>()
  return metrics.map((metric, at) => {
    const name = metricName(metric)
    if (names.has(name)) faults[`metrics_used[${at}].name`] = 'is the name of another metric'
    names.add(name)
    const info = catalogue.find(({ slug }) => slug === metric.evaluator)
    const filled = readConfig(configFields(info?.config_schema ?? {}), metric.config)
    if ('values' in filled) {
      const isEmpty = Object.keys(filled.values).length === 0
      return { name, evaluator: metric.evaluator, ...(isEmpty ? {} : { config: filled.values }) }
    }
    for (const [field, fault] of Object.entries(filled.faults)) faults[`metrics_used[${at}].config.${field}`] = fault
    return { name, evaluator: metric.evaluator }
  })
}

function decisionOf({ decideOn, threshold, level, metrics }: RunDraft, read: Reader): NewRun['settings']['decision'] {
  if (decideOn === '') return undefined
  if (!metrics.some((metric) => metricName(metric) === decideOn))
    read.fault('settings.decision.metric', 'is no metric of this run')
  const value = read.number(threshold, 'settings.decision.threshold', { least: 0, most: 1 })
  if (threshold.trim() === '') read.fault('settings.decision.threshold', 'is needed')
  const sure = read.number(level, 'settings.decision.level', { above: 0, below: 1 })
  return { metric: decideOn, threshold: value ?? 0, ...(sure === undefined ? {} : { level: sure }) }
}

interface Bounds {
  least?: number
  most?: number
  above?: number
  below?: number
}

/** Reads texts, and notes what is wrong with them. */
class Reader {
  readonly #faults: Faults

  constructor(faults: Faults) {
    this.#faults = faults
  }

  fault(path: string, message: string): void {
    this.#faults[path] ??= message
  }

  text(value: string, path: string): string {
    if (value.trim() === '') this.fault(path, 'is needed')
    return path === 'task.template' ? value : value.trim()
  }

  /** Undefined when the field is empty. */
  number(value: string, path: string, { least, most, above, below }: Bounds): number | undefined {
    if (value.trim() === '') return undefined
    const number = Number(value)
    if (!Number.isFinite(number)) this.fault(path, 'must be a number')
    else if (above !== undefined && number <= above) this.fault(path, `must be more than ${above}`)
    else if (below !== undefined && number >= below) this.fault(path, `must be less than ${below}`)
    else if (least !== undefined && number < least) this.fault(path, `must be at least ${least}`)
    else if (most !== undefined && number > most) this.fault(path, `must be at most ${most}`)
    return number
  }

  whole(value: string, path: string, [least, most]: [number, number]): number | undefined {
    const number = this.number(value, path, { least, most })
    if (number !== undefined && !Number.isInteger(number)) this.fault(path, 'must be a whole number')
    return number
  }

  address(value: string, path: string): string {
    const given = this.text(value, path)
    if (given !== '' && !/^https?:\/\/[^\s/]/i.test(given)) this.fault(path, 'must be an http or https address')
    return given
  }

  headers(value: string, path: string): Record<string, string> {
    const headers: [string, string][] = []
    for (const line of value.split('\n').filter((one) => one.trim() !== '')) {
      const at = line.indexOf(':')
      const [name, content] = [line.slice(0, at).trim(), line.slice(at + 1).trim()]
      if (at < 1 || name === '') this.fault(path, `“${line.trim()}” is not of the form Name: value`)
      else if (content === '') this.fault(path, `${name} needs a value`)
      headers.push([name, content])
    }
    return Object.fromEntries(headers)
  }

  object(value: string, path: string): Record<string, unknown> {
    if (value.trim() === '') return {}
    try {
      const given: unknown = JSON.parse(value)
      if (typeof given === 'object' && given !== null && !Array.isArray(given)) return { ...given }
    } catch {
      // The same is said below.
    }
    this.fault(path, 'must be a JSON object')
    return {}
  }
}
