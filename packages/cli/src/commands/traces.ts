import type { ReviewStatus, TraceDetail } from '@llm-eval/protocol'
import { Complaint, exitCodes } from '../complaint.ts'
import { confirmed } from '../confirm.ts'
import { dollars, latency, localTime } from '../display/amounts.ts'
import { facts, table } from '../display/table.ts'
import { oneLine, safeJson } from '../display/width.ts'
import { askExactly } from '../exact.ts'
import { type FilterOptions, queryOf } from '../filter.ts'
import { clientOf, findTarget, type GlobalOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

/** Options of `llm-eval traces list`. */
export interface ListOptions extends GlobalOptions, FilterOptions {
  limit: number
  cursor?: string
  json?: boolean
}

/** `llm-eval traces list`: one page of traces, newest first. */
export async function listTraces(terminal: Terminal, options: ListOptions): Promise<void> {
  const { out, err, signal } = terminal
  const client = clientOf(await findTarget(terminal, options))
  const { limit, cursor } = options
  const page = await client.getTraces({ ...queryOf(options), limit, cursor }, { signal })
  if (options.json) {
    for (const item of page.items) out.line(safeJson(JSON.stringify(item)))
  } else {
    const rows = page.items.map((trace) => [
      localTime(trace.timestamp),
      oneLine(trace.trace_id),
      oneLine(trace.model_name),
      trace.evaluation_status,
      latency(trace.response_time_ms),
      dollars(trace.cost),
      oneLine(trace.user_query),
    ])
    const columns = [
      { title: 'TIME' },
      { title: 'TRACE', max: 36 },
      { title: 'MODEL', max: 20 },
      { title: 'STATUS' },
      { title: 'LATENCY', align: 'right' as const },
      { title: 'COST', align: 'right' as const },
      { title: 'QUERY' },
    ]
    if (rows.length > 0) for (const line of table(out, columns, rows)) out.line(line)
    else err.line('No trace fits.')
  }
  if (page.search_lag !== undefined && page.search_lag > 0)
    err.line(`The search does not know the newest ${page.search_lag} traces yet.`)
  if (page.next_cursor !== null) err.line(`There is more: --cursor ${page.next_cursor}`)
}

/** `llm-eval traces show`: one whole trace. */
export async function showTrace(
  terminal: Terminal,
  id: string,
  options: GlobalOptions & { json?: boolean },
): Promise<void> {
  const { out, signal } = terminal
  const target = await findTarget(terminal, options)
  const { trace, printed } = await askExactly(target, (client) => client.getTrace(id, { signal }))
  if (options.json) return out.line(safeJson(pretty(printed)))
  for (const line of facts(out, headOf(trace))) out.line(line)
  const texts: [string, string][] = [
    ['System', trace.system_prompt],
    ['Query', trace.user_query],
    ['Response', trace.ai_response],
  ]
  for (const [name, text] of texts) if (text !== '') section(terminal, name, text)
  for (const call of printed.functions_called)
    section(terminal, `Called ${oneLine(call.name)}`, pretty({ ...call, name: undefined }))
  if (Object.keys(trace.metadata).length > 0) section(terminal, 'Metadata', pretty(printed.metadata))
  if (Object.keys(trace.extra).length > 0) section(terminal, 'Other fields', pretty(printed.extra))
}

function headOf(trace: TraceDetail): [string, string][] {
  const { review } = trace
  const verdict = [
    trace.evaluation_status,
    review.reason === null ? '' : `(${review.reason})`,
    review.reviewer === null ? '' : `by ${review.reviewer}`,
    review.note === null ? '' : `“${review.note}”`,
  ]
  const optional: [string, string | null][] = [
    ['Session', trace.session_id],
    ['User', trace.user_id],
    ['Source', trace.source],
  ]
  return [
    ['Trace', oneLine(trace.trace_id)],
    ['Time', localTime(trace.timestamp)],
    ['Model', oneLine(trace.model_name)],
    ['Status', oneLine(verdict.filter((part) => part !== '').join(' '))],
    ['Latency', latency(trace.response_time_ms)],
    ['Cost', dollars(trace.cost)],
    ['Tokens', trace.tokens_used === null ? '-' : String(trace.tokens_used)],
    ...optional.flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, oneLine(value)]])),
  ]
}

function section({ out }: Terminal, name: string, text: string): void {
  out.line(`\n${out.paint('bold', name)}`)
  for (const line of text.split(/\r\n|\r|\n/)) out.line(`  ${safeJson(line.replaceAll('\t', '  '))}`)
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

/** Options of `llm-eval review`. */
export interface ReviewOptions extends GlobalOptions {
  reason?: string
  note?: string
  reviewer?: string
  json?: boolean
}

/** What a verdict is called on the command line. */
export const verdicts: Record<string, ReviewStatus> = {
  accept: 'accepted',
  reject: 'rejected',
  claim: 'in_review',
  reset: 'pending',
}

/** `llm-eval review`: a person's verdict on a trace. */
export async function review(
  terminal: Terminal,
  { id, verdict }: { id: string; verdict: string },
  options: ReviewOptions,
): Promise<void> {
  const status = verdicts[verdict]
  if (status === undefined) throw new Complaint(`A verdict is one of ${Object.keys(verdicts).join(', ')}.`)
  const { reason, note, reviewer } = options
  const { trace, printed } = await askExactly(await findTarget(terminal, options), (client) =>
    client.evaluateTrace(id, status, { reason, note, reviewer, signal: terminal.signal }),
  )
  if (options.json) return terminal.out.line(safeJson(JSON.stringify(printed)))
  terminal.out.line(`${oneLine(trace.trace_id)} is ${trace.evaluation_status} now (version ${trace.version}).`)
}

/** `llm-eval delete`: deletes a trace for good. */
export async function deleteTrace(
  terminal: Terminal,
  id: string,
  options: GlobalOptions & { yes?: boolean },
): Promise<number> {
  const target = await findTarget(terminal, options)
  if (!options.yes && !(await confirmed(terminal, `Delete ${oneLine(id)} for good? Its id cannot be used again.`))) {
    terminal.err.line('Nothing was deleted.')
    return exitCodes.failed
  }
  await clientOf(target).deleteTrace(id, { signal: terminal.signal })
  terminal.out.line(`${oneLine(id)} is deleted.`)
  return exitCodes.ok
}
