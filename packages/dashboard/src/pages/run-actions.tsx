import type { Run } from '@llm-eval/protocol'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import {
  CircleStop,
  Download,
  Ellipsis,
  GitCompareArrows,
  Link as LinkIcon,
  Play,
  RotateCw,
  ThumbsDown,
  ThumbsUp,
  Trash2,
} from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { type ReactNode, useState } from 'react'
import { cancelRun, deleteRun, resumeRun, runKeys } from '../api/runs.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Button, buttonLook } from '../components/button.tsx'
import { copyText } from '../components/copy-button.tsx'
import { Confirm } from '../components/dialog.tsx'
import { sayError } from '../components/notice.tsx'
import { ApproveRun, type Verdict } from './run-approval.tsx'
import { CompareWith } from './run-compare.tsx'
import { exportFormats, runExportAddress } from './run-export.ts'
import { isOver } from './run-numbers.ts'

type Asking = 'cancel' | 'delete' | 'compare' | Verdict | null

/** What can be done with a run. */
export function RunActions({ run }: { run: Run }) {
  const may = useMay('write')
  const [asking, setAsking] = useState<Asking>(null)
  const over = isOver(run.status)
  const done = (): void => setAsking(null)
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {may && (!over || run.status === 'abandoned') && (
        <Button className="h-8" onClick={() => setAsking('cancel')}>
          <CircleStop aria-hidden size={14} />
          Cancel run
        </Button>
      )}
      {may && over && run.status !== 'completed' && <Resume run={run} />}
      {may && (
        <Link to="/new-run" search={{ from: run.run_id }} className={`${buttonLook('plain')} h-8`}>
          <RotateCw aria-hidden size={14} />
          Run again
        </Link>
      )}
      <Button className="h-8" onClick={() => setAsking('compare')}>
        <GitCompareArrows aria-hidden size={14} />
        Compare with…
      </Button>
      <More run={run} onAsk={setAsking} />
      <Ask run={run} asking={asking} onDone={done} />
    </div>
  )
}

function Ask({ run, asking, onDone }: { run: Run; asking: Asking; onDone: () => void }) {
  const { api } = useParts()
  const client = useQueryClient()
  const navigate = useNavigate()
  const toasts = useToasts()
  const onOpen = (open: boolean): void => {
    if (!open) onDone()
  }
  const cancel = useMutation({
    mutationFn: () => cancelRun(api, run.run_id),
    onSuccess: (changed) => client.setQueryData(runKeys.detail(run.run_id), changed),
    onError: (error) => toasts.show({ text: `The run was not cancelled. ${sayError(error)}`, mood: 'bad' }),
    onSettled: onDone,
  })
  const remove = useMutation({
    mutationFn: () => deleteRun(api, run.run_id),
    async onSuccess() {
      onDone()
      await navigate({ to: '/runs' })
      toasts.show({ text: 'The run was deleted.', mood: 'good' })
    },
    onError: (error) => toasts.show({ text: `The run was not deleted. ${sayError(error)}`, mood: 'bad' }),
  })
  return (
    <>
      <Confirm
        open={asking === 'cancel'}
        onOpen={onOpen}
        title="Cancel this run?"
        says="What is finished stays, and the run can be resumed."
        action="Cancel the run"
        busy={cancel.isPending}
        onConfirm={() => cancel.mutate()}
      />
      <Confirm
        open={asking === 'delete'}
        onOpen={onOpen}
        title={`Delete “${run.name}”?`}
        says="All of its items and scores go for good, and its id cannot be used again."
        action="Delete"
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      />
      {(asking === 'approve' || asking === 'reject') && <ApproveRun run={run} verdict={asking} onDone={onDone} />}
      {asking === 'compare' && <CompareWith run={run} onDone={onDone} />}
    </>
  )
}

function Resume({ run }: { run: Run }) {
  const { api } = useParts()
  const client = useQueryClient()
  const toasts = useToasts()
  const resume = useMutation({
    mutationFn: () => resumeRun(api, run.run_id),
    onSuccess(changed) {
      client.setQueryData(runKeys.detail(run.run_id), changed)
      if (run.task.kind === 'client')
        toasts.show({ text: 'It goes on once its own worker does: start that again.', mood: 'good' })
    },
    onError: (error) => toasts.show({ text: `The run was not resumed. ${sayError(error)}`, mood: 'bad' }),
  })
  return (
    <Button className="h-8" look="primary" disabled={resume.isPending} onClick={() => resume.mutate()}>
      <Play aria-hidden size={14} />
      Resume
    </Button>
  )
}

const itemLook =
  'flex cursor-pointer items-center gap-2.5 rounded-lg px-3 py-1.5 outline-none data-[highlighted]:bg-hover data-[disabled]:cursor-default data-[disabled]:opacity-50'

function More({ run, onAsk }: { run: Run; onAsk: (asking: Asking) => void }) {
  const may = useMay('write')
  const toasts = useToasts()
  const over = isOver(run.status)
  const copyLink = (): void => {
    void copyText(location.href).then((worked) =>
      toasts.show(
        worked ? { text: 'Copied the link.', mood: 'good' } : { text: 'Could not copy the link.', mood: 'bad' },
      ),
    )
  }
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger aria-label="More about this run" className={buttonLook('quiet', 'icon')}>
        <Ellipsis aria-hidden size={17} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={6}
          className="z-40 min-w-56 animate-rise rounded-xl border border-line bg-raised p-1.5 shadow-float"
        >
          {may && (
            <>
              <Choice picture={<ThumbsUp size={15} />} disabled={!over} onSelect={() => onAsk('approve')}>
                Approve…
              </Choice>
              <Choice picture={<ThumbsDown size={15} />} disabled={!over} onSelect={() => onAsk('reject')}>
                Reject…
              </Choice>
              <DropdownMenu.Separator className="my-1.5 h-px bg-line" />
            </>
          )}
          {exportFormats.map(({ format, name }) => (
            <DropdownMenu.Item key={format} asChild>
              <a href={runExportAddress(run.run_id, format)} download className={itemLook}>
                <Download aria-hidden size={15} />
                Export as {name}
              </a>
            </DropdownMenu.Item>
          ))}
          <Choice picture={<LinkIcon size={15} />} onSelect={copyLink}>
            Copy link
          </Choice>
          {may && (
            <>
              <DropdownMenu.Separator className="my-1.5 h-px bg-line" />
              <Choice picture={<Trash2 size={15} />} tone="text-bad" onSelect={() => onAsk('delete')}>
                Delete…
              </Choice>
            </>
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

function Choice({
  picture,
  tone = '',
  disabled = false,
  onSelect,
  children,
}: {
  picture: ReactNode
  tone?: string
  disabled?: boolean
  onSelect: () => void
  children: string
}) {
  return (
    <DropdownMenu.Item className={`${itemLook} ${tone}`} disabled={disabled} onSelect={onSelect}>
      <span aria-hidden>{picture}</span>
      {children}
    </DropdownMenu.Item>
  )
}
