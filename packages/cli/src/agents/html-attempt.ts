import type { AgentNote, AgentToolCall, AgentTrace, Assertion, AttemptResult, PartScore } from '@llm-eval/protocol'
import { count, dollars, figure, percent } from '../display/amounts.ts'
import { cutText, textOf } from '../reports/gather.ts'
import { escaped } from '../reports/xml.ts'

/** What is told of one attempt. */
const mostEntries = 200
const mostTurns = 50
const mostAssertions = 200
const argumentChars = 2_000
const answerChars = 4_000

const kinds = { passed: 'good', failed: 'bad', faulted: 'bad', unevaluated: 'wait', unknown: 'wait' } as const

/** One attempt: how it scored, what was demanded, and what the agent did over time. */
export function attemptOf(attempt: AttemptResult, title: string): string {
  const { outcome, trace, score, judged } = attempt
  const head = title === '' ? '' : `<h3>${escaped(title)} <span class="chip ${kinds[outcome]}">${outcome}</span></h3>`
  const fault = trace.fault
    ? `<p class="fault"><span class="chip bad">${escaped(trace.fault.code)}</span> ${escaped(cutText(trace.fault.message, 2_000))}</p>`
    : ''
  const judges = judged.map(
    ({ evaluator, value, explanation }) =>
      `<li><span class="quiet">${escaped(evaluator)}</span> ${figure(value)} ${escaped(cutText(explanation ?? '', 1_000))}</li>`,
  )
  return `<div class="attempt">${head}${fault}
${partsOf(attempt, score)}
${assertionsOf(attempt.assertions)}
${judges.length === 0 ? '' : `<h4>Judged</h4><ul class="reasons">${judges.join('')}</ul>`}
${timelineOf(trace)}
${turnsOf(trace)}
${trace.warnings.length === 0 ? '' : `<h4>What to mend in the agent</h4><ul class="reasons">${trace.warnings.map((text) => `<li>${escaped(text)}</li>`).join('')}</ul>`}
</div>`
}

const partNames = { tool_accuracy: 'tools', sequence_correctness: 'order', output_quality: 'answer' } as const

function partsOf({ parts, complete }: AttemptResult, score: number | null): string {
  const cells = Object.entries(partNames).map(([key, name]) => {
    const part = parts[key as keyof typeof partNames]
    return `<div><dt>${name}</dt><dd>${partText(part)}</dd></div>`
  })
  const whole = complete || score === null ? '' : ' <span class="quiet">of what is known</span>'
  return `<dl class="parts"><div><dt>score</dt><dd>${figure(score)}${whole}</dd></div>${cells.join('')}</dl>`
}

function partText(part: PartScore): string {
  if (part.outcome === 'scored')
    return `${percent(part.value)} <span class="quiet">${escaped(cutText(part.detail, 300))}</span>`
  if (part.outcome === 'not_expected') return '<span class="quiet">nothing expected</span>'
  return `<span class="quiet">unknown: ${escaped(cutText(part.detail, 300))}</span>`
}

function assertionsOf(assertions: readonly Assertion[]): string {
  if (assertions.length === 0) return ''
  const rank = { failed: 0, unknown: 1, passed: 2 }
  const told = assertions.toSorted((a, b) => rank[a.outcome] - rank[b.outcome]).slice(0, mostAssertions)
  const rows = told.map(({ outcome, kind, turn, message }) => {
    const where = turn === null ? kind : `${kind}, turn ${turn}`
    return `<li><span class="chip ${kinds[outcome]}">${outcome}</span><span>${escaped(cutText(message, 1_000))} <span class="quiet">${escaped(where)}</span></span></li>`
  })
  const more =
    assertions.length > told.length ? `<li class="quiet">and ${count(assertions.length - told.length)} more</li>` : ''
  return `<h4>Demands</h4><ul class="list">${rows.join('')}${more}</ul>`
}

type Entry =
  | { kind: 'call'; at: number | null; until: number | null; call: AgentToolCall }
  | { kind: 'note'; at: number; note: AgentNote }

