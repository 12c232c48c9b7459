import { type Run, type RunningMetric, type RunProgress, runRoutes } from '@llm-eval/protocol'
import { run as runAnswer, runPage } from '@llm-eval/protocol/run-schemas'
import type * as z from 'zod'
import { count, dollars, duration, figure, localTime, percent } from '../display/amounts.ts'
import { type Column, facts, table } from '../display/table.ts'
import { oneLine, safeJson } from '../display/width.ts'
import { ask, givenOnly, readAnswer } from '../http.ts'
import { reachTarget } from '../place.ts'
import type { GlobalOptions, Target } from '../target.ts'
import type { Stage, Terminal } from '../terminal.ts'
import { printErrors } from './run-items.ts'

/** A run as the server tells it. */
export type ToldRun = z.infer<typeof runAnswer>

type Shown = GlobalOptions & { json?: boolean }

/** Options of `llm-eval runs list`. */
export interface RunListOptions extends Shown {
  dataset?: string
  model?: string
  status?: string
  by?: string
  tag?: string[]
  minSuccess?: number
  /** Milliseconds. */
  maxDuration?: number
  after?: string
  before?: string
  search?: string
  order: string
  ascending?: boolean
  limit: number
  cursor?: string
}

/** `llm-eval runs list`: one page of runs, newest first unless asked otherwise. */
export async function listRuns(terminal: Stage, options: RunListOptions): Promise<void> {
  const { out, err, signal } = terminal
  const target = await reachTarget(terminal, options)
  const answer = await ask(target, { route: runRoutes.listRuns, query: listQuery(options), signal })
  const { items, next_cursor: cursor } = await readAnswer(answer, runPage)
  if (options.json) for (const item of items) out.line(safeJson(JSON.stringify(item)))
  else if (items.length === 0) err.line('No run fits.')
  else for (const line of table(out, listColumns, items.map(listRow))) out.line(line)
  if (cursor !== null) err.line(`There is more: --cursor ${cursor}`)
}

function listQuery(options: RunListOptions): Record<string, string> {
  const { maxDuration, minSuccess, tag } = options
  return givenOnly({
    dataset_name: options.dataset,
    model_name: options.model,
    status: options.status,
    created_by: options.by,
    tags: tag?.join(','),
    min_success_rate: minSuccess?.toString(),
    max_duration: maxDuration === undefined ? undefined : String(maxDuration / 1_000),
    created_after: options.after,
    created_before: options.before,
    search: options.search,
    order_by: options.order,
    descending: options.ascending ? 'false' : 'true',
    limit: String(options.limit),
    cursor: options.cursor,
  })
}

const listColumns: Column[] = [
  { title: 'MADE' },
  { title: 'RUN', max: 36 },
  { title: 'STATUS' },
  { title: 'DONE', align: 'right' },
  { title: 'SUCCESS', align: 'right' },
  { title: 'COST', align: 'right' },
  { title: 'TOOK', align: 'right' },
  { title: 'DATASET', max: 24 },
  { title: 'NAME' },
]

function listRow(run: Run): string[] {
  return [
    localTime(run.created_at),
    oneLine(run.run_id),
    statusText(run),
    doneText(run),
    percent(run.success_rate),
    costText(run),
    run.duration_ms === null ? '-' : duration(run.duration_ms),
    oneLine(run.dataset_name),
    oneLine(run.name),
  ]
}

/** How a run stands, in two or three words. */
function statusText({ status, stopped_by: stop, approval, completed_items: done, total_items: total }: Run): string {
  if (status === 'running' && total) return `running ${Math.floor((100 * done) / total)} %`
  if (status === 'completed' && stop !== null) return `stopped: ${stop.replace('_', ' ')}`
  return status === 'completed' && approval !== null ? approval.state : status
}

/** Items that are finished, of how many. */
export function doneText({ completed_items: done, total_items: total }: RunProgress): string {
  return total === null ? count(done) : `${count(done)}/${count(total)}`
}

/** What is known of the cost; `≥` where there is more that is not. */
function costText({ cost, unknown_costs: unknown }: RunProgress): string {
  if (unknown === 0) return dollars(cost)
  return cost === 0 ? '-' : `≥ ${dollars(cost)}`
}

/** A run by its id. */
export async function fetchRun({ signal }: Terminal, target: Target, id: string): Promise<ToldRun> {
  return readAnswer(await ask(target, { route: runRoutes.getRun, values: { run_id: id }, signal }), runAnswer)
}

/** `llm-eval runs show`: one run with its numbers, what went wrong, and what can be done next. */
export async function showRun(terminal: Stage, id: string, options: Shown): Promise<void> {
  const target = await reachTarget(terminal, options)
  const shown = await fetchRun(terminal, target, id)
  if (options.json) return terminal.out.line(safeJson(JSON.stringify(shown)))
  await printRun(terminal, target, shown)
}

