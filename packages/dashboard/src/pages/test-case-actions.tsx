import type { AgentCaseDetail, AgentQuarantine, Baseline } from '@llm-eval/protocol'
import { limits } from '@llm-eval/protocol'
import { useMutation } from '@tanstack/react-query'
import { Check, ShieldOff } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { acceptResult, deleteBaseline, endQuarantine, putQuarantine } from '../api/agent-tests.ts'
import { keys } from '../api/queries.ts'
import { useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Button } from '../components/button.tsx'
import { Confirm, Dialog, FormEnd } from '../components/dialog.tsx'
import { TextField, wordOf } from '../components/field.tsx'
import { sayError } from '../components/notice.tsx'
import { formatTime } from '../format/times.ts'

const day = 86_400_000

/** What may be done about a case: accept it, take back what was accepted, quarantine it. */
export function TestActions({ detail }: { detail: AgentCaseDetail }) {
  // Decided is what was on the screen when the dialog opened, whatever comes while it is open.
  const [open, setOpen] = useState<{ what: 'accept' | 'quarantine' | 'end' | 'forget'; seen: AgentCaseDetail } | null>(
    null,
  )
  const ask = (what: 'accept' | 'quarantine' | 'end' | 'forget') => setOpen({ what, seen: detail })
  const { quarantine, compared, result } = detail
  const close = () => setOpen(null)
  const answered = !detail.shortened && result?.attempts.some(({ trace }) => trace.fault === null) === true
  return (
    <>
      {answered && (
        <Button size="medium" look="primary" onClick={() => ask('accept')}>
          <Check aria-hidden size={14} />
          Accept…
        </Button>
      )}
      {compared && (
        <Button size="medium" onClick={() => ask('forget')}>
          Forget “{compared.baseline.variant}”…
        </Button>
      )}
      <Button size="medium" onClick={() => ask('quarantine')}>
        <ShieldOff aria-hidden size={14} />
        {quarantine ? 'Change quarantine…' : 'Quarantine…'}
      </Button>
      {quarantine && (
        <Button size="medium" onClick={() => ask('end')}>
          End quarantine…
        </Button>
      )}
      {open?.what === 'accept' && <Accept detail={open.seen} onClose={close} />}
      {open?.what === 'quarantine' && <Quarantine detail={open.seen} onClose={close} />}
      {open?.what === 'end' && open.seen.quarantine && (
        <EndQuarantine detail={open.seen} quarantine={open.seen.quarantine} onClose={close} />
      )}
      {open?.what === 'forget' && open.seen.compared && (
        <Forget detail={open.seen} baseline={open.seen.compared.baseline} onClose={close} />
      )}
    </>
  )
}

interface ActionProps {
  detail: AgentCaseDetail
  onClose: () => void
}

/** A change of the case; what is shown is read anew then. */
function useChange(done: string, { onClose }: Pick<ActionProps, 'onClose'>) {
  const { queryClient } = useParts()
  const toasts = useToasts()
  const [fault, setFault] = useState<string>()
  const change = useMutation({
    mutationFn: (work: () => Promise<unknown>) => work(),
    async onSuccess() {
      onClose()
      toasts.show({ text: done, mood: 'good' })
      await queryClient.invalidateQueries({ queryKey: keys.agentTests })
    },
    onError: (error) => setFault(sayError(error)),
  })
  return { fault, busy: change.isPending, run: (work: () => Promise<unknown>) => change.mutate(work) }
}

const placeOf = ({ suite, case_id: caseId }: AgentCaseDetail) => ({ suite, caseId })

