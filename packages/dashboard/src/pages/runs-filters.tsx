import { type Run, runStatuses } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { ArrowDownWideNarrow, ArrowUpNarrowWide, SlidersHorizontal, X } from 'lucide-react'
import { type FormEvent, type ReactNode, useId, useState } from 'react'
import { datasetQueries } from '../api/datasets.ts'
import { isFiltered, mergeRuns, readRunSearch, type RunOrder, runOrders, type RunSearch } from '../api/run-filters.ts'
import { useParts } from '../app/parts.ts'
import { Button, IconButton } from '../components/button.tsx'
import { type Choice, Select, TextField, wordOf } from '../components/field.tsx'
import { runStatusWord } from '../components/run-status.tsx'
import { formatShare } from '../format/shares.ts'
import { formatTime, toLocalInput } from '../format/times.ts'
import { SearchField } from './filter-bar.tsx'

export interface RunsFilterProps {
  search: RunSearch
  /** What is listed: its names are there to choose from. */
  listed: readonly Run[]
  onChange: (search: RunSearch) => void
}

const orderWords: Record<RunOrder, string> = {
  created: 'By time',
  name: 'By name',
  status: 'By status',
  success: 'By success',
  duration: 'By duration',
}

/** The filters and the order of the list of runs. What is chosen goes into the address at once. */
export function RunsFilters({ search, listed, onChange, children }: RunsFilterProps & { children: ReactNode }) {
  const { api } = useParts()
  const { data: datasets } = useQuery(datasetQueries(api).datasets())
  const [more, setMore] = useState(false)
  const set = (part: Partial<Record<keyof RunSearch, string | undefined>>): void => onChange(mergeRuns(search, part))
  const names = [...(datasets?.items ?? []).map(({ name }) => name), ...listed.map((run) => run.dataset_name)]
  const isUp = search.dir === 'up'
  return (
    <div className="px-3 py-2.5 sm:px-5">
      <div className="flex flex-wrap items-center gap-2">
        <SearchField value={search.q ?? ''} says="Search names and descriptions" onSearch={(q) => set({ q })} />
        <div className="order-last grid w-full grid-cols-2 gap-2 sm:order-none sm:flex sm:w-auto">
          <Select
            label="Status"
            hidden
            value={search.status ?? ''}
            choices={[
              { value: '', label: 'Any status' },
              ...runStatuses.map((value) => ({ value, label: runStatusWord(value) })),
            ]}
            onChange={(event) => set({ status: event.target.value })}
          />
          <Select
            label="Dataset"
            hidden
            className="sm:max-w-44"
            value={search.dataset ?? ''}
            choices={choices('Any dataset', names, search.dataset)}
            onChange={(event) => set({ dataset: event.target.value })}
          />
          <span className="col-span-2 grid grid-cols-[1fr_auto] gap-1">
            <Select
              label="Order"
              hidden
              value={search.order ?? 'created'}
              choices={runOrders.map((value) => ({ value, label: orderWords[value] }))}
              onChange={(event) => set({ order: event.target.value })}
            />
            <IconButton label={isUp ? 'Ascending' : 'Descending'} onClick={() => set({ dir: isUp ? undefined : 'up' })}>
              {isUp ? <ArrowUpNarrowWide aria-hidden size={16} /> : <ArrowDownWideNarrow aria-hidden size={16} />}
            </IconButton>
          </span>
        </div>
        <Button look="plain" className="h-8" aria-expanded={more} onClick={() => setMore(!more)}>
          <SlidersHorizontal aria-hidden size={14} />
          <span className="max-sm:sr-only">More</span>
        </Button>
        {isFiltered(search) && (
          <Button look="quiet" className="order-last h-8 sm:order-none" onClick={() => onChange(ordered(search))}>
            <X aria-hidden size={14} />
            Clear all
          </Button>
        )}
        <div className="sm:ml-auto">{children}</div>
      </div>
      {more && <MoreFilters search={search} listed={listed} onChange={onChange} />}
      <Chips search={search} onRemove={(name) => set({ [name]: undefined })} />
    </div>
  )
}

/** The order alone. */
function ordered({ order, dir }: RunSearch): RunSearch {
  return { ...(order ? { order } : {}), ...(dir ? { dir } : {}) }
}

