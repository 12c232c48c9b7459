import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import { comparisonQueries } from '../api/comparisons.ts'
import { comparedRuns, readCompare } from '../app/addresses.ts'
import { useParts } from '../app/parts.ts'
import { useWatchedRuns } from '../app/watching.ts'
import { Loading, Notice, Trouble } from '../components/notice.tsx'

const route = getRouteApi('/shell/compare')

/** Runs held against the first of them. */
export function ComparePage() {
  const search = route.useSearch({ select: readCompare, structuralSharing: true })
  const { api } = useParts()
  const runs = comparedRuns(search)
  const { data, error, refetch } = useQuery({
    ...comparisonQueries(api).comparison({ runs, sortBy: search.sort }),
    enabled: runs.length > 1,
  })
  useWatchedRuns()
  return (
    <div className="mx-auto flex w-full max-w-5xl flex-1 flex-col gap-4 p-3 sm:p-6">
      <Link to="/runs" className="flex items-center gap-1.5 self-start font-medium text-ink-2 hover:text-ink">
        <ArrowLeft aria-hidden size={15} />
        Runs
      </Link>
      <h1 className="text-xl font-semibold">Compare</h1>
      {runs.length < 2 ? (
        <Notice title="Choose two runs">Two to ten are compared, each with the first.</Notice>
      ) : data ? (
        <ul>
          {data.compared.map(({ run_id: id, metrics }) => (
            <li key={id}>
              {id}: {metrics.map(({ name, verdict }) => `${name} ${verdict}`).join(', ')}
            </li>
          ))}
        </ul>
      ) : error ? (
        <Trouble what="The runs cannot be compared" error={error} onRetry={() => void refetch()} />
      ) : (
        <Loading what="the comparison" />
      )}
    </div>
  )
}