function Accept({ detail, onClose }: ActionProps) {
  const { api } = useParts()
  const { fault, busy, run } = useChange('Accepted.', { onClose })
  const [variant, setVariant] = useState(detail.compared?.baseline.variant ?? 'default')
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const wish = { variant: variant.trim(), note: wordOf(form, 'note'), reportId: detail.report.report_id }
    run(() => acceptResult(api, placeOf(detail), { ...wish, expected: replaced?.accepted_at ?? null }))
  }
  const replaced = detail.baselines.find((one) => one.variant === variant.trim())
  return (
    <Dialog
      open
      onOpen={onClose}
      title="Accept this behaviour"
      says={`What the agent did in the report of ${formatTime(detail.report.at)} is right: from now on “llm-eval check --baselines server” holds the case against it.`}
    >
      <form aria-label="Accept" className="flex flex-col gap-3" onSubmit={submit}>
        <TextField
          label="Variant"
          name="variant"
          required
          pattern="[A-Za-z0-9_\-]{1,60}"
          title="1 to 60 letters, digits, _ and -"
          value={variant}
          onChange={(event) => setVariant(event.target.value)}
        />
        <p className="text-sm text-ink-2">{keptWords(detail)}</p>
        <p className="text-sm text-ink-2">
          {replaced
            ? `It takes the place of what is accepted as “${variant.trim()}”.`
            : detail.baselines.length === 0
              ? 'It becomes the baseline of this case.'
              : 'It is accepted beside the others, as another right way.'}
        </p>
        <TextField label="Note (optional)" name="note" maxLength={limits.noteChars} />
        <FormEnd fault={fault} action={replaced ? 'Replace' : 'Accept'} busy={busy} onCancel={onClose} />
      </form>
    </Dialog>
  )
}

/** Which attempts become the baseline. */
function keptWords({ result }: AgentCaseDetail): string {
  const attempts = result?.attempts ?? []
  const passed = attempts.filter(({ outcome }) => outcome === 'passed').length
  if (passed === attempts.length) return attempts.length === 1 ? 'It passed.' : `All ${passed} attempts passed.`
  if (passed > 0) return `Of ${attempts.length} attempts the ${passed} that passed are kept.`
  return attempts.length === 1
    ? 'It did not pass: whoever accepts it says that it is right all the same.'
    : 'No attempt passed: whoever accepts them says that they are right all the same.'
}

function Forget({ detail, baseline, onClose }: ActionProps & { baseline: Pick<Baseline, 'variant' | 'accepted_at'> }) {
  const { api } = useParts()
  const { fault, busy, run } = useChange('Forgotten.', { onClose })
  return (
    <Confirm
      open
      onOpen={onClose}
      title={`Forget “${baseline.variant}”?`}
      says={fault ?? 'What was accepted goes for good; the case is not held against it any more.'}
      action="Forget"
      busy={busy}
      onConfirm={() => run(() => deleteBaseline(api, placeOf(detail), baseline))}
    />
  )
}

function Quarantine({ detail, onClose }: ActionProps) {
  const { api } = useParts()
  const { fault, busy, run } = useChange('Quarantined.', { onClose })
  const { quarantine } = detail
  const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)
  const now = Date.now()
  const given = quarantine && !quarantine.expired ? Date.parse(quarantine.expires_at) : now + 14 * day
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const expires_at = `${wordOf(form, 'until')}T00:00:00.000Z`
    const expected_set_at = quarantine?.set_at ?? null
    const body = { owner: wordOf(form, 'owner'), reason: wordOf(form, 'reason'), expires_at, expected_set_at }
    run(() => putQuarantine(api, placeOf(detail), body))
  }
  return (
    <Dialog
      open
      onOpen={onClose}
      title="Quarantine this case"
      says="Until its end it does not fail “llm-eval check --baselines server”, and is told wherever the case is. Files beside the cases have quarantines of their own. A forbidden tool blocks a release all the same."
    >
      <form aria-label="Quarantine" className="flex flex-col gap-3" onSubmit={submit}>
        <TextField
          label="Owner"
          name="owner"
          required
          maxLength={limits.nameChars}
          placeholder="who sees to it"
          defaultValue={quarantine?.owner}
        />
        <TextField
          label="Reason"
          name="reason"
          required
          maxLength={limits.noteChars}
          defaultValue={quarantine?.reason}
        />
        <TextField
          label="Ends (midnight UTC)"
          name="until"
          type="date"
          required
          min={dayOf(now + day)}
          max={dayOf(now + limits.agentQuarantineDays * day)}
          defaultValue={dayOf(given)}
        />
        <FormEnd fault={fault} action="Quarantine" busy={busy} onCancel={onClose} />
      </form>
    </Dialog>
  )
}

function EndQuarantine({ detail, quarantine, onClose }: ActionProps & { quarantine: AgentQuarantine }) {
  const { api } = useParts()
  const { fault, busy, run } = useChange('Back in the gate.', { onClose })
  return (
    <Confirm
      open
      onOpen={onClose}
      title="End the quarantine?"
      says={fault ?? 'From now on the case counts again, and fails the gate where it does not do well.'}
      action="End"
      busy={busy}
      onConfirm={() => run(() => endQuarantine(api, placeOf(detail), quarantine))}
    />
  )
}
