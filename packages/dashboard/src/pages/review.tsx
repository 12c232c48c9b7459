import type { TraceDetail } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { CheckCheck, ChevronLeft, ChevronRight, ExternalLink, PartyPopper, SkipForward, Undo2 } from 'lucide-react'
import { useRef, useState } from 'react'
import { ApiError } from '../api/client.ts'
import { readReview, type ReviewSearch } from '../app/addresses.ts'
import { useKeys } from '../app/keys.tsx'
import { useParts } from '../app/parts.ts'
import { Button, buttonLook, IconButton } from '../components/button.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { formatCount } from '../format/numbers.ts'
import { ReviewPanel } from './review-panel.tsx'
import { type ReviewRun, useReviewRun } from './review-run.ts'
import { TraceHead, TraceViews } from './trace.tsx'
import { deskKeys, useReviewDesk } from './verdict.ts'

const route = getRouteApi('/shell/review')

function useReviewSearch(): ReviewSearch {
  return route.useSearch({ select: readReview, structuralSharing: true })
}

/** One pending trace at a time. */
export function ReviewPage() {
  const search = useReviewSearch()
  // Another filter is another run.
  return <Run key={JSON.stringify(search)} search={search} />
}

function Run({ search }: { search: ReviewSearch }) {
  const run = useReviewRun(search)
  useKeys([
    { keys: ['n', 'ArrowRight'], does: 'Next record', run: run.next },
    { keys: ['p', 'ArrowLeft'], does: 'Previous record', run: run.previous },
    { keys: ['s'], does: 'Skip', run: run.skip },
    { keys: ['u'], does: 'Undo the last verdict', run: run.undo },
  ])
  return (
    <div className="mx-auto flex w-full max-w-[100rem] flex-1 flex-col">
      <Progress run={run} />
      {run.error && run.total === 0 ? (
        <Trouble what="The queue cannot be read" error={run.error} onRetry={run.restart} />
      ) : run.traceId !== undefined ? (
        <Record key={run.traceId} traceId={run.traceId} run={run} />
      ) : run.loading ? (
        <Loading what="the queue" />
      ) : (
        <Finished run={run} />
      )}
    </div>
  )
}

function Progress({ run }: { run: ReviewRun }) {
  const { decided } = run.tally
  const filters = Object.entries<string>(useReviewSearch())
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-3 pt-3 sm:px-5">
      {run.traceId === undefined ? (
        <h1 className="font-semibold">Review</h1>
      ) : (
        <h2 className="font-semibold">{`Record ${formatCount(run.position)} of ${run.totalWords}`}</h2>
      )}
      <div
        role="progressbar"
        aria-label="Decided"
        aria-valuemin={0}
        aria-valuemax={Math.max(run.total, 1)}
        aria-valuenow={decided}
        className="h-1.5 w-28 overflow-hidden rounded-full bg-line max-sm:hidden"
      >
        <div
          className="h-full rounded-full bg-good transition-[width]"
          style={{ width: `${(100 * decided) / Math.max(run.total, 1)}%` }}
        />
      </div>
      <span className="text-sm text-ink-2">
        {decided === 0 ? 'none decided yet' : `${formatCount(decided)} decided`}
      </span>
      {filters.map(([name, value]) => (
        <Link
          key={name}
          to="/review"
          search={{}}
          className="foreign max-w-60 clip rounded-full bg-chosen px-2.5 text-xs leading-6 font-medium text-accent"
          title="Show all"
        >
          {name}: {value} ×
        </Link>
      ))}
      {run.newer > 0 && (
        <button
          type="button"
          className="rounded-full bg-accent-solid px-3 text-xs leading-6 font-medium text-on-accent hover:bg-accent-hover"
          onClick={run.restart}
        >
          {formatCount(run.newer)} new, start from them
        </button>
      )}
      <div className="ml-auto flex items-center gap-1">
        <Button look="quiet" disabled={!run.canUndo} onClick={run.undo} title="Undo the last verdict (U)">
          <Undo2 aria-hidden size={15} />
          <span className="max-sm:sr-only">Undo</span>
        </Button>
        <Button look="quiet" disabled={run.traceId === undefined} onClick={run.skip} title="Skip (S)">
          <SkipForward aria-hidden size={15} />
          <span className="max-sm:sr-only">Skip</span>
        </Button>
        <IconButton label="Previous record (P)" disabled={run.position <= 1} onClick={run.previous}>
          <ChevronLeft aria-hidden size={17} />
        </IconButton>
        <IconButton label="Next record (N)" disabled={run.traceId === undefined} onClick={run.next}>
          <ChevronRight aria-hidden size={17} />
        </IconButton>
      </div>
    </div>
  )
}

