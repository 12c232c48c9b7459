import { randomUUID } from 'node:crypto'
import { itemIdOf } from '@llm-eval/engine'
import { agentRoutes, type AttemptResult, limits, type PartScore, runRoutes, scoreParts } from '@llm-eval/protocol'
import { run as runAnswer, runEventsReceipt } from '@llm-eval/protocol/run-schemas'
import { explain } from '../complaint.ts'
import { count } from '../display/amounts.ts'
import { oneLine } from '../display/width.ts'
import { ask, readAnswer } from '../http.ts'
import { openPlace, type PlaceOptions } from '../place.ts'
import { newRunId } from '../run-id.ts'
import type { Target } from '../target.ts'
import type { Stage } from '../terminal.ts'
import type { ReportedCase, SuiteReport } from './report.ts'
import { reportBody, shallowValue } from './report-body.ts'

/** Characters of one value of an item, and of the events of one request. */
const valueChars = 200_000
const requestChars = 4_000_000
const requestEvents = 100

const metrics = ['score', ...scoreParts, 'passed'] as const

/**
 * Keeps what was found where `llm-eval run` keeps its own: as a run, of which each attempt is an item, and as a report with
 * whole traces. That it cannot be kept is told, and changes nothing of the verdict.
 */
export async function sendResults(stage: Stage, options: PlaceOptions, report: SuiteReport): Promise<void> {
  if (stage.signal.aborted) return stage.err.line('What was asked until then is no result to keep: nothing was sent.')
  try {
    const place = await openPlace(stage, options)
    const id = await sendRun(place.target, report)
    await sendReport(stage, place.target, { report, id })
    const words =
      place.kind === 'directory'
        ? `Kept in ${place.where} as run ${id}; \`llm-eval serve\` shows it in the browser.`
        : `Sent: ${place.target.url}/tests/${encodeURIComponent(report.suite)} and ${place.target.url}/runs/${id}`
    stage.err.line(words)
  } catch (error) {
    const known = explain(error)
    if (!known) throw error
    stage.err.line(`${stage.err.paint('yellow', 'warning:')} The results were not sent: ${oneLine(known.message)}`)
  }
}

async function sendRun(target: Target, report: SuiteReport): Promise<string> {
  const { suite, verdict, exitCode, headline, command, cases } = report
  const items = cases.flatMap((one) => one.result.attempts.map((attempt, index) => ({ one, attempt, index })))
  const id = newRunId(suite)
  const worker = `cli-${randomUUID()}`
  const body = {
    run_id: id,
    name: suite,
    dataset_name: suite,
    metrics_used: metrics.map((name) => ({
      name,
      evaluator: `client:${name}`,
      evaluator_version: '1',
      direction: 'higher',
    })),
    settings: {
      repetitions: Math.min(limits.runRepetitions, Math.max(1, ...cases.map((one) => one.result.attempts.length))),
    },
    total_items: items.length,
    tags: ['agent-test'],
    metadata: { suite, verdict, exit_code: exitCode, headline, command: `llm-eval ${command}` },
    task_type: 'agent',
    model_name: modelOf(cases),
  }
  await readAnswer(await ask(target, { route: runRoutes.createRun, body }), runAnswer)
  const events = items.map(({ one, attempt, index }, at) => itemEvent(one, attempt, { index, at }))
  const end = { type: 'run_ended', status: 'completed', total_items: items.length }
  for (const batch of batchesOf([...events, end])) {
    const sent = { schema_version: 1, worker, events: batch }
    const answer = await ask(target, { route: runRoutes.sendRunEvents, values: { run_id: id }, body: sent })
    await readAnswer(answer, runEventsReceipt)
  }
  return id
}

/** The same with whole traces: what the history of each case is made of. */
async function sendReport(
  { env, err }: Stage,
  target: Target,
  { report, id }: { report: SuiteReport; id: string },
): Promise<void> {
  const body = reportBody(report, { id, env })
  const answer = await ask(target, { route: agentRoutes.sendAgentReport, body })
  await answer.body?.cancel()
  const left = report.cases.length - body.cases.length
  if (left > 0) err.line(`${count(left)} cases have no history there: a report holds ${count(body.cases.length)}.`)
}

/** The model that answered, where all answers name one. */
function modelOf(cases: readonly ReportedCase[]): string | null {
  const models = new Set(cases.flatMap(({ result }) => result.attempts.map(({ trace }) => trace.model)))
  const [only = null] = models
  return models.size === 1 ? (only?.slice(0, limits.nameChars) ?? null) : null
}

function itemEvent(one: ReportedCase, attempt: AttemptResult, { index, at }: { index: number; at: number }): object {
  const { trace, outcome } = attempt
  const { fault } = trace
  const repetition = index + 1
  const { case_id: id } = one.result
  const asked = trace.turns.map(({ query }) => query)
  const calls = trace.tool_calls.map(({ name, args, turn }) => ({ name, args: shallowValue(args), turn }))
  return {
    type: 'item_finished',
    item_id: itemIdOf(id, repetition),
    item_index: at,
    case_id: id,
    repetition,
    status: fault ? 'failed' : 'success',
    input: short({ name: one.name, turns: asked }),
    output: fault ? null : short({ answer: trace.output, outcome, tool_calls: calls, why: one.reasons.slice(0, 10) }),
    error: fault
      ? {
          code: fault.code === 'timeout' ? 'timeout' : 'execution_failed',
          message: `${fault.code}: ${fault.message}`.slice(0, limits.runErrorChars),
        }
      : null,
    scores: fault ? {} : scoresOf(attempt),
    response_time_ms: trace.latency_ms,
    tokens: trace.tokens?.total ?? null,
    cost: trace.cost,
  }
}

function scoresOf({ score, outcome, parts }: AttemptResult): Record<string, object> {
  const passed =
    outcome === 'unevaluated'
      ? unseen('What its verdict needs could not be seen or judged.')
      : { value: outcome === 'passed' ? 1 : 0, passed: outcome === 'passed' }
  return {
    score: score === null ? unseen('No part of the score is known.') : { value: score / 100 },
    ...Object.fromEntries(scoreParts.map((name) => [name, partScore(parts[name])])),
    passed,
  }
}

function partScore(part: PartScore): object {
  if (part.outcome === 'scored') return { value: part.value, explanation: part.detail.slice(0, 1_000) }
  return unseen(part.outcome === 'not_expected' ? 'Nothing is expected of it.' : part.detail.slice(0, 1_000))
}

function unseen(explanation: string): object {
  return { outcome: 'skipped', fault: 'missing_evidence', explanation }
}

/** What is larger is cut, and said to be. */
function short(value: object): unknown {
  const json = JSON.stringify(value)
  if (json.length <= valueChars) return value
  return `${json.slice(0, valueChars).toWellFormed()}… (${count(json.length - valueChars)} more characters)`
}

/** Events in their order, numbered, as many together as one request may hold. */
function batchesOf(events: readonly object[]): object[][] {
  const batches: object[][] = []
  let chars = requestChars
  for (const [index, event] of events.entries()) {
    const numbered = { event_id: randomUUID(), sequence: index + 1, ...event }
    const size = JSON.stringify(numbered).length
    const last = batches.at(-1)
    if (!last || last.length >= requestEvents || chars + size > requestChars) {
      batches.push([numbered])
      chars = size
    } else {
      last.push(numbered)
      chars += size
    }
  }
  return batches
}
