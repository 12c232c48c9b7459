import type { ReviewStatus, TraceFilter } from '@llm-eval/protocol'
import { type Command, Option } from 'commander'
import { amount, moment } from './moments.ts'

/** Flags that say which traces are meant. */
export interface FilterOptions {
  model?: string
  status?: ReviewStatus
  source?: string
  session?: string
  user?: string
  from?: string
  to?: string
  minLatency?: number
  maxLatency?: number
  minCost?: number
  maxCost?: number
  search?: string
}

/** Adds the flags to a command. */
export function withFilters(command: Command): Command {
  return command
    .option('--model <name>', 'only traces of this model')
    .addOption(statusOption())
    .option('--source <name>', 'only from this source')
    .option('--session <id>', 'only of this session')
    .option('--user <id>', 'only of this user')
    .option('--from <time>', 'from this time on: 24h, 7d, 2025-01-27, or RFC 3339', moment('ago'))
    .option('--to <time>', 'before this time', moment('ago'))
    .option('--min-latency <ms>', 'at least so many milliseconds', amount)
    .option('--max-latency <ms>', 'at most so many milliseconds', amount)
    .option('--min-cost <usd>', 'at least so many US dollars', amount)
    .option('--max-cost <usd>', 'at most so many US dollars', amount)
    .option('--search <words>', 'every word in query or response; word* for beginnings')
}

/** `--status`. */
export function statusOption(): Option {
  return new Option('--status <status>', 'only of this review status').choices([
    'pending',
    'in_review',
    'accepted',
    'rejected',
  ] satisfies ReviewStatus[])
}

/** The same in the words of the wire. */
export function queryOf(options: FilterOptions): TraceFilter {
  const query = {
    model_name: options.model,
    evaluation_status: options.status,
    source: options.source,
    session_id: options.session,
    user_id: options.user,
    from: options.from,
    to: options.to,
    min_latency: options.minLatency,
    max_latency: options.maxLatency,
    min_cost: options.minCost,
    max_cost: options.maxCost,
    q: options.search,
  }
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))
}
