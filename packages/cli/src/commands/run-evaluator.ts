import { evaluationRoutes, type Execution, type ExecutionProgress, type Score } from '@llm-eval/protocol'
import { evaluatorDetail } from '@llm-eval/protocol/evaluation-schemas'
import { LLMEvalError } from 'llm-eval-sdk'
import { SSEResultClient } from 'llm-eval-sdk/experiments'
import { Complaint, exitCodes, orImpossible } from '../complaint.ts'
import { count, dollars, latency } from '../display/amounts.ts'
import { facts } from '../display/table.ts'
import { oneLine, safeJson } from '../display/width.ts'
import { ask, readAnswer } from '../http.ts'
import { type Conversion, readMembers } from '../members.ts'
import { clientOf, findTarget, type GlobalOptions, type Target } from '../target.ts'
import type { Terminal } from '../terminal.ts'

/** How a score ends the command, beside the codes that hold everywhere. */
const scoreCodes = { passed: exitCodes.ok, failed: exitCodes.failed, skipped: exitCodes.untold, errored: 4 } as const

/** Options of `llm-eval evaluators result`. */
export interface ResultOptions extends GlobalOptions {
  /** Milliseconds. */
  timeout: number
  json?: boolean
}

/** Options of `llm-eval evaluators run`. */
export interface RunOptions extends ResultOptions {
  input?: string[]
  set?: string[]
  trace?: string
  at?: string
  wait?: boolean
}

/** `llm-eval evaluators run`: applies an evaluator to one input. Gives the exit code. */
export async function runEvaluator(terminal: Terminal, slug: string, options: RunOptions): Promise<number> {
  const { out, signal } = terminal
  const { trace, at, wait = true, set = [] } = options
  if (options.input === undefined && trace === undefined)
    throw new Complaint('Give an input (-i name=value, -i @FILE, or -i - for standard input) or a trace (--trace ID).')
  const target = await findTarget(terminal, options)
  const input = await readMembers(terminal, options.input ?? [])
  const config =
    set.length === 0 ? undefined : await readMembers(terminal, set, await asTypesSay(terminal, { target, slug }))
  const started = await orImpossible(() =>
    clientOf(target).execute(slug, input, { config, version: at, traceId: trace, wait: false, signal }),
  )
  if (wait) return show(terminal, await finished(terminal, { target, execution: started, options }), options)
  out.line(options.json ? safeJson(JSON.stringify(started)) : started.execution_id)
  return exitCodes.ok
}

/** `llm-eval evaluators result`: waits for an execution. Gives the exit code. */
export async function showResult(terminal: Terminal, id: string, options: ResultOptions): Promise<number> {
  const target = await findTarget(terminal, options)
  const execution = await orImpossible(() => clientOf(target).getExecution(id, { signal: terminal.signal }))
  return show(terminal, await finished(terminal, { target, execution, options }), options)
}

