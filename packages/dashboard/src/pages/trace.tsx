import type { TraceDetail } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useLocation } from '@tanstack/react-router'
import { ArrowLeft, ChevronDown, ChevronUp } from 'lucide-react'
import { Tabs } from 'radix-ui'
import { useRef } from 'react'
import { ApiError } from '../api/client.ts'
import { readTab } from '../app/addresses.ts'
import { useKeys } from '../app/keys.tsx'
import { useParts } from '../app/parts.ts'
import { IconButton } from '../components/button.tsx'
import { Chat } from '../components/chat.tsx'
import { CopyButton } from '../components/copy-button.tsx'
import { Functions, Metadata } from '../components/facts.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { Ago } from '../components/time.tsx'
import { formatCost, formatCount, formatLatency } from '../format/numbers.ts'
import { useNeighbours } from './neighbours.ts'
import { ReviewPanel } from './review-panel.tsx'
import { Scores } from './scores.tsx'
import { TraceMenu } from './trace-menu.tsx'
import { deskKeys, useReviewDesk } from './verdict.ts'

const route = getRouteApi('/shell/traces/$traceId')

/** One trace, whole. */
export function TracePage() {
  const { traceId } = route.useParams()
  const { queries } = useParts()
  const { data, error, refetch } = useQuery(queries.detail(traceId))
  const gone = error instanceof ApiError && error.status === 404
  return (
    <div className="mx-auto flex w-full max-w-[100rem] flex-1 flex-col">
      <TopBar traceId={traceId} {...(data && !gone ? { trace: data } : {})} />
      {gone ? (
        <Notice title={data ? 'This trace was deleted' : 'There is no such trace'}>
          {data
            ? 'It was deleted while you looked at it.'
            : `No trace has the id “${traceId}”. It may have been deleted.`}
        </Notice>
      ) : error && !data ? (
        <Trouble what="The trace cannot be shown" error={error} onRetry={() => void refetch()} />
      ) : data ? (
        <Body key={traceId} trace={data} />
      ) : (
        <Loading what="the trace" />
      )}
    </div>
  )
}

function TopBar({ traceId, trace }: { traceId: string; trace?: TraceDetail }) {
  const list = useLocation({ select: (location) => location.state.list })
  const neighbours = useNeighbours(traceId, list)
  const navigate = route.useNavigate()
  const open = (id: string | undefined): void => {
    if (id === undefined) return
    void navigate({
      params: { traceId: id },
      search: (old) => old,
      state: list ? { list } : {},
      replace: true,
    })
  }
  const previous = (): void => open(neighbours?.previous)
  const next = (): void => open(neighbours?.next)
  useKeys([
    { keys: ['j', 'n', 'ArrowRight'], does: 'Next trace of the list', run: next },
    { keys: ['k', 'p', 'ArrowLeft'], does: 'Previous trace of the list', run: previous },
  ])
  const back = 'flex items-center gap-1.5 rounded-lg py-1 pr-2 font-medium text-ink-2 hover:text-ink'
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 pt-3 sm:px-5">
      {list === 'live' ? (
        <Link to="/" className={back}>
          <ArrowLeft aria-hidden size={15} />
          Live
        </Link>
      ) : (
        <Link to="/traces" search={list ?? {}} className={back}>
          <ArrowLeft aria-hidden size={15} />
          Traces
        </Link>
      )}
      <code className="foreign min-w-0 clip font-mono text-xs text-ink-3 max-sm:max-w-40">{traceId}</code>
      <CopyButton text={() => traceId} name="the trace id" />
      <div className="ml-auto flex items-center gap-1">
        {neighbours && (
          <>
            <span className="mr-1 text-sm text-ink-3">
              {neighbours.position} of {neighbours.total}
            </span>
            <IconButton label="Previous trace (K)" disabled={!neighbours.previous} onClick={previous}>
              <ChevronUp aria-hidden size={17} />
            </IconButton>
            <IconButton label="Next trace (J)" disabled={!neighbours.next} onClick={next}>
              <ChevronDown aria-hidden size={17} />
            </IconButton>
          </>
        )}
        {trace && (
          <TraceMenu
            trace={trace}
            onDeleted={() => void navigate({ to: '/traces', search: typeof list === 'object' ? list : {} })}
          />
        )}
      </div>
    </div>
  )
}

