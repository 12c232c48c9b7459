/** Experiments whose tasks the client runs itself: `/v2/experiments`. */
import { randomUUID } from 'node:crypto'
import { Failure, limits, traceloopRoutes } from '@llm-eval/protocol'
import { name } from '@llm-eval/protocol/schemas'
import type { StoredExperiment, StoredExperimentRun } from '@llm-eval/store'
import * as z from 'zod'
import type { Principal } from '../access/principal.ts'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { createdTask, githubRun, runAsCsv, runAsJson, startedExecution, startedRun } from './answers.ts'
import { mappedAsk, taskAskInput } from './asks.ts'
import { patienceMs, started } from './executions.ts'
import { evaluateTasks } from './github.ts'
import { exportCsv, exportJson } from './run-export.ts'

const object = z.record(z.string(), z.unknown())
const chosen = z.array(name).max(limits.runEvaluators, `may hold at most ${limits.runEvaluators} evaluators`).nullish()
const metadata = { experiment_metadata: object.nullish(), experiment_run_metadata: object.nullish() }
const ofDataset = {
  dataset_slug: name.nullish(),
  dataset_version: name.nullish(),
  evaluator_slugs: chosen,
  ...metadata,
}
const initializeInput = z.object({ slug: name, ...ofDataset })
const taskInput = z.object({ input: z.unknown(), output: z.unknown() })
const githubInput = z.object({
  experiment_slug: name,
  ...ofDataset,
  task_results: z
    .array(z.object({ input: z.unknown().optional(), output: z.unknown().optional(), error: z.string().nullish() }))
    .max(limits.runTasks, `may hold at most ${limits.runTasks} tasks`),
  github_context: object,
})

const inRun = z.object({ experiment: name, run_id: name })
const inTask = inRun.extend({ task_id: name })

/** Serves the routes of experiments. */
export function registerExperiments(app: App, deps: Deps): void {
  const { store } = deps
  mount(app, traceloopRoutes.initializeExperiment, {
    schema: { body: initializeInput, response: { 200: startedRun } },
    handler: async (request) => {
      const { slug, ...rest } = request.body
      const { experiment, run } = await startRun(deps, request.principal, { slug, ...rest })
      return { experiment: toExperiment(experiment), run: await toRun(deps, request.principal, run) }
    },
  })
  for (const route of [traceloopRoutes.createTask, traceloopRoutes.createTaskOld]) {
    mount(app, route, {
      schema: { params: inRun, body: taskInput, response: { 200: createdTask } },
      bodyLimit: limits.evaluationInputBytes,
      handler: async (request) => {
        const run = await findRun(deps, request.principal, request.params)
        const [id = ''] = await addTasks(deps, request.principal, { runId: run.id, tasks: [request.body] })
        return { id }
      },
    })
  }
  mount(app, traceloopRoutes.evaluateTask, {
    schema: { params: inTask, body: taskAskInput, response: { 200: startedExecution } },
    bodyLimit: limits.evaluationInputBytes,
    handler: async (request) => {
      const { body, params, principal } = request
      await findRun(deps, principal, params)
      const task = await store.read(principal.projectId, 'task', { id: params.task_id })
      if (task?.runId !== params.run_id) throw new Failure('task_not_found')
      const ask = await mappedAsk({ store, projectId: principal.projectId }, body.evaluator_slug, body)
      const asks = [{ ...ask, taskId: params.task_id }]
      const [execution] = await deps.judge.executions.start(principal.projectId, asks, { patienceMs })
      if (execution === undefined) throw new Error('an execution was started, and none was told')
      return started(execution)
    },
  })
  mount(app, traceloopRoutes.runInGithub, {
    schema: { body: githubInput, response: { 200: githubRun } },
    bodyLimit: limits.foreignBodyBytes,
    handler: async (request) => runInGithub(deps, request.principal, request.body),
  })
  mount(app, traceloopRoutes.exportRunCsv, {
    schema: { params: inRun, response: { 200: runAsCsv } },
    handler: async (request, reply) => {
      const run = await findRun(deps, request.principal, request.params)
      const file = `${request.params.experiment}-${run.id}.csv`.replace(/[^\w.-]/g, '-')
      reply.type('text/csv; charset=utf-8').header('content-disposition', `attachment; filename="${file}"`)
      return reply.send(await exportCsv({ store, projectId: request.principal.projectId, run }))
    },
  })
  mount(app, traceloopRoutes.exportRunJson, {
    schema: { params: inRun, response: { 200: runAsJson } },
    handler: async (request, reply) => {
      const { principal, params } = request
      const run = await findRun(deps, principal, params)
      const head = { experiment_slug: params.experiment, run: await toRun(deps, principal, run) }
      reply.type('application/json; charset=utf-8')
      return reply.send(await exportJson({ store, projectId: principal.projectId, run }, head))
    },
  })
}

