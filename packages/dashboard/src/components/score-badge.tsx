import type { ScoreFault, ScoreSummary } from '@llm-eval/protocol'
import { Ban, Check, CircleHelp, TriangleAlert, X } from 'lucide-react'

/** Why there is no score, in words. */
export const faultWords: Record<ScoreFault, string> = {
  missing_evidence: 'the trace lacks what it needs',
  no_provider: 'no model provider is set up',
  refused_value: 'it gave a value that is none',
  threw: 'it failed',
  timeout: 'it took too long',
  provider_error: 'the provider failed',
  provider_refused: 'the provider refused to answer',
  unparsable_answer: 'its answer could not be read',
  remote_error: 'the remote evaluator failed',
  too_large: 'its result is too large',
  cancelled: 'it was cancelled',
  cost_limit: 'the daily cost limit is reached',
}

const number = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 })

/** A value of a score, as short as it says something. */
export function formatScore(value: number): string {
  return number.format(value)
}

type Shown = Pick<ScoreSummary, 'outcome' | 'value' | 'label' | 'passed'>

const looks = {
  passed: { word: 'passed', look: 'bg-good-soft text-good', Icon: Check },
  failed: { word: 'failed', look: 'bg-bad-soft text-bad', Icon: X },
  // No picture: any line before a number would be a sign of it.
  scored: { word: 'scored', look: 'text-ink inset-ring inset-ring-line', Icon: null },
  uncertain: { word: 'uncertain', look: 'bg-wait-soft text-wait', Icon: CircleHelp },
  skipped: { word: 'skipped', look: 'text-ink-3 inset-ring inset-ring-line', Icon: Ban },
  errored: { word: 'errored', look: 'bg-wait-soft text-wait', Icon: TriangleAlert },
}

function lookOf({ outcome, label, passed }: Shown) {
  if (outcome !== 'scored') return looks[outcome]
  if (label === 'uncertain') return looks.uncertain
  return passed === null ? looks.scored : passed ? looks.passed : looks.failed
}

/** A score, told by word, picture and colour. What was skipped or failed shows no number: it is unknown. */
export function ScoreBadge({ score }: { score: Shown }) {
  const { word, look, Icon } = lookOf(score)
  const value = score.outcome === 'scored' && score.value !== null ? formatScore(score.value) : null
  const label = score.outcome === 'scored' && score.label !== null && score.label !== word ? score.label : null
  return (
    <span
      className={`inline-flex h-5.5 max-w-full items-center gap-1 rounded-full px-2 text-xs font-medium whitespace-nowrap ${look}`}
      title={[word, label, value].filter((part) => part !== null).join(', ')}
    >
      {Icon && <Icon aria-hidden size={12} strokeWidth={2.5} className="shrink-0" />}
      {value === null && label === null ? word : <span className="sr-only">{word}</span>}
      {value}
      {label !== null && <span className="foreign clip">{label}</span>}
    </span>
  )
}
