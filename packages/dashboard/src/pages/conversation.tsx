import type { ConversationDetail, ConversationTurn } from '@llm-eval/protocol'
import { useQueries, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft, GitCompareArrows } from 'lucide-react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { ApiError } from '../api/client.ts'
import { blockOf, conversationQueries, newestBlocks } from '../api/conversations.ts'
import { useParts } from '../app/parts.ts'
import { useReadingPlace } from '../app/reading-place.ts'
import { Button, buttonLook } from '../components/button.tsx'
import { ConversationBadge } from '../components/conversation-badges.tsx'
import { CopyButton } from '../components/copy-button.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { Ago } from '../components/time.tsx'
import { tokensText, tokensTitle, whoseWords } from '../format/conversation-words.ts'
import { formatCount, formatLatency } from '../format/numbers.ts'
import { ConversationActions } from './conversation-actions.tsx'
import { Turn } from './conversation-turn.tsx'
import { AgentName } from './conversations.tsx'

const route = getRouteApi('/shell/conversations/$thread')

/** One conversation as its people read it, with all that its agents did between. */
export function ConversationPage() {
  const { thread } = route.useParams()
  const { api } = useParts()
  const { data, error, refetch } = useQuery(conversationQueries(api).conversation(thread))
  return (
    <div className="mx-auto flex w-full max-w-4xl flex-1 flex-col gap-5 p-3 sm:p-6">
      <div className="flex items-center gap-3">
        <Link to="/conversations" className="flex items-center gap-1.5 font-medium text-ink-2 hover:text-ink">
          <ArrowLeft aria-hidden size={15} />
          Conversations
        </Link>
        {data && (
          <span className="flex min-w-0 items-center">
            <code className="foreign min-w-0 clip font-mono text-xs text-ink-3 max-sm:max-w-40">{thread}</code>
            <CopyButton text={() => thread} name="the thread id" />
          </span>
        )}
      </div>
      {error instanceof ApiError && (error.status === 404 || error.status === 410) ? (
        <>
          <h1 className="sr-only">Conversation</h1>
          <Notice title="There is no such conversation">{`${error.message} It may have been deleted.`}</Notice>
        </>
      ) : data ? (
        // Another thread is another page: nothing chosen in the old one stays.
        <Body key={thread} detail={data} />
      ) : error ? (
        <>
          <h1 className="sr-only">Conversation</h1>
          <Trouble what="The conversation cannot be shown" error={error} onRetry={() => void refetch()} />
        </>
      ) : (
        <Loading what="the conversation" />
      )}
    </div>
  )
}

function Body({ detail }: { detail: ConversationDetail }) {
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set())
  const choose = useCallback((index: number): void => {
    setChosen((before) => {
      const next = new Set(before)
      if (!next.delete(index)) next.add(index)
      return next
    })
  }, [])
  return (
    <>
      <Head detail={detail} />
      <ConversationActions detail={detail} chosen={chosen} onClear={() => setChosen(new Set())} />
      <Turns detail={detail} chosen={chosen} onChoose={choose} />
    </>
  )
}

function Head({ detail }: { detail: ConversationDetail }) {
  const { thread_id: thread, title, state, error, replay_of: recording } = detail
  const { totalThinkingTokens: thoughts, totalToolCalls: calls, durationSeconds: seconds } = detail.session_stats
  const facts = [
    [detail.turns === 1 ? 'turn' : 'turns', formatCount(detail.turns)],
    [calls === 1 ? 'tool call' : 'tool calls', formatCount(calls)],
    ['from first to last', formatLatency(seconds === null ? null : seconds * 1000)],
    ['thinking tokens', formatCount(thoughts)],
  ] as const
  return (
    <header>
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <div className="mr-auto min-w-0">
          <h1 className="foreign text-xl font-semibold">{title === '' ? thread : title}</h1>
          <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-ink-2">
            <ConversationBadge state={state} />
            {detail.agents.map((agent) => (
              <AgentName key={agent} row={detail} agent={agent} />
            ))}
            <span className="foreign text-ink-3">{whoseWords(detail)}</span>
            <span className="text-ink-3">
              <Ago time={detail.updated_at} />
            </span>
          </p>
        </div>
        {recording !== null && (
          <Link
            to="/conversations/$thread/compare/$other"
            params={{ thread: recording, other: thread }}
            className={buttonLook('plain', 'medium')}
          >
            <GitCompareArrows aria-hidden size={15} />
            Compare with its recording
          </Link>
        )}
      </div>
      {error !== null && state !== 'finished' && (
        <p role="note" className="foreign mt-3 rounded-lg bg-bad-soft px-4 py-3 text-bad">
          {error}
        </p>
      )}
      <dl className="mt-4 grid grid-cols-2 gap-px overflow-hidden rounded-xl border border-line bg-line sm:grid-cols-5">
        {facts.map(([word, value]) => (
          <Fact key={word} word={word} value={value} />
        ))}
        <Fact word="in all" value={tokensText(detail.tokens)} title={tokensTitle(detail.tokens)} wide />
      </dl>
    </header>
  )
}

