import { runRoutes } from '@llm-eval/protocol'
import { run as runAnswer, runMetrics } from '@llm-eval/protocol/run-schemas'
import { type EvaluationResult, Evaluator } from 'llm-eval-sdk/evaluation'
import type { ToldRun } from '../commands/runs.ts'
import { Complaint, orImpossible } from '../complaint.ts'
import { count, figure } from '../display/amounts.ts'
import { oneLine } from '../display/width.ts'
import { ask, readAnswer } from '../http.ts'
import type { Place } from '../place.ts'
import type { Target } from '../target.ts'
import type { Terminal } from '../terminal.ts'
import { earlierRun, interruptedRun } from './earlier-runs.ts'
import { Live } from './live.ts'
import type { LoadedEvaluation } from './load.ts'
import type { RunOptions } from './options.ts'
import { compared, demandsOf, type Ending, endingOf, type Judged } from './verdict.ts'
import { type Wish, wishOf } from './wish.ts'

/** An evaluation that is over. */
export interface Evaluated extends Judged, Ending {
  file: string
  /** Where people look at the run while a server is there. */
  url: string | null
  /** The newest whole run of the same name before it; null where there is none. */
  before: string | null
  warnings: string[]
}

interface Work {
  place: Place
  evaluation: LoadedEvaluation
  options: RunOptions
}

/**
 * Evaluates one evaluation, from its dataset to its verdict.
 *
 * @throws {Complaint} where it cannot be begun
 */
export async function evaluate(terminal: Terminal, { place, evaluation, options }: Work): Promise<Evaluated> {
  const { definition, file } = evaluation
  const { target, kind } = place
  const demands = demandsOf(definition, options)
  const before = await orImpossible(() => resumed(target, options, options.name ?? definition.name))
  const wish = await wishOf(evaluation, options, { before, onFile: terminal.onFile })
  if (demands.baseline !== undefined) await orImpossible(() => fetched(target, demands.baseline ?? ''))
  const result = await orImpossible(() => perform(terminal, target, { ...wish, deliveryMs: options.patience }))
  checkStored(result, file)
  const earlier = await orImpossible(() => earlierRun(target, wish.name, wish.runId))
  const interrupted = terminal.signal.aborted
  const judged = await orImpossible(async (): Promise<Judged> => {
    const baseline = demands.baseline ?? (demands.failOn === undefined ? null : (earlier?.run_id ?? null))
    const told = interrupted
      ? { comparison: null, gate: null }
      : await compared(target, { runId: wish.runId, demands, baseline })
    const answer = await ask(target, { route: runRoutes.getRunMetrics, values: { run_id: wish.runId } })
    return { ...told, metrics: (await readAnswer(answer, runMetrics)).items, run: await fetched(target, wish.runId) }
  })
  const { allowFailed } = options
  return {
    ...judged,
    ...endingOf({ judged, result, interrupted, allowFailed }),
    file,
    url: kind === 'server' ? result.runUrl : null,
    before: earlier?.run_id ?? null,
    warnings: result.warnings,
  }
}

/** The server may have gone for good before all was there. */
function checkStored(
  { runId, delivery: { undelivered }, completedItems, metrics }: EvaluationResult,
  file: string,
): void {
  if (undelivered === 0) return
  const means = Object.entries(metrics).flatMap(([name, { mean }]) =>
    mean === null ? [] : [`${oneLine(name)} ${figure(mean)}`],
  )
  throw new Complaint(
    `The server went away and does not have all of the run. Here ${count(completedItems)} items are finished${means.length === 0 ? '' : ` (${means.join(', ')})`}. When it is back, this does what it does not have: llm-eval run ${oneLine(file)} --resume ${oneLine(runId)}`,
  )
}

async function resumed(target: Target, { resume }: RunOptions, name: string): Promise<ToldRun | null> {
  if (resume === undefined) return null
  const run = resume === true ? await interruptedRun(target, name) : await fetched(target, resume)
  if (run.task.kind !== 'client')
    throw new Complaint(`${oneLine(run.run_id)} is worked off by the server: \`llm-eval runs resume\` goes on with it.`)
  return run
}

async function fetched(target: Target, id: string): Promise<ToldRun> {
  return readAnswer(await ask(target, { route: runRoutes.getRun, values: { run_id: id } }), runAnswer)
}

async function perform({ err, signal }: Terminal, target: Target, wish: Wish): Promise<EvaluationResult> {
  const live = new Live(err)
  const evaluator = evaluatorOf({
    ...wish,
    baseUrl: target.url,
    apiKey: target.key,
    ...(target.fetch === undefined ? {} : { fetch: target.fetch }),
    signal,
    onProgress: (progress) => live.show(progress),
    onItem: (item) => live.item(item),
    onWarning: (message) => live.warning(message),
  })
  try {
    return await evaluator.run()
  } catch (error) {
    throw asComplaint(error)
  } finally {
    live.end()
  }
}

function evaluatorOf(options: ConstructorParameters<typeof Evaluator>[0]): Evaluator {
  try {
    return new Evaluator(options)
  } catch (error) {
    throw asComplaint(error)
  }
}

/** What is wrong with the options of an evaluator is the user's to mend. */
function asComplaint(error: unknown): unknown {
  const known =
    error instanceof TypeError || (error instanceof Error && 'code' in error && error.code === 'invalid_request')
  if (!known || !(error instanceof Error)) return error
  const faults = 'errors' in error && Array.isArray(error.errors) ? error.errors : []
  const words = faults.map(
    (fault: { path?: unknown; message?: unknown }) => `${String(fault.path)} ${String(fault.message)}`,
  )
  return new Complaint(
    `The evaluation cannot begin: ${oneLine(words.length === 0 ? error.message : words.join('; '))}.`,
    { cause: error },
  )
}
