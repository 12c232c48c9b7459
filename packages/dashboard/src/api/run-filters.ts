import { limits, type RunStatus, runStatuses } from '@llm-eval/protocol'

/** What the list of runs can be put in order by, as the address says it. */
export const runOrders = ['created', 'name', 'status', 'success', 'duration'] as const
export type RunOrder = (typeof runOrders)[number]

/** Which runs are listed, as it stands in the address of the page: every value is a text, and absent means any. */
export interface RunSearch {
  q?: string
  status?: RunStatus
  dataset?: string
  model?: string
  by?: string
  /** With commas between; a run has all of them. */
  tags?: string
  /** 0 to 1. */
  min_success?: string
  /** Seconds. */
  max_duration?: string
  /** RFC 3339. */
  after?: string
  before?: string
  /** Newest first without it. */
  order?: RunOrder
  /** Absent: the largest, newest or best first. */
  dir?: 'up'
}

const words = ['dataset', 'model', 'by', 'tags'] as const

/** Reads it out of an address; what cannot be used is left out. */
export function readRunSearch(given: Record<string, unknown>): RunSearch {
  const search: RunSearch = {}
  const word = (name: string): string | undefined => {
    const value = given[name]
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
  }
  const q = word('q')
  if (q) search.q = q.slice(0, limits.searchChars)
  for (const name of words) {
    const value = word(name)
    if (value) search[name] = value.slice(0, limits.nameChars)
  }
  const status = runStatuses.find((known) => known === given.status)
  if (status) search.status = status
  const rate = word('min_success')
  if (rate !== undefined && /^(0(\.\d{1,15})?|1(\.0{1,15})?)$/.test(rate)) search.min_success = rate
  const duration = word('max_duration')
  if (duration !== undefined && /^\d{1,15}(\.\d{1,15})?$/.test(duration)) search.max_duration = duration
  for (const name of ['after', 'before'] as const) {
    const at = Date.parse(word(name) ?? '')
    if (!Number.isNaN(at)) search[name] = new Date(at).toISOString()
  }
  const order = runOrders.find((known) => known === given.order)
  if (order && order !== 'created') search.order = order
  if (given.dir === 'up') search.dir = 'up'
  return search
}

/** Changes some of it; undefined and empty texts clear. */
export function mergeRuns(search: RunSearch, part: Partial<Record<keyof RunSearch, string | undefined>>): RunSearch {
  return readRunSearch({ ...search, ...part })
}

/** Whether anything is filtered; an order filters nothing. */
export function isFiltered({ order: _order, dir: _dir, ...filters }: RunSearch): boolean {
  return Object.keys(filters).length > 0
}

const apiOrders: Record<RunOrder, string> = {
  created: 'created_at',
  name: 'name',
  status: 'status',
  success: 'success_rate',
  duration: 'duration_seconds',
}

/** The query of the API. */
export function runsQueryOf(search: RunSearch): URLSearchParams {
  const query = new URLSearchParams()
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined) query.set(name, value)
  }
  set('search', search.q)
  set('status', search.status)
  set('dataset_name', search.dataset)
  set('model_name', search.model)
  set('created_by', search.by)
  set('tags', search.tags)
  set('min_success_rate', search.min_success)
  set('max_duration', search.max_duration)
  set('created_after', search.after)
  set('created_before', search.before)
  if (search.order) query.set('order_by', apiOrders[search.order])
  if (search.dir === 'up') query.set('descending', 'false')
  return query
}
