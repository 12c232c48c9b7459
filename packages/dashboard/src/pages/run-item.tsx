import type { Run, RunItem, Score } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ChevronDown, ChevronUp, X } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { ApiError } from '../api/client.ts'
import { writeJson } from '../api/exact-json.ts'
import { runQueries } from '../api/runs.ts'
import { useParts } from '../app/parts.ts'
import { IconButton } from '../components/button.tsx'
import { CopyButton } from '../components/copy-button.tsx'
import { Segments } from '../components/field.tsx'
import { JsonView } from '../components/json-view.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { faultWords, ScoreBadge } from '../components/score-badge.tsx'
import { TextBlock } from '../components/text-block.tsx'
import { diffTextOf, TextDiff } from '../components/text-diff.tsx'
import { formatCost, formatCount, formatLatency, unknown } from '../format/numbers.ts'
import { formatTime } from '../format/times.ts'
import { isOver } from './run-numbers.ts'

/** Between two looks at an item that is not finished yet. Milliseconds. */
const againMs = 1_500

interface PanelProps {
  run: Run
  index: number
  onClose: () => void
  onStep: (step: 1 | -1) => void
}

/** One item of a run, whole, beside the list of them. */
export function RunItemPanel({ run, index, onClose, onStep }: PanelProps) {
  const { api } = useParts()
  const heading = useRef<HTMLHeadingElement>(null)
  const options = runQueries(api).item(run.run_id, index)
  const { data, error, refetch } = useQuery({
    ...options,
    retry: false,
    refetchInterval: ({ state }) => (state.data === undefined && !isOver(run.status) ? againMs : false),
  })
  // Who opens an item reads on there.
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])
  const isMissing = error instanceof ApiError && error.status === 404
  return (
    <section
      aria-label={`Item ${index}`}
      className="card flex min-w-0 flex-col lg:max-h-[calc(100dvh-8rem)] lg:overflow-y-auto"
    >
      <div className="sticky top-0 z-10 flex items-center gap-1 rounded-t-[inherit] border-b bg-surface px-4 py-2">
        <h2 ref={heading} tabIndex={-1} className="foreign mr-auto min-w-0 clip font-semibold" title={data?.case_id}>
          <span className="font-normal text-ink-3">{formatCount(index)}</span> {data?.case_id ?? ''}
        </h2>
        <IconButton label="Previous item (K)" onClick={() => onStep(-1)}>
          <ChevronUp aria-hidden size={17} />
        </IconButton>
        <IconButton label="Next item (J)" onClick={() => onStep(1)}>
          <ChevronDown aria-hidden size={17} />
        </IconButton>
        <IconButton label="Close the item (Esc)" onClick={onClose}>
          <X aria-hidden size={16} />
        </IconButton>
      </div>
      {data ? (
        // Another item begins with nothing unfolded.
        <Item key={index} item={data} />
      ) : isMissing ? (
        <Notice title={isOver(run.status) ? 'There is no such item' : 'Not finished yet'}>
          {isOver(run.status)
            ? 'The run did not come to it, or it was deleted with its trace.'
            : 'It appears here once it is.'}
        </Notice>
      ) : error ? (
        <Trouble what="The item cannot be shown" error={error} onRetry={() => void refetch()} />
      ) : (
        <Loading what="the item" />
      )}
    </section>
  )
}

function Item({ item }: { item: RunItem }) {
  const { input, error } = item
  return (
    <div className="flex flex-col gap-5 p-4">
      {error !== null && (
        <div role="alert" className="rounded-lg bg-bad-soft px-3.5 py-2.5 text-bad">
          <code className="font-mono text-xs">{error.code}</code>
          <p className="foreign-block mt-0.5" dir="auto">
            {error.message}
          </p>
        </div>
      )}
      <Numbers item={item} />
      <Field name="Input" value={input} />
      <Answer item={item} />
      <ItemScores item={item} />
    </div>
  )
}

function Numbers({ item }: { item: RunItem }) {
  const { attempts, repetition, response_time_ms: ms, tokens, cost, trace_id: trace } = item
  const facts: [string, ReactNode][] = [
    ['Time', formatLatency(ms)],
    ['Tokens', formatCount(tokens)],
    ['Cost', formatCost(cost)],
    ['Attempts', formatCount(attempts)],
    ...(repetition > 1 ? [['Repetition', formatCount(repetition)] satisfies [string, ReactNode]] : []),
    ['Finished', item.completed_at === null ? unknown : formatTime(item.completed_at)],
  ]
  return (
    <dl className="flex flex-wrap gap-x-6 gap-y-1.5">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className="text-xs text-ink-3">{name}</dt>
          <dd className="text-sm font-medium">{value}</dd>
        </div>
      ))}
      {trace !== null && (
        <div>
          <dt className="text-xs text-ink-3">Trace</dt>
          <dd className="max-w-40 clip text-sm font-medium">
            <Link to="/traces/$traceId" params={{ traceId: trace }} className="foreign text-accent hover:underline">
              {trace}
            </Link>
          </dd>
        </div>
      )}
    </dl>
  )
}

