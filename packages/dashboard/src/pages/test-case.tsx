import type { AgentCaseDetail, AttemptResult } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft, FlaskConical } from 'lucide-react'
import { agentTestQueries } from '../api/agent-tests.ts'
import { ApiError } from '../api/client.ts'
import { readTestCase, type TestCaseSearch } from '../app/addresses.ts'
import { useMay, useParts } from '../app/parts.ts'
import { FlakyBadge, QuarantineBadge, SaidBadge } from '../components/agent-badges.tsx'
import { buttonLook } from '../components/button.tsx'
import { Select } from '../components/field.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { Part } from '../components/part.tsx'
import { Ago } from '../components/time.tsx'
import { caseSaid, outcomeWords } from '../format/agent-words.ts'
import { formatTime } from '../format/times.ts'
import { TestActions } from './test-case-actions.tsx'
import { TestAnswers } from './test-answers.tsx'
import { TestCalls } from './test-calls.tsx'
import { TestHistory } from './test-history.tsx'
import { TestScore } from './test-score.tsx'
import { originOf } from './tests.tsx'

const route = getRouteApi('/shell/tests/$suite/$caseId')

/** One case of a suite: what its agent did, beside what was accepted. */
export function TestCasePage() {
  const { suite, caseId } = route.useParams()
  const look = route.useSearch({ select: readTestCase, structuralSharing: true })
  const { api } = useParts()
  const { data, error, refetch } = useQuery(agentTestQueries(api).case({ suite, caseId, ...look }))
  return (
    <div className="mx-auto flex w-full max-w-6xl flex-1 flex-col gap-5 p-3 sm:p-6">
      <Link
        to="/tests/$suite"
        params={{ suite }}
        className="foreign flex items-center gap-1.5 self-start font-medium text-ink-2 hover:text-ink"
      >
        <ArrowLeft aria-hidden size={15} />
        {suite}
      </Link>
      {error instanceof ApiError && error.status === 404 ? (
        <>
          <h1 className="sr-only">Case</h1>
          <Notice title="There is no such case">{`${error.message} It may have been deleted.`}</Notice>
        </>
      ) : data ? (
        <Body detail={data} />
      ) : error ? (
        <>
          <h1 className="sr-only">Case</h1>
          <Trouble what="The case cannot be shown" error={error} onRetry={() => void refetch()} />
        </>
      ) : (
        <Loading what="the case" />
      )}
    </div>
  )
}

function Body({ detail }: { detail: AgentCaseDetail }) {
  const { result, check, compared, report, quarantine, flakiness } = detail
  const may = useMay('write')
  const look = route.useSearch({ select: readTestCase, structuralSharing: true })
  const shownAttempt = compared?.attempt ?? attemptOf(detail, look.attempt)
  const attempt = result?.attempts[shownAttempt]
  const outcome = result?.outcome ?? detail.history.find(({ report_id: id }) => id === report.report_id)?.outcome
  return (
    <>
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <div className="mr-auto min-w-0">
          <h1 className="foreign text-xl font-semibold">{detail.name}</h1>
          <p className="mt-1 flex flex-wrap gap-1.5">
            {outcome && <SaidBadge said={caseSaid({ outcome, state: check?.state ?? null })} />}
            <FlakyBadge flakiness={flakiness} />
            <QuarantineBadge quarantine={quarantine} />
          </p>
          <p className="foreign mt-1.5 text-sm text-ink-2">
            {originOf(report)} · <Ago time={report.at} />
          </p>
        </div>
        {report.run_id !== null && (
          <Link to="/runs/$runId" params={{ runId: report.run_id }} className={buttonLook('plain', 'medium')}>
            <FlaskConical aria-hidden size={14} />
            Run
          </Link>
        )}
        {may && <TestActions detail={detail} />}
      </div>
      <Choices detail={detail} attempt={shownAttempt} />
      <Reasons detail={detail} />
      {result === null ? (
        <Notice title="Only its numbers are kept">
          <p>The whole result of this report was too large. Another report may have it.</p>
        </Notice>
      ) : (
        attempt && <Attempt detail={detail} attempt={attempt} />
      )}
      <TestHistory detail={detail} />
    </>
  )
}

