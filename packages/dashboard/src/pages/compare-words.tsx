import type { MetricComparison, RunComparison } from '@llm-eval/protocol'
import { CircleHelp, Equal, TrendingDown, TrendingUp, TriangleAlert } from 'lucide-react'
import { findingsOf, letterOf, type VerdictMood, verdictWords } from '../format/comparison-words.ts'
import { formatCount } from '../format/numbers.ts'

const looks: Record<VerdictMood, { look: string; Icon: typeof Equal }> = {
  good: { look: 'bg-good-soft text-good', Icon: TrendingUp },
  bad: { look: 'bg-bad-soft text-bad', Icon: TrendingDown },
  plain: { look: 'text-ink-2 inset-ring inset-ring-line', Icon: Equal },
  wait: { look: 'bg-wait-soft text-wait', Icon: CircleHelp },
}

/** A verdict, told by word, picture and colour. */
export function VerdictBadge({ verdict }: Pick<MetricComparison, 'verdict'>) {
  const { word, mood } = verdictWords[verdict]
  const { look, Icon } = looks[mood]
  return (
    <span
      className={`inline-flex h-5.5 shrink-0 items-center gap-1 rounded-full px-2 text-xs font-medium whitespace-nowrap ${look}`}
    >
      <Icon aria-hidden size={12} strokeWidth={2.5} />
      {word}
    </span>
  )
}

const inks: Record<VerdictMood, string> = {
  good: 'text-good',
  bad: 'text-bad',
  plain: 'text-ink',
  wait: 'text-wait',
}

/** What was found, in words, before any number. */
export function Findings({ comparison, nameOf }: { comparison: RunComparison; nameOf: (id: string) => string }) {
  const { compared, cases_shared: shared, cases_total: total } = comparison
  return (
    <section aria-label="Verdict" className="card flex flex-col gap-3 p-4 sm:p-5">
      {compared.map((one, index) => (
        <div key={one.run_id} className="min-w-0">
          <h2 className="foreign text-sm text-ink-2">
            {letterOf(index + 1)} · {nameOf(one.run_id)}, against A · {nameOf(comparison.runs[0] ?? '')}
          </h2>
          {findingsOf(one).map(({ mood, text }) => (
            <p key={text} className={`foreign text-lg font-semibold ${inks[mood]}`}>
              {text}
            </p>
          ))}
        </div>
      ))}
      <p className="text-sm text-ink-2">
        {shared === total
          ? `All ${formatCount(total)} cases are in ${comparison.runs.length === 2 ? 'both' : 'all'} runs.`
          : `${formatCount(shared)} of ${formatCount(total)} cases are in ${comparison.runs.length === 2 ? 'both' : 'all'} runs; only what two runs have scored is compared.`}
      </p>
    </section>
  )
}

/** What speaks against the runs. */
export function Warnings({
  warnings,
  nameOf,
}: {
  warnings: RunComparison['warnings']
  nameOf: (id: string) => string
}) {
  if (warnings.length === 0) return null
  return (
    <ul aria-label="Warnings" className="flex flex-col gap-1 rounded-lg bg-wait-soft px-4 py-3 text-wait">
      {warnings.map(({ run_id: id, code, message }) => (
        <li key={`${id} ${code}`} className="flex items-start gap-2">
          <TriangleAlert aria-hidden size={15} className="mt-1 shrink-0" />
          <span className="foreign min-w-0">
            {nameOf(id)}: {message}
          </span>
        </li>
      ))}
    </ul>
  )
}
