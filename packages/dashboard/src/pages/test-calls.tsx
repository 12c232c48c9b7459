import type { AgentToolCall, AgentTrace, ToolStep } from '@llm-eval/protocol'
import { ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { Button } from '../components/button.tsx'
import { JsonView } from '../components/json-view.tsx'
import { diffTextOf, TextDiff } from '../components/text-diff.tsx'
import { formatCount, formatLatency } from '../format/numbers.ts'

const looks: Record<ToolStep['kind'], { word: string; fill: string; look: string }> = {
  same: { word: 'same', fill: 'fill-accent', look: 'text-ink-3' },
  arguments: { word: 'other arguments', fill: 'fill-wait', look: 'text-wait' },
  moved: { word: 'moved', fill: 'fill-busy', look: 'text-busy' },
  added: { word: 'new', fill: 'fill-plot-good', look: 'text-good' },
  removed: { word: 'gone', fill: 'fill-bad', look: 'text-bad' },
}

const atOnce = 100

/** The calls of an attempt on a line of time, each beside its call of before. */
export function TestCalls({
  before,
  after,
  steps,
}: {
  before: AgentTrace | null
  after: AgentTrace
  steps: ToolStep[] | null
}) {
  const [most, setMost] = useState(atOnce)
  if (!after.captured.includes('tools') && after.tool_calls.length === 0)
    return <p className="text-ink-2">The agent does not show its tools: which it called is unknown.</p>
  const rows = steps ?? after.tool_calls.map(({ name }, at) => aloneStep(name, at))
  if (rows.length === 0) return <p className="text-ink-2">No tool was called, as before.</p>
  const [then, now] = [before && placesOf(before), placesOf(after)]
  const span = Math.max(then?.span ?? 0, now.span, 1)
  return (
    <>
      <Legend compared={steps !== null} ordered={!now.timed} />
      <ol aria-label="Calls" className="card divide-y divide-line/70">
        {rows.slice(0, most).map((step, at) => (
          // A tool may be called twice; the place tells the calls apart.
          // oxlint-disable-next-line react/no-array-index-key
          <li key={at}>
            <Step step={step} then={then} now={now} span={span} alone={steps === null} />
          </li>
        ))}
      </ol>
      {most < rows.length && (
        <Button className="mt-2" onClick={() => setMost(most + atOnce)}>
          {`${formatCount(rows.length - most)} more`}
        </Button>
      )}
    </>
  )
}

function aloneStep(name: string, at: number): ToolStep {
  return { kind: 'same', name, before: null, after: at, differences: [] }
}

interface Placed {
  calls: readonly { call: AgentToolCall; from: number; to: number }[]
  span: number
  /** Whether the agent told when; else calls stand in their order. */
  timed: boolean
}

/** Where calls lie on the line of time; turns follow each other. */
function placesOf({ tool_calls: calls, turns }: AgentTrace): Placed {
  const timed = calls.every(({ started_ms: start, ended_ms: end }) => start !== null && end !== null)
  if (!timed)
    return { calls: calls.map((call, at) => ({ call, from: at, to: at + 0.9 })), span: calls.length, timed: false }
  const starts = [0]
  for (const { latency_ms: ms } of turns) starts.push((starts.at(-1) ?? 0) + ms)
  const placed = calls.map((call) => {
    const start = starts[call.turn - 1] ?? 0
    return { call, from: start + (call.started_ms ?? 0), to: start + (call.ended_ms ?? 0) }
  })
  const end = Math.max(starts.at(-1) ?? 0, ...placed.map(({ to }) => to))
  return { calls: placed, span: end, timed: true }
}

function Legend({ compared, ordered }: { compared: boolean; ordered: boolean }) {
  return (
    <p className="mb-2 text-sm text-ink-3">
      {compared && 'Above in grey what was accepted, below in colour what it did now. '}
      {ordered && 'The agent does not say when it called: calls stand in their order.'}
    </p>
  )
}

interface StepProps {
  step: ToolStep
  then: Placed | null
  now: Placed
  span: number
  alone: boolean
}

function Step({ step, then, now, span, alone }: StepProps) {
  const { kind, name } = step
  const { word, fill, look } = looks[kind]
  const old = step.before === null ? undefined : then?.calls[step.before]
  const current = step.after === null ? undefined : now.calls[step.after]
  const oldSpan = then && then.timed !== now.timed ? Math.max(then.span, 1) : span
  const took =
    current?.call.ended_ms != null && current.call.started_ms != null
      ? formatLatency(current.call.ended_ms - current.call.started_ms)
      : null
  return (
    <details className="group">
      <summary className="grid cursor-pointer list-none grid-cols-[auto_1fr] items-center gap-x-3 gap-y-1 px-4 py-2 hover:bg-hover sm:grid-cols-[auto_13rem_7.5rem_1fr_4rem]">
        <ChevronRight aria-hidden size={14} className="text-ink-3 transition-transform group-open:rotate-90" />
        <code className="foreign clip font-mono text-sm">{name}</code>
        <span className={`text-xs font-medium max-sm:col-start-2 ${look}`}>
          {alone ? '' : word}
          {current?.call.succeeded === false && <span className="text-bad"> failed</span>}
        </span>
        <svg aria-hidden viewBox="0 0 1000 20" preserveAspectRatio="none" className="h-5 w-full max-sm:col-start-2">
          <rect x="0" y="9.5" width="1000" height="1" className="fill-line" />
          {old && <Bar from={old.from} to={old.to} span={oldSpan} y={1} fill="fill-line-strong" />}
          {current && <Bar from={current.from} to={current.to} span={span} y={11} fill={fill} />}
        </svg>
        <span className="text-right text-xs text-ink-3 max-sm:hidden">{took}</span>
      </summary>
      <Details step={step} old={old?.call} current={current?.call} />
    </details>
  )
}

function Bar({ from, to, span, y, fill }: { from: number; to: number; span: number; y: number; fill: string }) {
  const [x, width] = [(from / span) * 1000, Math.max(6, ((to - from) / span) * 1000)]
  return <rect x={Math.min(x, 994)} y={y} width={width} height={8} className={fill} />
}

function Details({
  step,
  old,
  current,
}: {
  step: ToolStep
  old: AgentToolCall | undefined
  current: AgentToolCall | undefined
}) {
  return (
    <div className="border-t border-line/70 bg-sunken/40 px-4 py-3">
      {step.differences.length > 0 && (
        <ul aria-label="Differences" className="mb-3 flex flex-col gap-1 text-sm">
          {step.differences.slice(0, 50).map(({ path, kind, before, after }) => (
            <li key={`${path} ${kind}`} className="foreign">
              <code className="font-mono text-xs font-medium">{path === '' ? 'arguments' : path}</code>{' '}
              {kind !== 'added' && <del className="rounded-xs bg-bad-soft px-1 text-bad">{short(before)}</del>}{' '}
              {kind !== 'missing' && <ins className="rounded-xs bg-good-soft px-1 text-good">{short(after)}</ins>}
            </li>
          ))}
        </ul>
      )}
      <div className={`grid gap-3 ${old && current ? 'lg:grid-cols-2' : ''}`}>
        {old && <Side title="Accepted" call={old} />}
        {current && <Side title={old ? 'Now' : 'The call'} call={current} />}
      </div>
      {old && current && diffTextOf(old.result) !== diffTextOf(current.result) && (
        <div className="mt-3">
          <h4 className="mb-1 text-xs font-medium text-ink-3">Results</h4>
          <TextDiff before={diffTextOf(old.result)} after={diffTextOf(current.result)} label="Changes of the result" />
        </div>
      )}
    </div>
  )
}

function short(value: unknown): string {
  const text = diffTextOf(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

function Side({ title, call }: { title: string; call: AgentToolCall }) {
  return (
    <section className="flex min-w-0 flex-col gap-2">
      <h4 className="text-xs font-medium text-ink-3">{title}</h4>
      <Value name={`${title}: arguments`} value={call.args} none="Its arguments are not shown." />
      <Value name={`${title}: result`} value={call.result} none="Its result is not shown." />
      {call.error !== null && <p className="foreign text-sm text-bad">{call.error}</p>}
    </section>
  )
}

function Value({ name, value, none }: { name: string; value: unknown; none: string }) {
  if (value === null || value === undefined) return <p className="text-sm text-ink-3">{none}</p>
  return <JsonView value={value} name={name.toLowerCase()} />
}
