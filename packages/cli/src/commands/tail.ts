import type { StreamFrame, TraceSummary } from '@llm-eval/protocol'
import { LLMEvalStreamClient, type StreamPhase, type StreamState } from 'llm-eval-sdk'
import { exitCodes } from '../complaint.ts'
import { clockTime, count, dollars, latency } from '../display/amounts.ts'
import { type Column, tableLine } from '../display/table.ts'
import { oneLine, safeJson } from '../display/width.ts'
import { findTarget, type GlobalOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

/** Options of `llm-eval tail`. */
export interface TailOptions extends GlobalOptions {
  model?: string
  status?: 'pending' | 'in_review' | 'accepted' | 'rejected'
  limit: number
  since?: string
  json?: boolean
}

const columns: Column[] = [
  { title: 'TIME' },
  { title: 'WHAT' },
  { title: 'MODEL' },
  { title: 'LATENCY', align: 'right' },
  { title: 'COST', align: 'right' },
  { title: 'QUERY' },
]
const titles = columns.map(({ title }) => title)
// Fixed, so that the columns stand still while rows come in.
const widths = [8, 9, 20, 9, 9, 0]

/** `llm-eval tail`: shows what happens as it happens, until it is stopped. */
export async function tail(terminal: Terminal, options: TailOptions): Promise<number> {
  const { out, err, signal } = terminal
  const target = await findTarget(terminal, options)
  const client = new LLMEvalStreamClient(target.url, { apiKey: target.key })
  if (!options.json) out.line(out.paint('bold', tableLine(out, { columns, widths }, titles)))
  const link = new Link(terminal, target.url)
  const follower = client.follow({
    stream: 'traces',
    limit: options.limit,
    modelName: options.model,
    evaluationStatus: options.status,
    after: options.since,
    signal,
    onStatus: (phase, state) => link.note(phase, state),
  })
  try {
    for await (const frame of follower) {
      const cursor = follower.cursor
      const text = options.json
        ? `${safeJson(JSON.stringify({ ...frame, cursor }))}\n`
        : rowsOf(frame)
            .map((row) => `${line(terminal, row)}\n`)
            .join('')
      // The next frame is read when there is room for this one.
      if (text !== '') await out.write(text, signal)
      notice(terminal, frame)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  if (!signal.aborted) return exitCodes.ok
  if (follower.cursor !== undefined) err.line(`To go on from here: llm-eval tail --since ${follower.cursor}`)
  return exitCodes.interrupted
}

/** Tells when the connection comes and goes; not the first time it comes. */
class Link {
  readonly #terminal: Terminal
  readonly #url: string
  #lost = false

  constructor(terminal: Terminal, url: string) {
    this.#terminal = terminal
    this.#url = url
    terminal.err.status(`connecting to ${url} …`)
  }

  note(phase: StreamPhase, state: StreamState): void {
    const { err } = this.#terminal
    if (phase === 'live') {
      err.status('')
      if (this.#lost) err.line(err.paint('green', `Connected to ${this.#url} again; nothing was missed.`))
      this.#lost = false
    } else if (phase === 'waiting' && state.phase === 'waiting' && !this.#lost) {
      err.status('')
      err.line(err.paint('yellow', `${state.error.message} Trying again until it is back.`))
      this.#lost = true
    } else if (phase === 'done' || phase === 'failed') err.status('')
  }
}

function line({ out }: Terminal, [what, style, row]: Row): string {
  const cells = tableLine(out, { columns, widths }, row)
  return cells.replace(what, out.paint(style, what))
}

/** What happened, how it is coloured, and the cells. */
type Row = [what: string, style: Parameters<Terminal['out']['paint']>[0], cells: string[]]

const styles: Record<string, Row[1]> = {
  accepted: 'green',
  rejected: 'red',
  in_review: 'yellow',
  pending: 'reset',
  new: 'cyan',
}

function rowsOf(frame: StreamFrame): Row[] {
  switch (frame.event) {
    case 'initial_traces':
      // The newest comes last, next to what follows.
      return frame.data.toReversed().map((trace) => traceRow(trace.evaluation_status, trace, trace.timestamp))
    case 'trace_updates': {
      const { action, trace, model_name, ref } = frame.data
      const what = { new_trace: 'new', trace_updated: 'updated', trace_deleted: 'deleted' }[action]
      if (trace) return [traceRow(what, trace, frame.timestamp)]
      const gone = action === 'trace_deleted' ? `trace no. ${ref}` : 'deleted since'
      return [[what, 'dim', [clockTime(frame.timestamp), what, oneLine(model_name), '', '', gone]]]
    }
    case 'evaluation_updates': {
      const { status, trace_id, reason, reviewer, model_name } = frame.data
      const words = [
        trace_id ?? 'deleted since',
        reason === null ? '' : `(${reason})`,
        reviewer === null ? '' : `by ${reviewer}`,
      ]
      const text = oneLine(words.filter((word) => word !== '').join(' '))
      return [
        [status, styles[status] ?? 'reset', [clockTime(frame.timestamp), status, oneLine(model_name), '', '', text]],
      ]
    }
    case 'score_updates': {
      const { evaluator, outcome, value, label, passed, trace_id, model_name } = frame.data
      const verdict = [outcome === 'scored' ? '' : outcome, value === null ? '' : String(value), label ?? '']
      const words = [trace_id ?? 'deleted since', `${evaluator}:`, ...verdict]
      const text = oneLine(words.filter((word) => word !== '').join(' '))
      const style = passed === null ? 'reset' : passed ? 'green' : 'red'
      return [['scored', style, [clockTime(frame.timestamp), 'scored', oneLine(model_name), '', '', text]]]
    }
    case 'system_updates': {
      const { event_type, count: traces } = frame.data
      const text = `${count(traces)} traces ${event_type === 'traces_expired' ? 'reached their age' : 'of a user were erased'}`
      return [['deleted', 'dim', [clockTime(frame.timestamp), 'deleted', '', '', '', text]]]
    }
    case 'connected':
    case 'agent_test_updates':
    case 'conversation_updates':
    case 'metrics_update':
    case 'resync_required':
    case 'error':
      return []
  }
}

function traceRow(what: string, trace: TraceSummary, at: string): Row {
  const cells = [clockTime(at), what, oneLine(trace.model_name), latency(trace.response_time_ms), dollars(trace.cost)]
  return [what, styles[what] ?? 'reset', [...cells, oneLine(trace.user_query)]]
}

function notice({ err }: Terminal, frame: StreamFrame): void {
  if (frame.event === 'resync_required')
    err.line(err.paint('yellow', `${frame.data.message} What happened in between is not shown (${frame.data.reason}).`))
  if (frame.event === 'error') err.line(err.paint('red', frame.data.message))
}
