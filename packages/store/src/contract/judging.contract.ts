import { randomUUID } from 'node:crypto'
import type { Score } from '@llm-eval/protocol'
import type { ExecutionEnd, NewExecution } from '../evaluation.ts'
import { now, type Room } from './room.contract.ts'

/** Whoever runs executions in tests, and for how long it holds them. */
export const owner = 'runner'
export const leaseMs = 30_000

/** An execution like any other, with an id of its own. */
export function newExecution(fields: Partial<NewExecution> = {}): NewExecution {
  return {
    id: `execution-${randomUUID()}`,
    evaluator: 'exact-match',
    version: 'v1',
    input: '{"text":"Paris"}',
    config: null,
    traceId: null,
    ruleId: null,
    batchId: null,
    taskId: null,
    ...fields,
  }
}

export function newScore(fields: Partial<Score> = {}): Score {
  return {
    outcome: 'scored',
    value: 1,
    label: null,
    passed: true,
    explanation: 'They are the same.',
    fault: null,
    output: { match: true },
    usage: null,
    duration_ms: 3,
    ...fields,
  }
}

/** What a judge consumed. */
export function usage(fields: Partial<NonNullable<Score['usage']>> = {}): NonNullable<Score['usage']> {
  return { model: 'judge-1', input_tokens: 100, output_tokens: 10, cost: 0.002, cached: false, ...fields }
}

export function completed(score: Partial<Score> = {}): ExecutionEnd {
  return { status: 'completed', score: newScore(score), error: null }
}

/** Starts executions; their refs. */
export async function start(r: Room, executions: NewExecution[], more: { owner?: string; at?: number } = {}) {
  const { refs } = await r.apply({ kind: 'startExecutions', executions, owner, at: now, leaseMs, ...more })
  return refs
}

/** Starts one execution that can be started. */
export async function startOne(r: Room, fields: Partial<NewExecution> = {}): Promise<{ id: string; ref: number }> {
  const execution = newExecution(fields)
  const [ref] = await start(r, [execution])
  if (ref === null || ref === undefined) throw new Error('the execution was not stored')
  return { id: execution.id, ref }
}

/** Ends an execution, for its owner and now unless said otherwise. */
export function finish(
  r: Room,
  which: number | { ref: number; owner?: string; at?: number },
  end: ExecutionEnd = completed(),
) {
  const given = typeof which === 'number' ? { ref: which } : which
  return r.apply({ kind: 'finishExecution', owner, end, at: now, ...given })
}

/** Evaluates a trace from start to end. */
export async function evaluate(
  r: Room,
  fields: Partial<NewExecution> & { traceId: string },
  end: ExecutionEnd = completed(),
): Promise<{ id: string; ref: number }> {
  const started = await startOne(r, { input: null, ...fields })
  await finish(r, started.ref, end)
  return started
}

export function take(
  r: Room,
  more: { owner?: string; at?: number; limit?: number; maxAttempts?: number; leaseMs?: number } = {},
) {
  return r.apply({ kind: 'takeExecutions', owner, at: now, leaseMs, limit: 100, maxAttempts: 3, ...more })
}

/** An execution that was started and has to be there. */
export async function executionOf(r: Room, id: string) {
  const execution = await r.read('execution', { id })
  if (!execution) throw new Error(`there is no execution ${id}`)
  return execution
}
