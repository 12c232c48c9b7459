import type { Dataset } from '@llm-eval/protocol'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft, FlaskConical, Trash2, Upload } from 'lucide-react'
import { useState } from 'react'
import { ApiError } from '../api/client.ts'
import { deleteDataset, exportAddress, publishDataset, datasetQueries } from '../api/datasets.ts'
import { readDatasetSearch } from '../app/addresses.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Button, buttonLook, IconButton } from '../components/button.tsx'
import { Confirm } from '../components/dialog.tsx'
import { Select } from '../components/field.tsx'
import { Loading, Notice, sayError, Trouble } from '../components/notice.tsx'
import { formatCount } from '../format/numbers.ts'
import { formatTime } from '../format/times.ts'
import { DatasetRows } from './dataset-rows.tsx'
import { ImportRows } from './import-rows.tsx'

const route = getRouteApi('/shell/datasets/$dataset')

/** One dataset: the rows of its draft, or of a version. */
export function DatasetPage() {
  const { dataset: slug } = route.useParams()
  const { api } = useParts()
  const datasets = datasetQueries(api)
  const { data, error, refetch } = useQuery(datasets.dataset(slug))
  return (
    <div className="mx-auto flex w-full max-w-[100rem] flex-1 flex-col gap-4 p-3 sm:p-6">
      <Link to="/datasets" className="flex items-center gap-1.5 self-start font-medium text-ink-2 hover:text-ink">
        <ArrowLeft aria-hidden size={15} />
        Datasets
      </Link>
      {data ? (
        <Body key={data.id} dataset={data} />
      ) : error instanceof ApiError && error.status === 404 ? (
        <Notice title="There is no such dataset">Nothing is called “{slug}”. It may have been deleted.</Notice>
      ) : error ? (
        <Trouble what="The dataset cannot be shown" error={error} onRetry={() => void refetch()} />
      ) : (
        <Loading what="the dataset" />
      )}
    </div>
  )
}

function Body({ dataset }: { dataset: Dataset }) {
  const { version } = route.useSearch({ select: readDatasetSearch, structuralSharing: true })
  const navigate = route.useNavigate()
  const may = useMay('write')
  const [importing, setImporting] = useState(false)
  const choose = (value: string): void => {
    void navigate({ search: value === '' ? {} : { version: value }, replace: true })
  }
  return (
    <>
      <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <div className="mr-auto min-w-0">
          <h1 className="foreign text-xl font-semibold">{dataset.name}</h1>
          <p className="foreign text-sm text-ink-2">
            {dataset.description !== null && `${dataset.description} · `}
            {formatCount(dataset.total_rows)} rows in the draft
          </p>
        </div>
        <VersionChoice slug={dataset.slug} chosen={version} onChoose={choose} />
        {may && (
          <>
            <Button size="medium" onClick={() => setImporting(true)}>
              <Upload aria-hidden size={14} />
              Import…
            </Button>
            <Link to="/new-run" search={{ dataset: dataset.slug }} className={buttonLook('plain', 'medium')}>
              <FlaskConical aria-hidden size={14} />
              Evaluate…
            </Link>
            <Publish dataset={dataset} />
          </>
        )}
        <Exports slug={dataset.slug} version={version} />
        {may && <Remove dataset={dataset} />}
      </div>
      <DatasetRows dataset={dataset} version={version} onImport={() => setImporting(true)} />
      <ImportRows slug={dataset.slug} open={importing} onOpen={setImporting} />
    </>
  )
}

function VersionChoice({
  slug,
  chosen,
  onChoose,
}: {
  slug: string
  chosen: string | undefined
  onChoose: (version: string) => void
}) {
  const { api } = useParts()
  const datasets = datasetQueries(api)
  const { data } = useQuery(datasets.versions(slug))
  const versions = data?.items ?? []
  return (
    <Select
      label="Version"
      hidden
      className="h-9 max-w-64"
      value={chosen ?? ''}
      choices={[
        { value: '', label: 'Draft' },
        ...versions.map(({ version, published_at, rows, erased }) => ({
          value: version,
          label: `${version} · ${formatTime(published_at)} · ${formatCount(rows)} rows${erased > 0 ? `, ${erased} erased` : ''}`,
        })),
      ]}
      onChange={(event) => onChoose(event.target.value)}
    />
  )
}

function Publish({ dataset }: { dataset: Dataset }) {
  const { api, queryClient } = useParts()
  const toasts = useToasts()
  const publish = useMutation({
    mutationFn: () => publishDataset(api, dataset.slug),
    onSuccess: ({ version, created }) =>
      toasts.show({
        text: created ? `Published as ${version}.` : `Nothing changed since ${version}.`,
        mood: 'good',
      }),
    onError: (error) => toasts.show({ text: `It was not published. ${sayError(error)}`, mood: 'bad' }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['dataset', dataset.slug] }),
  })
  return (
    <Button
      size="medium"
      look="primary"
      disabled={publish.isPending || !dataset.changed}
      onClick={() => publish.mutate()}
    >
      Publish
    </Button>
  )
}

function Exports({ slug, version }: { slug: string; version: string | undefined }) {
  return (
    <span className="flex gap-1" aria-label="Export" role="group">
      {(['csv', 'jsonl', 'json'] as const).map((format) => (
        <a key={format} href={exportAddress(slug, format, version)} download className={buttonLook('quiet', 'medium')}>
          {format.toUpperCase()}
        </a>
      ))}
    </span>
  )
}

function Remove({ dataset }: { dataset: Dataset }) {
  const { api, queryClient } = useParts()
  const toasts = useToasts()
  const navigate = route.useNavigate()
  const [asking, setAsking] = useState(false)
  const removal = useMutation({
    mutationFn: () => deleteDataset(api, dataset.slug),
    async onSuccess() {
      await navigate({ to: '/datasets' })
      await queryClient.invalidateQueries({ queryKey: ['datasets'] })
    },
    onError: (error) => toasts.show({ text: `The dataset was not deleted. ${sayError(error)}`, mood: 'bad' }),
  })
  return (
    <>
      <IconButton label="Delete the dataset" onClick={() => setAsking(true)}>
        <Trash2 aria-hidden size={15} />
      </IconButton>
      <Confirm
        open={asking}
        onOpen={setAsking}
        title={`Delete “${dataset.name}”?`}
        says="All its rows and versions go for good."
        action="Delete"
        busy={removal.isPending}
        onConfirm={() => removal.mutate()}
      />
    </>
  )
}
