import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import { ApiError } from '../api/client.ts'
import { runQueries } from '../api/runs.ts'
import { useParts } from '../app/parts.ts'
import { useWatchedRun, useWatchedRuns } from '../app/watching.ts'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { formatCount } from '../format/numbers.ts'

const route = getRouteApi('/shell/runs/$runId')

/** One run. */
export function RunPage() {
  const { runId } = route.useParams()
  const { api } = useParts()
  const { data, error, refetch } = useQuery(runQueries(api).run(runId))
  useWatchedRuns()
  const { progress, status } = useWatchedRun(runId, 'items')
  const gone = status === 'deleted' || (error instanceof ApiError && [404, 410].includes(error.status))
  return (
    <div className="mx-auto flex w-full max-w-5xl flex-1 flex-col gap-4 p-3 sm:p-6">
      <Link to="/runs" className="flex items-center gap-1.5 self-start font-medium text-ink-2 hover:text-ink">
        <ArrowLeft aria-hidden size={15} />
        Runs
      </Link>
      {gone ? (
        <Notice title="There is no such run">Nothing is called “{runId}”. It may have been deleted.</Notice>
      ) : data ? (
        <>
          <h1 className="foreign text-xl font-semibold">{data.name}</h1>
          <p className="text-ink-2">
            {data.status}: {formatCount((progress ?? data).completed_items)} of{' '}
            {formatCount((progress ?? data).total_items)} items
          </p>
        </>
      ) : error ? (
        <Trouble what="The run cannot be shown" error={error} onRetry={() => void refetch()} />
      ) : (
        <Loading what="the run" />
      )}
    </div>
  )
}
