/** Making a run: what it is about is looked up, so that it can be worked off whatever changes later. */
import { randomUUID } from 'node:crypto'
import { folded } from '@llm-eval/engine'
import { Failure, limits, type RunTask } from '@llm-eval/protocol'
import type { ParsedRun } from '@llm-eval/protocol/run-schemas'
import type { NewRun, Store, StoredRun } from '@llm-eval/store'
import { chooseMetrics, type Evaluators, type MetricWish, type UsedMetric } from '../running/metrics.ts'
import type { TaskTools } from '../running/tasks.ts'
import { hashItem } from '../running/wire.ts'
import { clientLeaseMs } from './find.ts'

/** Who makes a run, and what is there to make it of. */
export interface Making {
  deps: { store: Store; now: () => number; judge: Evaluators }
  tools: Pick<TaskTools, 'models' | 'addressFault'>
  principal: { projectId: number; name: string | null }
}

/**
 * Stores a run, or finds the same one.
 *
 * @throws {Failure} `invalid_request`, `dataset_not_found`, `version_not_found`, `address_refused`, `run_conflict`,
 *   `run_deleted`, `limit_reached`
 */
export async function createRun(making: Making, given: ParsedRun): Promise<{ made: boolean; run: StoredRun }> {
  const { deps, principal } = making
  const { store, now, judge } = deps
  const before = await sameRun(making, given)
  if (before) return { made: false, run: before }
  checkTask(making, given.task)
  const others = given.task.kind === 'client' ? 'left_to_client' : 'refused'
  const metrics = await chooseMetrics(judge, principal.projectId, { wishes: wishesOf(given), others })
  const { decision } = given.settings
  if (decision !== null && !metrics.some(({ name }) => name === decision.metric))
    throw refused('settings.decision.metric', 'must be a metric of the run')
  const run = await newRun(making, { given, metrics })
  const outcome = await store.apply(principal.projectId, {
    kind: 'createRun',
    run,
    owner: null,
    at: now(),
    leaseMs: clientLeaseMs,
  })
  switch (outcome.result) {
    case 'created':
    case 'exists':
      return { made: outcome.result === 'created', run: outcome.run }
    case 'conflict':
      throw new Failure('run_conflict')
    case 'deleted':
      throw new Failure('run_deleted')
    case 'too_many':
      throw new Failure('limit_reached', { values: { max: limits.runs, what: 'runs in a project' } })
  }
}

/** The run that the same request made before, whatever became of what it is about. */
async function sameRun({ deps, principal }: Making, given: ParsedRun): Promise<StoredRun | null> {
  if (given.run_id === undefined) return null
  const known = await deps.store.read(principal.projectId, 'run', { id: given.run_id })
  if (known === 'deleted') throw new Failure('run_deleted')
  if (known && known.hash !== hashOf(given)) throw new Failure('run_conflict')
  return known
}

/** Of the request: a dataset that has a newer version when it comes again makes no conflict. */
/** How many items somebody expects says nothing of what the run is: it may go on with more of its cases. */
function hashOf({ run_id: _id, total_items: _total, ...rest }: ParsedRun): string {
  return hashItem(rest)
}

function refused(path: string, message: string): Failure {
  return new Failure('invalid_request', { errors: [{ path, message }] })
}

function checkTask({ tools }: Making, task: RunTask): void {
  if (task.kind === 'http') {
    const detail = tools.addressFault(task.url)
    if (detail !== undefined) throw new Failure('address_refused', { values: { url: task.url, detail } })
  }
  if (task.kind === 'prompt' && tools.models?.knows(task.model ?? null, 'chat') !== true)
    throw refused('task.model', 'needs a provider that is configured')
}

