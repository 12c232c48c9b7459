import type { AgentCaseDetail, AgentOutcome } from '@llm-eval/protocol'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { SaidBadge } from '../components/agent-badges.tsx'
import { Button } from '../components/button.tsx'
import { Part } from '../components/part.tsx'
import { caseSaid, formatPoints } from '../format/agent-words.ts'
import { formatCost, formatCount, formatLatency } from '../format/numbers.ts'
import { formatTime } from '../format/times.ts'

/** Rows that are shown at first. */
const atOnce = 20

const route = getRouteApi('/shell/tests/$suite/$caseId')

/** How the case did from report to report. */
export function TestHistory({ detail: { history, report, flakiness } }: { detail: AgentCaseDetail }) {
  const { suite, caseId } = route.useParams()
  const [most, setMost] = useState(atOnce)
  const says =
    flakiness.p === null
      ? undefined
      : flakiness.changes === 0
        ? `It ended alike in all of the ${flakiness.of + 1} newest reports that could tell.`
        : `It changed between passed and failed ${flakiness.changes} of ${flakiness.of} times; of a case that changes once in twenty that is likely to ${flakiness.p < 0.001 ? 'less than 0.1' : (flakiness.p * 100).toFixed(1)} %.`
  // The one that is looked at is always among them.
  const looked = history.findIndex(({ report_id: id }) => id === report.report_id)
  const rows = history.slice(0, Math.max(most, looked + 1))
  return (
    <Part title="History" says={says}>
      {history.length > 1 && (
        <div className="mb-3 grid gap-3 sm:grid-cols-3">
          <Trend title="Score" of={history} value={({ score }) => score} format={formatPoints} />
          <Trend title="Cost" of={history} value={({ cost }) => cost} format={formatCost} />
          <Trend title="Time" of={history} value={({ latency_ms: ms }) => ms} format={formatLatency} />
        </div>
      )}
      <div className="card overflow-x-auto" tabIndex={0} role="group" aria-label="Reports">
        <table className="w-full text-sm whitespace-nowrap">
          <thead>
            <tr className="border-b text-left text-xs text-ink-3">
              {['When', 'How it stood', 'Score', 'Cost', 'Time', 'Passed', 'Commit'].map((name) => (
                <th key={name} scope="col" className="px-4 py-2 font-medium">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((one) => (
              <tr
                key={one.report_id}
                aria-current={one.report_id === report.report_id ? 'true' : undefined}
                className="border-b border-line/60 last:border-0 aria-[current=true]:bg-chosen"
              >
                <td className="px-4 py-1.5">
                  <Link
                    to="/tests/$suite/$caseId"
                    params={{ suite, caseId }}
                    search={{ report: one.report_id }}
                    className="text-accent hover:underline"
                  >
                    {formatTime(one.at)}
                  </Link>
                </td>
                <td className="px-4 py-1.5">
                  <SaidBadge said={caseSaid(one)} />
                </td>
                <td className="px-4 py-1.5">{formatPoints(one.score)}</td>
                <td className="px-4 py-1.5">{formatCost(one.cost)}</td>
                <td className="px-4 py-1.5">{formatLatency(one.latency_ms)}</td>
                <td className="px-4 py-1.5">
                  {one.passed} of {one.n}
                </td>
                <td className="foreign px-4 py-1.5 font-mono text-xs">
                  {one.commit?.slice(0, 10) ?? ''} {one.branch ?? ''}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length < history.length && (
        <Button className="mt-2" onClick={() => setMost(history.length)}>
          {`${formatCount(history.length - rows.length)} more`}
        </Button>
      )}
    </Part>
  )
}

const [wide, high] = [300, 48]

/** A quantity over time. What is unknown breaks the line: it is not zero. */
function Trend({
  title,
  of,
  value,
  format,
}: {
  title: string
  of: readonly AgentOutcome[]
  value: (one: AgentOutcome) => number | null
  format: (value: number | null) => string
}) {
  const values = of.map(value).toReversed()
  const known = values.filter((one) => one !== null)
  const top = Math.max(...known, 0)
  const point = (one: number, at: number) => {
    const x = values.length === 1 ? wide / 2 : (at / (values.length - 1)) * (wide - 8) + 4
    return { x, y: high - 4 - (top === 0 ? 0 : (one / top) * (high - 8)) }
  }
  const pieces: string[] = []
  let isOpen = false
  for (const [at, one] of values.entries()) {
    if (one !== null) {
      const { x, y } = point(one, at)
      const place = `${x.toFixed(1)} ${y.toFixed(1)}`
      // A line of no length is drawn as a dot: one that stands alone is seen, too.
      if (isOpen) pieces.push(`${pieces.pop() ?? ''}L${place}`)
      else pieces.push(`M${place}L${place}`)
    }
    isOpen = one !== null
  }
  return (
    <figure className="card min-w-0 px-3 py-2">
      <figcaption className="flex items-baseline justify-between text-sm">
        <span className="text-ink-3">{title}</span>
        <span className="font-medium">{format(values.at(-1) ?? null)}</span>
      </figcaption>
      <svg aria-hidden viewBox={`0 0 ${wide} ${high}`} preserveAspectRatio="none" className="h-12 w-full">
        {pieces.map((path) => (
          <path
            key={path}
            d={path}
            fill="none"
            strokeWidth="2"
            strokeLinecap="round"
            strokeLinejoin="round"
            vectorEffect="non-scaling-stroke"
            className="stroke-accent"
          />
        ))}
      </svg>
      <p className="sr-only">
        {known.length === 0
          ? 'unknown in every report'
          : `from ${format(Math.min(...known))} to ${format(top)}, unknown in ${values.length - known.length} of ${values.length}`}
      </p>
    </figure>
  )
}
