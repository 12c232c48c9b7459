import type { QueryClient, QueryKey } from '@tanstack/react-query'
import type { Metrics, TraceDetail, TraceSummary } from '@llm-eval/protocol'
import { type Cell, createCell } from './cell.ts'
import { keys, type ListPage } from '../api/queries.ts'
import { type Changes, collectChanges, type Recent, reviseDetail, revisePages } from './changes.ts'
import type { FromTab, LinkStatus, ToTab } from './hub.ts'
import { createRate, type Rate } from './rate.ts'
import { createReading, createReadings } from './reading.ts'
import { arrive, emptyTail, gap, type Tail } from './tail.ts'

/** What this tab knows from the stream. */
export interface Feed {
  status: Cell<LinkStatus>
  tail: Cell<Tail>
  rate: Rate
  /** New traces since a {@link Feed.mark}, newest last, at most 5,000. */
  since: (mark: number) => readonly TraceSummary[]
  /** How many new traces this tab has heard of. */
  heard: Cell<number>
  mark: () => number
  /** Lays a change that this tab made itself over what it shows, without waiting for the stream. */
  apply: (changes: Changes) => void
  /** Connects at once instead of waiting. */
  retry: () => void
}

export interface FeedParts {
  queryClient: QueryClient
  recent: Recent
  /** Opens the way to the hub; returns how to speak to it. */
  link: (onMessage: (message: ToTab) => void) => (message: FromTab) => void
  onSignedOut: () => void
  now: () => number
  later: (callback: () => void, ms: number) => unknown
}

const kept = 5_000

/** Applies the frames of the stream to everything on the screen, in this one place. */
export function createFeed({ queryClient, recent, link, onSignedOut, now, later }: FeedParts): Feed {
  const status = createCell<LinkStatus>({ state: 'connecting' })
  const tail = createCell<Tail>(emptyTail)
  const heard = createCell(0)
  const rate = createRate()
  const readAgentTests = createReading({ queryClient, queryKey: keys.agentTests, later })
  const readConversations = createReadings({ queryClient, later })
  let arrivals: TraceSummary[] = []

  const tell = link((message) => {
    if (message.kind === 'frames') {
      const changes = collectChanges(message.frames)
      apply(changes)
      if (changes.stale) resync()
      else {
        if (changes.agentTests) readAgentTests()
        if (changes.conversations.size > 0) readConversations(conversationKeys(changes.conversations))
      }
      tell({ kind: 'done' })
    } else if (message.kind === 'resync') resync()
    else {
      status.set(message.status)
      if (message.status.state === 'signed_out') onSignedOut()
      if (message.kind === 'hello') {
        if (message.metrics) queryClient.setQueryData<Metrics>(keys.metrics, message.metrics)
        if (message.status.state === 'live' && !message.whole) resync()
      }
    }
  })

  function apply(changes: Changes): void {
    recent.remember(changes)
    if (changes.created.length > 0) {
      rate.record(changes.created.length, now())
      arrivals = [...arrivals, ...changes.created].slice(-kept)
      heard.set(heard.get() + changes.created.length)
    }
    tail.set(arrive(tail.get(), changes))
    if (changes.metrics) queryClient.setQueryData<Metrics>(keys.metrics, changes.metrics)
    if (changes.verdicts.size + changes.updated.size + changes.scores.size + changes.deleted.size === 0) return
    queryClient.setQueriesData<{ pages: ListPage[]; pageParams: unknown[] }>({ queryKey: keys.lists }, (data) =>
      data ? revisePages(data, changes) : data,
    )
    for (const [key, trace] of queryClient.getQueriesData<TraceDetail>({ queryKey: keys.details })) {
      if (!trace) continue
      const revised = reviseDetail(trace, changes)
      const { trace_id: id, ref } = trace
      const told = changes.updated.has(id) || changes.scores.has(id) || changes.deleted.has(ref)
      const touched = revised !== trace || told
      if (revised !== trace) queryClient.setQueryData(key, revised)
      // The history of its reviews and what its scores say are not part of the event.
      if (touched) void queryClient.invalidateQueries({ queryKey: key, exact: true })
    }
  }

  function resync(): void {
    tail.set(gap(tail.get()))
    void readAgain(queryClient)
  }

  return {
    status,
    tail,
    rate,
    heard,
    mark: heard.get,
    since(mark) {
      const count = heard.get() - mark
      return count <= 0 ? [] : arrivals.slice(-count)
    },
    apply,
    retry: () => tell({ kind: 'retry' }),
  }
}

/** Reads everything visible again, also what is being read at this moment: it may have been read too early. */
async function readAgain(queryClient: QueryClient): Promise<void> {
  // Of long lists the beginning is enough; the rest is read when it is scrolled to.
  queryClient.setQueriesData<{ pages: unknown[]; pageParams: unknown[] }>({ queryKey: keys.lists }, (data) =>
    data && data.pages.length > 5 ? { pages: data.pages.slice(0, 5), pageParams: data.pageParams.slice(0, 5) } : data,
  )
  await queryClient.cancelQueries({ type: 'active' }, { silent: true })
  await queryClient.invalidateQueries()
}

/** What is read of conversations of which something came; of one that is gone nobody knows which it was. */
function conversationKeys(threads: ReadonlySet<string | null>): QueryKey[] {
  if (threads.has(null)) return [keys.conversations]
  return [
    keys.conversationLists,
    ...[...threads].flatMap((thread) => (thread === null ? [] : [keys.conversation(thread)])),
  ]
}
