import type { Run } from '@llm-eval/protocol'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { limits } from '@llm-eval/protocol'
import { ArrowLeftRight, ArrowUp, ChevronDown, Plus, X } from 'lucide-react'
import { useDeferredValue, useEffect, useState } from 'react'
import { runQueries } from '../api/runs.ts'
import { useParts } from '../app/parts.ts'
import { useWatchedRun } from '../app/watching.ts'
import { Button, IconButton } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { TextField } from '../components/field.tsx'
import { Loading, Trouble } from '../components/notice.tsx'
import { RunStatusBadge } from '../components/run-status.tsx'
import { Ago } from '../components/time.tsx'
import { letterOf } from '../format/comparison-words.ts'
import { formatCount } from '../format/numbers.ts'

export interface RunPickerProps {
  ids: readonly string[]
  onChange: (ids: readonly string[]) => void
  /** Called when a run that goes on has finished items. */
  onNews: () => void
}

/** The runs that are compared: the baseline, then those that are held against it. */
export function RunPicker({ ids, onChange, onNews }: RunPickerProps) {
  const [adding, setAdding] = useState(false)
  const swap = (one: number, other: number): void => {
    onChange(ids.map((id, at) => (at === one ? (ids[other] ?? id) : at === other ? (ids[one] ?? id) : id)))
  }
  return (
    <section aria-label="Runs" className="card">
      <ol className="divide-y divide-line/60">
        {ids.map((id, index) => (
          <li key={id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2 sm:px-4">
            <PickedRun id={id} index={index} onNews={onNews} />
            <span className="ml-auto flex gap-0.5">
              {index > 0 && (
                <IconButton
                  label={`Make ${letterOf(index)} the baseline`}
                  onClick={() => onChange([id, ...ids.filter((other) => other !== id)])}
                >
                  <ArrowUp aria-hidden size={15} />
                </IconButton>
              )}
              {index > 0 && index < ids.length - 1 && (
                <IconButton label={`Move ${letterOf(index)} down`} onClick={() => swap(index, index + 1)}>
                  <ChevronDown aria-hidden size={15} />
                </IconButton>
              )}
              <IconButton
                label={`Remove ${letterOf(index)}`}
                onClick={() => onChange(ids.filter((other) => other !== id))}
              >
                <X aria-hidden size={15} />
              </IconButton>
            </span>
          </li>
        ))}
      </ol>
      <div className={`flex flex-wrap gap-2 px-3 py-2 sm:px-4 ${ids.length > 0 ? 'border-t border-line/60' : ''}`}>
        <Button disabled={ids.length >= limits.comparedRuns} onClick={() => setAdding(true)}>
          <Plus aria-hidden size={14} />
          Add a run…
        </Button>
        {ids.length === 2 && (
          <Button onClick={() => swap(0, 1)}>
            <ArrowLeftRight aria-hidden size={14} />
            Swap
          </Button>
        )}
        {ids.length >= limits.comparedRuns && (
          <span className="self-center text-sm text-ink-3">At most {limits.comparedRuns} are compared.</span>
        )}
      </div>
      <AddRun
        open={adding}
        onOpen={setAdding}
        taken={ids}
        onAdd={(id) => {
          onChange([...ids, id])
          setAdding(false)
        }}
      />
    </section>
  )
}

function PickedRun({ id, index, onNews }: { id: string; index: number; onNews: () => void }) {
  const { api } = useParts()
  const { data, error } = useQuery(runQueries(api).run(id))
  const isOpen = data?.status === 'running' || data?.status === 'queued'
  const { progress } = useWatchedRun(isOpen ? id : null, 'numbers')
  const done = progress?.completed_items
  useEffect(() => {
    if (done !== undefined) onNews()
  }, [done, onNews])
  return (
    <>
      <span
        className={`flex size-6 shrink-0 items-center justify-center rounded-md text-sm font-semibold ${index === 0 ? 'bg-accent-solid text-on-accent' : 'bg-sunken text-ink-2'}`}
      >
        {letterOf(index)}
      </span>
      <span className="min-w-0 flex-1 basis-48">
        <Link to="/runs/$runId" params={{ runId: id }} className="foreign font-medium hover:underline">
          {data?.name ?? id}
        </Link>
        <span className="foreign block text-xs text-ink-3">
          {index === 0 ? 'Baseline' : 'Candidate'}
          {data && ` · ${factsOf(data)}`}
          {error && <span className="text-bad"> · {error.message}</span>}
        </span>
      </span>
      {data && <RunStatusBadge status={data.status} />}
      {isOpen && (
        <span className="text-sm text-ink-2">
          {formatCount((progress ?? data).completed_items)}
          {data.total_items !== null && ` of ${formatCount(data.total_items)}`}
        </span>
      )}
    </>
  )
}

function factsOf({ run_id: id, name, dataset_name: dataset, model_name: model }: Run): string {
  return [name === id ? null : id, dataset, model].filter((fact) => fact !== null).join(' · ')
}

interface AddRunProps {
  open: boolean
  onOpen: (open: boolean) => void
  taken: readonly string[]
  onAdd: (id: string) => void
}

function AddRun({ open, onOpen, taken, onAdd }: AddRunProps) {
  return (
    <Dialog open={open} onOpen={onOpen} title="Add a run" says="Cases with the same id are held against each other.">
      {open && <RunChoice taken={taken} onAdd={onAdd} />}
    </Dialog>
  )
}

function RunChoice({ taken, onAdd }: Pick<AddRunProps, 'taken' | 'onAdd'>) {
  const { api } = useParts()
  const [words, setWords] = useState('')
  const q = useDeferredValue(words.trim())
  const { data, error, refetch } = useInfiniteQuery(runQueries(api).list(q === '' ? {} : { q }))
  const runs = data?.pages.flatMap(({ items }) => items).filter(({ run_id: id }) => !taken.includes(id))
  return (
    <div className="flex flex-col gap-3">
      <TextField
        label="Name or description"
        type="search"
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      {runs ? (
        <ul aria-label="Runs to add" className="-mx-2 max-h-80 overflow-auto">
          {runs.map((run) => (
            <li key={run.run_id}>
              <button
                type="button"
                className="flex w-full items-center gap-3 rounded-lg px-2 py-1.5 text-left hover:bg-hover"
                onClick={() => onAdd(run.run_id)}
              >
                <span className="min-w-0 flex-1">
                  <span className="foreign block truncate font-medium">{run.name}</span>
                  <span className="foreign block truncate text-xs text-ink-3">
                    {factsOf(run)} · <Ago time={run.created_at} />
                  </span>
                </span>
                <RunStatusBadge status={run.status} />
              </button>
            </li>
          ))}
          {runs.length === 0 && <li className="px-2 py-4 text-ink-2">No other run fits.</li>}
        </ul>
      ) : error ? (
        <Trouble what="The runs cannot be listed" error={error} onRetry={() => void refetch()} />
      ) : (
        <Loading what="runs" />
      )}
    </div>
  )
}
