import { type RunItemStatus, runItemStatuses, runStatuses, runStops } from '@llm-eval/protocol'
import type { RunNumbers } from './runs.ts'
import type { RunEvent } from './run-queries.ts'

// The data of an event of a run: item (index and status; null where it is of the run itself), then the run's numbers.

/** Statuses are stored as their places in these lists; never change one. */
export const runStatusNumber = (status: RunNumbers['status']): number => runStatuses.indexOf(status)
export const runStopNumber = (stop: RunNumbers['stoppedBy']): number | null =>
  stop === null ? null : runStops.indexOf(stop)
export const itemStatusNumber = (status: RunItemStatus): number => runItemStatuses.indexOf(status)

/** Whether an event is of a run. */
export function isRunKind(kind: string): kind is RunEvent['kind'] {
  return kind.startsWith('run_')
}

/** What a stored number stands for. */
export function named<Name extends string>(names: readonly Name[], number: number): Name {
  const name = names[number]
  if (name === undefined) throw new RangeError(`the database holds a number for none of ${names.join(', ')}: ${number}`)
  return name
}

/** A finished item in an event. */
export interface EventItem {
  itemIndex: number
  status: 'success' | 'failed'
}

export function encodeRun(n: RunNumbers, item: EventItem | null): string {
  const of = item === null ? 'null,null' : `${item.itemIndex},${itemStatusNumber(item.status)}`
  const own = `${runStatusNumber(n.status)},${runStopNumber(n.stoppedBy)},${n.total},${n.completed},${n.successful},${n.erased}`
  const totals = n.totals.length === 0 ? '' : `,${n.totals.join(',')}`
  return `[${of},${own},${n.costNano},${n.unknownCosts},${n.workedMs}${totals}]`
}

export function decodeRun(d: readonly (number | null)[]): { data: RunNumbers; item: EventItem | null } {
  const [itemIndex = null, itemStatus, status, stoppedBy = null, total = null, completed, successful, erased] = d
  const [costNano, unknownCosts, workedMs, ...totals] = d.slice(8)
  return {
    data: {
      status: named(runStatuses, status ?? 0),
      stoppedBy: stoppedBy === null ? null : named(runStops, stoppedBy),
      total,
      completed: completed ?? 0,
      successful: successful ?? 0,
      erased: erased ?? 0,
      costNano: costNano ?? 0,
      unknownCosts: unknownCosts ?? 0,
      workedMs: workedMs ?? 0,
      totals: totals.map((number) => number ?? 0),
    },
    item: itemIndex === null ? null : { itemIndex, status: itemStatus === 1 ? 'failed' : 'success' },
  }
}