/** The metrics that were asked for, with the configurations that stand apart from them. */
function wishesOf({ metrics_used: wishes, metric_configs: configs }: ParsedRun): MetricWish[] {
  const names = wishes.map((wish) => ('name' in wish && wish.name !== undefined ? wish.name : wish.evaluator))
  const errors = Object.keys(configs).flatMap((name) =>
    names.includes(name) ? [] : { path: `metric_configs.${name.slice(0, 100)}`, message: 'is no metric of the run' },
  )
  if (errors.length > 0) throw new Failure('invalid_request', { errors: errors.slice(0, 100) })
  return wishes.map((wish, at) => {
    const name = names[at] ?? ''
    const config = Object.hasOwn(configs, name) ? configs[name] : undefined
    return config === undefined ? wish : { ...wish, config }
  })
}

/** Of user code that does not mean to ask all cases, as many as it says. */
function totalOf({ task, settings, total_items: told }: ParsedRun, rows: number | null): number | null {
  if (rows === null) return told
  const all = rows * settings.repetitions
  return task.kind === 'client' && told !== null ? Math.min(told, all) : all
}

async function newRun(
  { deps, principal }: Making,
  { given, metrics }: { given: ParsedRun; metrics: UsedMetric[] },
): Promise<NewRun> {
  const { run_id: id = `run_${randomUUID().replaceAll('-', '').slice(0, 20)}`, settings } = given
  const cases = await casesOf(deps, principal.projectId, given)
  const total = totalOf(given, cases.rows)
  if (total !== null && total > limits.runItems)
    throw refused('dataset', `makes ${total} items; a run may have at most ${limits.runItems}`)
  return {
    id,
    hash: hashOf(given),
    worker: given.task.kind === 'client' ? 'client' : 'server',
    datasetId: cases.id,
    datasetName: cases.name,
    datasetVersion: cases.version,
    task: JSON.stringify(cases.task),
    settings: JSON.stringify(settings),
    config: JSON.stringify(given.config),
    metrics: JSON.stringify(metrics),
    metricNames: metrics.map(({ name }) => name),
    createdBy: given.created_by ?? principal.name,
    total,
    name: given.name,
    description: given.description,
    tags: given.tags,
    metadata: JSON.stringify(given.metadata),
    modelName: given.model_name,
    modelVersion: given.model_version,
    taskType: given.task_type,
    environment: given.environment,
  }
}

interface Cases {
  id: string | null
  name: string
  version: string | null
  /** Null where only the client knows. */
  rows: number | null
  /** With its column as the dataset calls it. */
  task: RunTask
}

async function casesOf({ store }: Making['deps'], projectId: number, given: ParsedRun): Promise<Cases> {
  const { dataset: key, dataset_name: name, dataset_version: wanted, task } = given
  if (key === null) {
    if (task.kind !== 'client') throw refused('dataset', 'is required unless a client does the task')
    return { id: null, name: name ?? 'cases of the client', version: wanted, rows: null, task }
  }
  const dataset = await store.read(projectId, 'dataset', { dataset: key })
  if (dataset === null) throw new Failure('dataset_not_found', { values: { dataset: key } })
  const version = wanted ?? dataset.last_version
  const found = { id: dataset.id, name: dataset.name, version }
  if (version === null) return { ...found, rows: dataset.total_rows, task: taskOn(dataset.columns, task) }
  const published = await store.read(projectId, 'datasetVersion', { dataset: dataset.id, version })
  if (published === null) throw new Failure('version_not_found', { values: { what: dataset.slug, version } })
  return { ...found, rows: published.rows, task: taskOn(published.columns, task) }
}

/** The task with its column as the dataset calls it, however it was spelled. @throws {Failure} `invalid_request` */
function taskOn(columns: readonly { slug: string; name: string }[], task: RunTask): RunTask {
  if (task.kind !== 'outputs') return task
  const wanted = folded(task.column)
  const column =
    columns.find(({ slug }) => slug === task.column) ??
    columns.find(({ slug, name }) => wanted !== '' && [slug, name].some((other) => folded(other) === wanted))
  if (!column) {
    const others = columns.map(({ slug }) => slug).join(', ')
    throw refused('task.column', `is no column of the dataset, which has ${others || 'none'}`.slice(0, 500))
  }
  return { ...task, column: column.slug }
}
