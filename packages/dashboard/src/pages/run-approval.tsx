import { limits } from '@llm-eval/protocol'
import type { FormEvent } from 'react'
import { decideRun } from '../api/runs.ts'
import { useParts } from '../app/parts.ts'
import { Dialog, FormEnd } from '../components/dialog.tsx'
import { TextField, wordOf } from '../components/field.tsx'
import { sayError } from '../components/notice.tsx'
import { type AskProps, useRunChange } from './run-change.tsx'
import { useMe } from './verdict.ts'

export type Verdict = 'approve' | 'reject'

const words: Record<Verdict, { title: string; action: string; done: string }> = {
  approve: { title: 'Approve this run', action: 'Approve', done: 'approved' },
  reject: { title: 'Reject this run', action: 'Reject', done: 'rejected' },
}

/** Asks for the note of a decision, and who decides where nobody signs in. */
export function ApproveRun({ run, verdict, onDone }: AskProps & { verdict: Verdict }) {
  const { reviewer } = useParts()
  const { title, action, done } = words[verdict]
  const me = useMe()
  const decide = useRunChange(run, done, ({ api }, { note, by }: { note: string; by: string }) =>
    decideRun(api, run.run_id, { verdict, note: note || null, by: by || null }),
  )
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const by = me.given ? wordOf(form, 'by') : ''
    decide.mutate(
      { note: wordOf(form, 'note'), by },
      {
        onSuccess() {
          if (me.given) reviewer.rename(by)
          onDone()
        },
      },
    )
  }
  return (
    <Dialog
      open
      onOpen={onDone}
      title={title}
      says={`“${run.name}”. The last word counts; it falls when the run is resumed.`}
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
        {me.given && <TextField name="by" label="Your name" defaultValue={me.name ?? ''} maxLength={100} />}
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
