import { getRouteApi } from '@tanstack/react-router'
import { useQuery } from '@tanstack/react-query'
import { Radio } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { ranges, type Range } from '../api/filters.ts'
import { readLive } from '../app/addresses.ts'
import { useParts } from '../app/parts.ts'
import { Select, Segments } from '../components/field.tsx'
import { Trouble } from '../components/notice.tsx'
import { useCell } from '../stream/cell.ts'
import { Counters } from './counters.tsx'
import { LivePlots } from './live-plots.tsx'
import { LiveTail } from './live-tail.tsx'

// Who has traces never needs it.
const Teach = lazy(async () => ({ default: (await import('../components/teach.tsx')).Teach }))

const route = getRouteApi('/shell/')
const windows = Object.keys(ranges) as Range[]

/** What is happening now. */
export function LivePage() {
  const { queries, feed } = useParts()
  const tail = useCell(feed.tail)
  const { window = '1h', model } = route.useSearch({ select: readLive, structuralSharing: true })
  const navigate = route.useNavigate()
  const { data: metrics, error, refetch } = useQuery(queries.metrics())
  const { data: facets } = useQuery(queries.facets())
  const models = facets?.models.map(({ name }) => name) ?? []
  // The counters come every two seconds; the first trace is there before them.
  const empty = metrics?.total_traces === 0 && tail.rows.length === 0

  if (error && !metrics)
    return <Trouble what="The counters cannot be shown" error={error} onRetry={() => void refetch()} />
  return (
    <div className="mx-auto grid w-full max-w-[125rem] grid-cols-1 gap-4 p-3 sm:p-5 3xl:grid-cols-[minmax(0,5fr)_minmax(0,4fr)]">
      <h1 className="sr-only">Live</h1>
      <div className="3xl:col-span-2">
        <Counters metrics={metrics} />
      </div>
      {empty ? (
        <Welcome />
      ) : (
        <>
          <div className="flex min-w-0 flex-col">
            <div className="mb-3 flex flex-wrap items-center gap-2">
              <h2 className="mr-auto font-semibold">Over time</h2>
              <Select
                label="Model"
                hidden
                className="max-w-44"
                value={model ?? ''}
                choices={[
                  { value: '', label: 'All models' },
                  ...[...new Set([...models, ...(model ? [model] : [])])].map((name) => ({ value: name, label: name })),
                ]}
                onChange={(event) =>
                  void navigate({ search: (old) => ({ ...old, model: event.target.value }), replace: true })
                }
              />
              <Segments
                label="Time window"
                choices={windows}
                chosen={window}
                onChoose={(choice) => void navigate({ search: (old) => ({ ...old, window: choice }), replace: true })}
              />
            </div>
            <LivePlots window={window} model={model} />
          </div>
          <LiveTail />
        </>
      )}
    </div>
  )
}

/** Before the first trace. */
function Welcome() {
  return (
    <section className="card mx-auto w-full max-w-3xl p-6 sm:p-8 3xl:col-span-2">
      <h2 className="text-xl font-semibold">Send your first trace</h2>
      <p className="mt-1 mb-5 text-ink-2">
        A trace is one request to your LLM application as it happened. Paste this into a terminal: it appears here the
        same moment.
      </p>
      <Suspense fallback={<div className="h-44" />}>
        <Teach />
      </Suspense>
      <p role="status" className="mt-6 flex items-center gap-2 text-ink-2">
        <Radio aria-hidden size={16} className="animate-breathe text-accent" />
        Waiting for the first trace…
      </p>
    </section>
  )
}
