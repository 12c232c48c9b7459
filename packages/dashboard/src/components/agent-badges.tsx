import type { AgentCase, AgentFlakiness, AgentQuarantine } from '@llm-eval/protocol'
import { Check, CircleDashed, CircleHelp, Shuffle, ShieldOff, X } from 'lucide-react'
import { type AgentMood, outcomeWords, type Said, tally } from '../format/agent-words.ts'
import { formatTime } from '../format/times.ts'

const looks: Record<AgentMood, { look: string; Icon: typeof Check }> = {
  good: { look: 'bg-good-soft text-good', Icon: Check },
  bad: { look: 'bg-bad-soft text-bad', Icon: X },
  wait: { look: 'bg-wait-soft text-wait', Icon: CircleHelp },
  plain: { look: 'text-ink-2 inset-ring inset-ring-line', Icon: CircleDashed },
}

const frame = 'inline-flex h-5.5 items-center gap-1 rounded-full px-2 text-xs font-medium whitespace-nowrap'

/** A verdict, told by word, picture and colour. */
export function SaidBadge({ said: { word, mood } }: { said: Said }) {
  const { look, Icon } = looks[mood]
  return (
    <span className={`${frame} ${look}`}>
      <Icon aria-hidden size={12} strokeWidth={2.5} />
      {word}
    </span>
  )
}

export function FlakyBadge({ flakiness: { flaky, changes, of, p } }: { flakiness: AgentFlakiness }) {
  if (!flaky) return null
  const chance = p === null ? '' : `, p ${p < 0.001 ? '< 0.001' : p.toFixed(3)}`
  const says =
    changes === 0 ? 'It passes and fails by turns within one report.' : `It changed ${changes} of ${of} times${chance}.`
  return (
    <span className={`${frame} bg-busy-soft text-busy`} title={says}>
      <Shuffle aria-hidden size={12} />
      flaky
      <span className="sr-only">: {says}</span>
    </span>
  )
}

/** That a case does not count, and who sees to it; also when that is over. */
export function QuarantineBadge({ quarantine }: { quarantine: AgentQuarantine | null }) {
  if (quarantine === null) return null
  const { owner, reason, expires_at: ends, expired } = quarantine
  const says = `${owner}: ${reason} ${expired ? 'Over since' : 'Until'} ${formatTime(ends)}.`
  return (
    <span
      className={`${frame} ${expired ? 'text-ink-2 inset-ring inset-ring-line' : 'bg-wait-soft text-wait'}`}
      title={says}
    >
      <ShieldOff aria-hidden size={12} />
      {expired ? 'quarantine over' : 'quarantined'}
      <span className="sr-only">: {says}</span>
    </span>
  )
}

const fills: Record<AgentMood, string> = {
  good: 'fill-plot-good',
  bad: 'fill-bad',
  wait: 'fill-wait',
  plain: 'fill-line-strong',
}

const bars = 30
const high = 20

/** What became of a case report by report, the newest at the right. As high as its score; what has none is a stub. */
export function OutcomeBars({ history }: { history: AgentCase['history'] }) {
  const shown = history.slice(0, bars).toReversed()
  const offset = bars - shown.length
  return (
    <span className="inline-flex" title={`Newest last: ${tally(history.map(({ outcome }) => outcome))}`}>
      <svg aria-hidden viewBox={`0 0 ${bars * 4} ${high}`} className="h-5 w-30">
        {shown.map(({ report_id: id, outcome, score }, at) => {
          const height = score === null ? 4 : 4 + (score / 100) * (high - 4)
          return (
            <rect
              key={id}
              x={(offset + at) * 4}
              y={high - height}
              width={3}
              height={height}
              rx={1}
              className={fills[outcomeWords[outcome].mood]}
            />
          )
        })}
      </svg>
      <span className="sr-only">{`Of ${history.length} reports: ${tally(history.map(({ outcome }) => outcome))}`}</span>
    </span>
  )
}
