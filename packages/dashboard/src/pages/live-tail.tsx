import { useQuery } from '@tanstack/react-query'
import { ArrowUp, Pause, Play } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { useKeys } from '../app/keys.tsx'
import { useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { useNow } from '../components/time.tsx'
import { TraceTable } from '../components/trace-table.tsx'
import { formatCount, formatRate } from '../format/numbers.ts'
import { useCell } from '../stream/cell.ts'
import type { Rate } from '../stream/rate.ts'
import { hold, release, seed, shownRows } from '../stream/tail.ts'
import { useFresh } from './fresh.ts'

/** The newest traces as they come. Scrolled or paused it stands still, and a pill counts what waits on top. */
export function LiveTail() {
  const { queries, feed } = useParts()
  const tail = useCell(feed.tail)
  const scroller = useRef<HTMLDivElement>(null)
  const paused = useRef(false)
  const { data, error, refetch, isPending } = useQuery(queries.newest())
  const rows = shownRows(tail)
  const fresh = useFresh(tail.held ? null : rows)

  useEffect(() => {
    if (data) feed.tail.set(seed(feed.tail.get(), data.items))
  }, [data, feed])
  // Whoever comes back to this page wants to see what is new.
  useEffect(() => () => feed.tail.set(release(feed.tail.get())), [feed])

  const setPaused = (pause: boolean): void => {
    paused.current = pause
    feed.tail.set(pause ? hold(tail) : release(tail))
    if (!pause) scroller.current?.scrollTo({ top: 0 })
  }
  const onScroll = (): void => {
    if (paused.current) return
    const down = (scroller.current?.scrollTop ?? 0) > 4
    const now = feed.tail.get()
    if (down) feed.tail.set(hold(now))
    else if (now.waiting === 0) feed.tail.set(release(now))
  }
  const stands = tail.held !== null
  useKeys([{ keys: [' '], does: stands ? 'Follow new traces' : 'Pause the tail', run: () => setPaused(!stands) }])

  return (
    <section aria-label="Newest traces" className="flex min-w-0 flex-col">
      <div className="mb-3 flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="font-semibold">Newest traces</h2>
        <ArrivalRate rate={feed.rate} />
        <Button className="ml-auto" onClick={() => setPaused(!stands)} aria-pressed={stands} title="Space">
          {stands ? <Play aria-hidden size={14} /> : <Pause aria-hidden size={14} />}
          {stands ? 'Follow' : 'Pause'}
        </Button>
      </div>
      <div className="card relative flex h-[min(34rem,75dvh)] flex-col overflow-hidden 3xl:h-[calc(100dvh-16rem)] 3xl:min-h-96">
        {tail.waiting > 0 && <NewPill label={`${formatCount(tail.waiting)} new`} onClick={() => setPaused(false)} />}
        <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto [overflow-anchor:none]" onScroll={onScroll}>
          {rows.length > 0 ? (
            <TraceTable label="Newest traces" rows={rows} list="live" scroller={scroller} fresh={fresh} />
          ) : error ? (
            <Trouble what="The newest traces cannot be shown" error={error} onRetry={() => void refetch()} />
          ) : isPending ? (
            <Loading what="the newest traces" />
          ) : (
            <Notice title="No traces yet">They appear here the moment they are stored.</Notice>
          )}
        </div>
      </div>
    </section>
  )
}

/** Tells of rows that wait on top, without moving anything. */
export function NewPill({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <div className="pointer-events-none absolute inset-x-0 top-11 z-20 flex justify-center">
      <button
        type="button"
        data-new-pill
        className="pointer-events-auto inline-flex h-8 animate-rise items-center gap-1.5 rounded-full bg-accent-solid px-3.5 text-sm font-medium text-on-accent shadow-float hover:bg-accent-hover"
        onClick={onClick}
      >
        <ArrowUp aria-hidden size={14} />
        {label}
      </button>
    </div>
  )
}

/** Arrivals per second, and the last minute as a line of bars. */
function ArrivalRate({ rate }: { rate: Rate }) {
  const now = useNow()
  const counts = rate.history(now)
  const most = Math.max(1, ...counts)
  return (
    <span
      className="flex items-center gap-2 text-sm text-ink-2"
      title="New traces, mean of the last 10 seconds; bars: the last minute"
    >
      <svg viewBox="0 0 120 18" className="h-4.5 w-30 max-sm:w-20" preserveAspectRatio="none" aria-hidden>
        {counts.map((count, at) => (
          <rect
            // The place is what tells one bar from another.
            // oxlint-disable-next-line react/no-array-index-key
            key={at}
            x={at * 2 + 0.25}
            width={1.5}
            y={count === 0 ? 17 : 18 - Math.max(2, (count / most) * 18)}
            height={count === 0 ? 1 : Math.max(2, (count / most) * 18)}
            className={count === 0 ? 'fill-line-strong/50' : 'fill-plot-1'}
          />
        ))}
      </svg>
      {formatRate(rate.perSecond(now))}
    </span>
  )
}
