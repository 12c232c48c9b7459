import type { TraceDetail } from '@llm-eval/protocol'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { formatCost, formatCount, formatLatency, unknown } from '../format/numbers.ts'
import { formatTime } from '../format/times.ts'
import { JsonView } from './json-view.tsx'

/** The functions a trace called, each with what went in and what came out. */
export function Functions({ trace }: { trace: TraceDetail }) {
  const calls = trace.functions_called
  if (calls.length === 0) {
    return (
      <p className="py-8 text-center text-ink-2">
        {trace.captured.includes('tools')
          ? 'No function was called.'
          : 'The source of this trace cannot see function calls: whether there were any is unknown.'}
      </p>
    )
  }
  return (
    <ol className="flex flex-col gap-4">
      {calls.map(({ name, parameters, result, ...rest }, at) => (
        // A function may be called twice; the place tells the calls apart.
        // oxlint-disable-next-line react/no-array-index-key
        <li key={at} className="card p-4">
          <h3 className="mb-3 flex items-baseline gap-2 font-semibold">
            <span className="text-xs font-medium text-ink-3">{at + 1}</span>
            <code className="foreign font-mono text-base">{name}</code>
          </h3>
          <div className="grid gap-3 lg:grid-cols-2">
            <Value name="Parameters" value={parameters} />
            <Value name="Result" value={result} />
          </div>
          {Object.keys(rest).length > 0 && (
            <div className="mt-3">
              <Value name="More" value={rest} />
            </div>
          )}
        </li>
      ))}
    </ol>
  )
}

function Value({ name, value }: { name: string; value: unknown }) {
  return (
    <div className="min-w-0">
      <h4 className="mb-1 text-xs font-medium text-ink-3">{name}</h4>
      {value === undefined ? (
        <p className="text-ink-3">not given</p>
      ) : (
        <JsonView value={value} name={name.toLowerCase()} />
      )}
    </div>
  )
}

/** What else is known about a trace. */
export function Metadata({ trace }: { trace: TraceDetail }) {
  return (
    <div className="flex flex-col gap-5">
      <dl className="card grid gap-x-6 p-4 sm:grid-cols-2">
        {factsOf(trace).map(([name, value]) => (
          <div key={name} className="flex min-w-0 gap-3 border-b border-line/60 py-1.5">
            <dt className="w-28 shrink-0 text-ink-3">{name}</dt>
            <dd className="foreign min-w-0 flex-1 break-words">{value}</dd>
          </div>
        ))}
      </dl>
      <Part title="Metadata" value={trace.metadata} none="The source sent no metadata." />
      <Part
        title="Unknown fields"
        value={trace.extra}
        says="Sent beside the fields this version knows, and kept as they were."
      />
      <Part title="Spans" value={trace.spans} />
    </div>
  )
}

function Part({ title, value, none, says }: { title: string; value: object; none?: string; says?: string }) {
  const empty = Object.keys(value).length === 0
  if (empty && none === undefined) return null
  return (
    <section>
      <h3 className="mb-1.5 font-semibold">{title}</h3>
      {says && <p className="mb-1.5 text-sm text-ink-3">{says}</p>}
      {empty ? <p className="text-ink-3">{none}</p> : <JsonView value={value} name={title.toLowerCase()} />}
    </section>
  )
}

function factsOf(trace: TraceDetail): [string, ReactNode][] {
  const { session_id: session, user_id: user, source } = trace
  return [
    ['Trace id', <code className="font-mono text-xs">{trace.trace_id}</code>],
    ['Model', trace.model_name],
    ['Time', formatTime(trace.timestamp)],
    ['Received', formatTime(trace.received_at)],
    ['Latency', formatLatency(trace.response_time_ms)],
    ['Tokens', formatCount(trace.tokens_used)],
    ['Cost', formatCost(trace.cost)],
    ['Source', source === null ? unknown : <Filter search={{ source }}>{source}</Filter>],
    ['Session', session === null ? unknown : <Filter search={{ session }}>{session}</Filter>],
    ['User', user === null ? unknown : <Filter search={{ user }}>{user}</Filter>],
    ['Batch', trace.batch_id ?? unknown],
    [
      'Captured',
      trace.captured.length === 0 ? 'nothing beyond the query' : trace.captured.join(', ').replaceAll('_', ' '),
    ],
  ]
}

function Filter({
  search,
  children,
}: {
  search: { source: string } | { session: string } | { user: string }
  children: string
}) {
  return (
    <Link to="/traces" search={search} className="text-accent hover:underline" title="Show all of these">
      {children}
    </Link>
  )
}
