import {
  limits,
  type ReviewStatus,
  reviewStatuses,
  type ScoreOutcome,
  scoreOutcomes,
  type TraceSummary,
} from '@llm-eval/protocol'

/** Time spans to choose from, with their length in seconds. */
export const ranges = { '15m': 900, '1h': 3_600, '6h': 21_600, '24h': 86_400, '7d': 604_800 } as const
export type Range = keyof typeof ranges

/** The filter of a list as it stands in the address of the page: every value is a text, and absent means any. */
export interface ListSearch {
  q?: string
  model?: string
  status?: ReviewStatus
  source?: string
  session?: string
  user?: string
  /** Back from now; `from` and `to` are then not used. */
  range?: Range
  /** RFC 3339, inclusive. */
  from?: string
  /** RFC 3339, exclusive. */
  to?: string
  /** Milliseconds. */
  min_latency?: string
  max_latency?: string
  /** US dollars. */
  min_cost?: string
  max_cost?: string
  /** Slug; the next three are about its newest score. */
  evaluator?: string
  min_score?: string
  max_score?: string
  /** `passed` and `failed` are scored; the others are as the score says. */
  score?: 'passed' | 'failed' | ScoreOutcome
  /** Slugs of the evaluators whose scores have a column, with commas. No filter. */
  columns?: string
}

/** What of an address decides which traces are listed. */
export function filterOf(search: ListSearch): ListSearch {
  return merge(search, { columns: undefined })
}

/** Evaluators that may have a column. */
const mostColumns = 6

/** The evaluators whose scores have a column. */
export function scoreColumns({ columns }: ListSearch): string[] {
  return [...new Set((columns ?? '').split(',').filter((slug) => slug !== ''))].slice(0, mostColumns)
}

const names = ['model', 'source', 'session', 'user', 'evaluator'] as const
const amounts = ['min_latency', 'max_latency', 'min_cost', 'max_cost'] as const
const scoreBounds = ['min_score', 'max_score'] as const
/** What a score can be looked for by. */
export const scoreStates = ['passed', 'failed', ...scoreOutcomes] as const

/** Reads a filter out of an address; what cannot be used is left out. */
export function readSearch(given: Record<string, unknown>): ListSearch {
  const search: ListSearch = {}
  const word = (name: string): string | undefined => {
    const value = given[name]
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
  }
  const q = word('q')
  if (q) search.q = q.slice(0, limits.searchChars)
  for (const name of names) {
    const value = word(name)
    if (value) search[name] = value.slice(0, limits.nameChars)
  }
  const status = word('status')
  if (isStatus(status)) search.status = status
  for (const name of amounts) {
    const value = word(name)
    if (value !== undefined && /^\d+(\.\d+)?$/.test(value)) search[name] = value
  }
  if (search.evaluator !== undefined) {
    for (const name of scoreBounds) {
      const value = word(name)
      if (value !== undefined && /^-?\d+(\.\d+)?$/.test(value)) search[name] = value
    }
    const state = scoreStates.find((name) => name === given['score'])
    if (state) search.score = state
  }
  const columns = word('columns')
  if (columns !== undefined && /^[a-z0-9-]+(,[a-z0-9-]+)*$/.test(columns)) search.columns = columns
  const range = word('range')
  if (range !== undefined && Object.hasOwn(ranges, range)) search.range = range as Range
  else {
    for (const name of ['from', 'to'] as const) {
      const value = word(name)
      if (value !== undefined && !Number.isNaN(Date.parse(value))) search[name] = new Date(value).toISOString()
    }
  }
  return search
}

/** A filter with some of its parts replaced; what is empty is left out. */
export function merge(search: ListSearch, part: Partial<Record<keyof ListSearch, string | undefined>>): ListSearch {
  const entries = Object.entries({ ...search, ...part }).filter(([, value]) => value !== undefined && value !== '')
  return Object.fromEntries(entries) as ListSearch
}

/** The filter as the API's query parameters. A range counts back from `now`. */
export function apiQuery(search: ListSearch, now: number): URLSearchParams {
  const query = new URLSearchParams()
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined) query.set(name, value)
  }
  put('q', search.q)
  put('model_name', search.model)
  put('evaluation_status', search.status)
  put('source', search.source)
  put('session_id', search.session)
  put('user_id', search.user)
  put('from', search.range ? new Date(now - ranges[search.range] * 1000).toISOString() : search.from)
  put('to', search.to)
  for (const name of amounts) put(name, search[name])
  if (search.evaluator !== undefined) {
    put('evaluator', search.evaluator)
    for (const name of scoreBounds) put(name, search[name])
    if (search.score === 'passed' || search.score === 'failed') put('passed', String(search.score === 'passed'))
    else put('score_outcome', search.score)
  }
  return query
}

/** Whether a new trace belongs into a list. The full text is left to the server: a summary holds only its beginning. */
export function belongs(trace: TraceSummary, search: ListSearch, now: number): boolean {
  if (search.model !== undefined && trace.model_name !== search.model) return false
  if (search.status !== undefined && trace.evaluation_status !== search.status) return false
  if (search.source !== undefined && trace.source !== search.source) return false
  if (search.session !== undefined && trace.session_id !== search.session) return false
  if (search.user !== undefined && trace.user_id !== search.user) return false
  if (search.evaluator !== undefined && !scoreFits(trace, search, search.evaluator)) return false
  const at = Date.parse(trace.timestamp)
  const from = search.range ? now - ranges[search.range] * 1000 : search.from ? Date.parse(search.from) : -Infinity
  if (at < from || (search.to !== undefined && at >= Date.parse(search.to))) return false
  return (
    inside(trace.response_time_ms, search.min_latency, search.max_latency) &&
    inside(trace.cost, search.min_cost, search.max_cost)
  )
}

function scoreFits(trace: TraceSummary, { min_score, max_score, score: state }: ListSearch, slug: string): boolean {
  const score = trace.scores.find(({ evaluator }) => evaluator === slug)
  if (!score) return false
  if (state === 'passed' || state === 'failed') {
    if (score.passed !== (state === 'passed')) return false
  } else if (state !== undefined && score.outcome !== state) return false
  return inside(score.value, min_score, max_score)
}

function inside(value: number | null, min: string | undefined, max: string | undefined): boolean {
  if (min === undefined && max === undefined) return true
  // What was not measured matches no limit.
  if (value === null) return false
  return (min === undefined || value >= Number(min)) && (max === undefined || value <= Number(max))
}

function isStatus(word: string | undefined): word is ReviewStatus {
  return reviewStatuses.some((status) => status === word)
}
