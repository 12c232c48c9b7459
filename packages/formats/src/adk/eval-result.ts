import { isObject } from '@llm-eval/protocol'
import { wholeCriterion } from './eval-config.ts'
import {
  type AdkSession,
  type EvalCaseResult,
  type EvalMetricResult,
  type EvalMetricResultPerInvocation,
  type EvalSetResult,
  type EvalStatus,
  evalStatuses,
} from './eval-result-model.ts'
import { invocation } from './eval-shape.ts'
import { event } from './event-shape.ts'
import { unwrapped } from './read-eval-set.ts'
import { list, number, object, opaqueObject, seconds, type Shape, structured, text } from './shape.ts'
import { Telling } from './telling.ts'
import type { WrittenEval } from './write-eval-set.ts'

const status: Shape<EvalStatus> = {
  read(json, telling) {
    const found =
      typeof json === 'number' ? evalStatuses[json - 1] : evalStatuses.find((one) => one === String(json).toLowerCase())
    if (found === undefined) telling.lose('is no status')
    return found
  },
  write: (value) => evalStatuses.indexOf(value) + 1,
}

const metricResult = object<EvalMetricResult>(
  {
    metricName: text,
    threshold: number,
    criterion: wholeCriterion,
    customFunctionPath: text,
    score: number,
    evalStatus: status,
    details: object<NonNullable<EvalMetricResult['details']>>(
      {
        rubricScores: list(object({ rubricId: text, rationale: text, score: number }, { required: ['rubricId'] })),
        tokenUsageDetails: structured,
        durationDetails: structured,
      },
      { empty: 'absent' },
    ),
  },
  {
    required: ['metricName', 'evalStatus'],
    nulls: ['threshold', 'criterion', 'customFunctionPath', 'score'],
  },
)

const perInvocation = object<EvalMetricResultPerInvocation>(
  { actualInvocation: invocation, expectedInvocation: invocation, evalMetricResults: list(metricResult) },
  { required: ['actualInvocation'], defaults: { evalMetricResults: [] }, nulls: ['expectedInvocation'] },
)

const session = object<AdkSession>(
  {
    id: text,
    appName: text,
    userId: text,
    state: opaqueObject('value', 'absent'),
    events: list(event),
    lastUpdateTime: seconds,
  },
  { required: ['id', 'appName', 'userId'], defaults: { events: [] } },
)

const caseResult = object<EvalCaseResult>(
  {
    evalSetFile: text,
    evalSetId: text,
    evalId: text,
    finalEvalStatus: status,
    overallEvalMetricResults: list(metricResult),
    evalMetricResultPerInvocation: list(perInvocation),
    sessionId: text,
    sessionDetails: session,
    userId: text,
  },
  {
    required: ['finalEvalStatus', 'sessionId'],
    defaults: { evalSetId: '', evalId: '', overallEvalMetricResults: [], evalMetricResultPerInvocation: [] },
    nulls: ['evalSetFile', 'sessionDetails', 'userId'],
  },
)

const shape = object<EvalSetResult>(
  {
    evalSetResultId: text,
    evalSetResultName: text,
    evalSetId: text,
    evalCaseResults: list(caseResult),
    creationTimestamp: seconds,
  },
  { required: ['evalSetResultId', 'evalSetId'], defaults: { evalCaseResults: [] } },
)

/**
 * A result file of `adk eval` (`.evalset_result.json`), also one of those versions that wrote it as the text of JSON inside of JSON.
 * Of the two forms of metrics' results that a case can have, the deprecated one is passed over, which is told.
 *
 * @param json any JSON; nothing throws
 */
export function readEvalResult(json: unknown): { result: EvalSetResult; lost: string[] } | { fault: string } {
  const value = unwrapped(json)
  if (!isObject(value)) return { fault: 'is no object' }
  const telling = new Telling('kept')
  const result = shape.read(value, telling)
  return result && telling.fault === undefined
    ? { result, lost: telling.lost }
    : { fault: telling.fault ?? 'is no result of adk eval' }
}

/** The JSON of a result file as ADK writes it: snake case, and null for what is not known. */
export function writeEvalResult(result: EvalSetResult): WrittenEval {
  const telling = new Telling('lost')
  return { json: shape.write(result, telling), lost: telling.lost }
}
