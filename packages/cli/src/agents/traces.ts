import type { AgentToolCall, AgentTrace, CaseResult } from '@llm-eval/protocol'
import { count, dollars, duration } from '../display/amounts.ts'
import { oneLine, truncate } from '../display/width.ts'
import type { Screen } from '../terminal.ts'

/** What is shown of one attempt, and characters of one value. */
const mostCalls = 100
const mostNotes = 50
const valueChars = 200
const textChars = 600

/** What an agent did in each attempt at a case: turns, calls with arguments and results, what it said meanwhile. */
export function showTraces(out: Screen, { name, attempts }: CaseResult): void {
  for (const [index, { outcome, trace }] of attempts.entries()) {
    const which = attempts.length === 1 ? '' : ` (attempt ${index + 1} of ${attempts.length})`
    out.line()
    out.line(`${out.paint('bold', oneLine(name))}${which}  ${outcome}`)
    showTrace(out, trace)
  }
}

function showTrace(out: Screen, trace: AgentTrace): void {
  for (const [index, { query, output, latency_ms: ms }] of trace.turns.entries()) {
    out.line(`  ${out.paint('cyan', '>')} ${cut(query, textChars)}`)
    const inTurn = ({ turn }: { turn: number }) => turn === index + 1
    const calls = trace.tool_calls.filter(inTurn)
    const notes = trace.notes.filter(inTurn)
    for (const { kind, text } of notes.slice(0, mostNotes))
      out.line(out.paint('dim', `    ${kind}: ${cut(text, valueChars)}`))
    if (notes.length > mostNotes) out.line(out.paint('dim', `    … and ${count(notes.length - mostNotes)} more notes`))
    for (const call of calls.slice(0, mostCalls)) showCall(out, call)
    if (calls.length > mostCalls) out.line(out.paint('dim', `    … and ${count(calls.length - mostCalls)} more calls`))
    out.line(`  ${out.paint('cyan', '<')} ${output === '' ? out.paint('dim', 'nothing') : cut(output, textChars)}`)
    out.line(out.paint('dim', `    ${duration(ms)}`))
  }
  if (trace.fault) out.line(`  ${out.paint('red', trace.fault.code)}  ${cut(trace.fault.message, textChars)}`)
  const tokens = trace.tokens === null ? 'tokens unknown' : `${count(trace.tokens.total)} tokens`
  const facts = [`level ${trace.level}`, trace.dialect ?? 'no dialect', `cost ${dollars(trace.cost)}`, tokens]
  out.line(out.paint('dim', `  ${[...facts, ...(trace.model === null ? [] : [oneLine(trace.model)])].join(', ')}`))
}

function showCall(out: Screen, { name, args, result, error, started_ms: from, ended_ms: to }: AgentToolCall): void {
  const took = from === null || to === null ? '' : out.paint('dim', `  ${Math.round(to - from)} ms`)
  out.line(`    ${out.paint('bold', oneLine(name))}${args === null ? '' : `  ${json(args)}`}${took}`)
  if (error !== null) out.line(`      ${out.paint('red', 'error')} ${cut(error, valueChars)}`)
  else if (result !== null) out.line(`      ${out.paint('dim', '=')} ${json(result)}`)
}

function json(value: unknown): string {
  return cut(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''), valueChars)
}

function cut(text: string, most: number): string {
  return truncate(oneLine(text.slice(0, 4 * most)), most)
}
