import type { Run, RunProgress } from '@llm-eval/protocol'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Pencil } from 'lucide-react'
import { type FormEvent, type ReactNode, useState } from 'react'
import { datasetQueries } from '../api/datasets.ts'
import { changeRun, runKeys } from '../api/runs.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { useWatchedRun } from '../app/watching.ts'
import { Button, IconButton } from '../components/button.tsx'
import { wordOf } from '../components/field.tsx'
import { sayError } from '../components/notice.tsx'
import { ApprovalBadge, RunStatusBadge } from '../components/run-status.tsx'
import { Ago, useNow } from '../components/time.tsx'
import { formatCost, formatCount, formatLatency, formatRate, unknown } from '../format/numbers.ts'
import { formatShare } from '../format/shares.ts'
import { perSecond, remainingMs } from '../stream/pace.ts'
import { RunActions } from './run-actions.tsx'
import { isOver, numbersOf } from './run-numbers.ts'

/** What a run is, how far it is, and what can be done with it. */
export function RunHead({ run }: { run: Run }) {
  return (
    <header className="flex flex-col gap-3">
      <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <div className="mr-auto min-w-0">
          <Title run={run} />
          {run.description !== null && run.description !== '' && (
            <p className="foreign-block max-w-3xl text-ink-2" dir="auto">
              {run.description}
            </p>
          )}
        </div>
        <RunActions run={run} />
      </div>
      <Progress run={run} />
      <Facts run={run} />
    </header>
  )
}

