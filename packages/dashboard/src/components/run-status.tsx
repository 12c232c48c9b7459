import type { RunApproval, RunStatus } from '@llm-eval/protocol'
import { Ban, Check, CircleDashed, LoaderCircle, ThumbsDown, ThumbsUp, Unplug, X } from 'lucide-react'

const looks: Record<RunStatus, { word: string; look: string; Icon: typeof Check }> = {
  queued: { word: 'Queued', look: 'text-ink-2 inset-ring inset-ring-line', Icon: CircleDashed },
  running: { word: 'Running', look: 'bg-busy-soft text-busy [&>svg]:animate-spin', Icon: LoaderCircle },
  completed: { word: 'Completed', look: 'bg-good-soft text-good', Icon: Check },
  failed: { word: 'Failed', look: 'bg-bad-soft text-bad', Icon: X },
  cancelled: { word: 'Cancelled', look: 'bg-wait-soft text-wait', Icon: Ban },
  abandoned: { word: 'Abandoned', look: 'bg-wait-soft text-wait', Icon: Unplug },
}

const badge = 'inline-flex h-5.5 shrink-0 items-center gap-1 rounded-full px-2 text-xs font-medium whitespace-nowrap'

/** The words for what a run is doing. */
export function runStatusWord(status: RunStatus): string {
  return looks[status].word
}

/** What a run is doing, told by word, picture and colour. */
export function RunStatusBadge({ status }: { status: RunStatus }) {
  const { word, look, Icon } = looks[status]
  return (
    <span className={`${badge} ${look}`}>
      <Icon aria-hidden size={12} strokeWidth={2.5} />
      {word}
    </span>
  )
}

/** What people decided about a run. */
export function ApprovalBadge({ approval: { state } }: { approval: Pick<RunApproval, 'state'> }) {
  const isGood = state === 'approved'
  const Icon = isGood ? ThumbsUp : ThumbsDown
  return (
    <span className={`${badge} ${isGood ? 'bg-good-soft text-good' : 'bg-bad-soft text-bad'}`}>
      <Icon aria-hidden size={12} strokeWidth={2.5} />
      {isGood ? 'Approved' : 'Rejected'}
    </span>
  )
}
