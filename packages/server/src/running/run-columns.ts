/** The numbers of a run as the engine takes them, of pages of the store. */
import type { ColumnMetric, RunColumns } from '@llm-eval/engine'
import { type ScoreOutcome, scoreOutcomes } from '@llm-eval/protocol'
import type { RunColumns as RunPage } from '@llm-eval/store'
import type { UsedMetric } from './metrics.ts'

/** How the scores of a metric were made; what is under no version cannot be compared with what another one made. */
export function columnOf({ name, evaluator, version, pinned, direction }: UsedMetric): ColumnMetric {
  return { name, evaluator, evaluator_version: pinned ? version : null, direction }
}

/** Adds the items of a page. */
export function addPage(run: RunColumns | undefined, page: RunPage): void {
  for (const [at, caseId] of page.caseId.entries())
    run?.add({
      item_index: page.itemIndex[at] ?? 0,
      case_id: caseId,
      status: page.successful[at] === 1 ? 'success' : 'failed',
      response_time_ms: known(page.responseMs[at]),
      cost: costOf(page.costNano[at]),
      scores: page.metrics.map(({ value, outcome, passed }) => {
        const told = outcomeOf(outcome[at])
        if (told === undefined) return null
        const verdict = known(passed[at])
        return { outcome: told, value: known(value[at]), passed: verdict === null ? null : verdict === 1 }
      }),
    })
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value
}

function costOf(nano: number | undefined): number | null {
  const cost = known(nano)
  return cost === null ? null : cost / 1e9
}

function outcomeOf(place: number | undefined): ScoreOutcome | undefined {
  return place === undefined ? undefined : scoreOutcomes[place]
}