type RunOptions = z.infer<typeof initializeInput>

/** Every call is a new run; the experiment is made with the first. */
async function startRun({ store, judge, now }: Deps, { projectId }: Principal, options: RunOptions) {
  const evaluators = await Promise.all(
    (options.evaluator_slugs ?? []).map(async (slug) => (await judge.catalogue.find(projectId, slug)).info.slug),
  )
  const dataset = options.dataset_slug
  const found = dataset ? await store.read(projectId, 'dataset', { dataset }) : null
  if (dataset && found === null) throw new Failure('dataset_not_found', { values: { dataset } })
  const version = options.dataset_version ?? null
  if (found !== null && version !== null) {
    const published = await store.read(projectId, 'datasetVersion', { dataset: found.id, version })
    if (published === null) throw new Failure('version_not_found', { values: { what: found.slug, version } })
  }
  return store.apply(projectId, {
    kind: 'startExperimentRun',
    experimentId: newId('exp'),
    slug: options.slug,
    metadata: JSON.stringify(options.experiment_metadata ?? {}),
    run: {
      id: newId('run'),
      datasetId: found?.id ?? null,
      datasetVersion: version,
      evaluators,
      metadata: JSON.stringify(options.experiment_run_metadata ?? {}),
    },
    at: now(),
  })
}

/** The run, when it is one of that experiment. */
async function findRun(
  { store }: Deps,
  { projectId }: Principal,
  { experiment: key, run_id: id }: z.infer<typeof inRun>,
): Promise<StoredExperimentRun> {
  const run = await store.read(projectId, 'experimentRun', { id })
  const experiment = run && (await store.read(projectId, 'experiment', { key }))
  if (run === null || experiment?.id !== run.experimentId) {
    throw new Failure('experiment_not_found', { values: { id: `${key}/${id}` } })
  }
  return run
}

interface Tasks {
  runId: string
  tasks: { input?: unknown; output?: unknown; error?: string | null | undefined }[]
}

/** Stores tasks and gives their ids. */
async function addTasks({ store, now }: Deps, { projectId }: Principal, { runId, tasks }: Tasks): Promise<string[]> {
  const stored = tasks.map(({ input, output, error }) => ({
    id: newId('task'),
    runId,
    input: JSON.stringify(input ?? null),
    output: error || output === undefined ? null : JSON.stringify(output),
    error: error ?? null,
  }))
  const { result } = await store.apply(projectId, { kind: 'addTasks', tasks: stored, at: now() })
  if (result !== 'ok') throw new Failure('experiment_not_found', { values: { id: runId } })
  return stored.map(({ id }) => id)
}

async function runInGithub(deps: Deps, principal: Principal, body: z.infer<typeof githubInput>) {
  const { experiment_slug: slug, task_results: tasks, github_context: github, ...options } = body
  const about = { ...options.experiment_run_metadata, github }
  const { experiment, run } = await startRun(deps, principal, { ...options, slug, experiment_run_metadata: about })
  const ids = await addTasks(deps, principal, { runId: run.id, tasks })
  const evaluated = ids.map((id, index) => ({ id, output: tasks[index]?.error ? null : tasks[index]?.output }))
  const errors = await evaluateTasks(deps, principal, { tasks: evaluated, evaluators: run.evaluators })
  return { experiment_id: experiment.id, experiment_slug: experiment.slug, run_id: run.id, errors }
}

function toExperiment({ id, slug, metadata: json, createdAt, updatedAt }: StoredExperiment) {
  return { id, slug, metadata: parsed(json), created_at: timeOf(createdAt), updated_at: timeOf(updatedAt) }
}

async function toRun({ judge }: Deps, { projectId }: Principal, run: StoredExperimentRun) {
  const found = run.evaluators.map((slug) => judge.catalogue.find(projectId, slug).catch(() => null))
  return {
    id: run.id,
    metadata: parsed(run.metadata),
    dataset_id: run.datasetId,
    dataset_version: run.datasetVersion,
    evaluator_ids: (await Promise.all(found)).map((entry, index) => entry?.id ?? run.evaluators[index] ?? ''),
    created_at: timeOf(run.createdAt),
    updated_at: timeOf(run.createdAt),
  }
}

function parsed(json: string): Record<string, unknown> {
  return object.parse(JSON.parse(json))
}

function timeOf(at: number): string {
  return new Date(at).toISOString()
}

function newId(kind: 'exp' | 'run' | 'task'): string {
  return `${kind}_${randomUUID().replaceAll('-', '')}`
}
