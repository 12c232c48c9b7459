import type { ConversationComparison, TurnComparison } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import { conversationQueries } from '../api/conversations.ts'
import { useParts } from '../app/parts.ts'
import { JsonView } from '../components/json-view.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { Part } from '../components/part.tsx'
import { TextBlock } from '../components/text-block.tsx'
import { diffTextOf, TextDiff } from '../components/text-diff.tsx'
import { unknown } from '../format/numbers.ts'

const route = getRouteApi('/shell/conversations/$thread/compare/$other')

const measures = [
  {
    key: 'tool_trajectory_avg_score',
    name: 'Tool trajectory',
    says: 'Share of turns with the same tools called, with the same arguments, in the same order.',
  },
  { key: 'tool_parameter_match', name: 'Tool parameters', says: 'Share of the expected arguments that are the same.' },
  { key: 'response_match_score', name: 'Response', says: 'ROUGE-1: how many words both answers share.' },
] as const

/** A replay beside its recording, turn by turn. */
export function ConversationComparePage() {
  const { thread, other } = route.useParams()
  const { api } = useParts()
  const { data, error, refetch } = useQuery(conversationQueries(api).comparison(thread, other))
  return (
    <div className="mx-auto flex w-full max-w-6xl flex-1 flex-col gap-5 p-3 sm:p-6">
      <Link
        to="/conversations/$thread"
        params={{ thread: other }}
        className="flex items-center gap-1.5 self-start font-medium text-ink-2 hover:text-ink"
      >
        <ArrowLeft aria-hidden size={15} />
        The replay
      </Link>
      <div>
        <h1 className="text-xl font-semibold">Replay</h1>
        <p className="text-ink-2">
          Held against{' '}
          <Link to="/conversations/$thread" params={{ thread }} className="text-accent hover:underline">
            its recording
          </Link>
          , by the measures of ADK. What only the recording has is struck out, what only the replay has is underlined.
        </p>
      </div>
      {error && !data ? (
        <Trouble what="The replay cannot be compared" error={error} onRetry={() => void refetch()} />
      ) : data ? (
        <Body comparison={data} />
      ) : (
        <Loading what="the comparison" />
      )}
    </div>
  )
}

function Body({ comparison: { scores, turns, warnings } }: { comparison: ConversationComparison }) {
  return (
    <>
      <dl className="grid gap-px overflow-hidden rounded-xl border border-line bg-line sm:grid-cols-3">
        {measures.map(({ key, name, says }) => (
          <div key={key} className="flex flex-col-reverse bg-surface px-4 py-3" title={says}>
            <dt className="text-sm text-ink-2">{name}</dt>
            <dd className="text-xl font-semibold">
              <Score value={scores[key]} />
            </dd>
          </div>
        ))}
      </dl>
      {warnings.length > 0 && (
        <ul aria-label="Warnings" className="rounded-lg bg-wait-soft px-4 py-3 text-sm text-wait">
          {warnings.map((warning) => (
            <li key={warning} className="foreign">
              {warning}
            </li>
          ))}
        </ul>
      )}
      {turns.length === 0 ? (
        <Notice title="There is no turn to compare">The recording has no turn that can be said again.</Notice>
      ) : (
        turns.map((turn) => <Turn key={turn.index} turn={turn} />)
      )}
    </>
  )
}

/** A share in 0..1 with its colour; unknown is a dash. */
function Score({ value }: { value: number | null }) {
  if (value === null) return <span className="text-ink-3">{unknown}</span>
  const tone = value >= 0.8 ? 'text-good' : value >= 0.5 ? 'text-wait' : 'text-bad'
  return <span className={tone}>{value.toFixed(2)}</span>
}

function Turn({ turn }: { turn: TurnComparison }) {
  const { index, user, expected, actual } = turn
  const calls = [diffTextOf(expected.calls), actual && diffTextOf(actual.calls)] as const
  return (
    <Part
      title={`Turn ${index + 1}`}
      beside={
        <p className="flex flex-wrap gap-x-4 text-sm text-ink-2">
          {measures.map(({ key, name }) => (
            <span key={key}>
              {name} <Score value={turn[key]} />
            </span>
          ))}
        </p>
      }
    >
      <div className="card flex flex-col gap-4 p-4">
        <div className="rounded-lg bg-hover px-3 py-2">
          <TextBlock text={user} />
        </div>
        {actual === null ? (
          <p className="text-wait">The replay has no such turn.</p>
        ) : (
          <>
            {calls[0] === calls[1] ? (
              expected.calls.length > 0 && (
                <details>
                  <summary className="cursor-pointer text-sm text-ink-2">
                    The same {expected.calls.length === 1 ? 'call' : `${expected.calls.length} calls`}
                  </summary>
                  <JsonView value={expected.calls} name="calls" />
                </details>
              )
            ) : (
              <section>
                <h3 className="mb-1 text-xs font-medium text-ink-3">Calls</h3>
                <TextDiff
                  before={calls[0]}
                  after={calls[1] ?? ''}
                  label={`Changes of the calls of turn ${index + 1}`}
                />
              </section>
            )}
            <section>
              <h3 className="mb-1 text-xs font-medium text-ink-3">Response</h3>
              <TextDiff
                before={expected.response}
                after={actual.response}
                label={`Changes of the response of turn ${index + 1}`}
              />
            </section>
          </>
        )}
      </div>
    </Part>
  )
}
