import type { Reading } from '../reading.ts'
import type { Queries, QueryName } from '../store.ts'
import { keyByHash, keyById, keys, project, projects, token } from './access.ts'
import { trace } from './detail.ts'
import { behind, events, facts, head, lags, searchTexts } from './journal.ts'
import { listTraces, pageTraces, receipt, snapshot } from './list.ts'
import { facets, metrics, series } from './metrics.ts'

type Answers = { [Q in QueryName]: (reading: Reading, args: Queries[Q]['in']) => Promise<Queries[Q]['out']> }

const answers: Answers = {
  listTraces,
  pageTraces,
  trace,
  snapshot,
  metrics,
  series,
  facets,
  receipt,
  head,
  events,
  keys,
  keyByHash,
  keyById,
  token,
  project,
  projects,
  lags,
  behind,
  facts,
  searchTexts,
}

/** Answers one query. */
export function answer<Q extends QueryName>(
  reading: Reading,
  query: Q,
  args: Queries[Q]['in'],
): Promise<Queries[Q]['out']> {
  return answers[query](reading, args)
}
