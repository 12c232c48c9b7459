import { createHash } from 'node:crypto'
import { Failure } from '@llm-eval/protocol'
import type { Effect, NewExecution, RuleTrace, Store, StoredEvent, StoredRule } from '@llm-eval/store'
import type { WorkingJudge } from '../judging/create-judge.ts'

export interface RuleParts {
  store: Store
  judge: Pick<WorkingJudge, 'catalogue' | 'engine'>
  now: () => number
}

/** Executions that one step asks for, at most; the other events wait for the next. */
const most = 1_000

/**
 * What a page of events means to the rules of its project: executions of new, closed traces that fit, or that they were passed
 * over because a rule has spent its day's money. Nobody holds the executions yet.
 */
export async function applyRules(
  { store, judge, now }: RuleParts,
  events: readonly StoredEvent[],
  projectId: number,
): Promise<{ effects: Effect[]; to: number }> {
  const end = { effects: [], to: events.at(-1)?.seq ?? 0 }
  const created = events.filter((event) => event.kind === 'trace_created')
  if (created.length === 0) return end
  const rules = (await store.read(projectId, 'rules', {})).filter(({ enabled }) => enabled)
  if (rules.length === 0) return end
  const bornAt = new Map(created.map(({ ref, at }) => [ref, at]))
  const found = await store.read(projectId, 'ruleTraces', { refs: [...bornAt.keys()] })
  const traces = new Map(found.filter(({ state }) => state === 'closed').map((trace) => [trace.ref, trace]))
  const at = now()
  const day = Math.floor(at / 86_400_000)
  const limited = await spentRules(store, { projectId, rules, day })
  const passedOver = new Map<string, number>()
  const executions: NewExecution[] = []
  let to = end.to
  for (const event of created) {
    const trace = traces.get(event.ref)
    if (trace === undefined) continue
    // Older traces are none of a rule's business, however late the journal is read.
    const wanted = rules.filter((rule) => event.at >= rule.createdAt && fits(rule, trace) && isSampled(rule, trace))
    const size = wanted.reduce((sum, rule) => sum + rule.evaluators.length, 0)
    if (executions.length > 0 && executions.length + size > most) {
      to = event.seq - 1
      break
    }
    for (const rule of wanted)
      if (limited.has(rule.id)) passedOver.set(rule.id, (passedOver.get(rule.id) ?? 0) + 1)
      else executions.push(...(await executionsOf(judge, projectId, { rule, trace })))
  }
  if (executions.length === 0 && passedOver.size === 0) return { effects: [], to }
  const counts = [...passedOver].map(([ruleId, count]) => ({ ruleId, day, count }))
  return { effects: [{ kind: 'executions', executions, limited: counts, at }], to }
}

/** Rules that may spend nothing more today: their limit is reached, or nobody knows what they spent. */
async function spentRules(
  store: Store,
  { projectId, rules, day }: { projectId: number; rules: readonly StoredRule[]; day: number },
): Promise<Set<string>> {
  const spent = new Set<string>()
  for (const { id: ruleId, dailyCostLimitNano: limit } of rules) {
    if (limit === null) continue
    const { costNano, unknownCosts } = await store.read(projectId, 'ruleDay', { ruleId, day })
    if (unknownCosts > 0 || costNano >= limit) spent.add(ruleId)
  }
  return spent
}

function fits({ filter }: StoredRule, trace: RuleTrace): boolean {
  const { model_name, source, session_id, user_id } = filter
  return (
    (model_name === undefined || model_name === trace.model) &&
    (source === undefined || source === trace.source) &&
    (session_id === undefined || session_id === trace.sessionId) &&
    (user_id === undefined || user_id === trace.userId)
  )
}

/** The same trace gets the same answer, however often it is asked. */
function isSampled({ id, sampling_rate }: StoredRule, { ref }: RuleTrace): boolean {
  if (sampling_rate >= 1) return true
  const hash = createHash('sha256').update(`${id}.${ref}`).digest()
  return hash.readUIntBE(0, 6) / 2 ** 48 < sampling_rate
}

/** An evaluator that is gone from the catalogue is passed over: the rule still has its others. */
async function executionsOf(
  { catalogue, engine }: RuleParts['judge'],
  projectId: number,
  { rule, trace }: { rule: StoredRule; trace: RuleTrace },
): Promise<NewExecution[]> {
  const executions: NewExecution[] = []
  for (const [index, { slug, config = null }] of rule.evaluators.entries()) {
    const entry = await catalogue.find(projectId, slug).catch(goneAsUndefined)
    const info = entry && engine.info(entry.use, config)
    if (info === undefined) continue
    executions.push({
      id: idOf(rule, { trace, index }),
      evaluator: entry?.info.slug ?? slug,
      version: info.version,
      input: null,
      config: config === null ? null : JSON.stringify(config),
      traceId: trace.traceId,
      ruleId: rule.id,
      batchId: null,
      taskId: null,
    })
  }
  return executions
}

function goneAsUndefined(error: unknown): undefined {
  if (error instanceof Failure && error.status < 500) return undefined
  throw error
}

/** Made of what it is for, so that no trace can be evaluated twice for the same reason. */
function idOf(rule: StoredRule, { trace, index }: { trace: RuleTrace; index: number }): string {
  const of = `${rule.id}.${rule.updatedAt}.${trace.ref}.${index}`
  return `exe_${createHash('sha256').update(of).digest('hex').slice(0, 32)}`
}
