import type { Dataset } from '@llm-eval/protocol'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { Database, Plus } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { createDataset, datasetQueries } from '../api/datasets.ts'
import { useMay, useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { Dialog, FormEnd } from '../components/dialog.tsx'
import { TextField, wordOf } from '../components/field.tsx'
import { Loading, Notice, sayError, Trouble } from '../components/notice.tsx'
import { Snippet } from '../components/teach.tsx'
import { Ago } from '../components/time.tsx'
import { formatCount } from '../format/numbers.ts'

/** The datasets of the project. */
export function DatasetsPage() {
  const { api } = useParts()
  const datasets = datasetQueries(api)
  const may = useMay('write')
  const [making, setMaking] = useState(false)
  const { data, error, refetch } = useQuery(datasets.datasets())
  const start = may && (
    <Button size="medium" look="primary" onClick={() => setMaking(true)}>
      <Plus aria-hidden size={15} />
      New dataset
    </Button>
  )
  return (
    <div className="mx-auto flex w-full max-w-5xl flex-col gap-4 p-3 sm:p-6">
      <div className="flex items-center gap-3">
        <h1 className="mr-auto text-xl font-semibold max-sm:sr-only">Datasets</h1>
        {data && data.items.length > 0 && start}
      </div>
      {error && !data ? (
        <Trouble what="The datasets cannot be listed" error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading what="the datasets" />
      ) : data.items.length === 0 ? (
        <Notice title="No datasets yet" picture={<Database aria-hidden size={22} />}>
          <p>Inputs with expectations: what a version of your application is measured by.</p>
          <div className="w-full text-left">
            <Snippet name="the import command" text="llm-eval datasets import questions.csv --dataset questions" />
          </div>
          {start}
        </Notice>
      ) : (
        <ul aria-label="Datasets" className="card divide-y divide-line/70">
          {data.items.map((dataset) => (
            <Row key={dataset.id} dataset={dataset} />
          ))}
        </ul>
      )}
      <NewDataset open={making} onOpen={setMaking} />
    </div>
  )
}

function Row({ dataset }: { dataset: Dataset }) {
  const { slug, name, description, total_rows: rows, columns, last_version: version, changed } = dataset
  return (
    <li className="relative flex flex-wrap items-baseline gap-x-4 gap-y-0.5 px-4 py-3 hover:bg-hover">
      <div className="min-w-52 flex-1">
        <Link to="/datasets/$dataset" params={{ dataset: slug }} className="cover foreign font-medium text-ink">
          {name}
        </Link>
        <p className="foreign clip text-sm text-ink-3">{description ?? slug}</p>
      </div>
      <p className="text-sm text-ink-2">
        {formatCount(rows)} {rows === 1 ? 'row' : 'rows'} · {columns.length}{' '}
        {columns.length === 1 ? 'column' : 'columns'}
      </p>
      <p className="w-36 text-sm text-ink-3">
        {version === null ? 'not published' : changed ? `${version}, draft differs` : version}
      </p>
      <p className="w-20 text-right text-xs text-ink-3">
        <Ago time={dataset.updated_at} />
      </p>
    </li>
  )
}

function NewDataset({ open, onOpen }: { open: boolean; onOpen: (open: boolean) => void }) {
  const { api, queryClient } = useParts()
  const navigate = useNavigate()
  const [fault, setFault] = useState<string>()
  const create = useMutation({
    mutationFn: (form: FormData) => createDataset(api, wordOf(form, 'name'), wordOf(form, 'description')),
    async onSuccess({ slug }) {
      onOpen(false)
      setFault(undefined)
      await queryClient.invalidateQueries({ queryKey: ['datasets'] })
      await navigate({ to: '/datasets/$dataset', params: { dataset: slug } })
    },
    onError: (error) => setFault(sayError(error)),
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    create.mutate(new FormData(event.currentTarget))
  }
  return (
    <Dialog open={open} onOpen={onOpen} title="New dataset" says="Columns come with the first rows.">
      <form aria-label="New dataset" className="flex flex-col gap-3" onSubmit={submit}>
        <TextField label="Name" name="name" required maxLength={200} />
        <TextField label="Description (optional)" name="description" />
        <FormEnd fault={fault} action="Create" busy={create.isPending} onCancel={() => onOpen(false)} />
      </form>
    </Dialog>
  )
}
