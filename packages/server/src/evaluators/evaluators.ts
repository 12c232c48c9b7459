/** The catalogue of evaluators: `/api/v1/evaluators`. */
import { evaluationRoutes, type EvaluatorInfo, limits } from '@llm-eval/protocol'
import {
  evaluatorChange,
  evaluatorDetail,
  evaluatorInput,
  evaluatorList,
  evaluatorsQuery,
  evaluatorVersions,
} from '@llm-eval/protocol/evaluation-schemas'
import { deletion } from '@llm-eval/protocol/answers'
import { name } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { describedDefinition, shownDefinition } from '../judging/definitions.ts'
import type { Entry } from '../judging/judge.ts'
import { registerCalibration } from './calibration.ts'

const bySlug = z.object({ slug: name })

/** Serves the routes of the catalogue and of calibrations. */
export function registerEvaluators(app: App, deps: Deps): void {
  const { catalogue } = deps.judge
  mount(app, evaluationRoutes.listEvaluators, {
    schema: { querystring: evaluatorsQuery, response: { 200: evaluatorList } },
    handler: async ({ principal, query }) => {
      const infos = (await catalogue.list(principal.projectId)).map(({ info }) => info)
      return { items: infos.filter((info) => fits(info, query)) }
    },
  })
  mount(app, evaluationRoutes.createEvaluator, {
    schema: { body: evaluatorInput, response: { 201: evaluatorDetail } },
    describedBody: evaluatorInput.extend({ definition: describedDefinition }),
    bodyLimit: limits.evaluatorBytes,
    handler: async ({ principal, body }, reply) => {
      const { slug, description, definition } = body
      const entry = await catalogue.create(principal.projectId, {
        slug,
        description,
        definition,
        name: body.name ?? slug,
      })
      return reply.code(201).send(await detailOf(deps, principal.projectId, entry))
    },
  })
  mount(app, evaluationRoutes.getEvaluator, {
    schema: { params: bySlug, response: { 200: evaluatorDetail } },
    handler: async ({ principal: { projectId }, params }) =>
      detailOf(deps, projectId, await catalogue.find(projectId, params.slug)),
  })
  mount(app, evaluationRoutes.updateEvaluator, {
    schema: { params: bySlug, body: evaluatorChange, response: { 200: evaluatorDetail } },
    describedBody: evaluatorChange.extend({ definition: describedDefinition.optional() }),
    bodyLimit: limits.evaluatorBytes,
    handler: async ({ principal, params, body }) => {
      const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
      return detailOf(deps, principal.projectId, await catalogue.update(principal.projectId, params.slug, given))
    },
  })
  mount(app, evaluationRoutes.deleteEvaluator, {
    schema: { params: bySlug, response: { 200: deletion } },
    handler: async ({ principal, params }) => {
      await catalogue.remove(principal.projectId, params.slug)
      return { deleted: 1 }
    },
  })
  mount(app, evaluationRoutes.listEvaluatorVersions, {
    schema: { params: bySlug, response: { 200: evaluatorVersions } },
    handler: async ({ principal, params }) => {
      const versions = await catalogue.versions(principal.projectId, params.slug)
      const items = versions.map(({ version, createdAt, definition }) => ({
        version,
        created_at: createdAt === null ? null : new Date(createdAt).toISOString(),
        definition: shownDefinition(definition),
      }))
      return { items }
    },
  })
  registerCalibration(app, deps)
}

async function detailOf(
  { store }: Pick<Deps, 'store'>,
  projectId: number,
  { id, info, definition }: Entry,
): Promise<z.infer<typeof evaluatorDetail>> {
  const calibration = await store.read(projectId, 'calibration', { evaluator: info.slug })
  const calibrated_at = calibration === null ? null : new Date(calibration.at).toISOString()
  return { id, ...info, definition: shownDefinition(definition), calibrated_at }
}

function fits(info: EvaluatorInfo, { kind, category, source, q = '' }: z.infer<typeof evaluatorsQuery>): boolean {
  if (kind !== undefined && info.kind !== kind) return false
  if (category !== undefined && info.category !== category) return false
  if (source !== undefined && info.source !== source) return false
  const text = [info.slug, info.name, info.description, ...info.aliases].join(' ').toLowerCase()
  const words = q.toLowerCase().split(/\s+/)
  return words.every((word) => text.includes(word))
}