/** Prints a run as `runs show` does. */
export async function printRun(terminal: Terminal, target: Target, run: ToldRun): Promise<void> {
  await printNumbers(terminal, target, run)
  terminal.out.line(`\n${nextCommand(run)}`)
}

/** Prints what a run is and what came of it. */
export async function printNumbers(terminal: Terminal, target: Target, run: ToldRun): Promise<void> {
  const { out } = terminal
  for (const line of facts(out, headOf(terminal, run))) out.line(line)
  const metrics = Object.entries(run.metrics)
  if (metrics.length > 0) {
    out.line()
    const rows = metrics.map(([name, metric]) => metricRow(name, metric, run.completed_items))
    for (const line of table(out, metricColumns, rows)) out.line(line)
  }
  if (run.completed_items > run.successful_items) await printErrors(terminal, target, run)
}

const styles = { completed: 'green', running: 'cyan', queued: 'cyan' } as const

function headOf({ out }: Terminal, run: Run): [string, string][] {
  const { approval, status, error, duration_ms: took } = run
  const style = status === 'completed' || status === 'running' || status === 'queued' ? styles[status] : 'red'
  const decided = approval && [
    approval.state,
    approval.by && `by ${approval.by}`,
    approval.note && `“${approval.note}”`,
  ]
  const version = run.dataset_version === null ? '' : ` ${run.dataset_version}`
  const success = run.success_rate === null ? '' : `, ${percent(run.success_rate)} without an error`
  const all: [string, string | null][] = [
    ['Run', run.run_id],
    ['Name', run.name],
    ['About', run.description],
    ['Why', error && `${error.code}: ${error.message}`],
    ['Decided', decided && decided.filter(Boolean).join(' ')],
    ['Dataset', `${run.dataset_name}${version}`],
    ['Task', taskText(run)],
    ['Items', `${doneText(run)}${success}`],
    ['Cost', `${costText(run)}${run.unknown_costs > 0 ? ` (${count(run.unknown_costs)} unknown)` : ''}`],
    ['Made', `${localTime(run.created_at)}${run.created_by === null ? '' : ` by ${run.created_by}`}`],
    ['Took', took === null ? null : duration(took)],
    ['Tags', run.tags.length === 0 ? null : run.tags.join(', ')],
  ]
  const [first, ...rest] = all.flatMap(([name, text]): [string, string][] =>
    text === null ? [] : [[name, oneLine(text)]],
  )
  const stands: [string, string] = ['Status', out.paint(style, statusText(run))]
  return first ? [first, stands, ...rest] : [stands]
}

function taskText({ task, settings: { repetitions, concurrency } }: Run): string {
  const how = `${count(concurrency)} at a time${repetitions > 1 ? `, every case ${repetitions} times` : ''}`
  switch (task.kind) {
    case 'client':
      return `user code, ${how}`
    case 'outputs':
      return `outputs of the column ${task.column}`
    case 'http':
      return `${task.url}, ${how}`
    case 'prompt':
      return `a prompt on ${task.model ?? 'the default model'}, ${how}`
  }
}

const metricColumns: Column[] = [
  { title: 'METRIC', max: 40 },
  { title: 'MEAN', align: 'right' },
  { title: '95 %' },
  { title: 'N', align: 'right' },
  { title: 'SCORED', align: 'right' },
  { title: 'PASSED', align: 'right' },
  { title: 'SKIPPED', align: 'right' },
  { title: 'ERRORED', align: 'right' },
]

/** Coverage is over the items that are finished: what is not scored is never counted as 0. */
function metricRow(name: string, metric: RunningMetric, completed: number): string[] {
  const { mean, ci, n, passed, failed, skipped, errored } = metric
  const judged = passed + failed
  return [
    oneLine(name),
    figure(mean),
    ci === null ? '-' : `${figure(ci[0])} to ${figure(ci[1])}`,
    count(n),
    percent(completed === 0 ? null : n / completed),
    percent(judged === 0 ? null : passed / judged),
    count(skipped),
    count(errored),
  ]
}

function nextCommand({ status, run_id: id, task, stopped_by: stop }: Run): string {
  const name = oneLine(id)
  if (status === 'queued' || status === 'running') return `Next: llm-eval runs watch ${name}`
  const resumes = task.kind === 'client' ? '' : `llm-eval runs resume ${name} --watch`
  if (resumes !== '' && (status !== 'completed' || (stop !== null && stop !== 'decided'))) return `Next: ${resumes}`
  return `Next: llm-eval compare BASELINE ${name} --fail-on regression`
}