function choices(any: string, names: readonly string[], chosen: string | undefined): Choice[] {
  const all = new Set([...names, ...(chosen === undefined ? [] : [chosen])])
  return [{ value: '', label: any }, ...[...all].sort().map((name) => ({ value: name, label: name }))]
}

/** The filters that are needed less often. They apply together. */
function MoreFilters({ search, listed, onChange }: RunsFilterProps) {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const given = Object.fromEntries([...form.keys()].map((name) => [name, wordOf(form, name)]))
    const percent = given['success'] ?? ''
    const least = percent === '' ? '' : String(Number((Number(percent) / 100).toFixed(6)))
    onChange(readRunSearch({ ...search, ...given, min_success: least }))
  }
  const { min_success: least } = search
  return (
    <form
      // Filters that change elsewhere show in the fields.
      key={JSON.stringify(search)}
      aria-label="More filters"
      className="mt-3 grid animate-appear grid-cols-2 items-end gap-3 rounded-xl border border-line bg-surface p-3.5 sm:grid-cols-4 xl:grid-cols-[repeat(5,minmax(0,1fr))_repeat(2,minmax(0,1.5fr))_auto]"
      onSubmit={submit}
    >
      <Names label="Model" name="model" value={search.model} known={listed.map((run) => run.model_name)} />
      <Names label="Made by" name="by" value={search.by} known={listed.map((run) => run.created_by)} />
      <Names label="Tags, all of" name="tags" value={search.tags} known={listed.flatMap(({ tags }) => tags)} />
      <TextField
        label="Success from, %"
        name="success"
        type="number"
        min={0}
        max={100}
        step="any"
        className="w-full"
        defaultValue={least === undefined ? '' : Number((Number(least) * 100).toFixed(4))}
      />
      <TextField
        label="Duration to, s"
        name="max_duration"
        inputMode="decimal"
        pattern="\d+(\.\d+)?"
        className="w-full"
        defaultValue={search.max_duration}
      />
      <TextField
        label="Made after"
        name="after"
        type="datetime-local"
        className="w-full"
        defaultValue={toLocalInput(search.after)}
      />
      <TextField
        label="Made before"
        name="before"
        type="datetime-local"
        className="w-full"
        defaultValue={toLocalInput(search.before)}
      />
      <Button type="submit" look="primary" className="h-8 justify-center max-xl:col-span-full">
        Apply
      </Button>
    </form>
  )
}

/** A field for a name, with those in sight to choose from. */
function Names({
  label,
  name,
  value,
  known,
}: {
  label: string
  name: string
  value: string | undefined
  known: readonly (string | null)[]
}) {
  const list = useId()
  return (
    <>
      <TextField label={label} name={name} list={list} className="w-full" defaultValue={value} />
      <datalist id={list}>
        {[...new Set(known)].map((one) => one !== null && <option key={one} value={one} />)}
      </datalist>
    </>
  )
}

/** The filters that have no control in sight, in words. */
function Chips({ search, onRemove }: { search: RunSearch; onRemove: (name: keyof RunSearch) => void }) {
  const { model, by, tags, min_success: least, max_duration: most, after, before } = search
  const all: [keyof RunSearch, string | undefined][] = [
    ['model', model && `model: ${model}`],
    ['by', by && `made by ${by}`],
    ['tags', tags && `tags: ${tags.split(',').join(', ')}`],
    ['min_success', least && `success from ${formatShare(Number(least))}`],
    ['max_duration', most && `duration up to ${most} s`],
    ['after', after && `after ${formatTime(after)}`],
    ['before', before && `before ${formatTime(before)}`],
  ]
  const shown = all.flatMap(([name, label]) => (label ? [{ name, label }] : []))
  if (shown.length === 0) return null
  return (
    <ul aria-label="Active filters" className="mt-2 flex flex-wrap items-center gap-1.5">
      {shown.map(({ name, label }) => (
        <li key={name} className="min-w-0">
          <button
            type="button"
            className="flex h-6 max-w-full items-center gap-1 rounded-full bg-chosen pr-1.5 pl-2.5 text-xs font-medium text-accent hover:brightness-95 dark:hover:brightness-125"
            aria-label={`Remove the filter ${label}`}
            onClick={() => onRemove(name)}
          >
            <span className="foreign clip">{label}</span>
            <X aria-hidden size={12} className="shrink-0" />
          </button>
        </li>
      ))}
    </ul>
  )
}
