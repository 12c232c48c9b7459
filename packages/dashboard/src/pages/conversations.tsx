import { type Conversation, conversationStates } from '@llm-eval/protocol'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { MessagesSquare, SearchX } from 'lucide-react'
import { useDeferredValue, useEffect, useState } from 'react'
import { conversationQueries, type ConversationSearch } from '../api/conversations.ts'
import { readConversations } from '../app/addresses.ts'
import { useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { ConversationBadge } from '../components/conversation-badges.tsx'
import { Select, TextField } from '../components/field.tsx'
import { Loading, Notice, sayError, Trouble } from '../components/notice.tsx'
import { Samples } from '../components/teach.tsx'
import { Ago } from '../components/time.tsx'
import { colourOf, stateWords, tokensText, tokensTitle, whoseWords } from '../format/conversation-words.ts'
import { formatCount } from '../format/numbers.ts'
import { bridgeSamples } from '../format/samples.ts'

const route = getRouteApi('/shell/conversations')

/** Conversations with agents, the newest first. */
export function ConversationsPage() {
  const search = route.useSearch({ select: readConversations, structuralSharing: true })
  const { api } = useParts()
  const query = useInfiniteQuery(conversationQueries(api).list(search))
  const { data, error, refetch } = query
  const rows = data?.pages.flatMap(({ items }) => items) ?? []
  const filtered = Object.keys(search).length > 0
  return (
    <div className="mx-auto flex w-full max-w-5xl flex-col gap-4 p-3 sm:p-6">
      <div className="flex flex-wrap items-end gap-2">
        <h1 className="mr-auto text-xl font-semibold max-sm:sr-only">Conversations</h1>
        {(filtered || rows.length > 0) && <Filters search={search} />}
      </div>
      {error && !data ? (
        <Trouble what="The conversations cannot be listed" error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading what="the conversations" />
      ) : rows.length === 0 ? (
        filtered ? (
          <NothingFound />
        ) : (
          <Nothing />
        )
      ) : (
        <>
          <ul aria-label="Conversations" className="card divide-y divide-line/70">
            {rows.map((row) => (
              <Row key={row.thread_id} row={row} />
            ))}
          </ul>
          {query.isFetchNextPageError && (
            <p role="alert" className="text-center text-sm text-bad">
              {sayError(error)}
            </p>
          )}
          {query.hasNextPage && (
            <Button
              size="medium"
              className="self-center"
              disabled={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              {query.isFetchingNextPage ? 'Loading more…' : 'Show more'}
            </Button>
          )}
        </>
      )}
    </div>
  )
}

function Filters({ search }: { search: ConversationSearch }) {
  const navigate = route.useNavigate()
  const [typed, setTyped] = useState(search.q ?? '')
  const words = useDeferredValue(typed)
  useEffect(() => {
    void navigate({ search: (before) => readConversations({ ...before, q: words }), replace: true })
  }, [words, navigate])
  return (
    <>
      <TextField
        label="Search titles"
        hidden
        type="search"
        placeholder="Search titles"
        maxLength={200}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <Select
        label="State"
        hidden
        value={search.state ?? ''}
        choices={[
          { value: '', label: 'Any state' },
          ...conversationStates.map((state) => ({ value: state, label: stateWords[state].word })),
        ]}
        onChange={(event) =>
          void navigate({ search: (before) => readConversations({ ...before, state: event.target.value }) })
        }
      />
    </>
  )
}

function Row({ row }: { row: Conversation }) {
  const { thread_id: thread, title, state, turns, tool_calls: calls, agents, tokens } = row
  return (
    <li className="relative flex flex-wrap items-center gap-x-5 gap-y-1.5 px-4 py-3 hover:bg-hover max-sm:gap-x-3">
      <div className="min-w-56 flex-1">
        <Link to="/conversations/$thread" params={{ thread }} className="cover foreign clip block font-medium text-ink">
          {title === '' ? thread : title}
        </Link>
        <p className="flex flex-wrap items-center gap-x-2.5 text-sm text-ink-3">
          {agents.slice(0, 4).map((agent) => (
            <AgentName key={agent} row={row} agent={agent} />
          ))}
          {agents.length > 4 && <span>and {agents.length - 4} more</span>}
          <span className="foreign clip">{whoseWords(row)}</span>
          {row.replay_of !== null && <span>replay</span>}
        </p>
      </div>
      <p className="w-48 text-right text-sm text-ink-2 max-sm:w-auto max-sm:text-left" title={tokensTitle(tokens)}>
        {formatCount(turns)} {turns === 1 ? 'turn' : 'turns'} · {formatCount(calls)} {calls === 1 ? 'call' : 'calls'}
        <span className="block text-xs text-ink-3 max-sm:inline max-sm:before:content-['_·_']">
          {tokensText(tokens)}
        </span>
      </p>
      <span className="w-24 text-right max-sm:w-auto">
        <ConversationBadge state={state} />
      </span>
      <p className="ml-auto w-20 text-right text-xs text-ink-3 max-sm:w-auto">
        <Ago time={row.updated_at} />
      </p>
    </li>
  )
}

/** Who spoke, with the colour that is theirs in this conversation. */
export function AgentName({ row, agent }: { row: Pick<Conversation, 'agents'>; agent: string }) {
  const { dot } = colourOf(row, agent)
  return (
    <span className="foreign inline-flex max-w-48 items-center gap-1.5">
      <span aria-hidden className={`size-2 shrink-0 rounded-full ${dot}`} />
      <span className="clip">{agent}</span>
    </span>
  )
}

function NothingFound() {
  const navigate = route.useNavigate()
  return (
    <Notice title="No conversation matches" picture={<SearchX aria-hidden size={28} />}>
      <Button size="medium" onClick={() => void navigate({ search: {} })}>
        Clear all filters
      </Button>
    </Notice>
  )
}

function Nothing() {
  return (
    <Notice title="No conversations yet" picture={<MessagesSquare aria-hidden size={22} />}>
      <p>Put the bridge between a front end that speaks AG-UI and an agent of Google ADK: every word is recorded.</p>
      <Samples label="How to record a conversation" samples={bridgeSamples(location.origin)} />
    </Notice>
  )
}
