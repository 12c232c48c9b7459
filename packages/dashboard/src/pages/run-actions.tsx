import type { Run } from '@llm-eval/protocol'
import { Link, useNavigate } from '@tanstack/react-router'
import {
  CircleStop,
  Download,
  GitCompareArrows,
  Link as LinkIcon,
  Play,
  RotateCw,
  ThumbsDown,
  ThumbsUp,
  Trash2,
} from 'lucide-react'
import { useState } from 'react'
import { cancelRun, resumeRun } from '../api/runs.ts'
import { useCopy } from '../app/copying.ts'
import { useMay } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Button, buttonLook } from '../components/button.tsx'
import { Confirm } from '../components/dialog.tsx'
import { Menu, MenuDownload, MenuItem, MenuLine } from '../components/menu.tsx'
import { ApproveRun, type Verdict } from './run-approval.tsx'
import { type AskProps, RemoveRun, useRunChange } from './run-change.tsx'
import { CompareWith } from './run-compare.tsx'
import { exportFormats, runExportAddress } from './run-export.ts'
import { isCancellable, isOver, isResumable } from './run-numbers.ts'

type Asking = 'cancel' | 'delete' | 'compare' | Verdict | null

/** What can be done with a run. */
export function RunActions({ run }: { run: Run }) {
  const may = useMay('write')
  const [asking, setAsking] = useState<Asking>(null)
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {may && isCancellable(run.status) && (
        <Button className="h-8" onClick={() => setAsking('cancel')}>
          <CircleStop aria-hidden size={14} />
          Cancel run
        </Button>
      )}
      {may && isResumable(run) && <Resume run={run} />}
      {may && run.task.kind !== 'client' && (
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
      <Ask run={run} asking={asking} onDone={() => setAsking(null)} />
    </div>
  )
}

function Ask({ run, asking, onDone }: AskProps & { asking: Asking }) {
  const navigate = useNavigate()
  switch (asking) {
    case null:
      return null
    case 'cancel':
      return <CancelRun run={run} onDone={onDone} />
    case 'delete':
      return <RemoveRun run={run} onDone={onDone} onDeleted={() => navigate({ to: '/runs' })} />
    case 'compare':
      return <CompareWith run={run} onDone={onDone} />
    default:
      return <ApproveRun run={run} verdict={asking} onDone={onDone} />
  }
}

function CancelRun({ run, onDone }: AskProps) {
  const cancel = useRunChange(run, 'cancelled', ({ api }) => cancelRun(api, run.run_id))
  return (
    <Confirm
      open
      onOpen={onDone}
      title="Cancel this run?"
      says="What is finished stays, and the run can be resumed."
      action="Cancel the run"
      busy={cancel.isPending}
      onConfirm={() => cancel.mutate(undefined, { onSettled: onDone })}
    />
  )
}

function Resume({ run }: { run: Run }) {
  const toasts = useToasts()
  const resume = useRunChange(run, 'resumed', ({ api }) => resumeRun(api, run.run_id))
  const start = (): void =>
    resume.mutate(undefined, {
      onSuccess() {
        if (run.task.kind === 'client')
          toasts.show({ text: 'It goes on once its own worker does: start that again.', mood: 'good' })
      },
    })
  return (
    <Button className="h-8" look="primary" disabled={resume.isPending} onClick={start}>
      <Play aria-hidden size={14} />
      Resume
    </Button>
  )
}

function More({ run, onAsk }: { run: Run; onAsk: (asking: Asking) => void }) {
  const may = useMay('write')
  const copy = useCopy()
  const over = isOver(run.status)
  return (
    <Menu label="More about this run">
      {may && (
        <>
          <MenuItem picture={<ThumbsUp size={15} />} disabled={!over} onSelect={() => onAsk('approve')}>
            Approve…
          </MenuItem>
          <MenuItem picture={<ThumbsDown size={15} />} disabled={!over} onSelect={() => onAsk('reject')}>
            Reject…
          </MenuItem>
          <MenuLine />
        </>
      )}
      {exportFormats.map(({ format, name }) => (
        <MenuDownload
          key={format}
          picture={<Download size={15} />}
          href={runExportAddress(run.run_id, format)}
        >{`Export as ${name}`}</MenuDownload>
      ))}
      <MenuItem picture={<LinkIcon size={15} />} onSelect={() => copy('the link', location.href)}>
        Copy link
      </MenuItem>
      {may && (
        <>
          <MenuLine />
          <MenuItem picture={<Trash2 size={15} />} tone="text-bad" onSelect={() => onAsk('delete')}>
            Delete…
          </MenuItem>
        </>
      )}
    </Menu>
  )
}
