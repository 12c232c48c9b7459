import type { Reading } from '../reading.ts'
import type { Queries, QueryName } from '../store.ts'
import {
  agentBaselines,
  agentHistory,
  agentQuarantine,
  agentReport,
  agentResult,
  agentSuite,
  agentSuites,
} from './agent-tests.ts'
import {
  conversation,
  conversationEvents,
  conversationRefs,
  conversations,
  conversationThinking,
} from './conversations.ts'
import { keyByHash, keyById, keys, project, projects, token } from './access.ts'
import { dataset, datasets, datasetVersion, datasetVersions, row, rows } from './datasets.ts'
import { trace } from './detail.ts'
import { calibration, evaluator, evaluators, evaluatorVersions, ruleDay, rules, ruleTraces } from './evaluators.ts'
import { batchExecutions, execution, executions, freeExecutions } from './executions.ts'
import { annotations, experiment, experimentRun, task, tasks } from './experiments.ts'
import { behind, events, facts, head, lags, searchTexts } from './journal.ts'
import { listTraces, pageTraces, receipt, snapshot } from './list.ts'
import { facets, metrics, series } from './metrics.ts'
import { runColumns } from './run-columns.ts'
import { runEvents } from './run-events.ts'
import { runItem, runItemIds, runItems } from './run-items.ts'
import { runCounts, runStatusBefore } from './run-statuses.ts'
import { freeRuns, run, runs } from './runs.ts'
import { judgedTraces } from './scores.ts'

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
  evaluators,
  evaluator,
  evaluatorVersions,
  execution,
  executions,
  batchExecutions,
  freeExecutions,
  rules,
  ruleDay,
  ruleTraces,
  calibration,
  judgedTraces,
  datasets,
  dataset,
  datasetVersion,
  datasetVersions,
  row,
  rows,
  experiment,
  experimentRun,
  task,
  tasks,
  annotations,
  run,
  runs,
  freeRuns,
  runItems,
  runItem,
  runItemIds,
  runColumns,
  runEvents,
  runStatusBefore,
  runCounts,
  agentSuites,
  agentSuite,
  agentReport,
  agentHistory,
  agentResult,
  agentBaselines,
  agentQuarantine,
  conversationRefs,
  conversations,
  conversation,
  conversationEvents,
  conversationThinking,
}

/** Answers one query. */
export function answer<Q extends QueryName>(
  reading: Reading,
  query: Q,
  args: Queries[Q]['in'],
): Promise<Queries[Q]['out']> {
  return answers[query](reading, args)
}
