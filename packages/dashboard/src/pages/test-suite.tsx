import type { AgentCase, AgentSuiteDetail } from '@llm-eval/protocol'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft, FlaskConical, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { agentTestQueries, deleteSuite } from '../api/agent-tests.ts'
import { keys } from '../api/queries.ts'
import { ApiError } from '../api/client.ts'
import { readTestSuite, type TestSuiteSearch } from '../app/addresses.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { SaidBadge } from '../components/agent-badges.tsx'
import { buttonLook, IconButton } from '../components/button.tsx'
import { Confirm } from '../components/dialog.tsx'
import { Segments, TextField } from '../components/field.tsx'
import { Loading, Notice, sayError, Trouble } from '../components/notice.tsx'
import { Ago } from '../components/time.tsx'
import { reportSaid } from '../format/agent-words.ts'
import { TestCases } from './test-cases.tsx'
import { originOf, Shares } from './tests.tsx'

const route = getRouteApi('/shell/tests/$suite')

/** One suite of agent tests: how each case stands. */
export function TestSuitePage() {
  const { suite } = route.useParams()
  const { api } = useParts()
  const { data, error, refetch } = useQuery(agentTestQueries(api).suite(suite))
  return (
    <div className="mx-auto flex w-full max-w-6xl flex-1 flex-col gap-4 p-3 sm:p-6">
      <Link to="/tests" className="flex items-center gap-1.5 self-start font-medium text-ink-2 hover:text-ink">
        <ArrowLeft aria-hidden size={15} />
        Tests
      </Link>
      {error instanceof ApiError && error.status === 404 ? (
        <>
          <h1 className="sr-only">Suite</h1>
          <Notice title="There is no such suite">Nothing is called “{suite}”. It may have been deleted.</Notice>
        </>
      ) : data ? (
        <Body detail={data} />
      ) : error ? (
        <>
          <h1 className="sr-only">Suite</h1>
          <Trouble what="The suite cannot be shown" error={error} onRetry={() => void refetch()} />
        </>
      ) : (
        <Loading what="the suite" />
      )}
    </div>
  )
}

const views = ['All', 'Not well', 'Flaky', 'Quarantined'] as const
type View = (typeof views)[number]
const shown: Record<View, TestSuiteSearch['show']> = {
  All: undefined,
  'Not well': 'bad',
  Flaky: 'flaky',
  Quarantined: 'quarantined',
}

function Body({ detail }: { detail: AgentSuiteDetail }) {
  const search = route.useSearch({ select: readTestSuite, structuralSharing: true })
  const navigate = route.useNavigate()
  const may = useMay('write')
  const [last] = detail.reports
  const set = (more: TestSuiteSearch) =>
    void navigate({ search: (before) => readTestSuite({ ...before, ...more }), replace: true })
  const cases = detail.cases.filter((one) => fits(one, search))
  const view = views.find((name) => shown[name] === search.show) ?? 'All'
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="mr-auto min-w-0">
          <h1 className="foreign flex flex-wrap items-center gap-2.5 text-xl font-semibold">
            {detail.suite}
            {last && <SaidBadge said={reportSaid(last)} />}
          </h1>
          {last && (
            <p className="foreign text-sm text-ink-2">
              {originOf(last)} · <Ago time={last.at} />
              {last.note !== null && ` · ${last.note}`}
            </p>
          )}
        </div>
        {last && <Shares report={last} />}
        {last?.run_id != null && (
          <Link to="/runs/$runId" params={{ runId: last.run_id }} className={buttonLook('plain', 'medium')}>
            <FlaskConical aria-hidden size={14} />
            Run
          </Link>
        )}
        {may && <Remove suite={detail.suite} />}
      </div>
      {last ? (
        <>
          <div className="flex flex-wrap items-center gap-2">
            <TextField
              label="Search cases"
              hidden
              type="search"
              placeholder="Search cases"
              className="w-56"
              value={search.q ?? ''}
              onChange={(event) => set({ q: event.target.value })}
            />
            <Segments label="Cases" choices={views} chosen={view} onChoose={(name) => set({ show: shown[name] })} />
          </div>
          <TestCases suite={detail.suite} cases={cases} of={detail.cases.length} />
        </>
      ) : (
        <Notice title="No report is kept of this suite">
          <p>What was accepted of it stays. The next report of “llm-eval test --send” shows here.</p>
        </Notice>
      )}
    </>
  )
}

function fits(one: AgentCase, { q = '', show }: TestSuiteSearch): boolean {
  const words = q.toLowerCase().split(/\s+/)
  const name = one.name.toLowerCase()
  if (!words.every((word) => name.includes(word))) return false
  if (show === 'flaky') return one.flakiness.flaky
  if (show === 'quarantined') return one.quarantine !== null
  if (show !== 'bad') return true
  return one.last.state === null ? one.last.outcome !== 'passed' : one.last.state !== 'PASSED'
}

function Remove({ suite }: { suite: string }) {
  const { api, queryClient } = useParts()
  const toasts = useToasts()
  const navigate = route.useNavigate()
  const [asking, setAsking] = useState(false)
  const removal = useMutation({
    mutationFn: () => deleteSuite(api, suite),
    async onSuccess() {
      await navigate({ to: '/tests' })
      await queryClient.invalidateQueries({ queryKey: keys.agentTests })
    },
    onError: (error) => toasts.show({ text: `The suite was not deleted. ${sayError(error)}`, mood: 'bad' }),
  })
  return (
    <>
      <IconButton label="Delete the suite" onClick={() => setAsking(true)}>
        <Trash2 aria-hidden size={15} />
      </IconButton>
      <Confirm
        open={asking}
        onOpen={setAsking}
        title={`Delete “${suite}”?`}
        says="All its reports go for good, and so does what was accepted and quarantined of its cases."
        action="Delete"
        busy={removal.isPending}
        onConfirm={() => removal.mutate()}
      />
    </>
  )
}
