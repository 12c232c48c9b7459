/** The catalogue of evaluators, in the words of Traceloop: `/v2/evaluators`. */
import { randomBytes } from 'node:crypto'
import { Failure, limits, traceloopRoutes } from '@llm-eval/protocol'
import { name } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import type { Entry } from '../judging/judge.ts'
import { changedEvaluator, createdEvaluator, evaluatorItem, evaluatorList } from './answers.ts'
import { toProperty } from './fields.ts'
import { changedJudge, judgeChange, judgeInput, judgeOf, modelOf } from './judges.ts'
import { slugify } from '../datasets/slugs.ts'

const bySlug = z.object({ slug: name })

/** Serves the routes of the catalogue. */
export function registerCatalogue(app: App, { judge: { catalogue } }: Deps): void {
  mount(app, traceloopRoutes.listTraceloopEvaluators, {
    schema: {
      querystring: z.object({ source: z.enum(['custom', 'prebuilt']).optional() }),
      response: { 200: evaluatorList },
    },
    handler: async (request) => {
      const { source } = request.query
      const items = (await catalogue.list(request.principal.projectId)).map(toItem)
      return { evaluators: source === undefined ? items : items.filter((item) => item.source === source) }
    },
  })
  for (const route of [traceloopRoutes.createTraceloopEvaluator, traceloopRoutes.createTraceloopEvaluatorOld]) {
    mount(app, route, {
      schema: { body: judgeInput, response: { 200: createdEvaluator } },
      bodyLimit: limits.evaluatorBytes,
      handler: async (request) => {
        const { body, principal } = request
        const entry = await catalogue.create(principal.projectId, {
          slug: slugify(body.slug ?? body.name) || `evaluator-${randomBytes(4).toString('hex')}`,
          name: body.name,
          description: body.description ?? '',
          definition: judgeOf(body),
        })
        const { slug, version, kind } = entry.info
        return { evaluator_id: entry.id, slug, type: kind, version_id: version, bindings: [] }
      },
    })
  }
  mount(app, traceloopRoutes.getTraceloopEvaluator, {
    schema: { params: bySlug, response: { 200: evaluatorItem } },
    handler: async (request) => toItem(await catalogue.find(request.principal.projectId, request.params.slug)),
  })
  mount(app, traceloopRoutes.updateTraceloopEvaluator, {
    schema: { params: bySlug, body: judgeChange, response: { 200: changedEvaluator } },
    bodyLimit: limits.evaluatorBytes,
    handler: async (request) => {
      const { body, principal, params } = request
      const { definition, info } = await catalogue.find(principal.projectId, params.slug)
      if (definition === null) throw new Failure('builtin_evaluator', { values: { slug: info.slug } })
      const description = body.config?.description ?? body.description
      const touches = body.config || body.input_schema || body.output_schema
      const entry = await catalogue.update(principal.projectId, params.slug, {
        ...(body.name ? { name: body.name } : {}),
        ...(typeof description === 'string' ? { description } : {}),
        ...(touches ? { definition: changedJudge(definition, body) } : {}),
      })
      return { evaluator: toItem(entry) }
    },
  })
}

/** The SDKs insist on a provider and a model in `config`, also of evaluators that have neither. */
function toItem({ id, info, definition }: Entry) {
  return {
    id,
    name: info.name,
    slug: info.slug,
    type: info.kind,
    description: info.description,
    version: info.version,
    source: info.source === 'custom' ? ('custom' as const) : ('prebuilt' as const),
    input_schema: info.input_schema.map(toProperty),
    // Of a judge what it was made with, though its result has more: what is read here is sent back in changes.
    output_schema: (definition?.kind === 'judge' ? definition.output : info.output_schema).map(toProperty),
    config: configOf(info.slug, definition),
    ...(info.created_at === null ? {} : { created_at: info.created_at }),
    ...(info.updated_at === null ? {} : { updated_at: info.updated_at }),
  }
}

function configOf(slug: string, definition: Entry['definition']) {
  if (definition?.kind !== 'judge') {
    return { provider: definition?.kind ?? 'builtin', messages: [], llm_config: { model: slug } }
  }
  const { provider, model } = modelOf(definition)
  const { temperature, max_tokens, top_p, frequency_penalty, presence_penalty } = definition
  const sampling = Object.entries({ temperature, max_tokens, top_p, frequency_penalty, presence_penalty })
  return {
    provider,
    messages: definition.messages,
    llm_config: { model, ...Object.fromEntries(sampling.filter(([, value]) => value !== null)) },
  }
}
