import type { ListSearch } from '../api/filters.ts'
import { formatTime } from '../format/times.ts'

/** A filter in words, and what is to be cleared to be rid of it. */
export interface Chip {
  label: string
  clears: (keyof ListSearch)[]
}

/** The filters that have no control of their own in sight, in words. */
export function chipsOf(search: ListSearch): Chip[] {
  const chips: Chip[] = []
  const add = (label: string | undefined, ...clears: (keyof ListSearch)[]): void => {
    if (label) chips.push({ label, clears })
  }
  add(search.source && `source: ${search.source}`, 'source')
  add(search.session && `session: ${search.session}`, 'session')
  add(search.user && `user: ${search.user}`, 'user')
  add(search.from && `from ${formatTime(search.from)}`, 'from')
  add(search.to && `before ${formatTime(search.to)}`, 'to')
  add(
    between([search.min_latency, search.max_latency], 'latency', (value) => `${value} ms`),
    'min_latency',
    'max_latency',
  )
  add(
    between([search.min_cost, search.max_cost], 'cost', (value) => `$${value}`),
    'min_cost',
    'max_cost',
  )
  const { evaluator, score } = search
  if (evaluator !== undefined) {
    const bounds = between([search.min_score, search.max_score], 'score', (value) => value)
    const words = [evaluator, score, bounds].filter((word) => word !== undefined)
    add(words.join(', '), 'evaluator', 'score', 'min_score', 'max_score')
  }
  return chips
}

type Ends = [min: string | undefined, max: string | undefined]

function between([min, max]: Ends, name: string, unit: (value: string) => string): string | undefined {
  if (min !== undefined && max !== undefined) return `${name} ${unit(min)} to ${unit(max)}`
  if (min !== undefined) return `${name} from ${unit(min)}`
  return max === undefined ? undefined : `${name} up to ${unit(max)}`
}