/** The attempt that is shown where nothing is compared: as the server would choose it. */
function attemptOf({ result }: AgentCaseDetail, wanted: string | undefined): number {
  if (!result) return 0
  const passed = result.attempts.findIndex(({ outcome }) => outcome === 'passed')
  return Math.min(wanted === undefined ? Math.max(0, passed) : Number(wanted), result.attempts.length - 1)
}

function Choices({ detail, attempt }: { detail: AgentCaseDetail; attempt: number }) {
  const navigate = route.useNavigate()
  const set = (more: TestCaseSearch) =>
    void navigate({ search: (before) => readTestCase({ ...before, ...more }), replace: true })
  const { history, report, baselines, compared, result } = detail
  const known = history.some(({ report_id: id }) => id === report.report_id)
  return (
    <div className="flex flex-wrap gap-2">
      <Select
        label="Report"
        className="max-w-72"
        value={report.report_id}
        choices={[
          ...(known ? [] : [{ value: report.report_id, label: formatTime(report.at) }]),
          ...history.map(({ report_id: id, at, outcome, commit }) => ({
            value: id,
            label: `${formatTime(at)} · ${outcomeWords[outcome].word}${commit === null ? '' : ` · ${commit.slice(0, 10)}`}`,
          })),
        ]}
        onChange={(event) => void navigate({ search: { report: event.target.value }, replace: true })}
      />
      {result && result.attempts.length > 1 && (
        <Select
          label="Attempt"
          value={String(attempt)}
          choices={result.attempts.map(({ outcome }, at) => ({
            value: String(at),
            label: `${at + 1} of ${result.attempts.length} · ${outcomeWords[outcome].word}`,
          }))}
          onChange={(event) => set({ attempt: event.target.value })}
        />
      )}
      {baselines.length > 1 && compared && (
        <Select
          label="Held against"
          value={compared.baseline.variant}
          choices={baselines.map(({ variant }) => ({ value: variant, label: variant }))}
          onChange={(event) => set({ variant: event.target.value })}
        />
      )}
    </div>
  )
}

function Reasons({ detail: { check } }: { detail: AgentCaseDetail }) {
  if (!check || (check.reasons.length === 0 && check.quarantine === null)) return null
  const { quarantine } = check
  return (
    <section aria-label="Why" className="card border-l-3 border-l-wait px-4 py-3">
      <ul className="flex flex-col gap-1">
        {check.reasons.map((reason) => (
          <li key={reason} className="foreign">
            {reason}
          </li>
        ))}
        {quarantine && (
          <li className="foreign text-ink-2">
            {`Quarantined in this report by ${quarantine.owner} until ${formatTime(quarantine.expires_at)}: ${quarantine.reason}`}
          </li>
        )}
      </ul>
    </section>
  )
}

function Attempt({ detail, attempt }: { detail: AgentCaseDetail; attempt: AttemptResult }) {
  const { compared } = detail
  const before = compared?.baseline.attempts[0]?.trace ?? null
  const { trace } = attempt
  const accepted = compared?.baseline
  return (
    <>
      {trace.fault && !detail.check?.reasons.includes(trace.fault.message) && (
        <p role="note" className="foreign rounded-lg bg-wait-soft px-4 py-3 text-wait">
          {trace.fault.message}
        </p>
      )}
      {detail.shortened ? (
        <p role="note" className="rounded-lg bg-wait-soft px-4 py-3 text-wait">
          Shortened: the whole report was too large to be sent at once. Long texts are cut, and arguments and results of
          calls are left out, so that it is shown alone and nothing can be accepted of it. Fewer cases at once are kept
          whole: “llm-eval test --tag … --send”.
        </p>
      ) : accepted ? (
        <p className="foreign text-sm text-ink-2">
          Held against “{accepted.variant}”, accepted {accepted.accepted_by !== null && `by ${accepted.accepted_by} `}
          <Ago time={accepted.accepted_at} />
          {accepted.note !== null && `: ${accepted.note}`}
        </p>
      ) : (
        <p className="text-sm text-ink-2">Nothing was accepted of this case yet: it is shown alone.</p>
      )}
      <Part title="Tool calls">
        {detail.shortened && trace.tool_calls.length === 0 ? (
          <p className="text-ink-2">Its calls were left out, if there were any.</p>
        ) : (
          <TestCalls before={before} after={trace} steps={compared?.steps ?? null} />
        )}
      </Part>
      <Part title="Answer">
        <TestAnswers before={before} after={trace} />
      </Part>
      <TestScore attempt={attempt} />
    </>
  )
}