/** Text is text where the evaluator's configuration wants text; everything else is JSON, or text where it is none. */
async function asTypesSay(terminal: Terminal, { target, slug }: { target: Target; slug: string }): Promise<Conversion> {
  const asked = { route: evaluationRoutes.getEvaluator, values: { slug }, signal: terminal.signal }
  const shown = await orImpossible(async () => readAnswer(await ask(target, asked), evaluatorDetail))
  const members = shown.config_schema['properties']
  return (name, text) => {
    const member: unknown = isObject(members) ? members[name] : undefined
    return isObject(member) && member['type'] === 'string' ? text : jsonOr(text)
  }
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

interface Awaited {
  target: Target
  execution: Execution
  options: ResultOptions
}

/** Follows an execution to its end. */
async function finished(terminal: Terminal, { target, execution, options }: Awaited): Promise<Execution> {
  if (isOver(execution)) return execution
  const { err, signal } = terminal
  const { execution_id: id, evaluator } = execution
  const client = new SSEResultClient({ baseUrl: target.url, apiKey: target.key })
  err.status(progressText(evaluator, null))
  try {
    await client.waitForResult(id, `/executions/events/${id}`, {
      timeoutMs: options.timeout,
      onProgress: (progress) => err.status(progressText(evaluator, progress)),
      onError: (error) => err.status(oneLine(error.message)),
      signal,
    })
  } catch (error) {
    if (signal.aborted) throw new Complaint(`Interrupted. ${goesOn(id)}`, { exitCode: exitCodes.interrupted })
    if (error instanceof LLMEvalError && error.code === 'timeout')
      throw new Complaint(`${oneLine(evaluator)} takes longer than it may here. ${goesOn(id)}`)
    // What failed has a score, or an error, like any other.
    if (!(error instanceof LLMEvalError && error.body !== undefined && error.status === undefined)) throw error
  } finally {
    err.status('')
  }
  return orImpossible(() => clientOf(target).getExecution(id, { signal }))
}

function isOver({ status }: Execution): boolean {
  return status !== 'queued' && status !== 'running'
}

function goesOn(id: string): string {
  return `The execution goes on: \`llm-eval evaluators result ${id}\` has its score.`
}

function progressText(evaluator: string, progress: ExecutionProgress | null): string {
  const done = progress?.done ?? null
  const steps = done === null || !progress?.total ? '' : `, ${done} of ${progress.total}`
  return `${oneLine(evaluator)}: ${progress?.status ?? 'running'}${steps} …`
}

/** Prints how it ended, and gives the exit code. */
function show({ out }: Terminal, execution: Execution, { json }: ResultOptions): number {
  const { score } = execution
  const code = exitCodeOf(score)
  if (json) {
    out.line(safeJson(JSON.stringify(execution)))
    return code
  }
  const style = code === exitCodes.ok ? 'green' : code === scoreCodes.skipped ? 'yellow' : 'red'
  const trace: [string, string][] = execution.trace_id === null ? [] : [['Trace', oneLine(execution.trace_id)]]
  const pairs: [string, string][] = [
    ['Evaluator', `${oneLine(execution.evaluator)} (version ${oneLine(execution.evaluator_version)})`],
    ...trace,
    ['Outcome', out.paint(style, outcomeText(execution))],
    ...(score === null ? [] : scoreFacts(score)),
    ['Execution', execution.execution_id],
  ]
  for (const line of facts(out, pairs)) out.line(line)
  return code
}

function exitCodeOf(score: Score | null): number {
  if (score === null) return scoreCodes.errored
  if (score.outcome !== 'scored') return scoreCodes[score.outcome]
  return score.passed === false ? scoreCodes.failed : scoreCodes.passed
}

function outcomeText({ score, status, error }: Execution): string {
  if (score === null) return oneLine([status, error?.message ?? ''].filter((part) => part !== '').join(': '))
  if (score.outcome !== 'scored') return `${score.outcome} (${score.fault ?? 'unknown'})`
  return score.passed === null ? 'scored' : score.passed ? 'scored, passed' : 'scored, did not pass'
}

function scoreFacts({ value, label, explanation, output, usage, duration_ms }: Score): [string, string][] {
  const fields = Object.entries(output).map(([name, field]) => `${name} ${JSON.stringify(field)}`)
  const all: [string, string | null][] = [
    ['Value', value === null ? null : String(Number(value.toPrecision(6)))],
    ['Label', label],
    ['Reason', explanation],
    ['Output', fields.length === 0 ? null : fields.join(', ')],
    ['Cost', usage === null ? null : costText(usage)],
    ['Took', latency(duration_ms)],
  ]
  return all.flatMap(([name, text]): [string, string][] => (text === null ? [] : [[name, oneLine(text)]]))
}

function costText({ model, input_tokens, output_tokens, cost, cached }: NonNullable<Score['usage']>): string {
  const tokens = (n: number | null) => (n === null ? '?' : count(n))
  const price = cost === null ? 'unknown' : dollars(cost)
  const from = `${model ?? 'unknown model'}, ${tokens(input_tokens)} + ${tokens(output_tokens)} tokens`
  return `${price} (${from}${cached ? ', from the cache' : ''})`
}
