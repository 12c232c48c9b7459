/** Runs and their items as they go out, and items as they are kept. */
import { costOf, itemIdOf, progressOf, scoreOf, totalsFrom } from '@llm-eval/engine'
import {
  type Run,
  type RunItem,
  type RunProgress,
  type RunSettings,
  type RunTask,
  limits,
  type Score,
} from '@llm-eval/protocol'
import { runItem, runInput } from '@llm-eval/protocol/run-schemas'
import type { ItemScore, NewRunItem, RunNumbers, StoredRun, StoredRunItem } from '@llm-eval/store'
import * as z from 'zod'
import { canonicalJson, hashOf } from '../intake/canonical.ts'
import { readMetrics } from './metrics.ts'

const scoresShape = runItem.shape.scores
const objectShape = z.record(z.string(), z.unknown())

/** What a run is to do, from what the store keeps. */
export function readTask(json: string): RunTask {
  return runInput.shape.task.parse(JSON.parse(json))
}

/** How a run is worked off, from what the store keeps. */
export function readSettings(json: string): RunSettings {
  return runInput.shape.settings.parse(JSON.parse(json))
}

/** A run as it goes out. The values of its task's headers are secrets, and stay here. */
export function toRun(stored: StoredRun, now: number): Run {
  const settings = readSettings(stored.settings)
  return {
    run_id: stored.id,
    name: stored.name,
    description: stored.description,
    status: stored.status,
    stopped_by: stored.stoppedBy,
    error: stored.error,
    dataset_id: stored.datasetId,
    dataset_name: stored.datasetName,
    dataset_version: stored.datasetVersion,
    task: shownTask(readTask(stored.task)),
    metrics_used: readMetrics(stored.metrics).map(({ name, evaluator, config }) => {
      return { name, evaluator, ...(config === undefined ? {} : { config }) }
    }),
    settings,
    config: objectShape.parse(JSON.parse(stored.config)),
    model_name: stored.modelName,
    model_version: stored.modelVersion,
    task_type: stored.taskType,
    environment: stored.environment,
    tags: stored.tags,
    metadata: objectShape.parse(JSON.parse(stored.metadata)),
    created_by: stored.createdBy,
    approval: stored.approval,
    created_at: timeOf(stored.createdAt),
    updated_at: timeOf(stored.updatedAt),
    started_at: timeOrNull(stored.startedAt),
    ended_at: timeOrNull(stored.endedAt),
    duration_ms: durationOf(stored, now),
    ...progressOfRun(stored, { names: stored.metricNames, repetitions: settings.repetitions }),
  }
}

/** The numbers of a run as they are shown. */
export function progressOfRun(
  numbers: RunNumbers,
  { names, repetitions }: { names: readonly string[]; repetitions: number },
): RunProgress {
  return progressOf(totalsOf(numbers), { names, repetitions, totalItems: numbers.total })
}

/** The numbers of a run as the engine goes on from them. */
export function totalsOf({ completed, successful, costNano, unknownCosts, totals }: RunNumbers) {
  return totalsFrom({ completed, successful, cost: costNano / 1e9, unknownCosts }, totals)
}

function durationOf({ startedAt, beganAt, workedMs }: StoredRun, now: number): number | null {
  if (startedAt === null) return null
  return workedMs + (beganAt === null ? 0 : Math.max(0, now - beganAt))
}

function shownTask(task: RunTask): RunTask {
  if (task.kind !== 'http' || task.headers === undefined) return task
  return { ...task, headers: Object.fromEntries(Object.keys(task.headers).map((name) => [name, '***'])) }
}

function timeOf(at: number): string {
  return new Date(at).toISOString()
}

function timeOrNull(at: number | null): string | null {
  return at === null ? null : timeOf(at)
}

/** A stored item as it goes out. Its body must have been read. */
export function toItem(stored: StoredRunItem): RunItem {
  const { body, caseId, repetition } = stored
  return {
    item_id: itemIdOf(caseId, repetition),
    item_index: stored.itemIndex,
    case_id: caseId,
    repetition,
    status: stored.status,
    input: jsonOrNull(body?.input),
    expected: jsonOrNull(body?.expected),
    output: jsonOrNull(body?.output),
    scores: scoresShape.parse(JSON.parse(body?.scores ?? '{}')),
    error: stored.error,
    attempts: stored.attempts,
    response_time_ms: stored.responseMs,
    tokens: stored.tokens,
    cost: stored.costNano === null ? null : stored.costNano / 1e9,
    trace_id: stored.traceId,
    started_at: timeOrNull(stored.startedAt),
    completed_at: timeOf(stored.completedAt),
  }
}

function jsonOrNull(json: string | null | undefined): unknown {
  return json === null || json === undefined ? null : JSON.parse(json)
}

/** How an item is kept. */
export interface Keeping {
  /** Of the metrics of the run, in their order. */
  names: readonly string[]
  /** Of the item as it was sent. */
  hash: string
  /** The trace that its case was made of. */
  sourceTraceId?: string | null | undefined
  /** Milliseconds since 1970, where the item does not say when it was finished. */
  at: number
}

/** A finished item as it is kept. */
export function toNewItem(item: RunItem, { names, hash, sourceTraceId, at }: Keeping): NewRunItem {
  const { known, unknown } = costOf(item)
  return {
    itemIndex: item.item_index,
    caseId: item.case_id,
    repetition: item.repetition,
    status: item.status === 'success' ? 'success' : 'failed',
    hash,
    responseMs: item.response_time_ms,
    costNano: item.cost === null ? null : nanoOf(item.cost),
    tokens: item.tokens,
    attempts: item.attempts,
    startedAt: item.started_at === null ? null : Date.parse(item.started_at),
    completedAt: item.completed_at === null ? at : Date.parse(item.completed_at),
    scores: names.map((name) => countedOf(scoreOf(item.scores, name))),
    spent: { costNano: nanoOf(known), unknown },
    preview: previewOf(item.output),
    error: item.error,
    traceId: item.trace_id,
    sourceTraceId: sourceTraceId ?? null,
    body: {
      input: JSON.stringify(item.input ?? null),
      expected: jsonText(item.expected),
      output: jsonText(item.output),
      scores: JSON.stringify(item.scores),
    },
  }
}

/** Tells items apart by what they say. */
export function hashItem(item: object): string {
  return hashOf(canonicalJson(item))
}

function nanoOf(dollars: number): number {
  return Math.round(dollars * 1e9)
}

function countedOf(score: Score | undefined): ItemScore | null {
  return score === undefined ? null : { outcome: score.outcome, value: score.value, passed: score.passed }
}

function jsonText(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}

function previewOf(output: unknown): string | null {
  const text = typeof output === 'string' ? output : jsonText(output)
  return text === null ? null : text.slice(0, limits.previewChars).toWellFormed()
}
