import { type Run, type RunItem, runRoutes } from '@llm-eval/protocol'
import { run as runAnswer, runItemPage } from '@llm-eval/protocol/run-schemas'
import type * as z from 'zod'
import { count, figure, latency } from '../display/amounts.ts'
import { type Column, table } from '../display/table.ts'
import { oneLine, safeJson } from '../display/width.ts'
import { ask, givenOnly, readAnswer } from '../http.ts'
import { reachTarget } from '../place.ts'
import type { GlobalOptions, Target } from '../target.ts'
import type { Stage, Terminal } from '../terminal.ts'

const pageItems = 200
/** Failed items that are looked at, and groups that are shown. */
const errorItems = 1_000
const errorGroups = 10

/** What went wrong, the most frequent first. */
export async function printErrors({ out, signal }: Terminal, target: Target, { run_id: id }: Run): Promise<void> {
  const groups = new Map<string, { code: string; message: string; times: number; example: string }>()
  let seen = 0
  for await (const { error, case_id: caseId } of itemsOf(target, { id, query: { status: 'failed' }, signal })) {
    if (++seen > errorItems) break
    const { code, message } = error ?? { code: 'unknown', message: '' }
    const key = `${code}\n${message}`
    const group = groups.get(key)
    if (group) group.times++
    else groups.set(key, { code, message, times: 1, example: caseId })
  }
  const rows = [...groups.values()]
    .toSorted((a, b) => b.times - a.times)
    .slice(0, errorGroups)
    .map(({ code, message, times, example }) => [count(times), code, oneLine(example), oneLine(message)])
  if (rows.length === 0) return
  const columns: Column[] = [
    { title: 'TIMES', align: 'right' },
    { title: 'ERROR' },
    { title: 'SUCH AS', max: 24 },
    { title: 'WHAT IT SAYS', wraps: true },
  ]
  out.line()
  for (const line of table(out, columns, rows)) out.line(line)
  if (groups.size > errorGroups) out.line(`and ${count(groups.size - errorGroups)} other errors`)
  if (seen > errorItems) out.line(`Of the first ${count(errorItems)} items that failed.`)
}

interface ItemsWish {
  id: string
  query: Record<string, string>
  signal: AbortSignal
}

/** Finished items that fit, in the order of the dataset, page after page. */
async function* itemsOf(target: Target, { id, query, signal }: ItemsWish): AsyncGenerator<RunItem> {
  let cursor: string | null = null
  do {
    const paged: Record<string, string> = { limit: String(pageItems), ...query, ...(cursor === null ? {} : { cursor }) }
    const answer = await ask(target, { route: runRoutes.listRunItems, values: { run_id: id }, query: paged, signal })
    const page: z.infer<typeof runItemPage> = await readAnswer(answer, runItemPage)
    yield* page.items
    cursor = page.next_cursor
  } while (cursor !== null)
}

/** Options of `llm-eval runs items`. */
export interface ItemsOptions extends GlobalOptions {
  json?: boolean
  status?: string
  below?: { name: string; value: number }
  case?: string
  limit: number
}

/** `llm-eval runs items`: the first finished items that fit. */
export async function listItems(terminal: Stage, id: string, options: ItemsOptions): Promise<void> {
  const { out, err, signal } = terminal
  const target = await reachTarget(terminal, options)
  const { below, limit } = options
  const bound = below === undefined ? {} : { metric: below.name, below: String(below.value) }
  const query = givenOnly({ status: options.status, case_id: options.case, ...bound })
  const asked = { route: runRoutes.getRun, values: { run_id: id }, signal }
  const { metrics_used: metrics } = await readAnswer(await ask(target, asked), runAnswer)
  const items: RunItem[] = []
  let more = false
  for await (const item of itemsOf(target, { id, query, signal })) {
    more = items.length === limit
    if (more) break
    if (options.json) out.line(safeJson(JSON.stringify(item)))
    items.push(item)
  }
  if (items.length === 0) err.line('No finished item fits.')
  else if (!options.json) printItems(terminal, items, metrics)
  if (more) err.line(`There is more: --limit ${limit * 10}`)
}

/** Metrics that have a column of their own. */
const shownMetrics = 4

function printItems({ out }: Terminal, items: readonly RunItem[], metrics: Run['metrics_used']): void {
  const names = metrics.slice(0, shownMetrics).map(({ name }) => name)
  const columns: Column[] = [
    { title: 'ITEM', align: 'right' },
    { title: 'CASE', max: 36 },
    { title: 'STATUS' },
    { title: 'LATENCY', align: 'right' },
    ...names.map((name): Column => ({ title: oneLine(name), align: 'right', max: 24 })),
    { title: 'OUTPUT' },
  ]
  const rows = items.map((item) => [
    String(item.item_index),
    oneLine(item.repetition > 1 ? `${item.case_id} (${item.repetition})` : item.case_id),
    item.status,
    latency(item.response_time_ms),
    ...names.map((name) => scoreText(Object.hasOwn(item.scores, name) ? item.scores[name] : undefined)),
    oneLine(item.error === null ? textOf(item.output) : `${item.error.code}: ${item.error.message}`),
  ])
  for (const line of table(out, columns, rows)) out.line(line)
}

function scoreText(score: RunItem['scores'][string] | undefined): string {
  if (score === undefined) return '-'
  if (score.outcome !== 'scored') return score.outcome
  if (score.value !== null) return figure(score.value)
  return score.passed === null ? '-' : score.passed ? 'passed' : 'failed'
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
