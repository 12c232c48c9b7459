import type { Run } from '@llm-eval/protocol'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { decideRun, runKeys } from '../api/runs.ts'
import { useParts } from '../app/parts.ts'
import { Dialog, FormEnd } from '../components/dialog.tsx'
import { TextField, wordOf } from '../components/field.tsx'
import { sayError } from '../components/notice.tsx'
import { useCell } from '../stream/cell.ts'

export type Verdict = 'approve' | 'reject'

const words: Record<Verdict, { title: string; action: string }> = {
  approve: { title: 'Approve this run', action: 'Approve' },
  reject: { title: 'Reject this run', action: 'Reject' },
}

/** Asks for the note of a decision, and who decides where nobody signs in. */
export function ApproveRun({ run, verdict, onDone }: { run: Run; verdict: Verdict; onDone: () => void }) {
  const { api, queries, reviewer } = useParts()
  const client = useQueryClient()
  const name = useCell(reviewer.cell)
  const { data: session } = useQuery(queries.session())
  const isNamed = session?.auth_required === true
  const [fault, setFault] = useState<string>()
  const decide = useMutation({
    mutationFn: ({ note, by }: { note: string; by: string }) =>
      decideRun(api, run.run_id, { verdict, note: note || null, by: isNamed || by === '' ? null : by }),
    onSuccess(changed, { by }) {
      if (!isNamed) reviewer.rename(by)
      client.setQueryData(runKeys.detail(run.run_id), changed)
      onDone()
    },
    onError: (error) => setFault(sayError(error)),
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    decide.mutate({ note: wordOf(form, 'note'), by: wordOf(form, 'by') })
  }
  const { title, action } = words[verdict]
  return (
    <Dialog open onOpen={onDone} title={title} says="The last word counts; it falls when the run is resumed.">
      <form aria-label={title} className="flex flex-col gap-3" onSubmit={submit}>
        <label className="flex flex-col gap-1">
          <span className="text-sm font-medium text-ink-2">Note</span>
          <textarea
            name="note"
            rows={3}
            className="rounded-lg border border-line bg-surface px-2.5 py-1.5 hover:border-line-strong"
          />
        </label>
        {!isNamed && <TextField name="by" label="Your name" defaultValue={name} maxLength={100} />}
        <FormEnd fault={fault} action={action} busy={decide.isPending} onCancel={onDone} />
      </form>
    </Dialog>
  )
}
