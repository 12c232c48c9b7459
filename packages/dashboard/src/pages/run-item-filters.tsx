import type { Run } from '@llm-eval/protocol'
import { X } from 'lucide-react'
import { type FormEvent, useEffect, useRef } from 'react'
import { type ItemSearch, readItemSearch } from '../api/item-filters.ts'
import { useKeys } from '../app/keys.tsx'
import { Button } from '../components/button.tsx'
import { Segments, Select, TextField, wordOf } from '../components/field.tsx'

const states = ['all', 'success', 'failed'] as const

interface FilterProps {
  run: Run
  filter: ItemSearch
  onFilter: (next: ItemSearch) => void
}

/** Which items are listed: by what they say, how they ended, and how they were scored. */
export function RunItemFilters({ run, filter, onFilter }: FilterProps) {
  const { status: _status, ...others } = filter
  const { errored: _errored, error: _error, ...named } = filter
  return (
    <div role="search" aria-label="Filter of the items" className="flex flex-wrap items-center gap-2">
      <SearchField filter={filter} onFilter={onFilter} />
      <Segments
        label="Status"
        choices={states}
        chosen={filter.status ?? 'all'}
        onChoose={(state) => onFilter(state === 'all' ? others : { ...filter, status: state })}
      />
      <ScoreFilter
        key={JSON.stringify([filter.metric, filter.below, filter.above])}
        run={run}
        filter={filter}
        onFilter={onFilter}
      />
      {filter.errored !== undefined && (
        <Chip onClear={() => onFilter(without(filter, 'errored'))}>
          <span className="foreign">{filter.errored}</span> errored
        </Chip>
      )}
      {filter.error !== undefined && (
        <Chip onClear={() => onFilter(without(filter, 'error'))}>
          <code className="font-mono text-xs">{filter.error}</code>
        </Chip>
      )}
      {Object.keys(filter).length > Object.keys(named).length || Object.keys(filter).length > 1 ? (
        <Button look="quiet" onClick={() => onFilter({})}>
          Clear
        </Button>
      ) : null}
    </div>
  )
}

function without(filter: ItemSearch, ...names: (keyof ItemSearch)[]): ItemSearch {
  return Object.fromEntries(Object.entries(filter).filter(([name]) => !names.some((one) => one === name)))
}

function SearchField({ filter, onFilter }: Omit<FilterProps, 'run'>) {
  const field = useRef<HTMLFormElement>(null)
  const input = (): HTMLInputElement | null => field.current?.querySelector('input') ?? null
  useKeys([{ keys: ['/'], does: 'Search the items', run: () => input()?.focus() }])
  const { q = '' } = filter
  // The address may change without the field: by a link, or by going back.
  useEffect(() => {
    const box = field.current?.querySelector('input')
    if (box && document.activeElement !== box) box.value = q
  }, [q])
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const words = wordOf(new FormData(event.currentTarget), 'q')
    if (words !== q) onFilter(readItemSearch({ ...filter, q: words }))
  }
  return (
    <form
      ref={field}
      className="min-w-0 basis-full sm:max-w-xs sm:flex-1 sm:basis-auto"
      onSubmit={submit}
      onBlur={(event) => submit(event)}
    >
      <TextField
        name="q"
        type="search"
        label="Search"
        hidden
        placeholder="Search inputs, outputs, errors…"
        defaultValue={q}
        maxLength={200}
        className="w-full"
      />
    </form>
  )
}

const sides = [
  { value: 'below', label: 'below' },
  { value: 'above', label: 'above' },
]

function ScoreFilter({ run, filter, onFilter }: FilterProps) {
  const { metric = '', below, above } = filter
  const choices = [
    { value: '', label: 'any score' },
    ...run.metrics_used.map(({ name }) => ({ value: name, label: name })),
  ]
  const change = (form: HTMLFormElement): void => {
    const given = new FormData(form)
    const rest = without(filter, 'metric', 'below', 'above')
    const name = wordOf(given, 'metric')
    if (name === '') return onFilter(rest)
    const side = wordOf(given, 'side') === 'above' ? 'above' : 'below'
    const bound = wordOf(given, 'bound').replace(',', '.')
    onFilter({ ...rest, ...readItemSearch({ metric: name, [side]: bound === '' ? '1' : bound }) })
  }
  return (
    <form
      aria-label="Score"
      className="flex items-center gap-1.5"
      onSubmit={(event) => {
        event.preventDefault()
        change(event.currentTarget)
      }}
    >
      <Select
        name="metric"
        label="Metric"
        hidden
        choices={choices}
        defaultValue={metric}
        className="max-w-40"
        onChange={(event) => event.currentTarget.form && change(event.currentTarget.form)}
      />
      {metric !== '' && (
        <>
          <Select
            name="side"
            label="Side"
            hidden
            choices={sides}
            defaultValue={above === undefined ? 'below' : 'above'}
            onChange={(event) => event.currentTarget.form && change(event.currentTarget.form)}
          />
          <TextField
            name="bound"
            label="Bound"
            hidden
            inputMode="decimal"
            defaultValue={below ?? above ?? ''}
            className="w-18"
            onBlur={(event) => {
              const { form, value, defaultValue } = event.currentTarget
              if (form && value !== defaultValue) change(form)
            }}
          />
        </>
      )}
    </form>
  )
}

function Chip({ onClear, children }: { onClear: () => void; children: React.ReactNode }) {
  return (
    <span className="inline-flex h-8 items-center gap-1 rounded-lg bg-chosen pr-1 pl-2.5 text-sm">
      {children}
      <button type="button" aria-label="Remove this filter" className="rounded-md p-1 hover:bg-hover" onClick={onClear}>
        <X aria-hidden size={13} />
      </button>
    </span>
  )
}
