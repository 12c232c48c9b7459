/** Rules that evaluate new traces by themselves: `/api/v1/rules`. */
import { randomUUID } from 'node:crypto'
import { evaluationRoutes, Failure, type Fault, limits, type Rule } from '@llm-eval/protocol'
import { deletion } from '@llm-eval/protocol/answers'
import { rule, ruleChange, ruleInput, ruleList } from '@llm-eval/protocol/evaluation-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { StoredRule } from '@llm-eval/store'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { RuleConsumer } from './consumer.ts'

const byId = z.object({ rule_id: name })

/** Serves the routes of rules, and follows the journal for what they ask for. */
export function registerRules(app: App, deps: Deps): void {
  const { store } = deps
  const consumer = new RuleConsumer(deps)
  app.addHook('onReady', async () => consumer.start())
  app.addHook('onClose', () => consumer.close())

  mount(app, evaluationRoutes.listRules, {
    schema: { response: { 200: ruleList } },
    handler: async ({ principal }) => {
      const rules = await store.read(principal.projectId, 'rules', {})
      return { items: await Promise.all(rules.map((stored) => toRule(deps, principal.projectId, stored))) }
    },
  })
  mount(app, evaluationRoutes.createRule, {
    schema: { body: ruleInput, response: { 201: rule } },
    handler: async ({ principal, body }, reply) => {
      const { projectId } = principal
      const id = `rul_${randomUUID().replaceAll('-', '').slice(0, 20)}`
      await checkEvaluators(deps, projectId, body.evaluators)
      await put(deps, projectId, { id, given: body, mode: 'create' })
      consumer.changed()
      return reply.code(201).send(await toRule(deps, projectId, await find(deps, projectId, id)))
    },
  })
  mount(app, evaluationRoutes.getRule, {
    schema: { params: byId, response: { 200: rule } },
    handler: async ({ principal, params }) =>
      toRule(deps, principal.projectId, await find(deps, principal.projectId, params.rule_id)),
  })
  mount(app, evaluationRoutes.updateRule, {
    schema: { params: byId, body: ruleChange, response: { 200: rule } },
    handler: async ({ principal, params, body }) => {
      const { projectId } = principal
      const old = await find(deps, projectId, params.rule_id)
      if (body.evaluators !== undefined) await checkEvaluators(deps, projectId, body.evaluators)
      const given = {
        name: body.name ?? old.name,
        enabled: body.enabled ?? old.enabled,
        filter: body.filter ?? old.filter,
        sampling_rate: body.sampling_rate ?? old.sampling_rate,
        evaluators: body.evaluators ?? old.evaluators,
        daily_cost_limit:
          body.daily_cost_limit === undefined ? dollarsOf(old.dailyCostLimitNano) : body.daily_cost_limit,
      }
      await put(deps, projectId, { id: old.id, given, mode: 'update' })
      consumer.changed()
      return toRule(deps, projectId, await find(deps, projectId, old.id))
    },
  })
  mount(app, evaluationRoutes.deleteRule, {
    schema: { params: byId, response: { 200: deletion } },
    handler: async ({ principal, params }) => {
      const { found } = await store.apply(principal.projectId, { kind: 'deleteRule', id: params.rule_id })
      if (!found) throw new Failure('rule_not_found')
      consumer.changed()
      return { deleted: 1 }
    },
  })
}

async function toRule({ store, now }: Deps, projectId: number, stored: StoredRule): Promise<Rule> {
  const { id, createdAt, updatedAt, dailyCostLimitNano, ...rest } = stored
  const day = await store.read(projectId, 'ruleDay', { ruleId: id, day: Math.floor(now() / 86_400_000) })
  return {
    id,
    ...rest,
    daily_cost_limit: dollarsOf(dailyCostLimitNano),
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
    today: {
      executions: day.executions,
      cost: day.costNano / 1e9,
      unknown_costs: day.unknownCosts,
      limited: day.limited,
    },
  }
}

function dollarsOf(nano: number | null): number | null {
  return nano === null ? null : nano / 1e9
}

async function find({ store }: Deps, projectId: number, id: string): Promise<StoredRule> {
  const found = (await store.read(projectId, 'rules', {})).find((candidate) => candidate.id === id)
  if (found === undefined) throw new Failure('rule_not_found')
  return found
}

/** Rules run unwatched, so what they name has to be there, and their configurations have to fit. */
async function checkEvaluators({ judge }: Deps, projectId: number, chosen: Rule['evaluators']): Promise<void> {
  const faults: Fault[] = []
  for (const [index, { slug, config }] of chosen.entries()) {
    const { use } = await judge.catalogue.find(projectId, slug)
    const wrong = judge.engine.check({ evaluator: use, input: {}, config })
    for (const { path, message } of wrong)
      if (!/^input\b/.test(path)) faults.push({ path: `evaluators[${index}].${path}`, message })
  }
  if (faults.length > 0) throw new Failure('invalid_request', { errors: faults })
}

async function put(
  { store, now }: Deps,
  projectId: number,
  { id, given, mode }: { id: string; given: z.infer<typeof ruleInput>; mode: 'create' | 'update' },
): Promise<void> {
  const { daily_cost_limit: limit, ...rest } = given
  const dailyCostLimitNano = limit === null ? null : Math.round(limit * 1e9)
  const outcome = await store.apply(projectId, {
    kind: 'putRule',
    rule: { id, ...rest, dailyCostLimitNano },
    at: now(),
    mode,
  })
  if (outcome.result === 'not_found') throw new Failure('rule_not_found')
  if (outcome.result === 'too_many')
    throw new Failure('limit_reached', { values: { max: limits.rules, what: 'rules' } })
}
