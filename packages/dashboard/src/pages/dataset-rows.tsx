import type { Column, Dataset, DatasetRow } from '@llm-eval/protocol'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ExternalLink, Pencil, Trash2, Upload } from 'lucide-react'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { changeRow, deleteRow, datasetQueries } from '../api/datasets.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Button, IconButton } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { Loading, Notice, sayError, Trouble } from '../components/notice.tsx'
import { formatCount, unknown } from '../format/numbers.ts'
import { typed } from './schema-form.ts'

const rowHeight = 40
const columnWidth = 'minmax(10rem, 1fr)'

/** The rows of a dataset. Only what is visible exists in the document. */
export function DatasetRows({
  dataset,
  version,
  onImport,
}: {
  dataset: Dataset
  version: string | undefined
  onImport: () => void
}) {
  const { api } = useParts()
  const datasets = datasetQueries(api)
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(
    datasets.rows(dataset.slug, version),
  )
  const may = useMay('write') && version === undefined
  const [editing, setEditing] = useState<DatasetRow | null>(null)
  if (error && !data) return <Trouble what="The rows cannot be listed" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading what="the rows" />
  const rows = data.pages.flatMap(({ items }) => items)
  const total = data.pages.at(-1)?.total ?? rows.length
  if (rows.length === 0)
    return (
      <Notice title="No rows yet">
        <p>Import a file, or add traces from their own pages.</p>
        {may && (
          <Button size="medium" look="primary" onClick={onImport}>
            <Upload aria-hidden size={14} />
            Import…
          </Button>
        )}
      </Notice>
    )
  return (
    <>
      <Grid
        columns={dataset.columns}
        rows={rows}
        total={total}
        onEnd={() => {
          if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
        }}
        {...(may ? { onEdit: setEditing } : {})}
      />
      {editing && <EditRow key={editing.id} dataset={dataset} row={editing} onDone={() => setEditing(null)} />}
    </>
  )
}

interface GridProps {
  columns: readonly Column[]
  rows: readonly DatasetRow[]
  total: number
  onEnd: () => void
  onEdit?: (row: DatasetRow) => void
}

function Grid({ columns, rows, total, onEnd, onEdit }: GridProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  })
  const shown = virtual.getVirtualItems()
  const last = shown.at(-1)?.index ?? 0
  useEffect(() => {
    if (last >= rows.length - 20) onEnd()
  }, [last, rows.length, onEnd])
  const template = { gridTemplateColumns: `4rem repeat(${Math.max(1, columns.length)}, ${columnWidth}) 6rem` }
  return (
    <>
      <div
        ref={scroller}
        tabIndex={0}
        role="table"
        aria-label="Rows"
        aria-rowcount={total}
        className="card min-h-64 flex-1 overflow-auto max-h-[calc(100dvh-14rem)]"
      >
        <div role="rowgroup" className="sticky top-0 z-10 min-w-max bg-surface">
          <div role="row" className="grid border-b text-xs font-medium text-ink-3" style={template}>
            <span role="columnheader" className="px-3 py-2">
              #
            </span>
            {columns.map(({ slug, name, type }) => (
              <span key={slug} role="columnheader" className="foreign clip px-3 py-2" title={`${slug}, ${type}`}>
                {name} <span className="font-normal">{type}</span>
              </span>
            ))}
            <span role="columnheader" className="px-3 py-2">
              <span className="sr-only">What can be done</span>
            </span>
          </div>
        </div>
        <div role="rowgroup" className="relative min-w-max" style={{ height: virtual.getTotalSize() }}>
          {shown.map(({ index, start }) => {
            const row = rows[index]
            return (
              row && (
                <div
                  key={row.id}
                  role="row"
                  aria-rowindex={index + 1}
                  className="absolute inset-x-0 grid items-center border-b border-line/60 text-sm hover:bg-hover"
                  style={{ ...template, height: rowHeight, transform: `translateY(${start}px)` }}
                >
                  <Cells columns={columns} row={row} {...(onEdit ? { onEdit } : {})} />
                </div>
              )
            )
          })}
        </div>
      </div>
      <p className="text-sm text-ink-3">{formatCount(total)} rows</p>
    </>
  )
}

