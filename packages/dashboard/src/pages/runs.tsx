import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { runQueries } from '../api/runs.ts'
import { readRunSearch } from '../api/run-filters.ts'
import { useParts } from '../app/parts.ts'
import { useWatchedRuns } from '../app/watching.ts'

const route = getRouteApi('/shell/runs')

/** The runs of the project. */
export function RunsPage() {
  const search = route.useSearch({ select: readRunSearch, structuralSharing: true })
  const { api } = useParts()
  const { data } = useInfiniteQuery(runQueries(api).list(search))
  useWatchedRuns()
  return (
    <div className="p-6">
      <h1 className="text-xl font-semibold">Runs</h1>
      <ul>
        {data?.pages
          .flatMap(({ items }) => items)
          .map((run) => (
            <li key={run.run_id}>
              <Link to="/runs/$runId" params={{ runId: run.run_id }}>
                {run.name}
              </Link>
            </li>
          ))}
      </ul>
    </div>
  )
}
