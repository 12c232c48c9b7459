import type { Run, RunSettings } from '@llm-eval/protocol'
import { writeJson } from '../api/exact-json.ts'

/** What is asked for to make a run like this one, as `POST /api/v1/runs` takes it. Secrets in it are masked. */
export function runWish(run: Run): Record<string, unknown> {
  const wish = {
    name: run.name,
    description: run.description,
    ...(run.dataset_id === null
      ? { dataset_name: run.dataset_name }
      : { dataset: run.dataset_id, dataset_version: run.dataset_version }),
    task: run.task,
    metrics_used: run.metrics_used,
    settings: settingsOf(run.settings),
    config: run.config,
    tags: run.tags,
    metadata: run.metadata,
    model_name: run.model_name,
    model_version: run.model_version,
    task_type: run.task_type,
    environment: run.environment,
  }
  // What is empty goes without saying.
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => !isEmpty(value)))
}

function settingsOf({ decision, ...settings }: RunSettings): object {
  return { ...settings, ...(decision === null ? {} : { decision }) }
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0)
}

/** How to do a run again: a command of a POSIX shell, or the code of a run that user code did. */
export function runSnippet(run: Run, origin: string): string {
  if (run.task.kind === 'client') return sdkSnippet(run, origin)
  const wish = writeJson(runWish(run))
  return `llm-eval runs start --url ${origin} --watch - <<'JSON'\n${wish}\nJSON`
}

function sdkSnippet(
  { dataset_id: id, dataset_name: dataset, dataset_version: version, metrics_used, settings }: Run,
  origin: string,
): string {
  const metrics = metrics_used.map((metric) =>
    metric.name === metric.evaluator && metric.config === undefined ? metric.name : metric,
  )
  const lines = [
    `task: async (input) => answer(input), // yours`,
    `dataset: ${id === null ? 'cases, // your own' : `${writeJson(dataset, 0)},`}`,
    ...(id === null || version === null ? [] : [`datasetVersion: ${writeJson(version, 0)},`]),
    `metrics: [${metrics.map((metric) => writeJson(metric, 0)).join(', ')}],`,
    `concurrency: ${settings.concurrency},`,
    ...(settings.repetitions === 1 ? [] : [`repetitions: ${settings.repetitions},`]),
    `baseUrl: ${writeJson(origin, 0)},`,
  ]
  return `// npm install llm-eval-sdk
import { Evaluator } from 'llm-eval-sdk/evaluation'

const evaluator = new Evaluator({
${lines.map((line) => `  ${line}`).join('\n')}
})
await evaluator.run()`
}
