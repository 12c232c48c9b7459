import type { ConversationState } from '@llm-eval/protocol'
import { Ban, Check, CircleAlert, Hourglass, LoaderCircle, Scissors } from 'lucide-react'
import { stateWords } from '../format/conversation-words.ts'

const looks: Record<ConversationState, { look: string; Icon: typeof Check }> = {
  running: { look: 'bg-busy-soft text-busy [&>svg]:animate-spin', Icon: LoaderCircle },
  finished: { look: 'bg-good-soft text-good', Icon: Check },
  waiting: { look: 'bg-wait-soft text-wait', Icon: Hourglass },
  failed: { look: 'bg-bad-soft text-bad', Icon: CircleAlert },
  cancelled: { look: 'text-ink-2 inset-ring inset-ring-line', Icon: Ban },
  truncated: { look: 'bg-wait-soft text-wait', Icon: Scissors },
}

/** How a conversation or a turn stands, told by word, picture and colour. */
export function ConversationBadge({ state }: { state: ConversationState }) {
  const { look, Icon } = looks[state]
  const { word, says } = stateWords[state]
  return (
    <span
      title={says}
      className={`inline-flex h-5.5 items-center gap-1 rounded-full px-2 text-xs font-medium whitespace-nowrap ${look}`}
    >
      <Icon aria-hidden size={12} strokeWidth={2.5} />
      {word}
    </span>
  )
}
