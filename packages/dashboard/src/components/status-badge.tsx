import type { ReviewStatus } from '@llm-eval/protocol'
import { Check, CircleDashed, Eye, X } from 'lucide-react'

const looks: Record<ReviewStatus, { word: string; look: string; Icon: typeof Check }> = {
  pending: { word: 'Pending', look: 'text-ink-2 inset-ring inset-ring-line [&>svg]:text-wait', Icon: CircleDashed },
  in_review: { word: 'In review', look: 'bg-busy-soft text-busy', Icon: Eye },
  accepted: { word: 'Accepted', look: 'bg-good-soft text-good', Icon: Check },
  rejected: { word: 'Rejected', look: 'bg-bad-soft text-bad', Icon: X },
}

/** The words for a status. */
export function statusWord(status: ReviewStatus): string {
  return looks[status].word
}

/** A verdict, told by word, picture and colour. `compact` leaves the word to screen readers. */
export function StatusBadge({ status, compact = false }: { status: ReviewStatus; compact?: boolean }) {
  const { word, look, Icon } = looks[status]
  return (
    <span
      className={`inline-flex items-center gap-1 rounded-full text-xs font-medium whitespace-nowrap ${look} ${compact ? 'size-5 justify-center' : 'h-5.5 px-2'}`}
      title={compact ? word : undefined}
    >
      <Icon aria-hidden size={12} strokeWidth={2.5} />
      <span className={compact ? 'sr-only' : ''}>{word}</span>
    </span>
  )
}
