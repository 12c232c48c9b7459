import { type FormEvent, useId } from 'react'
import { useQuery } from '@tanstack/react-query'
import { type ListSearch, readSearch, scoreStates } from '../api/filters.ts'
import { evaluationQueries } from '../api/evaluation.ts'
import { useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { Select, TextField, wordOf } from '../components/field.tsx'
import { toLocalInput } from '../format/times.ts'

/** A filter, and how to change it. */
export interface FilterProps {
  search: ListSearch
  onChange: (search: ListSearch) => void
}

/** The filters that are needed less often. They apply together. */
export function MoreFilters({ search, sources, onChange }: FilterProps & { sources: readonly string[] }) {
  const list = useId()
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const given = Object.fromEntries([...form.keys()].map((name) => [name, wordOf(form, name)]))
    const { from = '', to = '' } = given
    const { q, model, status, range } = search
    onChange(
      readSearch({
        q,
        model,
        status,
        ...given,
        // A range and an own time do not go together; the own time was typed last.
        range: from === '' && to === '' ? range : undefined,
      }),
    )
  }

  return (
    <form
      // Filters that change elsewhere show in the fields.
      key={JSON.stringify(search)}
      aria-label="More filters"
      className="mt-3 grid animate-appear grid-cols-2 items-end gap-3 rounded-xl border border-line bg-surface p-3.5 sm:grid-cols-4 xl:grid-cols-[repeat(3,minmax(0,1fr))_repeat(2,minmax(0,1.7fr))_repeat(4,minmax(0,1fr))_auto]"
      onSubmit={submit}
    >
      <TextField label="Source" name="source" list={list} defaultValue={search.source} />
      <datalist id={list}>
        {sources.map((source) => (
          <option key={source} value={source} />
        ))}
      </datalist>
      <TextField label="Session" name="session" defaultValue={search.session} />
      <TextField label="User" name="user" defaultValue={search.user} />
      <TextField
        label="From"
        name="from"
        type="datetime-local"
        defaultValue={toLocalInput(search.from)}
        className="w-full"
      />
      <TextField
        label="Before"
        name="to"
        type="datetime-local"
        defaultValue={toLocalInput(search.to)}
        className="w-full"
      />
      <Amount label="Latency from, ms" name="min_latency" value={search.min_latency} />
      <Amount label="Latency to, ms" name="max_latency" value={search.max_latency} />
      <Amount label="Cost from, $" name="min_cost" value={search.min_cost} />
      <Amount label="Cost to, $" name="max_cost" value={search.max_cost} />
      <ScoreFilters search={search} />
      <Button type="submit" look="primary" className="h-8 justify-center max-xl:col-span-full">
        Apply
      </Button>
    </form>
  )
}

/** What evaluators said, and which of them have a column. */
function ScoreFilters({ search }: { search: ListSearch }) {
  const { api } = useParts()
  const evaluation = evaluationQueries(api)
  const { data } = useQuery(evaluation.evaluators())
  const slugs = useId()
  return (
    <>
      <TextField label="Evaluator" name="evaluator" list={slugs} defaultValue={search.evaluator} />
      <datalist id={slugs}>
        {data?.items.map(({ slug }) => (
          <option key={slug} value={slug} />
        ))}
      </datalist>
      <Select
        label="Its score"
        name="score"
        defaultValue={search.score ?? ''}
        choices={[{ value: '', label: 'Any' }, ...scoreStates.map((value) => ({ value, label: value }))]}
      />
      <Amount label="Score from" name="min_score" value={search.min_score} />
      <Amount label="Score to" name="max_score" value={search.max_score} />
      <TextField
        label="Score columns"
        name="columns"
        placeholder="faithfulness,length"
        pattern="[a-z0-9\-]+(,[a-z0-9\-]+)*"
        title="Slugs of evaluators, with commas"
        defaultValue={search.columns}
      />
    </>
  )
}

function Amount({ label, name, value }: { label: string; name: string; value: string | undefined }) {
  return (
    <TextField
      label={label}
      name={name}
      inputMode="decimal"
      pattern="\d+(\.\d+)?"
      title="A number such as 850 or 0.05"
      defaultValue={value}
    />
  )
}