/** A value: texts as they are, all else as a tree. */
function Value({ value, name }: { value: unknown; name: string }) {
  if (typeof value === 'string')
    return (
      <div className="rounded-lg border border-line bg-sunken px-3 py-2.5 text-sm">
        {value === '' ? <span className="text-ink-3">(empty)</span> : <TextBlock text={value} />}
      </div>
    )
  return <JsonView value={value} name={name} />
}

function Field({ name, value, beside }: { name: string; value: unknown; beside?: ReactNode }) {
  return (
    <section aria-label={name} className="min-w-0">
      <div className="mb-1.5 flex min-h-8 items-center gap-2">
        <h3 className="mr-auto font-semibold">{name}</h3>
        {beside}
        {typeof value === 'string' && value !== '' && (
          <CopyButton text={() => value} name={`the ${name.toLowerCase()}`} />
        )}
      </div>
      <Value value={value} name={name.toLowerCase()} />
    </section>
  )
}

const views = ['texts', 'difference'] as const

/** What was expected and what came, one under the other or as one text. */
function Answer({ item: { expected, output, status } }: { item: RunItem }) {
  const isKnown = expected !== null && expected !== undefined
  const isSame = isKnown && writeJson(expected) === writeJson(output)
  const isComparable = isKnown && status === 'success' && !isSame
  const [view, setView] = useState<(typeof views)[number]>('texts')
  const choice = isComparable && (
    <Segments label="How to show the answer" choices={views} chosen={view} onChoose={setView} />
  )
  if (isComparable && view === 'difference')
    return (
      <section aria-label="Difference" className="min-w-0">
        <div className="mb-1.5 flex min-h-8 items-center gap-2">
          <h3 className="mr-auto font-semibold">Expected and output</h3>
          {choice}
        </div>
        <TextDiff before={diffTextOf(expected)} after={diffTextOf(output)} label="Difference" />
        <p className="mt-1 text-xs text-ink-3">
          <del className="bg-bad-soft text-bad">Expected only</del>,{' '}
          <ins className="bg-good-soft text-good">output only</ins>
        </p>
      </section>
    )
  return (
    <>
      {isKnown && <Field name="Expected" value={expected} beside={isSame ? <Same /> : choice} />}
      {status === 'success' && <Field name="Output" value={output} />}
    </>
  )
}

function Same() {
  return <span className="text-xs text-good">the output is the same</span>
}

function ItemScores({ item }: { item: RunItem }) {
  const scores = Object.entries(item.scores)
  return (
    <section aria-label="Scores">
      <h3 className="mb-1.5 font-semibold">Scores</h3>
      {scores.length === 0 ? (
        <p className="text-sm text-ink-3">No evaluator scored this item.</p>
      ) : (
        <ul aria-label="Scores of the item" className="divide-y divide-line/70 rounded-lg border">
          {scores.map(([name, score]) => (
            <ScoreRow key={name} name={name} score={score} />
          ))}
        </ul>
      )}
    </section>
  )
}

function ScoreRow({ name, score }: { name: string; score: Score }) {
  const { explanation, fault, output, usage, duration_ms: ms } = score
  const why = fault === null ? explanation : (explanation ?? faultWords[fault])
  const hasMore = Object.keys(output).length > 0 || usage !== null
  return (
    <li className="flex flex-col gap-1 px-3.5 py-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="foreign min-w-0 clip font-medium">{name}</span>
        <ScoreBadge score={score} />
        {fault !== null && <code className="font-mono text-xs text-ink-3">{fault}</code>}
        <span className="ml-auto text-xs text-ink-3">{formatLatency(ms)}</span>
      </div>
      {why !== null && why !== '' && (
        <p className="foreign-block text-sm text-ink-2" dir="auto">
          {why}
        </p>
      )}
      {hasMore && (
        <details className="text-sm">
          <summary className="text-xs text-ink-3 hover:text-ink">More</summary>
          <div className="mt-1.5 flex flex-col gap-2">
            {Object.keys(output).length > 0 && <JsonView value={output} name={`output of ${name}`} />}
            {usage !== null && (
              <p className="flex flex-wrap gap-x-3 text-xs text-ink-3">
                <span>cost {usage.cached ? 'nothing (cached)' : formatCost(usage.cost)}</span>
                {usage.model !== null && <span className="foreign">{usage.model}</span>}
              </p>
            )}
          </div>
        </details>
      )}
    </li>
  )
}
