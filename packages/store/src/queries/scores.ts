import type { Score, ScoreSummary, TraceScore } from '@llm-eval/protocol'
import { sql } from '#kysely'
import type { JudgedTrace } from '../evaluation.ts'
import { outcomeName } from '../events.ts'
import type { Reading } from '../reading.ts'
import { joinRecords, records } from '../records.ts'
import type { Queries, StoredScore } from '../store.ts'
import { statusNumbers } from '../transaction.ts'

/** Scores of an evaluator among which those of one version are looked for. */
const judgedScores = 100_000

interface SummaryScoreRow {
  ref: number
  evaluator: string
  outcome: number
  value: number | null
  label: string | null
  passed: number | null
}

function toSummary(row: Omit<SummaryScoreRow, 'ref'>): ScoreSummary {
  return {
    evaluator: row.evaluator,
    outcome: outcomeName(row.outcome),
    value: row.value,
    label: row.label,
    passed: row.passed === null ? null : row.passed === 1,
  }
}

const wantedRefs = (reading: Reading, refs: readonly number[]) =>
  records(
    reading.dialect,
    { ref: 'bigint' },
    refs.map((ref) => ({ ref })),
  )

/** The newest score of each evaluator on each of these traces, by slug. */
export async function scoresOf(reading: Reading, refs: readonly number[]): Promise<Map<number, ScoreSummary[]>> {
  const scores = new Map<number, ScoreSummary[]>()
  if (refs.length === 0) return scores
  const { rows } = await sql<SummaryScoreRow>`
    SELECT s.ref, s.evaluator, s.outcome, s.value, s.label, s.passed
    FROM ${wantedRefs(reading, refs)} AS w ${joinRecords(reading.dialect)} scores AS s ON s.project_id = ${reading.projectId} AND s.ref = w.ref
    ORDER BY s.ref, s.evaluator`.execute(reading.db)
  for (const row of rows) {
    const list = scores.get(row.ref)
    if (list) list.push(toSummary(row))
    else scores.set(row.ref, [toSummary(row)])
  }
  return scores
}

/** The same with everything that is known of them. */
export async function wholeScoresOf(reading: Reading, refs: readonly number[]): Promise<Map<number, TraceScore[]>> {
  const rows = await reading.db
    .selectFrom('scores')
    .innerJoin('executions', 'executions.ref', 'scores.execution')
    .select([
      'scores.ref',
      'scores.evaluator',
      'scores.version',
      'scores.rule',
      'scores.at',
      'executions.id',
      'executions.score',
    ])
    .where('scores.project_id', '=', reading.projectId)
    .where('scores.ref', 'in', refs)
    .orderBy('scores.ref')
    .orderBy('scores.evaluator')
    .execute()
  const scores = new Map<number, TraceScore[]>()
  for (const row of rows) {
    if (row.score === null) continue
    const whole: TraceScore = {
      ...(JSON.parse(row.score) as Score),
      evaluator: row.evaluator,
      evaluator_version: row.version,
      execution_id: row.id,
      rule: row.rule,
      at: new Date(row.at).toISOString(),
    }
    scores.set(row.ref, [...(scores.get(row.ref) ?? []), whole])
  }
  return scores
}

/** The scores of these executions, as `scored` events tell them. */
export async function eventScores(reading: Reading, executions: readonly number[]): Promise<Map<number, StoredScore>> {
  const scores = new Map<number, StoredScore>()
  if (executions.length === 0) return scores
  const { rows } = await sql<{ ref: number; id: string; evaluator: string; score: string | null }>`
    SELECT e.ref, e.id, e.evaluator, e.score
    FROM ${wantedRefs(reading, executions)} AS w ${joinRecords(reading.dialect)} executions AS e ON e.ref = w.ref AND e.project_id = ${reading.projectId}`.execute(
    reading.db,
  )
  for (const row of rows) {
    if (row.score === null) continue
    const { outcome, value, label, passed } = JSON.parse(row.score) as Score
    scores.set(row.ref, { evaluator: row.evaluator, outcome, value, label, passed, execution_id: row.id })
  }
  return scores
}

/** Traces that an evaluator, a person or both have judged, newest first. */
export async function judgedTraces(
  reading: Reading,
  query: Queries['judgedTraces']['in'],
): Promise<Queries['judgedTraces']['out']> {
  const found = [
    ...(await scoredTraces(reading, query)),
    ...(await reviewedTraces(reading, query, 'accepted')),
    ...(await reviewedTraces(reading, query, 'rejected')),
  ]
  const byRef = new Map(found.map((row) => [row.ref, row]))
  return [...byRef.values()]
    .sort((a, b) => b.ts - a.ts || b.ref - a.ref)
    .slice(0, query.limit)
    .map(toJudged)
}

interface JudgedRow {
  ref: number
  ts: number
  trace_id: string
  status: number
  outcome: number | null
  passed: number | null
  value: number | null
  model: string | null
}

function toJudged(row: JudgedRow): JudgedTrace {
  const { status } = row
  const decided = status === statusNumbers.accepted || status === statusNumbers.rejected
  return {
    traceId: row.trace_id,
    outcome: row.outcome === null ? null : outcomeName(row.outcome),
    passed: row.passed === null ? null : row.passed === 1,
    value: row.value,
    model: row.model,
    accepted: decided ? status === statusNumbers.accepted : null,
  }
}

async function scoredTraces(reading: Reading, query: Queries['judgedTraces']['in']): Promise<JudgedRow[]> {
  const { rows } = await sql<JudgedRow>`
    SELECT t.ref, t.ts, t.trace_id, t.status, s.outcome, s.passed, s.value, s.model FROM (
      SELECT ref, evaluator, ts FROM scores WHERE project_id = ${reading.projectId} AND evaluator = ${query.evaluator}
      ORDER BY ts DESC, ref DESC LIMIT ${judgedScores}
    ) AS w
    JOIN scores AS s ON s.project_id = ${reading.projectId} AND s.ref = w.ref AND s.evaluator = w.evaluator AND s.version = ${query.version}
    JOIN traces AS t ON t.ref = w.ref
    ORDER BY w.ts DESC, w.ref DESC LIMIT ${query.limit}`.execute(reading.db)
  return rows
}

async function reviewedTraces(
  reading: Reading,
  query: Queries['judgedTraces']['in'],
  status: 'accepted' | 'rejected',
): Promise<JudgedRow[]> {
  return reading.db
    .selectFrom('traces')
    .leftJoin('scores', (join) =>
      join
        .onRef('scores.project_id', '=', 'traces.project_id')
        .onRef('scores.ref', '=', 'traces.ref')
        .on('scores.evaluator', '=', query.evaluator)
        .on('scores.version', '=', query.version),
    )
    .select([
      'traces.ref',
      'traces.ts',
      'traces.trace_id',
      'traces.status',
      'scores.outcome',
      'scores.passed',
      'scores.value',
      'scores.model',
    ])
    .where('traces.project_id', '=', reading.projectId)
    .where('traces.status', '=', statusNumbers[status])
    .orderBy('traces.ts', 'desc')
    .orderBy('traces.ref', 'desc')
    .limit(query.limit)
    .execute()
}
