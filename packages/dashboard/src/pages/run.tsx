import type { Run } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import { Tabs } from 'radix-ui'
import { useEffect } from 'react'
import { ApiError } from '../api/client.ts'
import { runQueries } from '../api/runs.ts'
import { readRunTab, runTabs } from '../app/addresses.ts'
import { useParts } from '../app/parts.ts'
import { useWatchedRun, useWatchedRuns } from '../app/watching.ts'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { formatCompact } from '../format/numbers.ts'
import { RunConfiguration } from './run-configuration.tsx'
import { RunErrors } from './run-errors.tsx'
import { RunHead } from './run-head.tsx'
import { RunItems } from './run-items.tsx'
import { RunMetrics } from './run-metrics.tsx'
import { errorCount, numbersOf } from './run-numbers.ts'
import { RunOverview } from './run-overview.tsx'

const route = getRouteApi('/shell/runs/$runId')

/** One run: how it goes, what came of it, item by item, and how it was made. */
export function RunPage() {
  const { runId } = route.useParams()
  const { api } = useParts()
  const { data, error, refetch } = useQuery(runQueries(api).run(runId))
  useWatchedRuns()
  const { status } = useWatchedRun(runId, 'numbers')
  // A run that is looked for before it exists is there once somebody makes it.
  const isMade = data === undefined && status !== null && status !== 'unknown' && status !== 'deleted'
  useEffect(() => {
    if (isMade) void refetch()
  }, [isMade, refetch])
  const refused = error instanceof ApiError ? error.status : 0
  const isDeleted = status === 'deleted' || refused === 410
  return (
    <div className="mx-auto flex w-full max-w-[100rem] flex-1 flex-col gap-4 p-3 sm:p-6">
      <Link to="/runs" className="flex items-center gap-1.5 self-start font-medium text-ink-2 hover:text-ink">
        <ArrowLeft aria-hidden size={15} />
        Runs
      </Link>
      {isDeleted || refused === 404 ? (
        <Gone runId={runId} isDeleted={isDeleted} isSeen={data !== undefined} />
      ) : data ? (
        <Body key={runId} run={data} />
      ) : error ? (
        <Trouble what="The run cannot be shown" error={error} onRetry={() => void refetch()} />
      ) : (
        <Loading what="the run" />
      )}
    </div>
  )
}

function Gone({ runId, isDeleted, isSeen }: { runId: string; isDeleted: boolean; isSeen: boolean }) {
  return (
    <>
      <h1 className="sr-only">Run</h1>
      <Notice title={isDeleted ? 'This run was deleted' : 'There is no such run'}>
        <p className="foreign">
          {isDeleted
            ? isSeen
              ? 'It was deleted while you looked at it, with all of its items.'
              : `“${runId}” was deleted with all of its items.`
            : `No run has the id “${runId}”. If it is made, it appears here.`}
        </p>
      </Notice>
    </>
  )
}

function Body({ run }: { run: Run }) {
  const { tab = 'overview' } = route.useSearch({ select: readRunTab, structuralSharing: true })
  const navigate = route.useNavigate()
  const choose = (value: string): void => {
    const chosen = runTabs.find((name) => name === value)
    void navigate({ search: chosen ? { tab: chosen } : {}, replace: true, resetScroll: false })
  }
  const { progress } = useWatchedRun(run.run_id, 'numbers')
  const numbers = numbersOf(run, progress)
  const errors = errorCount(numbers)
  return (
    <>
      <RunHead run={run} />
      <Tabs.Root value={tab} onValueChange={choose} className="flex min-h-0 flex-1 flex-col">
        <Tabs.List aria-label="Views of the run" className="mb-5 flex overflow-x-auto border-b [scrollbar-width:none]">
          <Tab value="overview">Overview</Tab>
          <Tab value="metrics">Metrics</Tab>
          <Tab value="items" count={numbers.completed_items}>
            Items
          </Tab>
          <Tab value="errors" count={errors}>
            Errors
          </Tab>
          <Tab value="configuration">Configuration</Tab>
        </Tabs.List>
        <Tabs.Content value="overview">
          <RunOverview run={run} />
        </Tabs.Content>
        <Tabs.Content value="metrics">
          <RunMetrics run={run} />
        </Tabs.Content>
        <Tabs.Content value="items" className="flex min-h-0 flex-1 flex-col">
          <RunItems run={run} />
        </Tabs.Content>
        <Tabs.Content value="errors">
          <RunErrors run={run} errors={errors} />
        </Tabs.Content>
        <Tabs.Content value="configuration">
          <RunConfiguration run={run} />
        </Tabs.Content>
      </Tabs.Root>
    </>
  )
}

function Tab({ value, count = 0, children }: { value: string; count?: number; children: string }) {
  return (
    <Tabs.Trigger
      value={value}
      className="-mb-px flex items-center gap-1.5 border-b-2 border-transparent px-3 py-2 -outline-offset-2 font-medium whitespace-nowrap text-ink-2 hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink"
    >
      {children}
      {count > 0 && <span className="text-xs font-normal text-ink-3">{formatCompact(count)}</span>}
    </Tabs.Trigger>
  )
}
