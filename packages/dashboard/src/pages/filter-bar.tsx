import { type ReviewStatus, reviewStatuses } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { Search, SlidersHorizontal, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { filterOf, type ListSearch, merge, type Range, ranges } from '../api/filters.ts'
import { useKeys } from '../app/keys.tsx'
import { useParts } from '../app/parts.ts'
import { Button, Key } from '../components/button.tsx'
import { type Choice, Select } from '../components/field.tsx'
import { statusWord } from '../components/status-badge.tsx'
import { ExportMenu } from './export-menu.tsx'
import { chipsOf } from './filter-chips.ts'
import { type FilterProps, MoreFilters } from './more-filters.tsx'

const rangeWords: Record<Range, string> = {
  '15m': 'Last 15 minutes',
  '1h': 'Last hour',
  '6h': 'Last 6 hours',
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
}

/** The filters of a list. What is chosen goes into the address at once. */
export function FilterBar({ search, onChange }: FilterProps) {
  const { queries } = useParts()
  const { data: facets } = useQuery(queries.facets())
  const [more, setMore] = useState(false)
  const set = (part: Partial<Record<keyof ListSearch, string | undefined>>): void => onChange(merge(search, part))
  const chips = chipsOf(search)

  return (
    <div className="px-3 py-2.5 sm:px-5">
      <div className="flex flex-wrap items-center gap-2">
        <SearchField value={search.q ?? ''} says="Search queries and responses" onSearch={(q) => set({ q })} />
        <div className="order-last grid w-full grid-cols-3 gap-2 sm:order-none sm:flex sm:w-auto">
          {' '}
          <Select
            label="Status"
            hidden
            value={search.status ?? ''}
            choices={[{ value: '', label: 'Any status' }, ...reviewStatuses.map(statusChoice)]}
            onChange={(event) => set({ status: event.target.value })}
          />
          <Select
            label="Model"
            hidden
            className="sm:max-w-40"
            value={search.model ?? ''}
            choices={choices(
              'Any model',
              facets?.models.map(({ name }) => name),
              search.model,
            )}
            onChange={(event) => set({ model: event.target.value })}
          />
          <Select
            label="Time"
            hidden
            value={search.range ?? (search.from || search.to ? 'own' : '')}
            choices={[
              { value: '', label: 'Any time' },
              ...(Object.keys(ranges) as Range[]).map((value) => ({ value, label: rangeWords[value] })),
              { value: 'own', label: 'From … to …' },
            ]}
            onChange={(event) => {
              const { value } = event.target
              if (value === 'own') setMore(true)
              else set({ range: value, from: undefined, to: undefined })
            }}
          />
        </div>{' '}
        <Button look="plain" className="h-8" aria-expanded={more} onClick={() => setMore(!more)}>
          <SlidersHorizontal aria-hidden size={14} />
          <span className="max-sm:sr-only">More</span>
        </Button>
        {Object.keys(filterOf(search)).length > 0 && (
          <Button
            look="quiet"
            className="order-last h-8 sm:order-none"
            onClick={() => onChange(search.columns === undefined ? {} : { columns: search.columns })}
          >
            <X aria-hidden size={14} />
            Clear all
          </Button>
        )}
        <div className="sm:ml-auto">
          <ExportMenu search={search} />
        </div>
      </div>
      {more && <MoreFilters search={search} sources={facets?.sources ?? []} onChange={onChange} />}
      {chips.length > 0 && (
        <ul aria-label="Active filters" className="mt-2 flex flex-wrap items-center gap-1.5">
          {chips.map(({ label, clears }) => (
            <li key={label} className="min-w-0">
              <button
                type="button"
                className="flex h-6 max-w-full items-center gap-1 rounded-full bg-chosen pr-1.5 pl-2.5 text-xs font-medium text-accent hover:brightness-95 dark:hover:brightness-125"
                aria-label={`Remove the filter ${label}`}
                onClick={() => set(Object.fromEntries(clears.map((name) => [name, undefined])))}
              >
                <span className="foreign clip">{label}</span>
                <X aria-hidden size={12} className="shrink-0" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function statusChoice(value: ReviewStatus): Choice {
  return { value, label: statusWord(value) }
}

function choices(any: string, names: readonly string[] | undefined, chosen: string | undefined): Choice[] {
  const all = new Set([...(names ?? []), ...(chosen === undefined ? [] : [chosen])])
  return [{ value: '', label: any }, ...[...all].map((name) => ({ value: name, label: name }))]
}

const pauseMs = 350

/** A search that runs when the typing pauses. */
export function SearchField({
  value,
  says,
  onSearch,
}: {
  value: string
  /** What is searched. */
  says: string
  onSearch: (q: string) => void
}) {
  const [typed, setTyped] = useState(value)
  const field = useRef<HTMLInputElement>(null)
  const search = useRef(onSearch)
  useEffect(() => {
    search.current = onSearch
  })
  // The address may change without this field: back, forward, a chip removed.
  useEffect(() => setTyped(value), [value])
  useEffect(() => {
    if (typed.trim() === value) return
    const timer = setTimeout(() => search.current(typed.trim()), pauseMs)
    return () => clearTimeout(timer)
  }, [typed, value])
  useKeys([{ keys: ['/'], does: 'Search', run: () => field.current?.select() }])

  return (
    <form
      role="search"
      className="relative min-w-0 flex-1 sm:min-w-48 sm:max-w-md"
      onSubmit={(event) => {
        event.preventDefault()
        onSearch(typed.trim())
      }}
    >
      <Search aria-hidden size={15} className="pointer-events-none absolute top-2.25 left-2.5 text-ink-3" />
      <input
        ref={field}
        type="search"
        aria-label={says}
        placeholder={says}
        maxLength={200}
        className="h-8 w-full rounded-lg border border-line bg-surface pr-8 pl-8 hover:border-line-strong focus-visible:outline-offset-0"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') field.current?.blur()
        }}
      />
      {typed === '' && (
        <span aria-hidden className="pointer-events-none absolute top-1.5 right-1.5 max-sm:hidden">
          <Key>/</Key>
        </span>
      )}
    </form>
  )
}
