import { limits, type Run } from '@llm-eval/protocol'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { CircleStop, Link as LinkIcon, Pencil, Play, RotateCcw, ThumbsDown, ThumbsUp, Trash2 } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { cancelRun, changeRun, decideRun, deleteRun, resumeRun, runKeys } from '../api/runs.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { copyText } from '../components/copy-button.tsx'
import { Confirm, Dialog, FormEnd } from '../components/dialog.tsx'
import { TextField, wordOf } from '../components/field.tsx'
import { Menu, MenuItem, MenuLine } from '../components/menu.tsx'
import { sayError } from '../components/notice.tsx'
import { splitTags } from './new-run-draft.ts'
import { isOpen } from './runs-progress.tsx'
import { useMe } from './verdict.ts'

type Asking = 'rename' | 'approve' | 'reject' | 'delete'

/** Everything that can be done with a run. */
export function RunMenu({ run, onDeleted }: { run: Run; onDeleted?: () => void }) {
  const may = useMay('write')
  const navigate = useNavigate()
  const toasts = useToasts()
  const [asking, setAsking] = useState<Asking>()
  const ending = useRunChange(run, 'cancelled', ({ api }) => cancelRun(api, run.run_id))
  const resuming = useRunChange(run, 'resumed', ({ api }) => resumeRun(api, run.run_id))
  const close = (): void => setAsking(undefined)
  const copy = (): void => {
    const address = new URL(`/runs/${encodeURIComponent(run.run_id)}`, location.origin).href
    void copyText(address).then((worked) =>
      toasts.show(
        worked ? { text: 'Copied the link.', mood: 'good' } : { text: 'Could not copy the link.', mood: 'bad' },
      ),
    )
  }
  return (
    <>
      <Menu label={`More about ${run.name}`}>
        <MenuItem picture={<LinkIcon size={15} />} onSelect={copy}>
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
            {isOpen(run) ? (
              <MenuItem picture={<CircleStop size={15} />} onSelect={() => ending.mutate()}>
                Cancel
              </MenuItem>
            ) : (
              <>
                {isResumable(run) && (
                  <MenuItem picture={<Play size={15} />} onSelect={() => resuming.mutate()}>
                    Resume
                  </MenuItem>
                )}
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
      {(asking === 'approve' || asking === 'reject') && <Decide run={run} verdict={asking} onDone={close} />}
      {asking === 'delete' && <Remove run={run} onDone={close} {...(onDeleted ? { onDeleted } : {})} />}
    </>
  )
}

/** Whether anything of it is missing. */
function isResumable({ status, stopped_by: stop, completed_items: done, total_items: total }: Run): boolean {
  return status !== 'completed' || stop !== null || (total !== null && done < total)
}

/** A change of a run that says how it went. What the socket tells of it comes beside. */
function useRunChange<T>(
  run: Run,
  word: string,
  change: (parts: ReturnType<typeof useParts>, given: T) => Promise<unknown>,
) {
  const parts = useParts()
  const toasts = useToasts()
  return useMutation({
    mutationFn: (given: T) => change(parts, given),
    onSuccess: () => toasts.show({ text: `“${run.name}” was ${word}.`, mood: 'good' }),
    onError: (error) => toasts.show({ text: `“${run.name}” was not ${word}. ${sayError(error)}`, mood: 'bad' }),
    onSettled: () => {
      void parts.queryClient.invalidateQueries({ queryKey: runKeys.lists })
      return parts.queryClient.invalidateQueries({ queryKey: runKeys.run(run.run_id) })
    },
  })
}

interface AskProps {
  run: Run
  onDone: () => void
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

const verdicts = {
  approve: { title: 'Approve this run?', done: 'approved', action: 'Approve' },
  reject: { title: 'Reject this run?', done: 'rejected', action: 'Reject' },
} as const

function Decide({ run, verdict, onDone }: AskProps & { verdict: 'approve' | 'reject' }) {
  const { title, done, action } = verdicts[verdict]
  const me = useMe()
  const decide = useRunChange(run, done, ({ api }, note: string) =>
    decideRun(api, run.run_id, { verdict, note: note || null, by: me.given ? me.name : null }),
  )
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    decide.mutate(wordOf(new FormData(event.currentTarget), 'note'), { onSuccess: onDone })
  }
  return (
    <Dialog
      open
      onOpen={onDone}
      title={title}
      says={`“${run.name}”. The last word counts; it falls when the run goes on.`}
    >
      <form aria-label={title} className="flex flex-col gap-3" onSubmit={submit}>
        <label className="flex flex-col gap-1">
          <span className="text-sm font-medium text-ink-2">Note (optional)</span>
          <textarea
            // The dialog was opened to write it.
            autoFocus
            name="note"
            rows={3}
            maxLength={limits.noteChars}
            className="rounded-lg border border-line bg-surface px-2.5 py-1.5 hover:border-line-strong"
          />
        </label>
        <FormEnd
          fault={decide.error ? sayError(decide.error) : undefined}
          action={action}
          busy={decide.isPending}
          onCancel={onDone}
        />
      </form>
    </Dialog>
  )
}

function Remove({ run, onDone, onDeleted }: AskProps & { onDeleted?: () => void }) {
  const removal = useRunChange(run, 'deleted', ({ api }) => deleteRun(api, run.run_id))
  const confirm = (): void =>
    removal.mutate(undefined, {
      onSuccess() {
        onDone()
        onDeleted?.()
      },
    })
  return (
    <Confirm
      open
      onOpen={onDone}
      title={`Delete “${run.name}”?`}
      says="All of its items go for good, and its id cannot be used again."
      action="Delete"
      busy={removal.isPending}
      onConfirm={confirm}
    />
  )
}
