import type { Change, ChangeKind, ChangeOutcome } from '../store.ts'
import type { Transaction } from '../transaction.ts'
import { deleteAgentBaseline, deleteAgentQuarantine, putAgentBaseline, putAgentQuarantine } from './agent-accepted.ts'
import { deleteAgentReport, deleteAgentSuite, expireAgentReports, putAgentReport } from './agent-tests.ts'
import { appendConversation, holdConversations } from './conversations.ts'
import { deleteConversation, expireConversations } from './conversation-deletion.ts'
import { createKey, createToken, deleteToken, redeemToken, revokeKey, sweep, touchKey } from './access.ts'
import { advanceConsumer, claimConsumer } from './consumers.ts'
import { addRows, deleteRow, updateRow } from './dataset-rows.ts'
import { createDataset, deleteDataset, editColumns, publishDataset, updateDataset } from './datasets.ts'
import { deleteTrace, eraseUser, expireTraces, trimEvents } from './deletion.ts'
import { finishExecutions } from './endings.ts'
import { deleteEvaluator, putCalibration, putEvaluator } from './evaluators.ts'
import {
  cancelExecution,
  expireExecutions,
  holdExecutions,
  noteProgress,
  releaseExecutions,
  startExecutions,
  takeExecutions,
} from './executions.ts'
import { addAnnotation, addTasks, startExperimentRun } from './experiments.ts'
import { completeJob, enqueueJob, extendJob, failJob, leaseJobs } from './jobs.ts'
import { review } from './review.ts'
import { deleteRule, putRule } from './rules.ts'
import { deleteRun, expireRuns } from './run-deletion.ts'
import { addItems } from './run-items.ts'
import { abandonRuns, holdRuns, releaseRuns, startRun, takeRuns } from './run-workers.ts'
import { cancelRun, createRun, endRun, resumeRun, updateRun } from './runs.ts'
import { putSpans } from './spans.ts'

/** What many ask for at the same time: applied for all of them with a few statements. */
type Gathered = 'startExecutions' | 'finishExecution'

type Appliers = {
  [K in Exclude<ChangeKind, Gathered>]: (tx: Transaction, change: Change<K>) => Promise<ChangeOutcome<K>>
}

const appliers: Appliers = {
  review,
  deleteTrace,
  eraseUser,
  expireTraces,
  trimEvents,
  putSpans,
  createKey,
  revokeKey,
  touchKey,
  createToken,
  redeemToken,
  deleteToken,
  sweep,
  enqueueJob,
  leaseJobs,
  extendJob,
  completeJob,
  failJob,
  claimConsumer,
  advanceConsumer,
  putEvaluator,
  deleteEvaluator,
  takeExecutions,
  holdExecutions,
  releaseExecutions,
  noteProgress,
  cancelExecution,
  expireExecutions,
  putRule,
  deleteRule,
  putCalibration,
  createDataset,
  updateDataset,
  editColumns,
  deleteDataset,
  addRows,
  updateRow,
  deleteRow,
  publishDataset,
  startExperimentRun,
  addTasks,
  addAnnotation,
  createRun,
  updateRun,
  startRun,
  takeRuns,
  holdRuns,
  releaseRuns,
  abandonRuns,
  addItems,
  endRun,
  cancelRun,
  resumeRun,
  deleteRun,
  expireRuns,
  putAgentReport,
  deleteAgentReport,
  deleteAgentSuite,
  expireAgentReports,
  putAgentBaseline,
  deleteAgentBaseline,
  putAgentQuarantine,
  deleteAgentQuarantine,
  appendConversation,
  holdConversations,
  deleteConversation,
  expireConversations,
}

/**
 * Applies changes inside an open transaction, and tells what became of each, in their order. All callers are waiting at the
 * same time, so any order among them is right: those of one kind that many ask for are applied first, and at once.
 */
export async function applyChanges(tx: Transaction, changes: readonly Change[]): Promise<unknown[]> {
  const outcomes: unknown[] = changes.map(() => undefined)
  await applyTogether(tx, changes, outcomes)
  for (const [i, change] of changes.entries()) if (!isGathered(change)) outcomes[i] = await applyOne(tx, change)
  return outcomes
}

async function applyTogether(tx: Transaction, changes: readonly Change[], outcomes: unknown[]): Promise<void> {
  const starts: Change<'startExecutions'>[] = []
  const ends: Change<'finishExecution'>[] = []
  for (const change of changes) {
    if (change.kind === 'startExecutions') starts.push(change)
    else if (change.kind === 'finishExecution') ends.push(change)
  }
  const started = (await startExecutions(tx, starts)).values()
  const ended = (await finishExecutions(tx, ends)).values()
  for (const [i, { kind }] of changes.entries()) {
    if (kind === 'startExecutions') outcomes[i] = started.next().value
    else if (kind === 'finishExecution') outcomes[i] = ended.next().value
  }
}

type OneByOne = Change<Exclude<ChangeKind, Gathered>>

function isGathered(change: Change): change is Change<Gathered> {
  return change.kind === 'startExecutions' || change.kind === 'finishExecution'
}

function applyOne(tx: Transaction, change: OneByOne): Promise<unknown> {
  // The table is complete by its type; the compiler cannot follow that the kind picks the matching entry.
  const applier = appliers[change.kind] as (tx: Transaction, change: OneByOne) => Promise<unknown>
  return applier(tx, change)
}
