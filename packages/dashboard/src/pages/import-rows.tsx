import type { ImportReport } from '@llm-eval/protocol'
import { useMutation } from '@tanstack/react-query'
import { type DragEvent, useState } from 'react'
import { importFile } from '../api/datasets.ts'
import { useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { sayError } from '../components/notice.tsx'
import { formatCount } from '../format/numbers.ts'

/** Takes a file of rows, shows how far it is, and tells which rows were refused and why. */
export function ImportRows({ slug, open, onOpen }: { slug: string; open: boolean; onOpen: (open: boolean) => void }) {
  const { queryClient } = useParts()
  const [share, setShare] = useState(0)
  const run = useMutation({
    mutationFn: (file: File) => importFile(slug, file, setShare),
    onMutate: () => setShare(0),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['dataset', slug] }),
  })
  const take = (files: FileList | null): void => {
    const [file] = files ?? []
    if (file) run.mutate(file)
  }
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    take(event.dataTransfer.files)
  }
  const close = (is: boolean): void => {
    onOpen(is)
    if (!is) run.reset()
  }
  return (
    <Dialog
      open={open}
      onOpen={close}
      title="Import rows"
      says="CSV with a header, JSON Lines or a JSON array, of any size. Good rows are kept whatever the others are."
    >
      {run.data ? (
        <Report report={run.data} onDone={() => close(false)} />
      ) : run.isPending ? (
        <div role="status" className="flex flex-col gap-2 py-6">
          <progress aria-label="Progress" value={share} max={1} className="h-1.5 w-full" />
          {share < 1 ? `Sending: ${Math.floor(share * 100)} %` : 'Reading the rows…'}
        </div>
      ) : (
        <>
          <label
            className="flex cursor-pointer flex-col items-center gap-1 rounded-xl border border-dashed border-line-strong px-4 py-10 text-center text-ink-2 hover:bg-hover has-focus-visible:outline-2 has-focus-visible:outline-accent"
            onDragOver={(event) => event.preventDefault()}
            onDrop={drop}
          >
            <span className="font-medium text-ink">Drop a file here, or choose one</span>
            <span className="text-sm">.csv, .jsonl, .json</span>
            <input
              type="file"
              aria-label="File of rows"
              accept=".csv,.jsonl,.ndjson,.json"
              className="sr-only"
              onChange={(event) => take(event.target.files)}
            />
          </label>
          {run.error && (
            <p role="alert" className="mt-3 text-bad">
              {sayError(run.error)}
            </p>
          )}
        </>
      )}
    </Dialog>
  )
}

function Report({ report, onDone }: { report: ImportReport; onDone: () => void }) {
  const { imported, columns, refused, errors, complete } = report
  return (
    <div role="status" className="flex flex-col gap-3">
      <p>
        <strong>{formatCount(imported)}</strong> rows were added
        {columns.length > 0 && `, with ${columns.length} new columns: ${columns.join(', ')}`}.
      </p>
      {!complete && (
        <p className="text-wait">The file is broken: what stands after the last line below was not read.</p>
      )}
      {refused > 0 && (
        <>
          <p className="text-bad">{formatCount(refused)} were refused:</p>
          <ul
            aria-label="Refused rows"
            className="max-h-64 divide-y divide-line/70 overflow-y-auto rounded-lg border text-sm"
          >
            {errors.map(({ line, message }) => (
              <li key={`${line} ${message}`} className="flex gap-3 px-3 py-1.5">
                <span className="w-20 shrink-0 text-ink-3">line {formatCount(line)}</span>
                <span className="foreign">{message}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <Button size="medium" look="primary" className="self-end" onClick={onDone}>
        Done
      </Button>
    </div>
  )
}
