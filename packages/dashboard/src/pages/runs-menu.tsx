import { limits, type Run } from '@llm-eval/protocol'
import { useNavigate } from '@tanstack/react-router'
import { CircleStop, Link as LinkIcon, Pencil, Play, RotateCcw, ThumbsDown, ThumbsUp, Trash2 } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { cancelRun, changeRun, resumeRun } from '../api/runs.ts'
import { useCopy } from '../app/copying.ts'
import { useMay } from '../app/parts.ts'
import { Dialog, FormEnd } from '../components/dialog.tsx'
import { TextField, wordOf } from '../components/field.tsx'
import { Menu, MenuItem, MenuLine } from '../components/menu.tsx'
import { sayError } from '../components/notice.tsx'
import { splitTags } from './new-run-draft.ts'
import { ApproveRun, type Verdict } from './run-approval.tsx'
import { type AskProps, RemoveRun, useRunChange } from './run-change.tsx'
import { isCancellable, isOver, isResumable } from './run-numbers.ts'

type Asking = 'rename' | 'delete' | Verdict

/** Everything that can be done with a run. */
export function RunMenu({ run }: { run: Run }) {
  const may = useMay('write')
  const navigate = useNavigate()
  const copy = useCopy()
  const [asking, setAsking] = useState<Asking>()
  const ending = useRunChange(run, 'cancelled', ({ api }) => cancelRun(api, run.run_id))
  const resuming = useRunChange(run, 'resumed', ({ api }) => resumeRun(api, run.run_id))
  const close = (): void => setAsking(undefined)
  const address = new URL(`/runs/${encodeURIComponent(run.run_id)}`, location.origin).href
  return (
    <>
      <Menu label={`More about ${run.name}`}>
        <MenuItem picture={<LinkIcon size={15} />} onSelect={() => copy('the link', address)}>
          Copy link
        </MenuItem>
        {may && (
          <>
            {run.task.kind !== 'client' && (
              <MenuItem
                picture={<RotateCcw size={15} />}
                onSelect={() => void navigate({ to: '/new-run', search: { from: run.run_id } })}
              >
                Run again…
              </MenuItem>
            )}
            <MenuItem picture={<Pencil size={15} />} onSelect={() => setAsking('rename')}>
              Rename and tag…
            </MenuItem>
            {isCancellable(run.status) && (
              <MenuItem picture={<CircleStop size={15} />} onSelect={() => ending.mutate()}>
                Cancel
              </MenuItem>
            )}
            {isResumable(run) && (
              <MenuItem picture={<Play size={15} />} onSelect={() => resuming.mutate()}>
                Resume
              </MenuItem>
            )}
            {isOver(run.status) && (
              <>
                <MenuItem picture={<ThumbsUp size={15} />} onSelect={() => setAsking('approve')}>
                  Approve…
                </MenuItem>
                <MenuItem picture={<ThumbsDown size={15} />} onSelect={() => setAsking('reject')}>
                  Reject…
                </MenuItem>
              </>
            )}
            <MenuLine />
            <MenuItem picture={<Trash2 size={15} />} tone="text-bad" onSelect={() => setAsking('delete')}>
              Delete…
            </MenuItem>
          </>
        )}
      </Menu>
      {asking === 'rename' && <Rename run={run} onDone={close} />}
      {(asking === 'approve' || asking === 'reject') && <ApproveRun run={run} verdict={asking} onDone={close} />}
      {asking === 'delete' && <RemoveRun run={run} onDone={close} />}
    </>
  )
}

function Rename({ run, onDone }: AskProps) {
  const change = useRunChange(run, 'changed', ({ api }, form: FormData) =>
    changeRun(api, run.run_id, {
      name: wordOf(form, 'name'),
      description: wordOf(form, 'description') || null,
      tags: splitTags(wordOf(form, 'tags')),
    }),
  )
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    change.mutate(new FormData(event.currentTarget), { onSuccess: onDone })
  }
  return (
    <Dialog open onOpen={onDone} title="Rename and tag">
      <form aria-label="Rename and tag" className="flex flex-col gap-3" onSubmit={submit}>
        <TextField label="Name" name="name" required autoFocus maxLength={limits.nameChars} defaultValue={run.name} />
        <TextField label="Description (optional)" name="description" defaultValue={run.description ?? ''} />
        <TextField
          label="Tags, with commas"
          name="tags"
          defaultValue={run.tags.join(', ')}
          placeholder="nightly, prompt-v2"
        />
        <FormEnd
          fault={change.error ? sayError(change.error) : undefined}
          action="Save"
          busy={change.isPending}
          onCancel={onDone}
        />
      </form>
    </Dialog>
  )
}