function Cells({
  columns,
  row,
  onEdit,
}: {
  columns: readonly Column[]
  row: DatasetRow
  onEdit?: (row: DatasetRow) => void
}) {
  return (
    <>
      <span role="cell" className="px-3 text-ink-3">
        {row.row_index + 1}
      </span>
      {columns.map(({ slug }) => {
        const value = row.values[slug]
        const text =
          typeof value === 'string' ? value : value === undefined || value === null ? null : JSON.stringify(value)
        return (
          <span key={slug} role="cell" className="foreign clip px-3" title={text ?? 'no value'}>
            {text ?? <span className="text-ink-3">{unknown}</span>}
          </span>
        )
      })}
      <span role="cell" className="flex justify-end gap-0.5 pr-2">
        {row.trace_id !== null && (
          <Link
            to="/traces/$traceId"
            params={{ traceId: row.trace_id }}
            aria-label="The trace it was made of"
            title="The trace it was made of"
            className="flex size-8 items-center justify-center rounded-lg text-ink-2 hover:bg-hover"
          >
            <ExternalLink aria-hidden size={14} />
          </Link>
        )}
        {onEdit && (
          <IconButton label={`Edit row ${row.row_index + 1}`} onClick={() => onEdit(row)}>
            <Pencil aria-hidden size={14} />
          </IconButton>
        )}
      </span>
    </>
  )
}

/** What was typed into the fields of a row, as values of their columns' types. */
function valuesOf(columns: readonly Column[], form: FormData): Record<string, unknown> {
  return Object.fromEntries(
    columns.map(({ slug, type }) => {
      const given = form.get(slug)
      const text = typeof given === 'string' ? given : ''
      if (text === '') return [slug, null]
      return [slug, type === 'string' || type === 'date' || type === 'file' ? text : (JSON.parse(text) as unknown)]
    }),
  )
}

function EditRow({ dataset, row, onDone }: { dataset: Dataset; row: DatasetRow; onDone: () => void }) {
  const { api, queryClient } = useParts()
  const toasts = useToasts()
  const [fault, setFault] = useState<string>()
  const place = { dataset: dataset.slug, row_id: row.id }
  const settle = {
    onSuccess: onDone,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['dataset', dataset.slug] }),
  }
  const save = useMutation({
    mutationFn: async (form: FormData) => changeRow(api, place, valuesOf(dataset.columns, form)),
    onError: (error) => setFault(error instanceof SyntaxError ? 'A value is not JSON of its type.' : sayError(error)),
    ...settle,
  })
  const remove = useMutation({
    mutationFn: () => deleteRow(api, place),
    onError: (error) => toasts.show({ text: `The row was not deleted. ${sayError(error)}`, mood: 'bad' }),
    ...settle,
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    save.mutate(new FormData(event.currentTarget))
  }
  return (
    <Dialog open onOpen={onDone} title={`Row ${row.row_index + 1}`} width="max-w-2xl">
      <form aria-label="Row" className="flex flex-col gap-3" onSubmit={submit}>
        {dataset.columns.map(({ slug, name, type }) => (
          <label key={slug} className="flex flex-col gap-1">
            <span className="foreign text-sm font-medium text-ink-2">
              {name} <span className="font-normal text-ink-3">{type}</span>
            </span>
            <textarea
              name={slug}
              rows={type === 'string' || type === 'json' ? 3 : 1}
              defaultValue={typed(row.values[slug])}
              className="rounded-lg border border-line bg-surface px-2.5 py-1.5 font-mono text-sm hover:border-line-strong"
            />
          </label>
        ))}
        {fault !== undefined && (
          <p role="alert" className="text-bad">
            {fault}
          </p>
        )}
        <div className="flex gap-2">
          <Button
            size="medium"
            look="quiet"
            className="mr-auto"
            disabled={remove.isPending}
            onClick={() => remove.mutate()}
          >
            <Trash2 aria-hidden size={14} />
            Delete row
          </Button>
          <Button size="medium" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" size="medium" look="primary" disabled={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
