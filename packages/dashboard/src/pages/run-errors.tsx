import { type Run, type RunErrorGroup, type TaskFault, taskFaults } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CircleCheck, RefreshCw } from 'lucide-react'
import type { ItemSearch } from '../api/item-filters.ts'
import { runItemQueries } from '../api/run-items.ts'
import { useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { formatCount } from '../format/numbers.ts'
import { useFreshAtEnd } from './run-fresh.ts'

/** What went wrong in a run, in groups. */
export function RunErrors({ run, errors }: { run: Run; errors: number }) {
  const { api } = useParts()
  const options = runItemQueries(api).errors(run.run_id)
  const { data, error, refetch, isFetching } = useQuery(options)
  useFreshAtEnd(run, options.queryKey)
  if (error && !data) return <Trouble what="The errors cannot be shown" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading what="the errors" />
  const counted = data.items.reduce((sum, { count }) => sum + count, data.others)
  const newer = data.complete ? errors - counted : 0
  return (
    <div className="flex flex-col gap-4">
      {newer > 0 && (
        <p role="status" className="flex flex-wrap items-center gap-3 text-sm text-ink-2">
          {formatCount(newer)} more since these were read.
          <Button disabled={isFetching} onClick={() => void refetch()}>
            <RefreshCw aria-hidden size={14} />
            Read again
          </Button>
        </p>
      )}
      {!data.complete && (
        <p role="status" className="rounded-lg bg-wait-soft px-3.5 py-2 text-wait">
          Grouped are the first {formatCount(data.examined)} of {formatCount(errors)} errors, in the order of the
          dataset.
        </p>
      )}
      {data.items.length === 0 ? (
        <Notice title="No errors" picture={<CircleCheck aria-hidden size={28} className="text-good" />}>
          {run.completed_items === 0 && errors === 0
            ? 'No item is finished yet.'
            : 'Every task answered, and every evaluator could do its work.'}
        </Notice>
      ) : (
        <ErrorGroups run={run} groups={data.items} />
      )}
      {data.others > 0 && (
        <p className="text-sm text-ink-3">{formatCount(data.others)} errors are of rarer kinds that are not listed.</p>
      )}
    </div>
  )
}

/** Groups of errors, each with its first examples and the way to its items. */
export function ErrorGroups({ run, groups }: { run: Run; groups: readonly RunErrorGroup[] }) {
  return (
    <ul aria-label="Kinds of errors" className="flex flex-col gap-3">
      {groups.map((group) => (
        <Group key={JSON.stringify([group.metric, group.code, group.pattern])} run={run} group={group} />
      ))}
    </ul>
  )
}

function Group({ run, group }: { run: Run; group: RunErrorGroup }) {
  const { metric, code, pattern, count, examples } = group
  return (
    <li className="card overflow-hidden">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1 px-4 py-3">
        <span className="text-lg font-semibold">{formatCount(count)}×</span>
        <span className="foreign rounded-md bg-sunken px-1.5 font-mono text-xs leading-5">{code}</span>
        <span className="text-sm text-ink-3">
          {metric === null ? (
            'of the task'
          ) : (
            <>
              of <span className="foreign font-medium text-ink-2">{metric}</span>
            </>
          )}
        </span>
        <Link
          to="/runs/$runId"
          params={{ runId: run.run_id }}
          search={{ tab: 'items', ...itemsOf(group) }}
          className="ml-auto text-sm font-medium text-accent hover:underline"
        >
          Show {count === 1 ? 'the item' : 'the items'}
        </Link>
        <p className="foreign-block w-full font-medium" dir="auto">
          {pattern === '' ? <span className="font-normal text-ink-3">Without a message.</span> : pattern}
        </p>
      </div>
      <ul aria-label="First examples" className="divide-y divide-line/60 border-t border-line/60 bg-sunken/50">
        {examples.map(({ item_index: index, case_id: id, message }) => (
          <li key={index} className="relative flex items-baseline gap-3 px-4 py-1.5 text-sm hover:bg-hover">
            <Link
              to="/runs/$runId"
              params={{ runId: run.run_id }}
              search={{ tab: 'items', item: String(index), ...itemsOf(group) }}
              className="foreign cover w-32 shrink-0 clip font-medium text-accent outline-none focus-visible:underline"
              title={id}
            >
              {id}
            </Link>
            <span className="foreign line-clamp-2 min-w-0 flex-1 text-ink-2">{message}</span>
          </li>
        ))}
      </ul>
    </li>
  )
}

/** Finds the items of a group, and few others. */
function itemsOf({ metric, code, pattern }: RunErrorGroup): ItemSearch {
  if (metric !== null) return { errored: metric }
  const parts = pattern.split('…').map((part) => part.trim())
  // The longest part that all their messages have in common; where the pattern was cut it may end within a word.
  const words = parts.reduce((longest, part) => (part.length > longest.length ? part : longest), '')
  const task = taskFaultOf(code)
  return {
    status: 'failed',
    ...(task ? { error: task } : {}),
    ...(words === '' ? {} : { q: words.slice(0, 150).trim() }),
  }
}

function taskFaultOf(code: RunErrorGroup['code']): TaskFault | undefined {
  return taskFaults.find((known) => known === code)
}
