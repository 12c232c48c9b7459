import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type AdkMeasure, adkMeasures, type AdkScores, compareInvocations } from '@llm-eval/engine/agent'
import {
  type EvalCaseResult,
  type EvalMetricResult,
  type EvalSetResult,
  type EvalStatus,
  type Invocation,
  writeEvalResult,
} from '@llm-eval/formats/adk'
import {
  type AdkCriterion,
  type AdkExpected,
  type AgentTrace,
  type AttemptResult,
  type CaseResult,
  isObject,
} from '@llm-eval/protocol'
import { fileComplaint } from '../complaint.ts'
import type { Terminal } from '../terminal.ts'
import type { Suite } from './suite.ts'

/**
 * Writes what came of eval sets of ADK as `adk eval` writes it, a file for each set.
 *
 * @throws {Complaint} for a folder that cannot be written to
 */
export async function saveAdkResults(
  { cwd, err }: Pick<Terminal, 'cwd' | 'err'>,
  folder: string,
  { suite, results }: { suite: Suite; results: readonly CaseResult[] },
): Promise<void> {
  const expected = new Map(suite.cases.flatMap(({ case_id: id, adk }) => (adk ? [[id, adk] as const] : [])))
  const sets = new Map<string, { app: string; cases: EvalCaseResult[] }>()
  for (const { case_id: id, attempts } of results) {
    const adk = expected.get(id)
    if (!adk) continue
    const set = sets.get(adk.eval_set_id) ?? { app: adk.app_name ?? suite.name, cases: [] }
    sets.set(adk.eval_set_id, set)
    set.cases.push(...attempts.map((attempt) => caseResult(adk, attempt)))
  }
  for (const [evalSetId, { app, cases }] of sets) {
    const creationTimestamp = Date.now() / 1_000
    const evalSetResultId = `${app}_${evalSetId}_${creationTimestamp}`
    const evalSetResultName = evalSetResultId.replaceAll(/[^\w.-]/g, '_')
    const result: EvalSetResult = {
      evalSetResultId,
      evalSetResultName,
      evalSetId,
      evalCaseResults: cases,
      creationTimestamp,
    }
    const path = join(resolve(cwd, folder), `${evalSetResultName}.evalset_result.json`)
    try {
      await mkdir(resolve(cwd, folder), { recursive: true })
      await writeFile(path, `${JSON.stringify(writeEvalResult(result).json, null, 2)}\n`)
    } catch (error) {
      throw fileComplaint(path, error)
    }
    err.line(`Wrote ${join(folder, `${evalSetResultName}.evalset_result.json`)}`)
  }
}

function caseResult(adk: AdkExpected, { outcome, assertions, trace }: AttemptResult): EvalCaseResult {
  const common = {
    evalSetId: adk.eval_set_id,
    evalId: adk.eval_id,
    finalEvalStatus: outcome === 'passed' ? 'passed' : outcome === 'unevaluated' ? 'not_evaluated' : 'failed',
    sessionId: trace.session_id ?? '',
    ...(adk.user_id !== null && { userId: adk.user_id }),
  } satisfies Partial<EvalCaseResult>
  // ADK evaluates nothing of what broke off.
  if (outcome === 'faulted') return { ...common, overallEvalMetricResults: [], evalMetricResultPerInvocation: [] }
  const overall = adk.criteria.map((criterion) => {
    const told = assertions.find(({ kind }) => kind.replace(/^(adk|judged)\./, '') === criterion.metric)
    const status = told?.outcome === 'passed' || told?.outcome === 'failed' ? told.outcome : 'not_evaluated'
    const isScore = typeof told?.actual === 'number'
    return metricResult(criterion, isScore ? Number(told.actual) : null, isScore ? status : 'not_evaluated')
  })
  return { ...common, overallEvalMetricResults: overall, evalMetricResultPerInvocation: byTurn(adk, trace) }
}

function byTurn(adk: AdkExpected, trace: AgentTrace): EvalCaseResult['evalMetricResultPerInvocation'] {
  const actual = adk.turns.map((_turn, index) => doneIn(trace, index + 1))
  const compared = new Map<AdkCriterion, AdkScores[]>()
  for (const criterion of adk.criteria) {
    const options = { match: criterion.match, ignoreArgs: criterion.ignore_args }
    compared.set(criterion, compareInvocations(adk.turns, actual, options).turns)
  }
  return adk.turns.map((turn, index) => {
    const query = trace.turns[index]?.query ?? ''
    return {
      actualInvocation: invocation(query, actual[index] ?? { calls: [], response: '' }),
      expectedInvocation: invocation(query, turn),
      evalMetricResults: adk.criteria.map((criterion) => {
        const name = measureOf(criterion)
        const score = name === undefined ? null : (compared.get(criterion)?.[index]?.[name] ?? null)
        const status = score === null ? 'not_evaluated' : score >= criterion.threshold ? 'passed' : 'failed'
        return metricResult(criterion, score, status)
      }),
    }
  })
}

function measureOf({ metric, fault }: AdkCriterion): AdkMeasure | undefined {
  return fault === null ? adkMeasures.find((known) => known === metric) : undefined
}

function metricResult(
  { metric, threshold, match, ignore_args: ignoreArgs }: AdkCriterion,
  score: number | null,
  evalStatus: EvalStatus,
): EvalMetricResult {
  const isPlain = match === 'EXACT' && !ignoreArgs
  return {
    metricName: metric,
    threshold,
    criterion: { threshold, ...(!isPlain && { matchType: match, ignoreArgs }) },
    ...(score !== null && { score }),
    evalStatus,
  }
}

type Turn = AdkExpected['turns'][number]

function doneIn({ turns, tool_calls: calls }: AgentTrace, number: number): Turn {
  const own = calls.filter(({ turn }) => turn === number)
  return {
    calls: own.map(({ name, args }) => ({ name, args: isObject(args) ? args : null })),
    response: turns[number - 1]?.output ?? '',
  }
}

function invocation(query: string, { calls, response }: Turn): Invocation {
  return {
    invocationId: '',
    userContent: { role: 'user', parts: [{ text: query }] },
    finalResponse: { role: 'model', parts: [{ text: response }] },
    intermediateData: {
      toolUses: calls.map(({ name, args }) => ({ name, ...(args !== null && { args }) })),
      toolResponses: [],
      intermediateResponses: [],
    },
  }
}
