/** Runs: made, listed, changed, ended and decided about; and the worker that works them off. `/api/v1/runs`. */
import { Failure, limits, type RunApproval, runRoutes } from '@llm-eval/protocol'
import { deletion } from '@llm-eval/protocol/answers'
import {
  approvalInput,
  resumeInput,
  run,
  runChange,
  runInput,
  runPage,
  runsQuery,
} from '@llm-eval/protocol/run-schemas'
import { name } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import { faultsOf } from '../faults/faults.ts'
import type { App, Deps, Register } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import type { TaskTools } from '../running/tasks.ts'
import { RunWorker } from '../running/worker.ts'
import { toRun } from '../running/wire.ts'
import { createRun } from './create.ts'
import { changed, clientLeaseMs, findRun } from './find.ts'
import { registerRunErrors } from './errors.ts'
import { registerRunExport } from './export.ts'
import { registerRunEvents } from './events.ts'
import { registerRunItems } from './items.ts'
import { listRuns } from './list.ts'
import { registerRunNumbers } from './numbers.ts'

const byId = z.object({ run_id: name })
/** Items that one commit of a deletion removes. */
const deletionStep = 1_000

/** Serves the routes of runs, and works off those that the server is to do. */
export function registerRuns(tools: TaskTools): Register {
  return (app, deps) => {
    const worker = new RunWorker({
      ...deps,
      meters: deps.meters.runs,
      tools,
      engine: deps.judge.engine,
      catalogue: deps.judge.catalogue,
      home: deps.access.home,
    })
    app.addHook('onReady', () => worker.start())
    app.addHook('onClose', () => worker.close())
    registerMaking(app, deps, { tools, worker })
    registerChanges(app, deps)
    registerEndings(app, deps, worker)
    registerVerdicts(app, deps)
    registerRunItems(app, deps)
    registerRunErrors(app, deps)
    registerRunExport(app, deps)
    registerRunEvents(app, deps, tools)
    registerRunNumbers(app, deps)
  }
}

function registerMaking(app: App, deps: Deps, { tools, worker }: { tools: TaskTools; worker: RunWorker }): void {
  const { store, now } = deps
  mount(app, runRoutes.createRun, {
    schema: { body: runInput, response: { 200: run, 201: run } },
    bodyLimit: limits.runBytes,
    handler: async ({ principal, body }, reply) => {
      const { made, run: stored } = await createRun({ deps, tools, principal }, body)
      if (made && stored.worker === 'server') void worker.wake()
      return reply.code(made ? 201 : 200).send(toRun(stored, now()))
    },
  })
  mount(app, runRoutes.listRuns, {
    schema: { querystring: runsQuery, response: { 200: runPage } },
    handler: ({ principal, query }) => listRuns(deps, principal.projectId, query),
  })
  mount(app, runRoutes.getRun, {
    schema: { params: byId, response: { 200: run } },
    handler: async ({ principal, params }) => toRun(await findRun(store, principal.projectId, params.run_id), now()),
  })
}

function registerChanges(app: App, { store, now }: Deps): void {
  for (const route of [runRoutes.updateRun, runRoutes.replaceRun])
    mount(app, route, {
      schema: { params: byId, body: runChange, response: { 200: run } },
      handler: async ({ principal, params, body }) => {
        const { metadata, ...titles } = body
        const set = {
          name: titles.name,
          description: titles.description,
          tags: titles.tags,
          metadata: metadata && JSON.stringify(metadata),
          modelName: titles.model_name,
          modelVersion: titles.model_version,
          taskType: titles.task_type,
          environment: titles.environment,
        }
        // A member that is undefined is none: what it stands for stays.
        const given = Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined))
        const change = { kind: 'updateRun', id: params.run_id, set: given, at: now() } as const
        return toRun(changed(await store.apply(principal.projectId, change)), now())
      },
    })
}

function registerEndings(app: App, { store, now }: Deps, worker: RunWorker): void {
  mount(app, runRoutes.deleteRun, {
    schema: { params: byId, response: { 200: deletion } },
    handler: async ({ principal: { projectId }, params }) => {
      const stored = await findRun(store, projectId, params.run_id)
      const change = { kind: 'deleteRun', id: stored.id, at: now(), limit: deletionStep } as const
      const { found, more } = await store.apply(projectId, change)
      if (!found) throw new Failure('run_deleted')
      worker.stop(projectId, stored.ref)
      // What a server that ends meanwhile leaves behind is swept away.
      for (let rest = more; rest; ) ({ more: rest } = await store.apply(projectId, change))
      return { deleted: 1 }
    },
  })
  mount(app, runRoutes.cancelRun, {
    schema: { params: byId, response: { 200: run } },
    handler: async ({ principal: { projectId }, params }) => {
      const stored = changed(await store.apply(projectId, { kind: 'cancelRun', id: params.run_id, at: now() }))
      worker.stop(projectId, stored.ref)
      return toRun(stored, now())
    },
  })
  mount(app, runRoutes.resumeRun, {
    schema: { params: byId, response: { 200: run } },
    describedBody: resumeInput,
    handler: async ({ principal: { projectId }, params, body }) => {
      const { worker: client } = read(resumeInput, body)
      const before = await findRun(store, projectId, params.run_id)
      const owner = before.worker === 'client' ? (client ?? null) : null
      const change = { kind: 'resumeRun', id: before.id, owner, at: now(), leaseMs: clientLeaseMs } as const
      const stored = changed(await store.apply(projectId, change))
      if (stored.worker === 'server') void worker.wake()
      return toRun(stored, now())
    },
  })
}

function registerVerdicts(app: App, { store, now }: Deps): void {
  const verdicts = [
    [runRoutes.approveRun, 'approved'],
    [runRoutes.rejectRun, 'rejected'],
  ] as const
  for (const [route, state] of verdicts)
    mount(app, route, {
      schema: { params: byId, response: { 200: run } },
      describedBody: approvalInput,
      handler: async ({ principal, params, body }) => {
        const { note, by } = read(approvalInput, body)
        const at = now()
        const approval: RunApproval = { state, note, by: by ?? principal.name, at: new Date(at).toISOString() }
        const change = { kind: 'updateRun', id: params.run_id, set: { approval }, at } as const
        return toRun(changed(await store.apply(principal.projectId, change)), at)
      },
    })
}

/** A body that may be left out. */
function read<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body ?? {})
  if (parsed.success) return parsed.data
  throw new Failure('invalid_request', { errors: faultsOf(parsed.error.issues, schema) })
}
