/** Scores items that a client finished, in those metrics that it left to the server. */
import { run as work, scoreOf } from '@llm-eval/engine'
import { Failure, type RunItem, type RunSettings, type Score } from '@llm-eval/protocol'
import type { StoredRun } from '@llm-eval/store'
import { type Evaluators, prepareScorer, readMetrics } from './metrics.ts'
import type { Turns } from './turns.ts'
import { readSettings } from './wire.ts'

/** An item to be scored. */
export interface Unscored {
  item: Pick<RunItem, 'input' | 'expected' | 'output' | 'scores' | 'response_time_ms' | 'tokens' | 'cost'>
  /** What evaluators see beside. */
  evidence: Readonly<Record<string, unknown>> | undefined
}

/** Names of the metrics of a run that the server can score in. */
export function heldHere(run: Pick<StoredRun, 'metrics'>): string[] {
  return readMetrics(run.metrics).flatMap(({ name, held }) => (held === 'here' ? name : []))
}

/**
 * The scores that items lack, in their order. An evaluator that fails makes a score that is `errored`.
 *
 * @throws {Failure} `shutting_down`
 */
export async function scoreItems(
  evaluators: Evaluators & { turns: Turns },
  { projectId, run, signal }: { projectId: number; run: StoredRun; signal: AbortSignal },
  unscored: readonly Unscored[],
): Promise<Record<string, Score>[]> {
  // What a client did is not lost with an evaluator.
  const used = { metrics: readMetrics(run.metrics), gone: 'errored' } as const
  const { evaluate, metrics, asksModels } = await prepareScorer(evaluators, projectId, used)
  const { concurrency: wanted, timeout_ms } = readSettings(run.settings)
  const concurrency = asksModels ? Math.min(wanted, evaluators.turns.width) : wanted
  const plain: RunSettings = { concurrency, timeout_ms, retries: 0, repetitions: 1, limits: {}, decision: null }
  const scores: Record<string, Score>[] = unscored.map(() => ({}))
  const lacking = (at: number) =>
    metrics.filter(({ name }) => !scoreOf(unscored[at]?.item.scores ?? {}, name)).map(({ name }) => name)
  const groups = Map.groupBy(unscored.keys(), (at) => lacking(at).join('\n'))
  for (const places of groups.values()) {
    const wanted = new Set(lacking(places[0] ?? 0))
    const plan = {
      cases: places.map((at) => {
        const { input, expected } = unscored[at]?.item ?? { input: null, expected: null }
        return { id: String(at), input, expected }
      }),
      total: places.length,
      metrics: metrics.filter(({ name }) => wanted.has(name)),
      settings: plain,
    }
    const answer = ({ case: { id } }: { case: { id: string } }) => {
      const one = unscored[Number(id)]
      if (!one) throw new Error('an item was scored that nobody sent')
      const { output, response_time_ms: responseTimeMs, tokens, cost } = one.item
      return { output, responseTimeMs, tokens, cost, evidence: one.evidence }
    }
    for await (const event of work(plan, { answer, evaluate, signal }))
      if (event.type === 'item') scores[Number(event.item.case_id)] = event.item.scores
  }
  if (signal.aborted) throw new Failure('shutting_down', { retryAfter: 1 })
  return scores
}
