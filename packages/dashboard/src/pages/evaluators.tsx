import { type EvaluatorInfo, evaluatorCategories, evaluatorKinds } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { type CatalogueSearch, readCatalogue } from '../app/addresses.ts'
import { evaluationQueries } from '../api/evaluation.ts'
import { useMay, useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { Select, TextField } from '../components/field.tsx'
import { Loading, Notice, Trouble } from '../components/notice.tsx'
import { NewEvaluator } from './new-evaluator.tsx'
import { Rules } from './rules.tsx'

const route = getRouteApi('/shell/evaluators')

/** The catalogue of evaluators, and the rules by which they look at new traces. */
export function EvaluatorsPage() {
  const search = route.useSearch({ select: readCatalogue, structuralSharing: true })
  const navigate = route.useNavigate()
  const rules = search.view === 'rules'
  return (
    <div className="mx-auto flex w-full max-w-6xl flex-col gap-4 p-3 sm:p-6">
      <div className="flex flex-wrap items-center gap-3">
        <h1 className="text-xl font-semibold max-sm:sr-only">Evaluators</h1>
        <nav aria-label="Views" className="flex rounded-lg border border-line bg-sunken p-0.5">
          <View to={{ ...search, view: undefined }} chosen={!rules} name="Catalogue" />
          <View to={{ view: 'rules' }} chosen={rules} name="Rules" />
        </nav>
      </div>
      {rules ? (
        <Rules />
      ) : (
        <Catalogue search={search} onSearch={(next) => void navigate({ search: next, replace: true })} />
      )}
    </div>
  )
}

type Changed = { [K in keyof CatalogueSearch]: CatalogueSearch[K] | undefined }

function View({ to, chosen, name }: { to: Changed; chosen: boolean; name: string }) {
  return (
    <Link
      to="/evaluators"
      search={readCatalogue(to)}
      aria-current={chosen ? 'page' : undefined}
      className="flex h-6.5 items-center rounded-md px-2.5 text-sm font-medium text-ink-2 hover:text-ink aria-[current=page]:bg-surface aria-[current=page]:text-ink aria-[current=page]:shadow-card"
    >
      {name}
    </Link>
  )
}

function matches(info: EvaluatorInfo, { q, kind, category, source }: CatalogueSearch): boolean {
  if (kind && info.kind !== kind) return false
  if (category && info.category !== category) return false
  if (source && info.source !== source) return false
  const text = [info.slug, info.name, info.description, ...info.aliases].join(' ').toLowerCase()
  return (q ?? '')
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

function Catalogue({ search, onSearch }: { search: CatalogueSearch; onSearch: (search: CatalogueSearch) => void }) {
  const { api } = useParts()
  const evaluation = evaluationQueries(api)
  const may = useMay('write')
  const [making, setMaking] = useState(false)
  const { data, error, refetch } = useQuery(evaluation.evaluators())
  const set = (part: Record<string, string>): void => onSearch(readCatalogue({ ...search, ...part }))
  const shown = data?.items.filter((info) => matches(info, search)) ?? []
  return (
    <>
      <div className="flex flex-wrap items-end gap-2">
        <TextField
          label="Search evaluators"
          hidden
          type="search"
          placeholder="Search evaluators"
          className="w-60 max-sm:w-full"
          value={search.q ?? ''}
          onChange={(event) => set({ q: event.target.value })}
        />
        <Select
          label="Kind"
          hidden
          value={search.kind ?? ''}
          choices={[{ value: '', label: 'Any kind' }, ...evaluatorKinds.map((value) => ({ value, label: value }))]}
          onChange={(event) => set({ kind: event.target.value })}
        />
        <Select
          label="Category"
          hidden
          value={search.category ?? ''}
          choices={[
            { value: '', label: 'Any category' },
            ...evaluatorCategories.map((value) => ({ value, label: value })),
          ]}
          onChange={(event) => set({ category: event.target.value })}
        />
        <Select
          label="Source"
          hidden
          value={search.source ?? ''}
          choices={[
            { value: '', label: 'Built in and own' },
            { value: 'builtin', label: 'Built in' },
            { value: 'custom', label: 'Own' },
          ]}
          onChange={(event) => set({ source: event.target.value })}
        />
        <span className="self-center text-sm text-ink-3" role="status">
          {data && (shown.length === 1 ? '1 evaluator' : `${shown.length} evaluators`)}
        </span>
        {may && (
          <Button size="medium" look="primary" className="ml-auto" onClick={() => setMaking(true)}>
            <Plus aria-hidden size={15} />
            New evaluator
          </Button>
        )}
      </div>
      {error && !data ? (
        <Trouble what="The evaluators cannot be listed" error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading what="the evaluators" />
      ) : shown.length === 0 ? (
        <Notice title="No evaluator matches">
          <Button size="medium" onClick={() => onSearch({})}>
            Clear all filters
          </Button>
        </Notice>
      ) : (
        <ul aria-label="Evaluators" className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
          {shown.map((info) => (
            <Card key={info.slug} info={info} />
          ))}
        </ul>
      )}
      {data && <NewEvaluator open={making} onOpen={setMaking} catalogue={data.items} />}
    </>
  )
}

function Card({ info }: { info: EvaluatorInfo }) {
  return (
    <li className="card relative flex flex-col gap-1.5 p-3.5 hover:border-line-strong">
      <div className="flex items-baseline gap-2">
        <Link to="/evaluators/$slug" params={{ slug: info.slug }} className="cover foreign font-semibold text-ink">
          {info.name}
        </Link>
        <span className="ml-auto text-xs text-ink-3">{info.kind}</span>
      </div>
      <p className="foreign line-clamp-3 text-sm text-ink-2">{info.description}</p>
      <p className="mt-auto flex flex-wrap gap-x-2 pt-1 text-xs text-ink-3">
        <code className="foreign font-mono">{info.slug}</code>
        {info.source === 'custom' && <span>own</span>}
        {info.provider !== 'none' && <span>needs a {info.provider} model</span>}
      </p>
    </li>
  )
}
