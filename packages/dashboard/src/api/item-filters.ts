import { limits, type TaskFault, taskFaults } from '@llm-eval/protocol'

/** Which items of a run are listed, as it stands in the address of the page: every value is a text, and absent means any. */
export interface ItemSearch {
  status?: 'success' | 'failed'
  /** Stands with one of the two that follow: only items that are scored below or above the number in the metric. */
  metric?: string
  below?: string
  above?: string
  /** Only items on which the evaluator of this metric failed. */
  errored?: string
  /** Only items whose task failed so. */
  error?: TaskFault
  /** Somewhere in the id of the case, its input, what was expected, the output or the error. */
  q?: string
}

const bound = /^-?\d{1,15}(\.\d{1,15})?$/

/** Reads it out of an address; what cannot be used is left out. */
export function readItemSearch(given: Record<string, unknown>): ItemSearch {
  const search: ItemSearch = {}
  const word = (name: string, most: number): string | undefined => {
    const value = given[name]
    return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, most) : undefined
  }
  const { status, below, above } = given
  if (status === 'success' || status === 'failed') search.status = status
  const metric = word('metric', limits.nameChars)
  const side = [['below', below] as const, ['above', above] as const].find(
    ([, value]) => typeof value === 'string' && bound.test(value),
  )
  if (metric !== undefined && side) {
    search.metric = metric
    search[side[0]] = String(side[1])
  }
  const errored = word('errored', limits.nameChars)
  if (errored !== undefined) search.errored = errored
  const error = taskFaults.find((known) => known === given.error)
  if (error) search.error = error
  const q = word('q', limits.searchChars)
  if (q !== undefined) search.q = q
  return search
}

/** The query of the API. */
export function itemsQueryOf({ q, ...search }: ItemSearch): URLSearchParams {
  const query = new URLSearchParams(Object.entries(search))
  if (q !== undefined) query.set('search', q)
  return query
}