/** Calls of tools and what was said meanwhile, in the order of time; where the agent does not tell when, in that of its answer. */
function timelineOf(trace: AgentTrace): string {
  const starts = startsOf(trace)
  const calls = trace.tool_calls.map((call): Entry => {
    const start = starts[call.turn - 1] ?? 0
    const at = call.started_ms === null ? null : start + call.started_ms
    return { kind: 'call', at, until: call.ended_ms === null ? null : start + call.ended_ms, call }
  })
  const notes = trace.notes.map(
    (note): Entry => ({ kind: 'note', at: (starts[note.turn - 1] ?? 0) + note.at_ms, note }),
  )
  const timed = isStreamed(trace) && trace.latency_ms > 0
  const all = timed ? [...calls, ...notes].toSorted((a, b) => (a.at ?? 0) - (b.at ?? 0)) : [...calls, ...notes]
  if (all.length === 0) return ''
  const span = Math.max(1, trace.latency_ms)
  const rows = all.slice(0, mostEntries).map((entry) => entryOf(entry, { span, timed }))
  const untold = all.length - rows.length
  const words = timed
    ? `over ${Math.round(span).toLocaleString('en-US')} ms`
    : 'in their order; the agent does not tell when'
  return `<h4>What it did, ${words}</h4><ol class="timeline">${rows.join('')}</ol>${untold > 0 ? `<p class="quiet">and ${count(untold)} more steps</p>` : ''}`
}

/** Whether steps were told as they happened; in an answer of one piece all of them come at its end. */
function isStreamed({ captured, dialect }: AgentTrace): boolean {
  return captured.includes('first_token') || dialect === 'events' || dialect === 'ag_ui' || dialect === 'ai_sdk'
}

/** When each turn began, milliseconds after the first. */
function startsOf({ turns }: AgentTrace): number[] {
  let sum = 0
  return turns.map(({ latency_ms: ms }) => {
    const start = sum
    sum += ms
    return start
  })
}

function entryOf(entry: Entry, { span, timed }: { span: number; timed: boolean }): string {
  const when = timed && entry.at !== null ? `${Math.round(entry.at).toLocaleString('en-US')} ms` : ''
  if (entry.kind === 'note')
    return `<li class="said"><span class="when">${when}</span><span class="quiet">${entry.note.kind}: ${escaped(cutText(entry.note.text, 300))}</span></li>`
  const { call, at, until } = entry
  const bar =
    timed && at !== null ? barOf({ at, until, span, bad: call.error !== null || call.succeeded === false }) : ''
  const shown = [
    call.args === null ? '' : `<h5>arguments</h5><pre>${escaped(cutText(textOf(call.args), argumentChars))}</pre>`,
    call.result === null ? '' : `<h5>result</h5><pre>${escaped(cutText(textOf(call.result), argumentChars))}</pre>`,
    call.error === null ? '' : `<h5>error</h5><pre>${escaped(cutText(call.error, argumentChars))}</pre>`,
  ].join('')
  const name = `<strong>${escaped(call.name)}</strong>${call.error === null ? '' : ' <span class="chip bad">error</span>'}`
  const told = shown === '' ? name : `<details><summary>${name}</summary>${shown}</details>`
  return `<li><span class="when">${when}</span><div class="step">${told}${bar}</div></li>`
}

/** Where a call lies in the time of its attempt. Attributes, since the page allows no styles of elements. */
function barOf({ at, until, span, bad }: { at: number; until: number | null; span: number; bad: boolean }): string {
  const x = Math.min(99, (at / span) * 100)
  const wide = Math.max(0.8, (((until ?? at) - at) / span) * 100)
  const words =
    until === null ? 'when it ended is not known' : `took ${Math.round(until - at).toLocaleString('en-US')} ms`
  return `<svg viewBox="0 0 100 3" preserveAspectRatio="none" role="img" aria-label="${words}"><rect class="track" width="100" height="3"/><rect class="${bad ? 'failed' : 'bar'}" x="${x.toFixed(2)}" width="${Math.min(wide, 100 - x).toFixed(2)}" height="3"/></svg>`
}

function turnsOf({ turns, tokens, cost, model, dialect, level, first_token_ms: first }: AgentTrace): string {
  const rows = turns.slice(0, mostTurns).map(({ query, output, attempts }, index) => {
    const number = turns.length === 1 ? '' : ` ${index + 1}`
    const again = attempts > 1 ? ` <span class="quiet">after ${attempts} requests</span>` : ''
    return `<div class="sides turn"><div><h4>Asked${number}</h4><pre>${escaped(cutText(query, answerChars))}</pre></div><div><h4>Answered${number}${again}</h4><pre>${escaped(cutText(output, answerChars))}</pre></div></div>`
  })
  const more = turns.length > mostTurns ? `<p class="quiet">and ${count(turns.length - mostTurns)} more turns</p>` : ''
  const facts = [
    `level ${level}${dialect === null ? '' : `, ${dialect}`}`,
    `cost ${dollars(cost)}`,
    tokens === null ? 'tokens unknown' : `${count(tokens.total)} tokens`,
    ...(model === null ? [] : [model]),
    ...(first === null ? [] : [`first word after ${Math.round(first).toLocaleString('en-US')} ms`]),
  ]
  return `${rows.join('')}${more}<p class="quiet">${escaped(facts.join(' · '))}</p>`
}