function Fact({ word, value, title, wide = false }: { word: string; value: string; title?: string; wide?: boolean }) {
  return (
    <div className={`flex flex-col-reverse bg-surface px-4 py-2.5 ${wide ? 'max-sm:col-span-2' : ''}`} title={title}>
      <dt className="text-xs text-ink-3">{word}</dt>
      <dd className="clip text-base font-semibold">{value}</dd>
    </div>
  )
}

interface TurnsProps {
  detail: ConversationDetail
  chosen: ReadonlySet<number>
  onChoose: (index: number) => void
}

/** The newest turns, and before them those that were asked for: each time as many as are there. */
function Turns({ detail, chosen, onChoose }: TurnsProps) {
  const [first, setFirst] = useState(newestBlocks(detail)[0] ?? 0)
  const answers = useBlocks(detail, first)
  const isWhole = answers.every(({ data }) => data)
  const list = useRef<HTMLOListElement>(null)
  const holdPlace = useReadingPlace(list, isWhole)
  const failed = answers.filter(({ error, data }) => error !== null && !data)
  const trouble = failed[0]
  const turns = withoutGap(answers.map(({ data }) => data?.items))
  const showEarlier = (): void => {
    const reading = list.current?.querySelector('input')
    if (reading) {
      // The button may be gone when they are there; the keyboard goes on from here.
      reading.focus({ preventScroll: true })
      holdPlace(reading)
    }
    setFirst(Math.max(0, first - answers.length))
  }
  const before = turns[0]?.index ?? 0
  return (
    <>
      {trouble?.error && (
        <Trouble
          what={turns.length === 0 ? 'The turns cannot be shown' : 'Some turns cannot be shown'}
          error={trouble.error}
          onRetry={() => failed.forEach(({ refetch }) => void refetch())}
        />
      )}
      {before > 0 && !trouble && (
        <Button size="medium" className="self-center" disabled={!isWhole} onClick={showEarlier}>
          {isWhole ? `Show earlier turns (${formatCount(before)} more)` : 'Loading turns…'}
        </Button>
      )}
      {turns.length === 0 && !isWhole && !trouble && <Loading what="turns" />}
      {turns.length === 0 && isWhole && <p className="text-ink-2">Nothing was said yet.</p>}
      <ol
        aria-label="Turns"
        ref={list}
        // What gets the focus is not hidden by what stays at the top.
        className="flex flex-col gap-8 [&_:is(a,button,input,summary)]:scroll-mt-28"
      >
        {turns.map((turn) => (
          <Turn
            key={turn.index}
            turn={turn}
            agents={detail.agents}
            chosen={chosen.has(turn.index)}
            onChoose={onChoose}
          />
        ))}
      </ol>
    </>
  )
}

/** So many blocks at the end are read whenever something comes; a run that goes on does not reach back further. */
const growing = 3

/**
 * All blocks from one on, as they come. Those before the last ones are read again only when a run is over: words come
 * many times a second, and a reader may have asked for hundreds of blocks.
 */
function useBlocks(detail: ConversationDetail, first: number) {
  const { api, queryClient } = useParts()
  const { thread_id: thread, turns, state } = detail
  const last = blockOf(turns - 1)
  const reads = Array.from({ length: last - first + 1 }, (_, at) => conversationQueries(api).turns(thread, first + at))
  const earlier = reads.slice(0, -growing)
  const goesOn = state === 'running'
  const answers = useQueries({
    queries: reads.map((read, at) =>
      goesOn && at < earlier.length ? { ...read, staleTime: 'static' as const } : read,
    ),
  })
  const wentOn = useRef(goesOn)
  useEffect(() => {
    if (wentOn.current && !goesOn)
      for (const { queryKey } of earlier) void queryClient.invalidateQueries({ queryKey, exact: true })
    wentOn.current = goesOn
  })
  return answers
}

/** Of blocks that come in any order, the newest that follow one another: nobody reads over a gap. */
function withoutGap(blocks: (ConversationTurn[] | undefined)[]): ConversationTurn[] {
  const newest = blocks.findLastIndex((block) => block)
  const gap = blocks.slice(0, newest).lastIndexOf(undefined)
  return blocks.slice(gap + 1).flatMap((block) => block ?? [])
}
