import type { AgentCase } from '@llm-eval/protocol'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { FlakyBadge, OutcomeBars, QuarantineBadge, SaidBadge } from '../components/agent-badges.tsx'
import { Button } from '../components/button.tsx'
import { caseSaid, formatPoints } from '../format/agent-words.ts'
import { formatCost, formatCount, formatLatency } from '../format/numbers.ts'

const atOnce = 200

/** The cases of a suite that fit, and how each stands. */
export function TestCases({ suite, cases, of }: { suite: string; cases: readonly AgentCase[]; of: number }) {
  const [most, setMost] = useState(atOnce)
  if (cases.length === 0)
    return <p className="py-10 text-center text-ink-2">{of === 0 ? 'The reports hold no cases.' : 'No case fits.'}</p>
  return (
    <>
      <ul aria-label="Cases" className="card divide-y divide-line/70">
        {cases.slice(0, most).map((one) => (
          <Row key={one.case_id} suite={suite} one={one} />
        ))}
      </ul>
      <p className="flex items-center gap-3 text-sm text-ink-3">
        {formatCount(Math.min(most, cases.length))} of {formatCount(cases.length)} cases
        {most < cases.length && <Button onClick={() => setMost(most + atOnce)}>Show more</Button>}
      </p>
    </>
  )
}

function Row({ suite, one }: { suite: string; one: AgentCase }) {
  const { case_id: caseId, name, last, history, flakiness, quarantine, variants, current } = one
  return (
    <li className="relative grid grid-cols-[1fr_auto] items-center gap-x-5 gap-y-1.5 px-4 py-2.5 hover:bg-hover lg:grid-cols-[1fr_auto_8rem_13rem]">
      <div className="min-w-0 max-sm:col-span-2">
        <Link
          to="/tests/$suite/$caseId"
          params={{ suite, caseId }}
          className={`cover foreign font-medium ${current ? 'text-ink' : 'text-ink-2'}`}
        >
          {name}
        </Link>
        <p className="text-xs text-ink-3">
          {!current && 'not in the newest report · '}
          {variants.length === 0
            ? 'nothing accepted'
            : variants.length === 1
              ? 'one way accepted'
              : `${variants.length} ways accepted`}
          {last.n > 1 && ` · ${last.passed} of ${last.n} attempts passed`}
        </p>
      </div>
      <div className="flex flex-wrap justify-end gap-1.5 max-sm:col-span-2 max-sm:justify-start">
        <FlakyBadge flakiness={flakiness} />
        <QuarantineBadge quarantine={quarantine} />
        <SaidBadge said={caseSaid(last)} />
      </div>
      <OutcomeBars history={history} />
      <dl className="flex justify-end gap-3 text-sm whitespace-nowrap">
        <Fact name="Score" value={formatPoints(last.score)} />
        <Fact name="Cost" value={formatCost(last.cost)} />
        <Fact name="Time" value={formatLatency(last.latency_ms)} />
      </dl>
    </li>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div className="w-14 text-right">
      <dt className="text-2xs text-ink-3">{name}</dt>
      <dd className="text-ink-2">{value}</dd>
    </div>
  )
}