function Record({ traceId, run }: { traceId: string; run: ReviewRun }) {
  const { queries } = useParts()
  const { data, error, refetch } = useQuery(queries.detail(traceId))
  const gone = error instanceof ApiError && error.status === 404
  if (gone) {
    return (
      <Notice title="This trace was deleted">
        <Button size="medium" look="primary" onClick={run.next}>
          Next record
        </Button>
      </Notice>
    )
  }
  if (data) return <Desk trace={data} run={run} />
  if (error) return <Trouble what="The trace cannot be shown" error={error} onRetry={() => void refetch()} />
  return <Loading what="the trace" />
}

function Desk({ trace, run }: { trace: TraceDetail; run: ReviewRun }) {
  const [tab, setTab] = useState('chat')
  const noteField = useRef<HTMLTextAreaElement>(null)
  const desk = useReviewDesk(trace, run.decided)
  // What was written about this trace is stored before another one takes its place.
  run.beforeLeaving.current = desk.keepNote
  useKeys(deskKeys(desk, () => noteField.current?.focus()))
  return (
    <div className="grid flex-1 grid-cols-1 items-start gap-5 p-3 sm:p-5 lg:grid-cols-[minmax(0,1fr)_21rem] lg:gap-8">
      <div className="min-w-0 animate-appear">
        <TraceHead trace={trace} />
        <TraceViews trace={trace} tab={tab} onTab={setTab} />
      </div>
      <ReviewPanel trace={trace} desk={desk} noteField={noteField} goOn={{ label: 'Next record', run: run.next }}>
        <Link
          to="/traces/$traceId"
          params={{ traceId: trace.trace_id }}
          className="inline-flex items-center gap-1.5 text-sm text-ink-2 hover:text-ink"
        >
          <ExternalLink aria-hidden size={13} />
          Open on its own page
        </Link>
      </ReviewPanel>
    </div>
  )
}

function Finished({ run }: { run: ReviewRun }) {
  const { decided, accepted, rejected } = run.tally
  if (run.total === 0) {
    return (
      <Notice title="Nothing waits for a verdict" picture={<CheckCheck aria-hidden size={28} />}>
        <p>New traces come into this queue the moment they are stored.</p>
        <Link to="/" className={buttonLook('plain', 'medium')}>
          Watch them arrive
        </Link>
      </Notice>
    )
  }
  return (
    <Notice title="You are through" picture={<PartyPopper aria-hidden size={28} />}>
      <p role="status">
        {formatCount(decided)} decided: {formatCount(accepted)} accepted, {formatCount(rejected)} rejected
        {run.skipped > 0 && `; ${formatCount(run.skipped)} skipped`}.
      </p>
      <div className="flex flex-wrap justify-center gap-2">
        {run.skipped > 0 && (
          <Button size="medium" onClick={run.backToSkipped}>
            Go back to the skipped
          </Button>
        )}
        <Button size="medium" look={run.newer > 0 ? 'primary' : 'plain'} onClick={run.restart}>
          {run.newer > 0 ? `Go on with ${formatCount(run.newer)} new` : 'Look for more'}
        </Button>
      </div>
    </Notice>
  )
}
