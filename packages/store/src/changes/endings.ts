import { sql } from '#kysely'
import type { ExecutionEnd } from '../evaluation.ts'
import { encodeExecution, encodeScored, executionNumber, outcomeNumber } from '../events.ts'
import { joinRecords, records } from '../records.ts'
import type { Changes } from '../store.ts'
import type { Transaction } from '../transaction.ts'
import { addRuleDays, type RuleSpending } from './rules.ts'

/** An execution that is not over, with what its end changes. */
interface OpenExecution {
  ref: number
  owner: string | null
  attempt: number
  evaluator: string
  version: string
  trace_ref: number | null
  rule_id: string | null
  /** Of its trace; null when there is none, or it is gone. */
  ts: number | null
  model_id: number | null
  /** Name of its rule. */
  rule: string | null
}

/** How one of them ended. */
export interface Ending {
  execution: OpenExecution
  end: ExecutionEnd
  at: number
}

/** Ends executions that their owners hold, many at once: a busy server ends hundreds a second. */
export async function finishExecutions(
  tx: Transaction,
  changes: readonly Changes['finishExecution']['in'][],
): Promise<Changes['finishExecution']['out'][]> {
  const open = new Map(
    (
      await findOpen(
        tx,
        changes.map((change) => change.ref),
      )
    ).map((execution) => [execution.ref, execution]),
  )
  const endings: Ending[] = []
  const outcomes = changes.map(({ ref, owner, end, at }) => {
    const execution = open.get(ref)
    if (execution?.owner !== owner) return { held: false }
    // Whoever tells the end of the same execution again comes too late.
    open.delete(ref)
    endings.push({ execution, end, at })
    return { held: true }
  })
  await endAll(tx, endings)
  return outcomes
}

/** Those of the executions that are not over. */
export async function findOpen(tx: Transaction, refs: readonly number[]): Promise<OpenExecution[]> {
  if (refs.length === 0) return []
  const wanted = records(
    tx.dialect,
    { ref: 'bigint' },
    refs.map((ref) => ({ ref })),
  )
  const { rows } = await sql<OpenExecution>`
    SELECT e.ref, e.owner, e.attempt, e.evaluator, e.version, e.trace_ref, e.rule_id, t.ts, t.model_id, r.name AS rule
    FROM ${wanted} AS w ${joinRecords(tx.dialect)} executions AS e ON e.ref = w.ref AND e.project_id = ${tx.projectId} AND e.status < 2
    LEFT JOIN traces AS t ON t.ref = e.trace_ref
    LEFT JOIN rules AS r ON r.project_id = e.project_id AND r.id = e.rule_id
    ORDER BY w.n`.execute(tx.db)
  return rows
}

/** Writes ends: results, scores on the traces, costs of rules, events. Where the trace is gone, there is no score. */
export async function endAll(tx: Transaction, endings: readonly Ending[]): Promise<void> {
  if (endings.length === 0) return
  await writeResults(tx, endings)
  const scored = endings.filter(isScore)
  await writeScores(tx, scored)
  await addRuleDays(tx, endings.flatMap(spendingOf))
  for (const ending of endings) {
    const { execution, end, at } = ending
    tx.ledger.emit('execution_ended', { at, ref: null, data: encodeExecution(execution.ref, end.status) })
    if (!isScore(ending)) continue
    const data = encodeScored(ending.execution.model_id, execution.ref)
    tx.ledger.emit('scored', { at, ref: ending.execution.trace_ref, data })
  }
}

interface ScoreEnding extends Ending {
  execution: OpenExecution & { trace_ref: number; ts: number; model_id: number }
  end: ExecutionEnd & { score: NonNullable<ExecutionEnd['score']> }
}

function isScore(ending: Ending): ending is ScoreEnding {
  const { execution, end } = ending
  return end.status !== 'cancelled' && end.score !== null && execution.ts !== null && execution.model_id !== null
}

async function writeResults(tx: Transaction, endings: readonly Ending[]): Promise<void> {
  const columns = {
    ref: 'bigint',
    status: 'bigint',
    score: 'text',
    error: 'text',
    at: 'bigint',
  } as const
  const rows = endings.map(({ execution, end, at }) => ({
    ref: execution.ref,
    status: executionNumber(end.status),
    score: end.score && JSON.stringify(end.score),
    error: end.error && JSON.stringify(end.error),
    at,
  }))
  await sql`
    UPDATE executions SET status = g.status, owner = NULL, lease_until = 0, score = g.score, error = g.error, completed_at = g.at
    FROM ${records(tx.dialect, columns, rows)} AS g WHERE executions.ref = g.ref`.execute(tx.db)
}

/** Of two ends in one commit the later one is the newest. */
async function writeScores(tx: Transaction, endings: readonly ScoreEnding[]): Promise<void> {
  if (endings.length === 0) return
  const newest = new Map(
    endings.map((ending) => [`${ending.execution.trace_ref}.${ending.execution.evaluator}`, ending]),
  )
  const columns = {
    ref: 'bigint',
    evaluator: 'text',
    version: 'text',
    execution: 'bigint',
    ts: 'bigint',
    at: 'bigint',
    outcome: 'bigint',
    value: 'double precision',
    passed: 'bigint',
    label: 'text',
    rule: 'text',
    model: 'text',
  } as const
  const rows = [...newest.values()].map(({ execution, end: { score }, at }) => ({
    ref: execution.trace_ref,
    evaluator: execution.evaluator,
    version: execution.version,
    execution: execution.ref,
    ts: execution.ts,
    at,
    outcome: outcomeNumber(score.outcome),
    value: score.value,
    passed: score.passed === null ? null : Number(score.passed),
    label: score.label,
    rule: execution.rule,
    model: score.usage?.model ?? null,
  }))
  const names = Object.keys(columns).filter((name) => name !== 'ref' && name !== 'evaluator')
  const list = (of: string[], prefix = '') => sql.raw(of.map((name) => `${prefix}${name}`).join(', '))
  await sql`
    INSERT INTO scores (project_id, ${list(Object.keys(columns))})
    SELECT ${tx.projectId}, ${list(Object.keys(columns), 'g.')} FROM ${records(tx.dialect, columns, rows)} AS g WHERE true
    ON CONFLICT (project_id, ref, evaluator) DO UPDATE SET ${sql.raw(names.map((name) => `${name} = excluded.${name}`).join(', '))}`.execute(
    tx.db,
  )
}

/** What an end adds to the day of its rule. One that never began spent nothing; of one without a score, nobody knows what it spent. */
function spendingOf({ execution, end, at }: Ending): RuleSpending[] {
  if (execution.rule_id === null || execution.attempt === 0) return []
  const { score } = end
  const cost = score === null ? null : score.usage === null || score.usage.cached ? 0 : score.usage.cost
  const day = Math.floor(at / 86_400_000)
  return [
    {
      ruleId: execution.rule_id,
      day,
      executions: 1,
      costNano: cost === null ? 0 : Math.round(cost * 1e9),
      unknownCosts: cost === null ? 1 : 0,
      limited: 0,
    },
  ]
}
