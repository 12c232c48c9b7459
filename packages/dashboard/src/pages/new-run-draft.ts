/** A run as it is typed into its form: every value is a text until it is sent. */
import type { Run, RunTask } from '@llm-eval/protocol'
import { typed } from './schema-form.ts'

/** Tasks that the server does by itself. */
export const taskKinds = ['outputs', 'http', 'prompt'] as const
export type TaskKind = (typeof taskKinds)[number]

export interface MetricDraft {
  evaluator: string
  /** That of the evaluator when empty. */
  name: string
  config: Record<string, string>
}

export interface RunDraft {
  name: string
  description: string
  tags: string
  modelName: string
  environment: string
  /** JSON, as is the next. */
  config: string
  metadata: string
  dataset: string
  /** Empty is the newest. */
  version: string
  kind: TaskKind
  column: string
  url: string
  /** `Name: value`, one a line. */
  headers: string
  output: string
  template: string
  system: string
  model: string
  metrics: MetricDraft[]
  repetitions: string
  concurrency: string
  /** Seconds. */
  timeout: string
  retries: string
  /** US dollars. */
  maxCost: string
  /** Minutes. */
  maxMinutes: string
  /** Name of a metric; empty does without. */
  decideOn: string
  threshold: string
  level: string
}

/** What is wrong, by the place in the request: `task.url`, `metrics_used[0].config.values`. The rest stands under ''. */
export type Faults = Record<string, string>

/** What each part of the form is handed. */
export interface PartProps {
  draft: RunDraft
  faults: Faults
  set: (part: Partial<RunDraft>) => void
}

export const emptyDraft: RunDraft = {
  name: '',
  description: '',
  tags: '',
  modelName: '',
  environment: '',
  config: '',
  metadata: '',
  dataset: '',
  version: '',
  kind: 'outputs',
  column: '',
  url: '',
  headers: '',
  output: '',
  template: '',
  system: '',
  model: '',
  metrics: [],
  repetitions: '1',
  concurrency: '10',
  timeout: '120',
  retries: '0',
  maxCost: '',
  maxMinutes: '',
  decideOn: '',
  threshold: '',
  level: '',
}

/** The draft that makes a run like this one. Values of headers are secrets that the server keeps: they are typed again. */
export function draftOf(run: Run, dataset: string): RunDraft {
  const { settings } = run
  const { cost, duration_ms: lasting } = settings.limits
  return {
    ...emptyDraft,
    name: run.name,
    description: run.description ?? '',
    tags: run.tags.join(', '),
    modelName: run.model_name ?? '',
    environment: run.environment ?? '',
    config: typedObject(run.config),
    metadata: typedObject(run.metadata),
    dataset,
    version: run.dataset_version ?? '',
    ...taskDraft(run.task),
    metrics: run.metrics_used.map(({ name, evaluator, config }) => ({
      evaluator,
      name: name === evaluator ? '' : name,
      config: Object.fromEntries(Object.entries(config ?? {}).map(([key, value]) => [key, typed(value)])),
    })),
    repetitions: String(settings.repetitions),
    concurrency: String(settings.concurrency),
    timeout: String(settings.timeout_ms / 1_000),
    retries: String(settings.retries),
    maxCost: cost === undefined ? '' : String(cost),
    maxMinutes: lasting === undefined ? '' : String(lasting / 60_000),
    decideOn: settings.decision?.metric ?? '',
    threshold: typed(settings.decision?.threshold),
    level: typed(settings.decision?.level),
  }
}

function typedObject(value: object): string {
  return Object.keys(value).length === 0 ? '' : typed(value)
}

function taskDraft(task: RunTask): Partial<RunDraft> {
  switch (task.kind) {
    case 'outputs':
      return { kind: 'outputs', column: task.column }
    case 'http':
      return {
        kind: 'http',
        url: task.url,
        headers: Object.keys(task.headers ?? {})
          .map((name) => `${name}: `)
          .join('\n'),
        output: task.output ?? '',
      }
    case 'prompt':
      return { kind: 'prompt', template: task.template, system: task.system ?? '', model: task.model ?? '' }
    case 'client':
      return {}
  }
}

/** The tags in what was typed, each once. */
export function splitTags(typedTags: string): string[] {
  const tags = typedTags.split(',').map((tag) => tag.trim())
  return [...new Set(tags)].filter((tag) => tag !== '')
}

/** How a metric is called in its run. */
export function metricName({ name, evaluator }: MetricDraft): string {
  return name.trim() === '' ? evaluator : name.trim()
}
