import type { AgentReport, AgentSuite } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ShieldCheck } from 'lucide-react'
import { agentTestQueries } from '../api/agent-tests.ts'
import { useParts } from '../app/parts.ts'
import { SaidBadge } from '../components/agent-badges.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { Snippet } from '../components/teach.tsx'
import { Ago } from '../components/time.tsx'
import { reportSaid } from '../format/agent-words.ts'
import { formatCount } from '../format/numbers.ts'

/** Suites of agent tests. */
export function TestsPage() {
  const { api } = useParts()
  const { data, error, refetch } = useQuery(agentTestQueries(api).suites())
  return (
    <div className="mx-auto flex w-full max-w-5xl flex-col gap-4 p-3 sm:p-6">
      <h1 className="text-xl font-semibold max-sm:sr-only">Tests</h1>
      {error && !data ? (
        <Trouble what="The suites cannot be listed" error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading what="the suites" />
      ) : data.items.length === 0 ? (
        <Nothing />
      ) : (
        <ul aria-label="Suites" className="card divide-y divide-line/70">
          {data.items.map((suite) => (
            <Row key={suite.suite} suite={suite} />
          ))}
        </ul>
      )}
    </div>
  )
}

function Row({ suite: { suite, reports, updated_at: updated, last } }: { suite: AgentSuite }) {
  return (
    <li className="relative grid grid-cols-[1fr_auto] items-center gap-x-5 gap-y-2 px-4 py-3 hover:bg-hover sm:grid-cols-[1fr_13rem_11rem_5rem]">
      <div className="min-w-0">
        <Link to="/tests/$suite" params={{ suite }} className="cover foreign font-medium text-ink">
          {suite}
        </Link>
        <p className="foreign clip text-sm text-ink-3">{last ? originOf(last) : 'no report is kept'}</p>
      </div>
      {last && (
        <>
          <div className="min-w-0 max-sm:order-1">
            <Shares report={last} />
          </div>
          <span className="text-right">
            <SaidBadge said={reportSaid(last)} />
          </span>
        </>
      )}
      <p
        className="text-right text-xs text-ink-3 max-sm:order-2 sm:col-start-4"
        title={`${formatCount(reports)} reports`}
      >
        <Ago time={last?.at ?? updated} />
      </p>
    </li>
  )
}

/** Where a report comes from, in a line. */
export function originOf({ command, branch, commit, by }: AgentReport): string {
  const from = [branch, commit?.slice(0, 10)].filter((word) => word != null).join(' ')
  return [`llm-eval ${command}`, from, by].filter((word) => word !== '' && word !== null).join(' · ')
}

/** How the cases of a report ended, as a bar and in words. */
export function Shares({ report: { cases, passed, failed, faulted, unevaluated } }: { report: AgentReport }) {
  const parts = [
    { count: passed, word: 'passed', fill: 'bg-plot-good' },
    { count: failed, word: 'failed', fill: 'bg-bad' },
    { count: faulted + unevaluated, word: 'not told', fill: 'bg-wait' },
  ].filter(({ count }) => count > 0)
  return (
    <div className="w-52 max-w-full">
      <p className="text-sm text-ink-2">
        {cases === 0 ? 'no cases' : parts.map(({ count, word }) => `${formatCount(count)} ${word}`).join(', ')}
      </p>
      <div aria-hidden className="mt-1 flex h-1.5 gap-px overflow-hidden rounded-full bg-sunken">
        {parts.map(({ count, word, fill }) => (
          <span key={word} className={fill} style={{ flexGrow: count }} />
        ))}
      </div>
    </div>
  )
}

const steps = [
  {
    says: 'See what your agent shows of itself, and what to add.',
    text: 'llm-eval doctor http://localhost:3000/api/chat',
  },
  { says: 'Write its settings and a first case.', text: 'llm-eval init' },
  { says: 'Test it, and keep the results here.', text: 'llm-eval test --send' },
  {
    says: 'Accept what passes; from then on each change is shown.',
    text: 'llm-eval snapshot && llm-eval check --send',
  },
]

function Nothing() {
  return (
    <Notice title="No agent was tested yet" picture={<ShieldCheck aria-hidden size={22} />}>
      <p>Any agent that answers over HTTP can be tested: what it says, which tools it calls, how long it takes.</p>
      <ol className="flex w-full flex-col gap-3 text-left">
        {steps.map(({ says, text }, at) => (
          <li key={text}>
            <span className="text-sm">
              {at + 1}. {says}
            </span>
            <Snippet name={`step ${at + 1}`} text={text} />
          </li>
        ))}
      </ol>
    </Notice>
  )
}