function Title({ run }: { run: Run }) {
  const { api } = useParts()
  const client = useQueryClient()
  const toasts = useToasts()
  const may = useMay('write')
  const [editing, setEditing] = useState(false)
  const rename = useMutation({
    mutationFn: (name: string) => changeRun(api, run.run_id, { name }),
    onSuccess(changed) {
      client.setQueryData(runKeys.detail(run.run_id), changed)
      setEditing(false)
    },
    onError: (error) => toasts.show({ text: `The run was not renamed. ${sayError(error)}`, mood: 'bad' }),
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const name = wordOf(new FormData(event.currentTarget), 'name')
    if (name === '' || name === run.name) setEditing(false)
    else rename.mutate(name)
  }
  if (editing)
    return (
      <form aria-label="Name of the run" className="flex flex-wrap gap-2" onSubmit={submit}>
        <h1 className="sr-only">{run.name}</h1>
        <input
          name="name"
          aria-label="Name"
          defaultValue={run.name}
          maxLength={200}
          // Whoever wants to rename wants to type.
          // oxlint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          onKeyDown={({ key }) => key === 'Escape' && setEditing(false)}
          className="h-8 w-80 max-w-full rounded-lg border border-line bg-surface px-2.5 text-lg font-semibold"
        />
        <Button type="submit" look="primary" className="h-8" disabled={rename.isPending}>
          Save
        </Button>
        <Button className="h-8" onClick={() => setEditing(false)}>
          Cancel
        </Button>
      </form>
    )
  return (
    <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
      <h1 className="foreign min-w-0 text-xl font-semibold" dir="auto">
        {run.name}
      </h1>
      <RunStatusBadge status={run.status} />
      {run.approval && <ApprovalBadge approval={run.approval} />}
      {may && (
        <IconButton label="Rename the run" onClick={() => setEditing(true)}>
          <Pencil aria-hidden size={14} />
        </IconButton>
      )}
    </div>
  )
}

/** Milliseconds that a run was worked on, moving on while it goes. */
function useDuration({ run_id: runId, status, duration_ms: ms }: Run): number | null {
  const { queryClient } = useParts()
  const now = useNow()
  if (ms === null || status !== 'running') return ms
  const readAt = queryClient.getQueryState(runKeys.detail(runId))?.dataUpdatedAt ?? now
  return Math.max(ms, Math.round((ms + now - readAt) / 1_000) * 1_000)
}

function Progress({ run }: { run: Run }) {
  const { progress, pace } = useWatchedRun(run.run_id, 'numbers')
  const now = useNow()
  const duration = useDuration(run)
  const numbers = numbersOf(run, progress)
  const { total_items: total, completed_items: done } = numbers
  if (run.status === 'completed' && run.stopped_by === null) return null
  const speed = run.status === 'running' ? perSecond(pace, now) : null
  const left = run.status === 'running' ? remainingMs({ ...numbers, duration_ms: duration }, speed) : null
  return (
    <div className="flex flex-col gap-1.5">
      <Bar run={run} numbers={numbers} />
      <p className="flex flex-wrap gap-x-4 gap-y-0.5 text-sm text-ink-2">
        <span>
          <span className="font-medium text-ink">{formatCount(done)}</span> of{' '}
          {total === null ? 'an unknown number of' : formatCount(total)} items
          {total !== null && total > 0 && `, ${formatShare(done / total)}`}
        </span>
        {run.status === 'queued' && <span>It waits for its worker.</span>}
        {speed !== null && <span>{formatRate(speed)}</span>}
        {left !== null && left > 0 && <span>about {formatLatency(Math.ceil(left / 1_000) * 1_000)} left</span>}
      </p>
    </div>
  )
}

/** How far a run is; the part that failed stands out. */
function Bar({ run, numbers }: { run: Run; numbers: RunProgress }) {
  const { total_items: total, completed_items: done, successful_items: good } = numbers
  const share = (count: number): string => `${total === null || total === 0 ? 0 : (100 * count) / total}%`
  return (
    <div
      role="progressbar"
      aria-label="Progress of the run"
      {...(total === null ? {} : { 'aria-valuemin': 0, 'aria-valuemax': total, 'aria-valuenow': done })}
      aria-valuetext={`${formatCount(done)} of ${total === null ? 'an unknown number of' : formatCount(total)} items`}
      className="flex h-2 overflow-hidden rounded-full bg-sunken inset-ring inset-ring-line"
    >
      {total === null && run.status === 'running' ? (
        <span className="w-full animate-breathe bg-busy/50" />
      ) : (
        <>
          <span
            className={`transition-[width] duration-200 ease-out ${isOver(run.status) ? 'bg-ink-3' : 'bg-accent-solid'}`}
            style={{ width: share(good) }}
          />
          <span
            className="bg-bad-solid transition-[width] duration-200 ease-out"
            style={{ width: share(done - good) }}
          />
        </>
      )}
    </div>
  )
}

function Facts({ run }: { run: Run }) {
  const { progress } = useWatchedRun(run.run_id, 'numbers')
  const duration = useDuration(run)
  const numbers = numbersOf(run, progress)
  return (
    <dl className="flex flex-wrap gap-x-7 gap-y-2">
      <Fact name="Success">{formatShare(numbers.success_rate)}</Fact>
      <Fact name="Cost">
        <RunCost numbers={numbers} />
      </Fact>
      <Fact name="Duration">{duration === null ? unknown : formatLatency(duration)}</Fact>
      <Fact name="Dataset">
        <DatasetName run={run} />
      </Fact>
      {run.model_name !== null && (
        <Fact name="Model">
          <span className="foreign">
            {run.model_name}
            {run.model_version !== null && ` ${run.model_version}`}
          </span>
        </Fact>
      )}
      <Fact name={run.started_at === null ? 'Made' : 'Started'}>
        <Ago time={run.started_at ?? run.created_at} />
        {run.created_by !== null && (
          <>
            {' by '}
            <span className="foreign">{run.created_by}</span>
          </>
        )}
      </Fact>
      {run.approval && (
        <Fact name={run.approval.state === 'approved' ? 'Approved' : 'Rejected'}>
          <Ago time={run.approval.at} />
          {run.approval.by !== null && <span className="foreign"> by {run.approval.by}</span>}
          {run.approval.note !== null && <span className="foreign text-ink-2"> · {run.approval.note}</span>}
        </Fact>
      )}
      {run.tags.length > 0 && (
        <Fact name="Tags">
          <span className="flex flex-wrap gap-1">
            {run.tags.map((tag) => (
              <span key={tag} className="foreign rounded-md bg-sunken px-1.5 text-sm text-ink-2">
                {tag}
              </span>
            ))}
          </span>
        </Fact>
      )}
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-ink-3">{name}</dt>
      <dd className="min-w-0 font-medium">{children}</dd>
    </div>
  )
}

/** What a run cost, as far as anybody knows. */
function RunCost({ numbers }: { numbers: Pick<RunProgress, 'cost' | 'unknown_costs' | 'completed_items'> }) {
  const { cost, unknown_costs: missing, completed_items: done } = numbers
  if (missing === 0) return done === 0 ? unknown : formatCost(cost)
  const known = missing < done || cost > 0
  return (
    <>
      {known ? `${formatCost(cost)} + unknown` : 'unknown'}
      <span className="block text-xs font-normal text-ink-3">
        unknown of {missing === 1 ? 'one item' : `${formatCount(missing)} items`}
      </span>
    </>
  )
}

/** The dataset and its version; a link where both are still there. */
export function DatasetName({ run }: { run: Run }) {
  const { api } = useParts()
  const { dataset_id: id, dataset_name: name, dataset_version: version } = run
  const { data } = useQuery({ ...datasetQueries(api).dataset(id ?? ''), enabled: id !== null, retry: false })
  const words = (
    <span className="foreign">
      {name}
      {version !== null && <span className="font-normal text-ink-3"> @ {version}</span>}
    </span>
  )
  if (!data) return words
  return (
    <Link
      to="/datasets/$dataset"
      params={{ dataset: data.slug }}
      search={version === null ? {} : { version }}
      className="text-accent hover:underline"
    >
      {words}
    </Link>
  )
}
