import { limits, type Run } from '@llm-eval/protocol'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { runQueries } from '../api/runs.ts'
import { compareSearch } from '../app/addresses.ts'
import { useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { Segments } from '../components/field.tsx'
import { Loading, Trouble } from '../components/notice.tsx'
import { RunStatusBadge } from '../components/run-status.tsx'
import { Ago } from '../components/time.tsx'
import { formatCount } from '../format/numbers.ts'
import { formatShare } from '../format/shares.ts'

const scopes = ['same dataset', 'all runs'] as const

/** Chooses the runs that a run is held against. */
export function CompareWith({ run, onDone }: { run: Run; onDone: () => void }) {
  const { api } = useParts()
  const navigate = useNavigate()
  const [scope, setScope] = useState<(typeof scopes)[number]>('same dataset')
  const [chosen, setChosen] = useState<readonly string[]>([])
  const search = scope === 'same dataset' ? { dataset: run.dataset_name } : {}
  const list = useInfiniteQuery(runQueries(api).list(search))
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = list
  const others = data?.pages.flatMap(({ items }) => items).filter(({ run_id: id }) => id !== run.run_id) ?? []
  const toggle = (id: string): void =>
    setChosen((before) => (before.includes(id) ? before.filter((one) => one !== id) : [...before, id]))
  const isFull = chosen.length >= limits.comparedRuns - 1
  const compare = (): void => {
    // What came before is held against: the chosen ones first, this run last.
    void navigate({ to: '/compare', search: compareSearch([...chosen, run.run_id]) })
  }
  return (
    <Dialog
      open
      onOpen={onDone}
      title="Compare with…"
      says="Cases are paired by their ids, so runs over the same dataset tell most. The first one you choose is the baseline."
      width="max-w-xl"
    >
      <div className="mb-3 flex">
        <Segments label="Which runs" choices={scopes} chosen={scope} onChoose={setScope} />
      </div>
      {error && !data ? (
        <Trouble what="The runs cannot be listed" error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading what="the runs" />
      ) : others.length === 0 ? (
        <p className="py-8 text-center text-ink-2">
          {scope === 'same dataset' ? 'There is no other run over this dataset.' : 'There is no other run.'}
        </p>
      ) : (
        <ul aria-label="Runs" className="max-h-[48vh] divide-y divide-line/70 overflow-y-auto rounded-lg border">
          {others.map((other) => (
            <li key={other.run_id}>
              <label className="flex cursor-pointer items-center gap-3 px-3 py-2 hover:bg-hover">
                <input
                  type="checkbox"
                  checked={chosen.includes(other.run_id)}
                  disabled={isFull && !chosen.includes(other.run_id)}
                  onChange={() => toggle(other.run_id)}
                  aria-label={other.name}
                />
                <span className="min-w-0 flex-1">
                  <span className="foreign block clip font-medium">{other.name}</span>
                  <span className="block text-xs text-ink-3">
                    <Ago time={other.created_at} /> · {formatCount(other.completed_items)} items ·{' '}
                    {formatShare(other.success_rate)} success
                    {scope === 'all runs' && <span className="foreign"> · {other.dataset_name}</span>}
                  </span>
                </span>
                {chosen[0] === other.run_id && <span className="text-xs font-medium text-accent">baseline</span>}
                <RunStatusBadge status={other.status} />
              </label>
            </li>
          ))}
          {hasNextPage && (
            <li className="p-2 text-center">
              <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                More runs
              </Button>
            </li>
          )}
        </ul>
      )}
      <div className="mt-4 flex justify-end gap-2">
        <Button size="medium" onClick={onDone}>
          Cancel
        </Button>
        <Button size="medium" look="primary" disabled={chosen.length === 0} onClick={compare}>
          Compare
        </Button>
      </div>
    </Dialog>
  )
}