function Body({ trace }: { trace: TraceDetail }) {
  const noteField = useRef<HTMLTextAreaElement>(null)
  const desk = useReviewDesk(trace, () => {})
  useKeys(deskKeys(desk, () => noteField.current?.focus()))
  return (
    <div className="grid flex-1 grid-cols-1 items-start gap-5 p-3 sm:p-5 lg:grid-cols-[minmax(0,1fr)_21rem] lg:gap-8">
      <div className="min-w-0">
        <TraceHead trace={trace} />
        <Scores trace={trace} />
        <TraceTabs trace={trace} />
      </div>
      <ReviewPanel trace={trace} desk={desk} noteField={noteField} />
    </div>
  )
}

/** What a trace is, in one line of facts. */
export function TraceHead({ trace }: { trace: TraceDetail }) {
  const facts: [string, string][] = [
    ['latency', formatLatency(trace.response_time_ms)],
    ['tokens', formatCount(trace.tokens_used)],
    ['cost', formatCost(trace.cost)],
  ]
  return (
    <>
      <h1 className="foreign line-clamp-2 text-left text-xl font-semibold" dir="auto">
        {trace.user_query.slice(0, 300) || 'Trace without a query'}
      </h1>
      <p className="mt-1.5 flex flex-wrap gap-x-4 gap-y-0.5 text-sm text-ink-2">
        <span className="foreign font-medium text-ink">{trace.model_name}</span>
        <Ago time={trace.timestamp} />
        {facts.map(([name, value]) => (
          <span key={name}>
            <span className="text-ink-3">{name}</span> {value}
          </span>
        ))}
        {trace.source !== null && (
          <span>
            <span className="text-ink-3">source</span> <span className="foreign">{trace.source}</span>
          </span>
        )}
      </p>
    </>
  )
}

const tabs = ['chat', 'functions', 'metadata'] as const

function TraceTabs({ trace }: { trace: TraceDetail }) {
  const { tab = 'chat' } = route.useSearch({ select: readTab, structuralSharing: true })
  const navigate = route.useNavigate()
  const list = useLocation({ select: (location) => location.state.list })
  const choose = (value: string): void => {
    const chosen = tabs.find((name) => name === value)
    const search = chosen === 'functions' || chosen === 'metadata' ? { tab: chosen } : {}
    void navigate({ search, state: list ? { list } : {}, replace: true, resetScroll: false })
  }
  return <TraceViews trace={trace} tab={tab} onTab={choose} />
}

/** The three views of a trace. */
export function TraceViews({ trace, tab, onTab }: { trace: TraceDetail; tab: string; onTab: (tab: string) => void }) {
  const calls = trace.functions_called.length
  return (
    <Tabs.Root value={tab} onValueChange={onTab} className="mt-4">
      <Tabs.List aria-label="Views of the trace" className="mb-5 flex gap-1 border-b">
        <Tab value="chat">Chat</Tab>
        <Tab value="functions">{calls === 0 ? 'Functions' : `Functions ${calls}`}</Tab>
        <Tab value="metadata">Metadata</Tab>
      </Tabs.List>
      <Tabs.Content value="chat">
        <Chat trace={trace} />
      </Tabs.Content>
      <Tabs.Content value="functions">
        <Functions trace={trace} />
      </Tabs.Content>
      <Tabs.Content value="metadata">
        <Metadata trace={trace} />
      </Tabs.Content>
    </Tabs.Root>
  )
}

function Tab({ value, children }: { value: string; children: string }) {
  return (
    <Tabs.Trigger
      value={value}
      className="-mb-px border-b-2 border-transparent px-3 py-2 font-medium text-ink-2 hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink"
    >
      {children}
    </Tabs.Trigger>
  )
}
